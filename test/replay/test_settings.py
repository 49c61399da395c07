"""What counts of what was asked for."""

import argparse

import pytest
from rganet_ros.candidates import CandidateOptions
from rganet_ros.options import options_of
from rganet_ros.rectify import LensOptions
from rganet_ros.region import RegionOptions
from rganet_ros.replay import replay
from rganet_ros.replay.settings import NodeOptions, read_params, settings
import yaml


def asked(*words):
    parser = argparse.ArgumentParser()
    replay.arguments(parser)
    return settings(parser.parse_args(['bag', *map(str, words)]))


def test_a_nodes_parameter_file_will_do(tmp_path):
    path = tmp_path / 'node.yaml'
    path.write_text('/**:\n  ros__parameters:\n    limit: 3\n    model: mine\n    max_age: 1.0\n')
    assert read_params(path) == [{'model': 'mine'}, {'limit': 3}, {}, {}, {}]


BOX = 'workspace: [-0.3, 0.4, 0.0, 0.9, 0.5, 0.6]'


@pytest.mark.parametrize(
    ('lines', 'words'),
    [
        (['workspace_frame: base_link', BOX], "workspace_frame = 'base_link'.* optical frame"),
        (['workspace_mask: true'], 'workspace_mask = True.* --mask'),
    ],
)
def test_what_only_the_node_can_is_refused_where_the_candidates_would_be_others(
    lines, words, tmp_path
):
    path = tmp_path / 'node.yaml'
    path.write_text('/**:\n  ros__parameters:\n' + ''.join(f'    {each}\n' for each in lines))
    with pytest.raises(ValueError, match=words):
        asked('--params', path)


@pytest.mark.parametrize(
    'lines',
    [
        ['workspace_frame: base_link', 'target_frame: base_link'],  # everywhere, as elsewhere
        ["workspace_frame: ''", BOX, 'workspace_mask: false'],
        ['workspace_mask: true', BOX],
    ],
)
def test_what_changes_no_candidate_is_not(lines, tmp_path):
    path = tmp_path / 'node.yaml'
    path.write_text('/**:\n  ros__parameters:\n' + ''.join(f'    {each}\n' for each in lines))
    assert asked('--params', path, '--mask', 'mask.png').candidates


def test_the_command_line_goes_before_the_file_and_that_before_the_defaults(tmp_path):
    path = tmp_path / 'some.yaml'
    path.write_text(yaml.dump({'model': 'its', 'backend': 'torch', 'limit': 3, 'rectify': True}))
    found = asked('--params', path, '--model', 'mine', '--register-depth')
    assert found.predictor['model'] == 'mine' and found.predictor['backend'] == 'torch'
    assert found.candidates == CandidateOptions(limit=3)
    assert found.lens == LensOptions(rectify=True, register_depth=True)
    assert found.limits == RegionOptions()
    assert asked().lens == LensOptions() and 'model' not in asked().predictor


def test_what_is_the_nodes_is_as_the_node_has_it():
    its = options_of(pytest.importorskip('rganet_ros.node.parameters').NodeOptions)
    for name, mine in options_of(NodeOptions).items():
        assert mine._replace(text='') == its[name]._replace(text='')


def test_an_engine_that_is_missing_is_built_unless_the_file_says_otherwise(tmp_path):
    assert asked('--backend', 'tensorrt').predictor['build_engine'] == 'if_missing'
    path = tmp_path / 'some.yaml'
    path.write_text('build_engine: never\n')
    assert asked('--params', path).predictor['build_engine'] == 'never'
