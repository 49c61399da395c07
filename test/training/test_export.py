import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
import zlib

import numpy as np
import onnx
import onnxruntime
import pytest
from rganet_ros import models, networks
from rganet_ros.cli import main
from rganet_ros.runtime import openvino_backend
from rganet_ros.training import export
from rganet_ros.training.config import Recipe
from rganet_ros.training.fit import fit
import torch

SIZE = (64, 96)


@pytest.fixture(scope='module', params=[False, True], ids=['colour', 'depth'])
def exported(request, frames, tmp_path_factory):
    """Train a model for a few seconds, so that its maps are no noise."""
    folder = tmp_path_factory.mktemp('export')
    config = {'blocks': [1, 1, 1, 1], 'depth': request.param, 'scale_by_n': True}
    recipe = Recipe(
        config=config, epochs=6, batch=2, crop=SIZE, precision='fp32', average=0.5, colour=0.1
    )
    fit(recipe, frames, frames, folder)
    card = export.export(folder / 'network.safetensors', folder / 'model.onnx', SIZE)
    return SimpleNamespace(
        path=folder / 'model.onnx', card=card, frames=frames, depth=request.param
    )


def arrays(exported, index):
    rgb, depth, _ = exported.frames[index]
    return {'image': rgb[None]} | ({'depth': depth[None]} if exported.depth else {})


def run_onnxruntime(path):
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return lambda given: session.run(['affordance', 'labels'], given)


def run_openvino(path):
    settings = {'INFERENCE_PRECISION_HINT': 'f32'}
    compiled = openvino_backend.core().compile_model(str(path), 'CPU', settings)
    return lambda given: [compiled(given)[name] for name in ('affordance', 'labels')]


@pytest.mark.parametrize('engine', [run_onnxruntime, run_openvino])
def test_engines_answer_as_torch_does(exported, engine):
    network = networks.Inference(networks.restore(exported.path.with_suffix('.safetensors')))
    answer = engine(exported.path)
    for index in range(len(exported.frames)):
        given = arrays(exported, index)
        with torch.inference_mode():
            truth = network(**{name: torch.from_numpy(a) for name, a in given.items()})
        affordance, labels = answer(given)
        assert affordance.dtype == np.float32 and labels.dtype == np.uint8
        assert affordance.shape == labels.shape == (1, *SIZE)
        assert np.abs(affordance - truth['affordance'].numpy()).max() < 1e-3
        assert (labels == truth['labels'].numpy()).mean() > 0.9999
        assert affordance.min() >= 0 and affordance.max() <= 1


def test_the_graph_is_small_and_typed(exported):
    model = onnx.load(exported.path)
    half = sum(
        int(np.prod(t.dims)) for t in model.graph.initializer
        if t.data_type == onnx.TensorProto.FLOAT16
    )  # fmt: skip
    wide = sum(
        int(np.prod(t.dims)) for t in model.graph.initializer
        if t.data_type == onnx.TensorProto.FLOAT
    )  # fmt: skip
    assert wide < 0.01 * half
    assert exported.path.stat().st_size < 2.1 * half + 100_000
    operators = {node.op_type for node in model.graph.node}
    assert 'BatchNormalization' not in operators and 'NonZero' not in operators
    names = [i.name for i in model.graph.input], [o.name for o in model.graph.output]
    assert names == (['image', 'depth'][: 1 + exported.depth], ['affordance', 'labels'])


def test_a_new_folder_is_made_and_a_side_below_1_refused(exported, tmp_path, capsys):
    source, out = str(exported.path.with_suffix('.safetensors')), tmp_path / 'new' / 'model.onnx'
    assert main(['export', source, str(out), '--size', '0', '96']) == 2
    assert '--size 0 96: both sides must be 1 or more' in capsys.readouterr().err
    assert not out.parent.exists()
    assert main(['export', source, str(out), '--size', *map(str, SIZE)]) == 0
    assert models.find(out).card['size'] == list(SIZE)


def test_the_card_tells_what_the_file_is(exported):
    card = json.loads(exported.path.with_suffix('.json').read_text())
    assert card == exported.card
    assert card['sha256'] == hashlib.sha256(exported.path.read_bytes()).hexdigest()
    assert card['size'] == list(SIZE) and card['depth'] == exported.depth
    assert card['scores']['epoch'] == 6 and len(card['scores']['iou']) == 3
    assert card['made']['recipe']['epochs'] == 6
    network = networks.restore(exported.path.with_suffix('.safetensors'))
    assert networks.build(card['network'], card['config']).config == network.config


def test_the_graph_names_no_path_of_the_machine_that_made_it(exported):
    data = exported.path.read_bytes()
    for place in (networks.__file__, torch.__file__):
        assert str(Path(place).parent).encode() not in data


def test_weights_of_fewer_bits_take_less_room_in_git(exported, tmp_path):
    checkpoint, brief = exported.path.parent / 'network.safetensors', tmp_path / 'brief.onnx'
    card = export.export(checkpoint, brief, SIZE, bits=8)
    assert '8 significant bits' in card['precision']
    weights = networks.read_weights(brief.with_suffix('.safetensors'))
    assert all(torch.equal(w, w.bfloat16().float()) for w in weights.values() if w.ndim > 1)
    room, before = (len(zlib.compress(path.read_bytes())) for path in (brief, exported.path))
    assert room < 0.85 * before
    said = [
        onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])
        .run(['affordance'], arrays(exported, 0))[0]
        for model in (brief, exported.path)
    ]  # fmt: skip
    assert 0 < np.abs(said[0] - said[1]).mean() < 0.02


def test_bits_are_of_a_checkpoint(exported, capsys):
    given = ['export', str(exported.path), 'x.onnx', '--precision', 'fp16', '--bits', '8']
    assert main(given) == 2
    assert 'of a model file stay as they are' in capsys.readouterr().err
