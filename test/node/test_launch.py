"""Launch files, configuration and RViz: what can be read is read; launch itself may be absent."""

import ast
from pathlib import Path
import re
import xml.etree.ElementTree as ElementTree

import pytest
from rganet_ros.node.outputs import TOPICS
import yaml

ROOT = Path(__file__).parents[2]
LAUNCH = sorted((ROOT / 'launch').glob('*.launch.py'))


@pytest.mark.parametrize('path', LAUNCH, ids=lambda path: path.name)
def test_every_declared_argument_is_used(path):
    tree = ast.parse(path.read_text())
    tables = {
        node.targets[0].id: [key.value for key in node.value.keys]
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    }
    names = {name for keys in tables.values() for name in keys}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]

    def first(function):
        return {
            call.args[0].value
            for call in calls
            if getattr(call.func, 'id', '') == function and isinstance(call.args[0], ast.Constant)
        }

    declared = first('DeclareLaunchArgument')
    used = first('LaunchConfiguration')
    # Those of a table are declared and configured in a loop each.
    loops = [node for node in ast.walk(tree) if isinstance(node, (ast.DictComp, ast.GeneratorExp))]
    made = {
        call.func.id
        for loop in loops
        for call in ast.walk(loop)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    }
    assert {'DeclareLaunchArgument', 'LaunchConfiguration'} <= made
    assert declared == used
    given = {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and getattr(node.value, 'id', '') == 'given'
    }
    if given:
        assert given == names


@pytest.mark.parametrize('path', LAUNCH, ids=lambda path: path.name)
def test_launch_files_make_a_description(path):
    pytest.importorskip('launch.actions', reason='launch comes with a ROS installation only')
    from launch import LaunchService
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    description = get_launch_description_from_python_launch_file(str(path))
    LaunchService().include_launch_description(description)
    names = {argument.name for argument in description.get_launch_arguments()}
    assert {'image', 'depth', 'camera_info', 'model', 'backend'} <= names


def test_the_profile_has_room_for_pictures():
    tree = ElementTree.parse(ROOT / 'config' / 'fastdds.xml')
    texts = {element.tag.rpartition('}')[2]: element.text for element in tree.iter()}
    assert int(texts['segment_size']) >= 32 * 2**20
    assert int(texts['maxMessageSize']) >= 4 * 2**20


def test_parameters_of_the_file_exist():
    from rganet_ros.node.parameters import GROUPS
    from rganet_ros.options import options_of

    text = (ROOT / 'config' / 'perception.yaml').read_text()
    given = yaml.safe_load(text)['/**']['ros__parameters']
    advised = re.findall(r'^#   (\w+):', text, re.MULTILINE)
    known = {name for group in GROUPS for name in options_of(group)} | {'use_sim_time'}
    assert advised and set(given) | set(advised) <= known


def test_rviz_shows_topics_that_are_published():
    content = yaml.safe_load((ROOT / 'config' / 'perception.rviz').read_text())
    displays = content['Visualization Manager']['Displays']
    topics = {d['Topic']['Value'] for d in displays if 'Topic' in d}
    assert topics and topics <= {f'/perception/{name}' for name in TOPICS}
    assert content['Visualization Manager']['Global Options']['Fixed Frame']
    kinds = {'Image': 'Image', 'PointCloud2': 'PointCloud2', 'MarkerArray': 'MarkerArray'}
    for display in displays:
        if 'Topic' in display:
            kind = TOPICS[display['Topic']['Value'].rpartition('/')[2]].__name__
            assert display['Class'] == f'rviz_default_plugins/{kinds[kind]}'
