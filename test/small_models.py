"""Model files of every network, small, with random weights that behave like trained ones."""

from lively import lively
from rganet_ros import networks
from rganet_ros.training import export
import torch

SIZE = (64, 96)


def settled(name: str, config: dict, size=SIZE, steps=2):
    """Build a network whose norms have seen a few pictures, so that its answer is no noise."""
    torch.manual_seed(1)
    if 'size' in vars(networks.NETWORKS[name][1].config):
        config = config | {'size': size}
    network = lively(networks.build(name, config)).train()
    with torch.no_grad():
        for _ in range(steps):
            network(torch.rand(2, 3, *size), torch.rand(2, 1, *size) + 0.3, **zeros(network, 2))
        network.eval()
        logits = network(torch.rand(1, 3, *size), torch.rand(1, 1, *size) + 0.3, **zeros(network))
        strong = logits['logits'].std()
        for part in network.modules():  # so that affordance is neither all 0 nor all 1
            if isinstance(part, torch.nn.Conv2d) and part.out_channels == 3 and strong > 2:
                for value in part.parameters():
                    value /= strong / 2
    return network


def zeros(network, batch=1) -> dict[str, torch.Tensor]:
    """Make the memory of a network that has seen nothing."""
    return {name: torch.zeros(shape) for name, shape in network.state_shapes(batch).items()}


def write(folder, name: str, size=SIZE, **config):
    """Export a variant into a folder; returns the path of its .onnx."""
    networks.save(folder / 'network.safetensors', settled(name, config, size))
    path = folder / f'{name}.onnx'
    export.export(folder / 'network.safetensors', path, size)
    return path
