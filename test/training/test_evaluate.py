"""Evaluate: models and the baseline side by side, in tables, JSON and a page; and --check."""

import json
import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest
from rganet_ros import cli, networks
from rganet_ros.mixture import DataSet
from rganet_ros.networks.count import count
from rganet_ros.training import evaluate
from rganet_ros.training.cost import cost
from rganet_ros.training.evaluate import open_answer
from rganet_ros.training.score import save_sheet
from small_data import make_frame, write
import small_models
from test_masks import folder
import tiny


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """Give a small FANet of random weights."""
    path = tmp_path_factory.mktemp('network') / 'small.safetensors'
    networks.save(path, networks.build('fanet18', {'blocks': [1, 1, 1, 1], 'reduced': 8}))
    return str(path)


def run(*words):
    return cli.main(['evaluate', *map(str, words)])


def test_three_kinds_of_models_side_by_side(frames, checkpoint, tmp_path, capsys):
    model = tiny.write(tmp_path)
    given = [model, checkpoint, 'normals', frames.root, '--split', 'train']
    assert run(*given, '--out', tmp_path / 'page') == 0
    said = capsys.readouterr().out
    for word in ('MGRID', 'Top-1', 'Dice', 'MCC', '±', '255 is background'):
        assert word in said
    rows = json.loads((tmp_path / 'page' / 'scores.json').read_text())
    assert [row['model'] for row in rows] == [str(model), checkpoint, 'normals']
    for row in rows:
        assert row['frames'] == 4 and row['ms'] > 0 and row['unlabelled'] == 'background'
        assert 0 <= row['average_precision'] <= 1
        assert list(row['precision_1']) == ['0.2', '0.4', '0.6', '0.8']
        assert (row['parameters'] is None) == (row['model'] != checkpoint)
        mean, deviation = row['per_frame']['iou']
        assert mean == pytest.approx(row['frame_iou'][2], abs=1e-4) and deviation >= 0
    page = (tmp_path / 'page' / 'index.html').read_text()
    assert page.count('data:image/jpeg;base64,') == 3 * 9
    for word in ('normals: worst', 'normals: median', 'RGANet5-NB', '35.2', '<svg', '000002-0'):
        assert word in page
    sheet = cv2.imread(str(tmp_path / 'page' / 'pictures.jpg'))
    assert sheet.shape[1] == 1200 and sheet.std() > 20
    drawn = ElementTree.parse(tmp_path / 'page' / 'comparison.svg').getroot()
    names = [each.text for each in drawn.iter('{http://www.w3.org/2000/svg}text')]
    assert {'normals', model.name, 'small.safetensors'} <= {*names}


def test_cost_stands_beside_the_scores(frames, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '200')  # of the terminal
    config = {'blocks': [1, 1, 1, 1], 'reduced': 8}
    model, out = small_models.write(tmp_path, 'fanet18', (64, 128), **config), tmp_path / 'page'
    given = [model, tmp_path / 'network.safetensors', frames.root]
    assert run(*given, '--split', 'train', '--out', out) == 0
    said, page = capsys.readouterr().out, (out / 'index.html').read_text()
    # Of a file at the size of its input, of a checkpoint at that of the frames.
    for row, size in zip(json.loads((out / 'scores.json').read_text()), ((64, 128), (64, 96))):
        counted = count('fanet18', size, classes=3, **config)
        assert row['parameters'] == counted.parameters
        assert row['multiply_adds'] == counted.multiply_adds
        for word in (f'{counted.parameters / 1e6:.2f} M', f'{counted.multiply_adds / 1e9:.2f} G'):
            assert f'<td>{word}</td>' in page and word in said
    assert '<td>7.85 G</td>' in page


def test_a_model_for_another_cup_is_named(tmp_path, checkpoint, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '400')
    card = {'cup': {'radius': 0.015}, 'splits': {'train': {'recipe': {'cup': 'strong'}}}}
    write(tmp_path / 'data', [('000000-0', make_frame(0), None)], card)
    model, mine = tiny.write(tmp_path, cup='rigid'), tmp_path / 'mine.safetensors'
    networks.save(mine, networks.restore(checkpoint), made={'data': card})
    out = tmp_path / 'scores.json'
    given = [model, mine, checkpoint, 'normals', tmp_path / 'data']
    assert run(*given, '--split', 'train', '--out', out) == 0
    assert [row['cup'] for row in json.loads(out.read_text())] == ['rigid', 'strong', '', '']
    said = ' '.join(capsys.readouterr().out.split())
    assert said.count('labels are for the cup strong') == 1
    assert f'labels are for the cup strong, {model} is for rigid' in said


def test_one_model_alone_is_one_mapping_and_has_no_plot(frames, tmp_path):
    given = ['normals', frames.root, '--split', 'train', '--out']
    assert run(*given, tmp_path / 'alone.json') == 0 and run(*given, tmp_path / 'page') == 0
    found = json.loads((tmp_path / 'alone.json').read_text())
    assert found['model'] == 'normals' and len(found['iou']) == 3
    paged = json.loads((tmp_path / 'page' / 'scores.json').read_text())
    assert found | {'ms': 0} == paged | {'ms': 0}
    assert not (tmp_path / 'page' / 'comparison.svg').exists()


def test_mgrid_is_the_papers_or_the_programs(frames, tmp_path, capsys):
    found = {}
    for which in ('paper', 'code'):
        given = ['normals', frames.root, '--split', 'train', '--gamma-at-zero', which]
        assert run(*given, '--out', tmp_path / f'{which}.json') == 0
        found[which] = json.loads((tmp_path / f'{which}.json').read_text())
        assert ('in the code of its authors' in ' '.join(capsys.readouterr().out.split())) == (
            which == 'code'
        )
    assert found['code']['mgrid'] > found['paper']['mgrid']
    assert (
        found['code']['gamma_at_zero'] == 'code' and found['code']['iou'] == found['paper']['iou']
    )


def perfect(frames):
    truth = {frames[k][1].tobytes(): frames[k][2] for k in range(len(frames))}

    def answer(rgb, depth, new=True):
        labels = np.where(truth[depth.tobytes()] == 255, 0, truth[depth.tobytes()])
        return (labels == 2).astype(np.float32), labels.astype(np.uint8)

    return answer


def test_label_255_is_read_as_asked(tmp_path):
    write(tmp_path, [(f'{k:06d}-0', make_frame(k), None) for k in range(2)])
    counted = []
    for reading in ('ignore', 'background'):
        data = DataSet(tmp_path, 'train', reading)

        def everywhere(rgb, depth, new=True):
            return np.ones(depth.shape, np.float32), np.full(depth.shape, 2, np.uint8)

        found, _ = evaluate.evaluate(everywhere, data, 0, False)
        counted.append(found['precision'][2])
    suctionable, others = (sum((data[k][2] == c).sum() for k in range(2)) for c in (2, 1))
    assert counted[0] == pytest.approx(suctionable / (suctionable + others), abs=1e-4)
    assert counted[1] == pytest.approx(suctionable / (2 * 64 * 96), abs=1e-4)


def test_a_perfect_answer_is_perfect(tmp_path):
    write(tmp_path, [(f'{k:06d}-0', make_frame(k), None) for k in range(3)])
    data = DataSet(tmp_path, 'train')
    found, kept = evaluate.evaluate(perfect(data), data, 0, True)
    for name, (mean, deviation) in found['per_frame'].items():
        assert (mean, deviation) == (1, 0), name
    assert found['iou'] == [1, 1, 1] and found['pooled_mgrid'] == 1 and found['top_1'] == 1
    assert found['precision_1'] == dict.fromkeys(('0.2', '0.4', '0.6', '0.8'), 1)
    assert {name: len(each) for name, each in kept.items()} == dict.fromkeys(
        ('best', 'median', 'worst'), 3
    )
    assert kept['best'][0].picture.shape == (64 + 2 * 2, 4 * (96 + 2) + 2, 3)  # with gaps


def test_places_are_measured_by_the_score_where_there_is_one(tmp_path):
    write(tmp_path, [(f'{k:06d}-0', make_frame(k), None) for k in range(2)])
    data = DataSet(tmp_path, 'train')
    scores = tmp_path / 'data' / 'score'
    scores.mkdir()
    for k, said in enumerate(('score and label', 'score')):
        held = np.where(data[k][2] == 2, 0.5 * 65535, 0).astype(np.uint16)
        cv2.imwrite(str(scores / f'{k:06d}-0.png'), held)
        found, _ = evaluate.evaluate(perfect(data), data, 0, False)
        assert found['places_from'] == said
    assert found['precision_1'] == {'0.2': 1, '0.4': 1, '0.6': 0, '0.8': 0}


def test_the_worst_is_last_and_the_best_first(frames):
    data = DataSet(frames.root, 'train')
    right, calls = perfect(data), []

    def worse_each_time(rgb, depth, new=True):
        affordance, labels = right(rgb, depth)
        calls.append(new)
        labels[: 8 * (len(calls) - 1) % 32] = 2
        return affordance, labels

    kept = evaluate.evaluate(worse_each_time, data, 0, True)[1]
    assert [each.name for each in kept['best']] == ['000000-0', '000001-0', '000002-0']
    assert [each.name for each in kept['worst']] == ['000003-0', '000002-0', '000001-0']


def test_other_classes_are_scored_without_suction(tmp_path):
    mask = np.random.default_rng(0).integers(0, 4, (8, 12)).astype(np.uint8)
    root = folder(tmp_path / 'city', mask=mask.repeat(8, 0).repeat(8, 1))
    path = tmp_path / 'four.safetensors'
    config = {'blocks': [1, 1, 1, 1], 'reduced': 8, 'classes': 4}
    names = ['road', 'sky', 'tree', 'car']
    networks.save(path, networks.build('fanet18', config), made={'classes': names})
    assert run(path, root, '--out', tmp_path / 'page') == 0
    found = json.loads((tmp_path / 'page' / 'scores.json').read_text())
    assert len(found['iou']) == 4 and 'mgrid' not in found and found['frames'] == 1
    assert 'RGANet5' not in (tmp_path / 'page' / 'index.html').read_text()


def test_a_mixture_of_sizes_and_readings_is_scored_and_shown(tmp_path):
    write(tmp_path / 'small', [('000000-0', make_frame(0, 48, 64), None)])
    write(tmp_path / 'large', [('000001-0', make_frame(1), None)], {'unlabelled': 'ignore'})
    (tmp_path / 'both.yaml').write_text('small: 1\nlarge: 1\n')
    out = tmp_path / 'page'
    assert run('normals', tmp_path / 'both.yaml', '--split', 'train', '--out', out) == 0
    assert json.loads((out / 'scores.json').read_text())['unlabelled'] == 'ignore and background'
    assert '255 is what each data set says' in (out / 'index.html').read_text()
    data = DataSet(tmp_path / 'both.yaml', 'train')
    save_sheet(tmp_path / 'sheet.png', open_answer('normals', data), data)
    assert cv2.imread(str(tmp_path / 'sheet.png')).shape == (2 * (26 + 2) + 2, 133 + 2 * 2, 3)


def test_what_does_not_fit_is_refused(frames, checkpoint, tmp_path, capsys):
    root = folder(tmp_path / 'city')
    ours = folder(tmp_path / 'ours', '\n'.join(('background', 'not suctionable', 'suctionable 3')))
    for given, said in (
        ([checkpoint, root], 'tells background, not suctionable, suctionable; '),
        ([tiny.write(tmp_path), root], 'model tiny tells background, not suctionable, suct'),
        (['normals', ours], 'needs depth'),
        ([checkpoint, root, '--smooth', '0.5'], 'has other classes than ours'),
        ([frames.root], 'give one model or more'),
        (['normals', frames.root], "no split 'test'"),
        (['normals', frames.root, '--check'], 'and no model'),
    ):
        assert run(*given) == 2
        assert said in capsys.readouterr().err


def test_normals_needs_a_camera(tmp_path):
    root = folder(tmp_path, '\n'.join(('background', 'not suctionable', 'suctionable')))
    (root / 'depth').mkdir()
    with pytest.raises(ValueError, match='normals needs the intrinsics'):
        open_answer('normals', DataSet(root, 'train'))


def test_check_tells_all_and_fails(frames, tmp_path, capsys):
    assert run('--check', frames.root) == 0
    assert 'train: 4 frames\nnothing is wrong' in capsys.readouterr().out
    root = folder(tmp_path)
    (root / 'test.txt').write_text('')
    (root / 'masks' / 'a.png').unlink()
    assert run('--check', root) == 1
    said = capsys.readouterr().out
    assert "the split 'test' has no frames" in said and 'masks/a.png is missing' in said
    assert '2 faults' in said
    assert run('--check', root, '--split', 'val') == 1
    assert "no split 'val'" in capsys.readouterr().out


def test_cost_of_a_network_that_is_bound_to_a_size():
    bound = {'size': [64, 96], 'growth': 4, 'blocks': [1, 1]}
    known = {'network': 'rganet5-nb', 'config': bound}
    assert cost(known, (480, 640)) == count('rganet5-nb', (64, 96), **bound)


def test_a_precision_is_of_model_files(frames, checkpoint, tmp_path, capsys):
    model, out = tiny.write(tmp_path), tmp_path / 'scores.json'
    given = [frames.root, '--split', 'train', '--precision', 'fp32']
    assert run(model, *given, '--out', out) == 0
    assert json.loads(out.read_text())['arithmetic'] == 'fp32'
    for other in (checkpoint, 'normals'):
        assert run(other, *given) == 2
        assert (
            f'--precision fp32 is of model files, and {other} is none' in capsys.readouterr().err
        )
