import pytest
from rganet_ros import networks
from rganet_ros.training.start import start_from
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
