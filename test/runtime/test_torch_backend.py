import numpy as np
import pytest
from rganet_ros import networks, runtime
from rganet_ros.models import Model
import torch

SIZE = (64, 96)


@pytest.fixture(params=[False, True], ids=['colour', 'depth'])
def model(request, tmp_path):
    torch.manual_seed(0)
    config = {'blocks': [1, 1, 1, 1], 'depth': request.param}
    networks.save(tmp_path / 'm.safetensors', networks.build('fanet18', config), half=True)
    return Model('m', tmp_path / 'm.onnx', '', {'size': list(SIZE), 'depth': request.param})


def arrays(model):
    rng = np.random.default_rng(0)
    given = {'image': rng.integers(0, 256, (1, *SIZE, 3), dtype=np.uint8)}
    return given | {'depth': rng.uniform(0.4, 0.9, (1, *SIZE)).astype(np.float32)}


def test_it_answers_as_the_network_does(model):
    backend = runtime.load('torch', model)
    state = backend.new_state()
    out = backend.run(arrays(model), state)
    inference = networks.Inference(networks.restore(model.weights))
    with torch.inference_mode():
        truth = inference(**{k: torch.from_numpy(v) for k, v in arrays(model).items()})
    assert state == {}
    for name, spec in backend.outputs.items():
        assert out[name].shape == spec.shape and out[name].dtype == spec.dtype
        assert np.array_equal(out[name], truth[name].numpy())
    assert backend.describe()['precision'] == 'fp32'
    backend.close()


def test_it_refuses_what_it_cannot_do(model):
    with pytest.raises(ValueError, match='ask for fp32'):
        runtime.load('torch', model, precision='bf16')
    with pytest.raises(ValueError, match='torch has no GPU 99 here'):
        runtime.load('torch', model, device='cuda:99')
    model.weights.unlink()
    with pytest.raises(ValueError, match=r'needs m\.safetensors'):
        runtime.load('torch', model)
