import json

import numpy as np
import onnxruntime
import pytest
from rganet_ros import cli, models, networks
from rganet_ros.runtime import load
from rganet_ros.training import export
from rganet_ros.training.calibrate import answers, probability, temperature
from rganet_ros.training.reliability import curve, drawing, error
from rganet_ros.training.score import answerer
from rganet_ros.types import CLASSES
import small_models
from test_masks import folder
import torch


def told(t, count=200_000):
    """Logits whose probabilities at temperature t are the truth."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (count, 3)).astype(np.float32)
    return logits, rng.random(count) < probability(logits, t)


@pytest.mark.parametrize('t', [0.5, 1.0, 2.5])
def test_the_temperature_that_was_used_is_found(t):
    logits, holds = told(t)
    found = temperature(logits, holds)
    assert found == pytest.approx(t, rel=0.03)
    assert error(curve(probability(logits, found), holds)) < 0.005
    if t != 1:
        assert error(curve(probability(logits, 1.0), holds)) > 0.02


def test_probabilities_sum_to_one_and_survive_large_logits():
    logits = np.array([[0, 0, 0], [500, 0, -500], [-500, 0, 500]], np.float32)
    np.testing.assert_allclose(probability(logits, 1.0), [1 / 3, 0, 1], atol=1e-6)


def test_the_error_is_the_distance_by_hand():
    p = np.array([0.95] * 10 + [0.15] * 30)
    holds = np.array([True] * 8 + [False] * 2 + [True] * 3 + [False] * 27)
    assert error(curve(p, holds)) == pytest.approx((10 * 0.15 + 30 * 0.05) / 40)


def test_the_drawing_has_both_curves():
    logits, holds = told(2.0, 2000)
    text = drawing({t: curve(probability(logits, t), holds) for t in (1.0, 2.0)})
    assert text.count('<polyline') == 3 and 'temperature 2.00' in text


def test_nothing_to_fit_is_refused():
    with pytest.raises(ValueError, match='nothing to fit'):
        temperature(np.zeros((4, 3), np.float32), np.zeros(4, bool))


@pytest.mark.parametrize('name', [next(iter(rows)) for rows in networks.MODULES.values()])
def test_every_network_keeps_it_in_the_form_for_engines(name):
    network = small_models.settled(name, {}).eval()
    network.temperature = 3.0
    image = torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8)
    with torch.no_grad():
        one, other = (networks.Inference(n)(image) for n in (network, network.for_inference()))
        network.temperature = 1.0
        plain = networks.Inference(network)(image)
    assert torch.allclose(one['affordance'], other['affordance'], atol=1e-3)
    assert (one['affordance'] - plain['affordance']).abs().max() > 1e-3
    assert torch.equal(one['labels'], plain['labels'])


def test_it_is_inside_the_graph_and_changes_no_label(data, tmp_path, capsys):
    checkpoint = tmp_path / 'network.safetensors'
    networks.save(checkpoint, small_models.settled('fanet18', {'blocks': [1, 1, 1, 1]}))
    (data / 'data' / 'more-split.txt').write_text('000002-0')
    given = [str(checkpoint), str(data), '--split', 'more', '--score', 'test']
    plain = export.export(checkpoint, tmp_path / 'plain.onnx', (64, 96))
    assert cli.main(['calibrate', *given]) == 0
    assert 'before' in capsys.readouterr().out
    assert (tmp_path / 'network.calibration.svg').stat().st_size > 500
    card = export.export(checkpoint, tmp_path / 'calibrated.onnx', (64, 96))
    fitted = card['calibration']['temperature']
    assert plain['calibration'] == {} and fitted != 1 and 'fitted_on' in card['calibration']
    weights = models.find(tmp_path / 'calibrated.onnx').weights
    assert networks.restore(weights).temperature == pytest.approx(fitted, abs=1e-4)
    rgb = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)
    one, other = (
        onnxruntime.InferenceSession(tmp_path / f'{x}.onnx').run(None, {'image': rgb})
        for x in ('plain', 'calibrated')
    )
    assert np.abs(one[0] - other[0]).max() > 1e-3 and np.array_equal(one[1], other[1])
    assert json.loads((tmp_path / 'calibrated.json').read_text()) == card


def test_depth_that_is_not_there_is_refused(tmp_path, capsys):
    checkpoint = tmp_path / 'network.safetensors'
    networks.save(checkpoint, networks.build('fanet18', {'blocks': [1, 1, 1, 1], 'depth': True}))
    colour = folder(tmp_path / 'data', '\n'.join(CLASSES), 2 * np.eye(64, dtype=np.uint8))
    before = checkpoint.read_bytes()
    given = ['calibrate', str(checkpoint), str(colour), '--split', 'all', '--score', 'test']
    assert cli.main(given) == 2 and 'needs depth, which' in capsys.readouterr().err
    assert checkpoint.read_bytes() == before


def test_a_network_bound_to_a_size_is_asked_about_frames_of_another(frames):
    network = small_models.settled('rganet5-nb', {'depth': True}, (64, 64)).eval()
    logits, holds = answers(network, frames)
    assert len(logits) == len(holds) and frames[0][2].shape == (64, 96)
    affordance, _ = answerer(network, torch.device('cpu'))(*frames[0][:2])
    first = probability(logits, 1.0)[: 16 * 24].reshape(16, 24)
    assert np.abs(first - affordance[::4, ::4]).mean() < 0.02


def test_what_it_was_trained_on_is_no_judge(data, tmp_path, capsys):
    checkpoint = tmp_path / 'network.safetensors'
    network = networks.build('fanet18', {'blocks': [1, 1, 1, 1]})
    networks.save(checkpoint, network, made={'recipe': {}})
    given = ['calibrate', str(checkpoint), str(data), '--split']
    assert cli.main([*given, 'train', '--score', 'test']) == 2
    assert 'was trained on that' in capsys.readouterr().err
    assert cli.main([*given, 'test', '--score', 'test']) == 2
    assert 'fit on one' in capsys.readouterr().err


def test_a_blur_goes_into_the_graph_and_is_scored_anew(data, tmp_path, capsys):
    checkpoint = tmp_path / 'network.safetensors'
    network = small_models.settled('fanet18', {'blocks': [1, 1, 1, 1]}).eval()
    networks.save(checkpoint, network, made={'scores': {'epoch': 3, 'accuracy': 2.0}})
    (data / 'data' / 'more-split.txt').write_text('000002-0')
    given = [str(checkpoint), str(data), '--split', 'more', '--score', 'test', '--blur']
    assert cli.main(['calibrate', *given, '2']) == 0
    blurs = networks.restore(checkpoint)
    assert blurs.config.blur == 2
    for name, value in network.state_dict().items():
        assert torch.equal(blurs.state_dict()[name], value)
    scores = networks.notes(checkpoint)['made']['scores']
    assert scores['epoch'] == 3 and 0 <= scores['accuracy'] <= 1 and scores['frames'] == 1
    export.export(checkpoint, tmp_path / 'blurs.onnx', (64, 96))
    (tmp_path / 'blurs.safetensors').unlink()  # torch then reads the graph
    rgb = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)
    model = models.find(tmp_path / 'blurs.onnx')
    one, other = (load(name, model) for name in ('torch', 'onnxruntime'))
    one, other = (engine.run({'image': rgb}, {})['affordance'] for engine in (one, other))
    assert np.abs(one - other).max() < 1e-3
    networks.save(tmp_path / 'plain.safetensors', network)
    export.export(tmp_path / 'plain.safetensors', tmp_path / 'plain.onnx', (64, 96))
    plain = load('onnxruntime', models.find(tmp_path / 'plain.onnx')).run({'image': rgb}, {})
    assert np.abs(one - plain['affordance']).max() > 1e-2

    networks.save(checkpoint, small_models.settled('rganet5-nb', {}, (64, 96)))
    before = checkpoint.read_bytes()
    assert cli.main(['calibrate', *given, '2']) == 2
    assert "no field 'blur'" in capsys.readouterr().err and checkpoint.read_bytes() == before


def test_a_memory_is_given_to_a_network_that_had_none(data, tmp_path, capsys):
    checkpoint = tmp_path / 'network.safetensors'
    network = small_models.settled('fanet18', {'blocks': [1, 1, 1, 1]}).eval()
    networks.save(checkpoint, network, made={'scores': {'epoch': 3, 'accuracy': 2.0}})
    (data / 'data' / 'more-split.txt').write_text('000002-0')
    given = ['calibrate', str(checkpoint), str(data), '--split', 'more', '--score', 'test']
    assert cli.main([*given, '--frames', '3']) == 0
    remembers = networks.restore(checkpoint)
    assert remembers.config.frames == 3 and remembers.new_state(1)
    for name, value in network.state_dict().items():
        assert torch.equal(remembers.state_dict()[name], value)
    assert 0 <= networks.notes(checkpoint)['made']['scores']['accuracy'] <= 1
    before = checkpoint.read_bytes()
    assert cli.main([*given, '--frames', '0']) == 2
    assert 'frames = 0 must be 1 or more' in capsys.readouterr().err
    assert checkpoint.read_bytes() == before


def test_what_a_mixture_has_taught_is_scored_on_this_set_alone(data, tmp_path):
    checkpoint = tmp_path / 'network.safetensors'
    network = small_models.settled('fanet18', {'blocks': [1, 1, 1, 1]}).eval()
    (data / 'data' / 'more-split.txt').write_text('000002-0')
    given = ['calibrate', str(checkpoint), str(data), '--split', 'more', '--score', 'test']
    card = {'splits': {}, 'cup': {}}
    for learnt, frames in ((card, 108), ({'data/a': {'card': card}, 'b': {'card': card}}, 1)):
        made = {'data': learnt, 'scores': {'epoch': 3, 'frames': 108}}
        networks.save(checkpoint, network, made=made)
        assert cli.main(given) == 0
        scores = networks.notes(checkpoint)['made']['scores']
        assert scores['frames'] == frames and scores['epoch'] == 3


def test_one_that_has_learnt_without_depth_becomes_one_of_colour_alone(data, tmp_path, capsys):
    checkpoint, colour = tmp_path / 'network.safetensors', tmp_path / 'colour.safetensors'
    network = small_models.settled('fanet18', {'blocks': [1, 1, 1, 1], 'depth': True}).eval()
    (data / 'data' / 'more-split.txt').write_text('000002-0')
    given = ['calibrate', str(checkpoint), str(data), '--split', 'more', '--score', 'test']
    given += ['--without-depth', str(colour)]
    networks.save(checkpoint, network)
    assert cli.main(given) == 2 and 'sees depth' in capsys.readouterr().err
    assert not colour.exists()
    networks.save(checkpoint, network, made={'recipe': {'without_depth': 0.5}})
    before = checkpoint.read_bytes()
    assert cli.main(given) == 0 and checkpoint.read_bytes() == before
    alone, about = networks.restore(colour), networks.notes(colour)['made']
    assert not alone.config.depth and alone.temperature != 1 and about['scores']['frames'] == 1
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        said, blind = alone(image), network(image, torch.zeros(1, 1, 64, 96))
    assert torch.allclose(said['logits'], blind['logits'], atol=1e-4)
