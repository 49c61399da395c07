from contextlib import closing

import numpy as np
import pytest
from rganet_ros import models, networks
from rganet_ros.networks.unfold import settle
from rganet_ros.runtime import load
from rganet_ros.training import conversion
from rganet_ros.training.start import start_from
import small_models
import torch

TINY = {'blocks': [1, 1, 1, 1], 'reduced': 8, 'scale_by_n': True}


def test_depth_joins_a_colour_model_without_changing_its_answers(tmp_path):
    colour = networks.build('fanet18', TINY).eval()
    networks.save(tmp_path / 'colour.safetensors', colour)
    both = networks.build('fanet18', TINY | {'depth': True}).eval()
    assert start_from(both, tmp_path / 'colour.safetensors') == []
    image, depth = torch.rand(1, 3, 64, 64), torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        before, after = colour(image)['logits'], both(image, depth)['logits']
    assert torch.allclose(before, after, atol=1e-4 * before.abs().max())


def test_depth_is_not_cut_off_in_silence(tmp_path):
    path = tmp_path / 'both.safetensors'
    networks.save(path, networks.build('fanet18', TINY | {'depth': True}))
    with pytest.raises(ValueError, match='both.safetensors sees depth.* depth: true'):
        start_from(networks.build('fanet18', TINY), path)


@pytest.mark.parametrize('kept', [0, 100, -100])
def test_a_file_that_is_cut_off_is_refused(kept, tmp_path):
    network, path = networks.build('fanet18', TINY), tmp_path / 'cut.safetensors'
    networks.save(path, network)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match='cut.safetensors is no .safetensors file, or cut off'):
        start_from(network, path)


def test_what_does_not_fit_is_named(tmp_path):
    networks.save(
        tmp_path / 'other.safetensors', networks.build('fanet18', TINY | {'reduced': 16})
    )
    missed = start_from(networks.build('fanet18', TINY), tmp_path / 'other.safetensors')
    assert 'attention.0.query.conv.weight' in missed
    assert not any(name.startswith('backbone') for name in missed)


@pytest.mark.parametrize('depth', [False, True])
def test_a_model_file_gives_its_weights_back(depth, tmp_path):
    path = small_models.write(tmp_path, 'fanet18', depth=depth)
    model = models.find(path)
    network = networks.build('fanet18', model.card['config']).train()
    lost = start_from(network, path)
    assert lost and all(name.startswith(('aux', 'smooth64')) for name in lost)
    frame = {'image': np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)}
    if depth:
        frame['depth'] = np.full((1, 64, 96), 0.7, np.float32)
    with closing(load('onnxruntime', model)) as backend:
        expected = backend.run(frame, backend.new_state())['affordance']
    given = {name: torch.from_numpy(array) for name, array in frame.items()}
    image = given['image'].permute(0, 3, 1, 2) / 255
    metres = given['depth'][None] if depth else None

    def said():
        with torch.no_grad():
            return networks.Inference(network.eval())(**given)['affordance']

    torch.testing.assert_close(said(), torch.from_numpy(expected), atol=1e-4, rtol=0)
    settle(network, [(image.flip(3), metres), (image, metres)])
    torch.testing.assert_close(said(), torch.from_numpy(expected), atol=1e-4, rtol=0)
    # What flows while it trains is now as large as what flowed before.
    norm = network.backbone.stem.norm
    seen = []
    norm.register_forward_hook(lambda module, given, made: seen.append(float(made.std())))
    with torch.no_grad():
        for training in (False, True):
            network.train(training)(
                image.repeat(2, 1, 1, 1), metres.repeat(2, 1, 1, 1) if depth else None
            )
    assert seen[1] == pytest.approx(seen[0], rel=0.2)


def test_a_rounded_model_file_gives_nothing_back(tmp_path):
    model = models.find(small_models.write(tmp_path, 'fanet18'))
    half = conversion.retyped(model, tmp_path / 'half.onnx', 'fp16')
    with pytest.raises(ValueError, match='half.onnx is in fp16: start from the one in fp32'):
        start_from(networks.build('fanet18', model.card['config']), half.onnx)


def test_colour_alone_starts_from_what_learnt_without_depth(tmp_path):
    both = networks.build('fanet18', TINY | {'depth': True}).eval()
    path = tmp_path / 'both.safetensors'
    networks.save(path, both, made={'recipe': {'without_depth': 0.25}})
    colour = networks.build('fanet18', TINY).eval()
    assert start_from(colour, path) == []
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before, after = both(image, torch.zeros(1, 1, 64, 64))['logits'], colour(image)['logits']
    assert torch.allclose(before, after, atol=1e-4 * before.abs().max())
