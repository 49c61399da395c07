import numpy as np
import pytest
from rganet_ros import models, networks, runtime
from rganet_ros.models import Model
import small_models
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


def test_the_gpu_that_is_named_is_the_one_that_runs(model, monkeypatch):
    backend = runtime.load('torch', model)
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda device=None: f'that of {device}')
    monkeypatch.setattr(backend, '_device', torch.device('cuda', 1))
    assert backend.describe()['device'] == 'that of cuda:1'


class Fading(torch.nn.Module):
    """As little as a network with memory can be: a shipped one takes minutes to compile."""

    temperature = 1.0

    def __init__(self):
        super().__init__()
        self.mix = torch.nn.Conv2d(3, 3, 1)

    def new_state(self, batch):
        return {'past': torch.zeros(batch, 3, *SIZE)}

    def forward(self, image, depth=None, past=None):
        seen = self.mix(image) + past / 2
        return {'logits': seen, 'next_past': seen}


@pytest.mark.slow
def test_compiled_it_answers_the_same_and_remembers(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCHINDUCTOR_CACHE_DIR', str(tmp_path / 'compiled'))
    monkeypatch.setenv('TORCHINDUCTOR_COMPILE_THREADS', '1')
    torch.manual_seed(0)
    network = Fading().eval()
    monkeypatch.setattr(networks, 'restore', lambda path: network)
    (tmp_path / 'm.safetensors').touch()
    model = Model('m', tmp_path / 'm.onnx', '', {'size': list(SIZE), 'depth': False})
    plain, compiled = (runtime.load('torch', model, compiled=each) for each in (False, True))
    assert [each.describe()['compiled'] for each in (plain, compiled)] == ['no', 'yes']
    assert list((tmp_path / 'compiled').rglob('*.cpp'))  # at the start, not with the first frame
    states = plain.new_state(), compiled.new_state()
    answers = []
    for _ in range(3):
        pair = [each.run(arrays(model), s) for each, s in zip((plain, compiled), states)]
        np.testing.assert_allclose(pair[1]['affordance'], pair[0]['affordance'], atol=1e-6)
        assert (pair[1]['labels'] == pair[0]['labels']).mean() > 0.999
        answers.append(pair[1]['affordance'])
    assert np.abs(answers[2] - answers[0]).max() > 1e-3
    compiled.close()


def test_a_compiler_that_is_not_there_is_said_at_the_start(model, monkeypatch):
    def compiled(network, mode):
        def call(**arrays):
            raise RuntimeError('no C++ compiler\n  and a trace')

        return call

    monkeypatch.setattr(torch, 'compile', compiled)
    with pytest.raises(ValueError, match=r'cannot compile .*\(no C\+\+ compiler\): set compiled'):
        runtime.load('torch', model, compiled=True)


def test_it_refuses_what_it_cannot_do(model):
    with pytest.raises(ValueError, match='ask for fp32'):
        runtime.load('torch', model, precision='bf16')
    with pytest.raises(ValueError, match='torch has no GPU 99 here'):
        runtime.load('torch', model, device='cuda:99')


def test_it_needs_no_weights_beside_the_file_but_for_what_is_folded_deeper(tmp_path):
    paths = [small_models.write(tmp_path, name) for name in ('fanet18', 'rganet5-nb')]
    model, folded = map(models.find, paths)
    given = {'image': np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), np.uint8)}
    beside = runtime.load('torch', model)
    for each in (model, folded):
        each.weights.unlink()
    within = runtime.load('torch', model)
    one, other = (each.run(given, each.new_state()) for each in (beside, within))
    np.testing.assert_allclose(one['affordance'], other['affordance'], atol=1e-4)
    with pytest.raises(ValueError, match=r'needs rganet5-nb\.safetensors beside .* lacks '):
        runtime.load('torch', folded)
