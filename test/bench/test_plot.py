"""`rganet bench plot`: from files of a bench, of cards and of an evaluation to points."""

import json
from xml.etree import ElementTree

import pytest
from rganet_ros import models
from rganet_ros.bench import plot
from rganet_ros.cli import main
import tiny

SCORES = {'recipe': 'clutter', 'split': 'test', 'seed': 1, 'frames': 100}


@pytest.fixture
def zoo(tmp_path):
    """Three models: two scored on the same frames, of which one takes depth; a third elsewhere."""
    folder = tmp_path / 'models'
    folder.mkdir()
    half, better = {'iou': [0.9, 0.7, 0.5]} | SCORES, {'iou': [0.9, 0.7, 0.6]} | SCORES
    tiny.write(folder, name='one', network='aaff', scores=half)
    # Each file needs bytes of its own: a bench knows a model by its hash.
    other = tiny.graph()
    other.doc_string = 'another'
    tiny.write(folder, other, name='two', network='bisenet-dw', depth=True, scores=better)
    third = tiny.graph()
    third.doc_string = 'a third'
    tiny.write(folder, third, name='bare', network='aaff')
    return folder


def bench(path, rows, **more):
    path.write_text(json.dumps({'rows': rows} | more))
    return str(path)


def row(ms, engine='openvino', precision='fp32', **what):
    timed = {'engine': engine, 'precision': precision, 'threads': '2', 'median_ms': ms}
    return timed | what


def sha(zoo, name):
    return models.find(zoo / f'{name}.onnx').sha256


def drawn(path):
    """Give the names that stand at the points, and where the points are."""
    root = ElementTree.fromstring(path.read_text())
    space = '{http://www.w3.org/2000/svg}'
    circles = [(float(c.get('cx')), float(c.get('cy'))) for c in root.iter(f'{space}circle')]
    return circles, [each.text for each in root.iter(f'{space}text')]


def test_cards_beside_a_bench_of_engines(zoo, tmp_path, capsys):
    rows = [
        row(20.0, model_sha256=sha(zoo, 'one')),
        row(1.0, precision='bf16', model_sha256=sha(zoo, 'one')),  # its score is not known
        row(10.0, model_sha256=sha(zoo, 'two')),
    ]
    out = tmp_path / 'speed.svg'
    given = [bench(tmp_path / 'b.json', rows), '--models', str(zoo), '--out', str(out)]
    assert main(['bench', 'plot', *given]) == 0
    ((x1, y1), (x2, y2)), words = drawn(out)
    assert {'one', 'two'} <= {*words} and 'bare' not in words
    assert x1 - 60 == pytest.approx(2 * (x2 - 60), abs=0.3) and y2 < y1
    assert any('milliseconds' in w and 'openvino' in w and 'threads: 2' in w for w in words)
    assert any('100 frames' in word for word in words)
    said = capsys.readouterr().out
    assert "the card of bare has no 'scores'" in said and '20.00 · 50.0 %' in said
    assert main(['bench', 'plot', *given, '--relative-to', 'two']) == 0
    assert '2.00 · 50.0 %' in capsys.readouterr().out
    assert main(['bench', 'plot', *given, '--relative-to', 'bare']) == 2
    assert 'it is not in the plot, which has one, two' in capsys.readouterr().err


def test_a_bench_of_networks_knows_colour_alone_and_one_size(zoo, tmp_path, capsys):
    rows = [row(20.0, network='aaff'), row(10.0, network='bisenet-dw')]
    out = tmp_path / 'speed.svg'
    path = bench(tmp_path / 'b.json', rows, size=list(tiny.SIZE))
    given = [path, '--models', str(zoo), '--out', str(out)]
    assert main(['bench', 'plot', *given]) == 0
    _, words = drawn(out)
    assert 'one' in words and 'two' not in words  # it takes depth: another network was timed
    assert 'has no time of two in openvino' in capsys.readouterr().out
    bench(tmp_path / 'b.json', rows, size=[480, 640])
    assert main(['bench', 'plot', *given]) == 2
    assert 'has no time of any model' in capsys.readouterr().err


def test_scores_of_different_frames_are_not_set_beside_each_other(zoo, tmp_path, capsys):
    made = json.loads((zoo / 'bare.json').read_text())
    card = made | {'scores': {'iou': [0.9, 0.7, 0.9]} | SCORES | {'frames': 32}}
    (zoo / 'bare.json').write_text(json.dumps(card))
    rows = [row(20.0, model_sha256=sha(zoo, name)) for name in ('one', 'two')]
    given = [bench(tmp_path / 'b.json', rows), '--models', str(zoo)]
    given += ['--out', str(tmp_path / 'x.svg')]
    assert main(['bench', 'plot', *given]) == 0  # what is not drawn may be of other frames
    bench(tmp_path / 'b.json', [*rows, row(5.0, model_sha256=sha(zoo, 'bare'))])
    assert main(['bench', 'plot', *given]) == 2
    said = capsys.readouterr().err
    assert 'bare and one are not known to be scored on the same' in said
    assert 'they differ in frames' in said and '--evaluated' in said


@pytest.mark.parametrize(
    ('first', 'second', 'why'),
    [
        ({'generator': 1, 'seed': 1}, {'generator': 2, 'seed': 1}, 'they differ in generator'),
        ({'generator': 2, 'seed': 1}, {'generator': 2, 'seed': 1}, None),
        ({}, {}, 'no card says which'),
    ],
)
def test_the_scores_of_a_training_are_of_its_datas_test_split(
    first, second, why, zoo, tmp_path, capsys
):
    for name, test in (('one', first), ('two', second)):
        card = json.loads((zoo / f'{name}.json').read_text())
        card |= {'scores': {'iou': [0.9, 0.7, 0.5], 'frames': 100}}
        (zoo / f'{name}.json').write_text(json.dumps(card | {'data': {'splits': {'test': test}}}))
    rows = [row(20.0, model_sha256=sha(zoo, name)) for name in ('one', 'two')]
    given = [bench(tmp_path / 'b.json', rows), '--models', str(zoo), '--out']
    assert main(['bench', 'plot', *given, str(tmp_path / 'x.svg')]) == (2 if why else 0)
    assert (why or '') in capsys.readouterr().err


def test_an_evaluation_goes_before_cards(zoo, tmp_path):
    alike = {'data': 'd', 'split': 'test', 'frames': 5, 'unlabelled': 'ignore'}
    rows = [
        {'model': str(zoo / 'bare.onnx'), 'iou': [0.9, 0.7, 0.8]} | alike,
        {'model': 'normals', 'iou': [0, 0, 0.2]} | alike,
        {'model': 'runs/network.safetensors', 'iou': [0, 0, 0.2]} | alike,
    ]
    path = tmp_path / 'scores.json'
    for content in (rows, rows[0]):  # of one model evaluate writes no list
        path.write_text(json.dumps(content))
        (score,) = plot.evaluated(path)
        assert (score.model.name, score.iou, score.frames) == ('bare', 0.8, alike)


def test_what_is_no_file_of_ours_is_refused(zoo, tmp_path, capsys):
    (tmp_path / 'b.json').write_text('not')
    given = ['bench', 'plot', str(tmp_path / 'b.json'), '--out', str(tmp_path / 'x.svg')]
    assert main(given) == 2
    assert 'is not JSON' in capsys.readouterr().err
    for wrong in ([{'model': 'one'}], {'rows': [{'case': 'a'}]}, {'rows': [1]}, 5):
        (tmp_path / 'b.json').write_text(json.dumps(wrong))
        assert main(given) == 2
        assert 'is not what rganet bench engines or networks writes' in capsys.readouterr().err
    given[2] = bench(tmp_path / 'b.json', [])
    assert main([*given, '--evaluated', given[2]]) == 2
    assert 'is not what rganet evaluate writes' in capsys.readouterr().err
    assert main([*given, '--models', str(zoo), '--scores', 'nothing']) == 2
    assert "has scores under 'nothing'" in capsys.readouterr().err
