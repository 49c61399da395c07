"""Launch files, configuration and RViz: what can be read is read; launch itself may be absent."""

import ast
import importlib.util
import json
from pathlib import Path
import re
import sys
from types import SimpleNamespace
from unittest.mock import MagicMock
import xml.etree.ElementTree as ElementTree

import pytest
from rganet_ros.node.outputs import TOPICS
import yaml

ROOT = Path(__file__).parents[2]
PASSED = ('WORDS', 'SWITCHES')  # tables of what is given to the node as parameters
LAUNCH = sorted((ROOT / 'launch').glob('*.launch.py'))


def tables(path):
    """Read the assignments of literal tables: name, then keys and values as syntax trees."""
    return {
        node.targets[0].id: node.value
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, (ast.Dict, ast.Tuple))
    }


def keys(table):
    return [key.value for key in getattr(table, 'keys', None) or table.elts]


@pytest.mark.parametrize('path', LAUNCH, ids=lambda path: path.name)
def test_every_declared_argument_is_used(path):
    tree, found = ast.parse(path.read_text()), tables(path)
    text = path.read_text()
    for name in keys(found['ARGUMENTS']):
        assert f"given['{name}']" in text or any(
            name in keys(found[table]) for table in {*PASSED, 'TOPICS'} & set(found)
        ), name
    made = {
        ast.unparse(call.args[0])
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, 'id', '') == 'DeclareLaunchArgument'
    }
    assert 'name' in made  # in a loop over the table
    assert all(
        node.slice.value in keys(found['ARGUMENTS'])
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and getattr(node.value, 'id', '') == 'given'
        and isinstance(node.slice, ast.Constant)
    )


def test_arguments_are_the_nodes_parameters_and_topics():
    from rganet_ros.node.pairing import Pairing
    from rganet_ros.node.parameters import GROUPS
    from rganet_ros.options import options_of

    found = tables(ROOT / 'launch' / 'perception.launch.py')
    known = {name: option for group in GROUPS for name, option in options_of(group).items()}
    kinds = {known[name].type for name in keys(found['SWITCHES'])}
    assert kinds == {bool} and {known[name].type for name in keys(found['WORDS'])} == {str}
    # A word or a switch is an argument, or why not; numbers stand in the parameter file.
    passed = {name for table in PASSED for name in keys(found[table])}
    others = {name for name, option in known.items() if option.type in (str, bool)} - passed
    assert others == {'depth', 'cache', 'save_folder'}
    named = passed | {'depth'}
    # What is left empty must not stand in the way of the parameter file.
    defaults = dict(zip(keys(found['ARGUMENTS']), found['ARGUMENTS'].values))
    assert {defaults[name].elts[0].value for name in named - {'depth'}} == {''}
    # Words that an argument promises are those that the parameter accepts.
    for name in ('mode', 'image_transport', 'depth_transport'):
        promised = defaults[name].elts[1].value
        assert all(value in promised for value in known[name].bounds.values)
    assert all(hasattr(Pairing(True, 0.0), name) for name in keys(found['TOPICS']))
    replayed = tables(ROOT / 'launch' / 'replay.launch.py')['NODE_ARGUMENTS']
    for key, value in zip(keys(replayed), replayed.values):
        assert defaults[key].elts[0].value == value.value, key


@pytest.fixture
def perceived(monkeypatch):
    """Execute perception.launch.py with stand-ins for launch; returns what nodes are made of."""
    parts = ('launch', 'launch_ros')
    modules = [f'{a}{b}' for a in parts for b in ('', '.actions', '.substitutions')]
    stand_ins = {name: MagicMock() for name in modules}
    stand_ins['launch.substitutions'].LaunchConfiguration = lambda name: SimpleNamespace(
        perform=lambda given: given[name]
    )
    for name, stand_in in stand_ins.items():
        monkeypatch.setitem(sys.modules, name, stand_in)
    path = ROOT / 'launch' / 'perception.launch.py'
    spec = importlib.util.spec_from_file_location('perception_launch', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def execute(**given):
        module.LifecycleNode.reset_mock()
        module.perception({name: value for name, (value, _) in module.ARGUMENTS.items()} | given)
        return [call.kwargs for call in module.LifecycleNode.call_args_list]

    return execute


@pytest.mark.parametrize('name', ['rectify', 'autostart', 'respawn', 'rviz'])
def test_a_switch_is_true_or_false(perceived, name):
    with pytest.raises(ValueError, match=f'{name}:=yes must be true or false'):
        perceived(**{name: 'yes'})
    (node,) = perceived(rectify='True', autostart='FALSE', respawn='true')
    assert node['parameters'][1] == {'rectify': True, 'autostart': False}
    assert node['respawn'] is True


def test_names_of_cameras_are_full_ones(perceived):
    nodes = perceived(cameras='left, /right/')
    assert [node['namespace'] for node in nodes] == ['/left', '/right']
    heard = [dict(node['remappings'])['image'] for node in nodes]
    assert heard == ['/left/color/image_raw', '/right/color/image_raw']
    (node,) = perceived(cameras='/')
    assert dict(node['remappings'])['image'] == '/color/image_raw'
    with pytest.raises(ValueError, match='would start nothing'):
        perceived(cameras=' ,')


@pytest.fixture
def launched():
    """Execute a launch file with arguments; returns its actions."""
    pytest.importorskip('launch.actions', reason='launch comes with a ROS installation only')
    pytest.importorskip('launch_ros.actions', reason='comes with a ROS installation only')
    from launch import LaunchContext
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    def execute(name, **given):
        path = str(ROOT / 'launch' / f'{name}.launch.py')
        description = get_launch_description_from_python_launch_file(path)
        context, actions = LaunchContext(), []
        context.launch_configurations.update(given)
        for entity in description.entities:
            if type(entity).__name__ in ('DeclareLaunchArgument', 'OpaqueFunction'):
                actions += entity.execute(context) or []
        return actions, context

    return execute


def words(texts, context):
    return ''.join(text.perform(context) for text in texts)


def nodes(actions):
    return [action for action in actions if type(action).__name__ == 'LifecycleNode']


def test_one_camera_is_one_node(launched, tmp_path):
    share = {'params_file': str(tmp_path / 'a.yaml'), 'fastdds_profile': str(tmp_path / 'a.xml')}
    actions, context = launched('perception', **share)
    (node,) = nodes(actions)
    topics = {words(a, context): words(b, context) for a, b in node._Node__remappings}
    assert topics['image'] == '/camera/color/image_raw'
    assert topics['depth_camera_info'] == '/camera/aligned_depth_to_color/camera_info'
    more = {'depth': '', 'image': '/eye/picture', 'rectify': 'True', 'target_frame': 'world'}
    actions, context = launched('perception', **more, device='cuda:0', **share)
    (node,) = nodes(actions)
    topics = {words(a, context): words(b, context) for a, b in node._Node__remappings}
    assert topics['image'] == '/eye/picture' and 'depth' not in topics
    from launch_ros.utilities import evaluate_parameters

    _, given = evaluate_parameters(context, node._Node__parameters)
    assert given == {'depth': False, 'rectify': True, 'target_frame': 'world', 'device': 'cuda:0'}


def test_several_cameras_are_several_nodes(launched, tmp_path):
    share = {'params_file': str(tmp_path / 'a.yaml'), 'fastdds_profile': str(tmp_path / 'a.xml')}
    actions, context = launched('perception', cameras='/left, right', rviz='true', **share)
    assert [str(node._Node__node_namespace) for node in nodes(actions)] == ['/left', '/right']
    assert (type(actions[-1]).__name__, len(actions)) == ('Node', 5)  # RViz, after two variables
    with pytest.raises(ValueError, match='relative'):
        launched('perception', cameras='/left,/right', image='/eye', **share)


def test_a_bag_is_played(launched):
    actions, context = launched('replay', bag='/a/bag', player='rganet', loop='3')
    command = [words(part, context) for part in actions[-1].cmd]
    assert command[1:] == [
        '-m', 'rganet_ros.node.player', '/a/bag', '--rate', '1.0', '--loop', '3',
    ]  # fmt: skip
    actions, context = launched('replay', bag='/a/bag', player='ros2')
    assert [words(part, context) for part in actions[-1].cmd][:4] == [
        'ros2',
        'bag',
        'play',
        '/a/bag',
    ]


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


SHOWN = {'overlay', 'affordance', 'candidates', 'markers', 'cloud'}


def camera_topic():
    """Name the picture of the camera, as the launch file has it."""
    table = tables(ROOT / 'launch' / 'perception.launch.py')['ARGUMENTS']
    defaults = {key.value: value.elts[0] for key, value in zip(table.keys, table.values)}
    return f'{defaults["cameras"].value}/{defaults["image"].value}'


def test_rviz_shows_topics_that_are_published():
    content = yaml.safe_load((ROOT / 'config' / 'perception.rviz').read_text())
    displays = content['Visualization Manager']['Displays']
    kinds = {f'/perception/{name}': kind.__name__ for name, kind in TOPICS.items()}
    kinds[camera_topic()] = 'Image'
    shown = {d['Topic']['Value']: d['Class'] for d in displays if 'Topic' in d}
    assert {f'/perception/{name}' for name in SHOWN} | {camera_topic()} <= set(shown)
    for topic, kind in shown.items():
        assert kind == f'rviz_default_plugins/{kinds[topic]}'
    assert content['Visualization Manager']['Global Options']['Fixed Frame']


def test_foxglove_shows_topics_that_are_published():
    content = json.loads((ROOT / 'config' / 'foxglove.json').read_text())
    panels = content['configById']

    def placed(part):
        return placed(part['first']) | placed(part['second']) if isinstance(part, dict) else {part}

    assert placed(content['layout']) == set(panels)
    pictures = {p['imageMode']['imageTopic'] for n, p in panels.items() if n.startswith('Image!')}
    (scene,) = (panel for name, panel in panels.items() if name.startswith('3D!'))
    kinds = {f'/perception/{name}': kind.__name__ for name, kind in TOPICS.items()}
    kinds[camera_topic()] = 'Image'
    assert {kinds[topic] for topic in pictures} == {'Image'}
    assert set(scene['topics']) <= set(kinds)
    shown = pictures | set(scene['topics'])
    assert {f'/perception/{name}' for name in SHOWN} | {camera_topic()} <= shown
    (state,) = (panel for name, panel in panels.items() if name.startswith('Diagnostic'))
    assert state['topicToRender'] == '/diagnostics'
