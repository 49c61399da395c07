"""Model files in other precisions: made, held against what they were, refused past a tolerance."""

from contextlib import closing
import json
from types import SimpleNamespace

import numpy as np
import onnx
from onnx import numpy_helper, TensorProto
import pytest
from rganet_ros import models
from rganet_ros.bench.engines import frame_for
from rganet_ros.cli import main
from rganet_ros.runtime import load, tensorrt_builder
from rganet_ros.runtime.openvino_backend import core
from rganet_ros.runtime.tensorrt_builder import Target
from rganet_ros.training import conversion, parity, precision
from small_data import make_frame, write
import small_models
from test_masks import folder


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp('data')
    write(root, [(f'{seed:06d}-0', make_frame(seed), None) for seed in range(4)])
    listed = root / 'data' / 'train-split.txt'
    listed.with_name('test-split.txt').write_text(listed.read_text())
    return root


@pytest.fixture(scope='module', params=['fanet18', 'fanet18-temporal'])
def path(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return small_models.write(folder, request.param, depth=request.param == 'fanet18')


def kinds(path):
    """Count the weights of a file by type, and the operators that compute."""
    graph = onnx.load(path).graph
    counts = dict.fromkeys((TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT8), 0)
    for each in graph.initializer:
        counts[each.data_type] = counts.get(each.data_type, 0) + numpy_helper.to_array(each).size
    return counts, [node.op_type for node in graph.node]


def test_promise_08_fp16_is_typed_in_the_graph_and_held_against_fp32(path, tmp_path, data):
    out = tmp_path / 'half.onnx'
    assert main(['export', str(path), str(out), '--precision', 'fp16', '--check', str(data)]) == 0
    model = models.find(out)
    report = model.card['parity']
    assert model.card['arithmetic'] == 'fp16' and model.card['from'] == models.find(path).sha256
    assert report['frames'] == 4 and report['equal_labels'] > 0.99
    assert 0 < report['mean_difference'] < report['largest_difference'] < 0.1
    assert abs(report['iou_change']) <= report['tolerance'] == parity.MOST_LOST
    counts, _ = kinds(out)
    assert counts[TensorProto.FLOAT] < 0.01 * counts[TensorProto.FLOAT16]
    assert {each.type.tensor_type.elem_type for each in onnx.load(out).graph.output} == {
        TensorProto.FLOAT, TensorProto.UINT8
    }  # fmt: skip
    assert load('onnxruntime', model).precision == 'fp16'
    cache = tmp_path / 'cache'
    words = ['--to', 'tensorrt', '--engine', '--compute-capability', '8.6', '--cache', str(cache)]
    assert main(['export', str(out), *words]) == 0  # the precision is that of the file
    (engine,) = cache.glob('half-*.engine')
    assert engine.stat().st_size > 1e5


def test_sums_norms_and_metres_stay_in_fp32(path):
    graph = precision.to_half(onnx.load(path), 'fp16').graph
    graph = onnx.shape_inference.infer_shapes(
        onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid('', 18)])
    ).graph
    known = {each.name: each.type.tensor_type.elem_type for each in graph.value_info}
    found = {'Conv': set(), 'MatMul': set(), 'ReduceL2': set(), 'Div': set(), 'Softmax': set()}
    for node in graph.node:
        if node.op_type in found:
            found[node.op_type].add(known[node.output[0]])
    assert found.pop('Conv') == {TensorProto.FLOAT16}
    assert {kind for each in found.values() for kind in each} == {TensorProto.FLOAT}


def test_bf16_is_typed_in_the_graph(path, tmp_path, data):
    out = tmp_path / 'brief.onnx'
    words = ('export', path, out, '--precision', 'bf16', '--to', 'tensorrt', '--check', data)
    assert main([*map(str, words)]) == 0
    model = models.find(out)
    assert model.card['arithmetic'] == 'bf16' and model.card['parity']['engine'] == 'openvino'
    assert 0 < model.card['parity']['mean_difference'] < 0.05
    counts, _ = kinds(out)
    assert counts[TensorProto.FLOAT] < 0.01 * counts[TensorProto.BFLOAT16]
    assert load('openvino', model).precision == 'bf16'
    with pytest.raises(ValueError, match='cannot run brief, a file in bf16'):
        load('onnxruntime', model)
    assert len(tensorrt_builder.build_engine(model, Target('any', '8.6'))) > 1e5


def test_int8_has_its_ranges_in_the_graph(path, tmp_path, data):
    out = tmp_path / 'int8.onnx'
    given = ['export', path, out, '--precision', 'int8', '--calibrate', data, '--check', data]
    status = main([*map(str, given), '--tolerance', '1'])  # random weights may be past it
    assert out.exists() == (status == 0) and status in (0, 2)
    assert models.find(path).card['arithmetic'] == 'fp32'


@pytest.mark.parametrize('about_zero', [True, False])
def test_int8_is_about_zero_for_tensorrt_and_has_all_steps_for_processors(
    path, tmp_path, data, about_zero
):
    model = models.find(path)
    frames = conversion.inputs(model, data)
    made = conversion.retyped(model, tmp_path / 'int8.onnx', 'int8', frames, about_zero)
    counts, operators = kinds(made.onnx)
    assert counts[TensorProto.INT8] > 0.9 * sum(counts.values())
    assert operators.count('QuantizeLinear') > 10 and 'QLinearConv' not in operators
    graph = onnx.load(made.onnx).graph
    arrays = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    zeros = [arrays[node.input[2]] for node in graph.node if node.op_type == 'QuantizeLinear']
    largest = max(np.abs(array).max() for array in arrays.values() if array.dtype == np.int8)
    if about_zero:
        assert all(zero.dtype == np.int8 and not zero.any() for zero in zeros)
        assert largest == 127
        assert len(tensorrt_builder.build_engine(made, Target('any', '8.6'))) > 1e5
    else:
        assert all(zero.dtype == np.uint8 for zero in zeros)
        assert largest <= 64


def test_depth_wise_convolutions_and_the_first_stay_out_of_int8(tmp_path):
    model = models.find('fanet-lite0-rgb')
    given = {'image': frame_for(tuple(model.card['size']))['image']}
    made = conversion.retyped(model, tmp_path / 'int8.onnx', 'int8', [given])
    graph = onnx.load(made.onnx).graph
    source = {name: node for node in graph.node for name in node.output}
    first, *others, last = (node for node in graph.node if node.op_type == 'Conv')
    for node in (first, *others, last):
        groups = next(each.i for each in node.attribute if each.name == 'group')
        quantised = node.input[1] in source  # by a DequantizeLinear, from bytes
        assert quantised == (groups == 1 and node not in (first, last)), node.name


def test_what_int8_leaves_runs_in_bf16_where_the_processor_has_that(tmp_path):
    model = models.find('fanet18-rgbd')
    given = frame_for(tuple(model.card['size']))
    made = conversion.retyped(model, tmp_path / 'int8.onnx', 'int8', [given])
    with pytest.raises(ValueError, match="a file in fp32, in 'int8.bf16' here"):
        load('openvino', model, precision='int8+bf16')
    if 'BF16' not in core().get_property('CPU', 'OPTIMIZATION_CAPABILITIES'):
        with pytest.raises(ValueError, match="in 'int8.bf16' here: ask for int8"):
            load('openvino', made, precision='int8+bf16')
        return
    said = {}
    for asked in ('int8', 'int8+bf16'):
        with closing(load('openvino', made, precision=asked)) as backend:
            assert backend.describe()['precision'] == asked
            said[asked] = backend.run(given, backend.new_state())
    assert (said['int8']['affordance'] != said['int8+bf16']['affordance']).any()
    equal = (said['int8']['labels'] == said['int8+bf16']['labels']).mean()
    assert equal > 0.998  # with depth in bf16, too, 0.98


def test_a_plain_folder_will_do_if_it_is_for_the_model(tmp_path, capsys):
    mask = np.zeros((48, 64), np.uint8)
    mask[10:30, 10:40] = 2
    names = 'background\nnot suctionable\nsuctionable\n'
    root = folder(tmp_path / 'plain', names, mask)
    path, deep = (
        small_models.write(tmp_path / name, 'fanet18', depth=name == 'deep')
        for name in ('colour', 'deep')
    )
    assert len(list(conversion.inputs(models.find(path), root))) == 2
    with pytest.raises(ValueError, match='fanet18 needs depth, which .*plain does not have'):
        conversion.inputs(models.find(deep), root)
    words = ['--precision', 'fp16', '--check']
    assert main([*map(str, ['export', path, tmp_path / 'half.onnx', *words, root])]) == 0
    assert models.find(tmp_path / 'half.onnx').card['parity']['frames'] == 1
    other = folder(tmp_path / 'other', mask=mask)
    for model, data, said in ((deep, root, 'needs depth'), (path, other, 'tells background')):
        assert main([*map(str, ['export', model, tmp_path / 'b.onnx', *words, data])]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / 'b.onnx').exists()


def test_past_the_tolerance_nothing_is_written(path, tmp_path, data, capsys):
    out = tmp_path / 'half.onnx'
    given = ['export', path, out, '--precision', 'fp16', '--check', data, '--tolerance', '-1']
    assert main([*map(str, given)]) == 2
    assert 'fp16 is refused: the suctionable IoU changes by' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_equal_enough_is_named():
    good = {'equal_labels': 0.995, 'iou_change': -0.004, 'mean_difference': 0.01}
    assert parity.faults(good) == []
    assert parity.faults(good | {'iou_change': None}) == []
    bad = good | {'iou_change': -0.006, 'equal_labels': 0.98, 'mean_difference': np.inf}
    assert len(parity.faults(bad)) == 3
    assert parity.faults(good | {'iou_change': np.nan})


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['a.onnx', '--precision', 'fp16'], 'name the file to write'),
        (['MODEL', 'b.onnx'], 'is a model file in fp32, and b.onnx would be the same'),
        (['MODEL', 'b.onnx', '--precision', 'bf16'], 'give --to openvino or'),
        (['MODEL', 'b.onnx', '--precision', 'int8'], 'give --calibrate DATA'),
        (['MODEL', 'b.onnx', '--size', '64', '96'], 'give its checkpoint'),
        (['MODEL', '--engine', '--compute-capability', '5.0'], 'cannot build for compute'),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(words, said, path, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(['export', *(str(path) if word == 'MODEL' else word for word in words)]) == 2
    assert said in capsys.readouterr().err


def test_an_engine_is_built_ahead(tmp_path, capsys):
    path = small_models.write(tmp_path, 'fanet18')
    words = ['export', str(path), '--to', 'tensorrt', '--engine', '--compute-capability', '8.6']
    assert main([*words, '--cache', str(tmp_path / 'cache')]) == 0
    (engine,) = (tmp_path / 'cache').glob('*.engine')
    assert engine.stem in capsys.readouterr().out
    found = tensorrt_builder.engine(
        models.find(path), Target('any', '8.6'), False, tmp_path / 'cache'
    )
    assert found == (engine.stem, engine.read_bytes())
    assert SimpleNamespace(**json.loads(engine.with_suffix('.json').read_text())).key['precision']
