"""Style, and that the package's descriptions are valid and agree with each other."""

import ast
import json
from pathlib import Path
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from catkin_pkg.package import parse_package
import pytest
import setuptools
import yaml

ROOT = Path(__file__).parent.parent
NAMES = subprocess.run(
    ['git', 'ls-files', '--cached', '--others', '--exclude-standard'],
    cwd=ROOT, capture_output=True, text=True, check=True,
).stdout.split()  # fmt: skip
FILES = [ROOT / name for name in NAMES if (ROOT / name).is_file()]
ROS = ('rclpy', 'launch', 'launch_ros', 'ament_index_python')


def check(*words):
    done = subprocess.run([sys.executable, '-m', *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def files(*suffixes):
    return [pytest.param(p, id=str(p.relative_to(ROOT))) for p in FILES if p.suffix in suffixes]


@pytest.fixture(scope='module')
def manifest():
    """Read package.xml as colcon and rosdep do: they check the e-mail and all the rest."""
    warnings = []
    package = parse_package(ROOT / 'package.xml', warnings=warnings)
    assert warnings == []
    return package


@pytest.fixture
def setup(monkeypatch):
    """Take what setup.py says, without installing anything."""
    said = {}
    monkeypatch.setattr(setuptools, 'setup', said.update)
    monkeypatch.chdir(ROOT)
    runpy.run_path('setup.py')
    return said


def ros_packages(folder):
    """List the packages of ROS that the files of a folder import."""
    nodes = [n for p in FILES if p.is_relative_to(ROOT / folder) and p.suffix == '.py'
             for n in ast.walk(ast.parse(p.read_text()))]  # fmt: skip
    names = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    names |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module}
    tops = {name.partition('.')[0] for name in names}
    return {t for t in tops if t in ROS or t.endswith(('_msgs', '_srvs', '_interfaces'))}


def test_ruff_finds_nothing():
    check('ruff', 'check', '.')


def test_ruff_would_format_nothing():
    check('ruff', 'format', '--check', '.')


def test_ament_style():
    # The settings of ament_flake8 stand in setup.cfg.
    check('flake8', 'rganet_ros', 'launch', 'test', 'setup.py')


@pytest.mark.parametrize('path', files('.yaml', '.yml', '.rviz'))
def test_yaml_is_read(path):
    assert yaml.safe_load(path.read_text(encoding='utf-8')) is not None


@pytest.mark.parametrize('path', files('.json'))
def test_json_is_read(path):
    json.loads(path.read_text(encoding='utf-8'))


@pytest.mark.parametrize('path', files('.xml'))
def test_xml_is_read(path):
    ElementTree.parse(path)


def test_package_xml_and_setup_py_agree(manifest, setup):
    assert manifest.package_format == 3
    assert manifest.get_build_type() == 'ament_python'
    assert manifest.name == setup['name']
    assert ROOT / 'resource' / manifest.name in FILES
    assert manifest.version == setup['version']
    assert manifest.licenses == [setup['license']]
    [maintainer] = manifest.maintainers
    assert (maintainer.name, maintainer.email) == (setup['maintainer'], setup['maintainer_email'])


def test_what_the_node_imports_of_ros_is_declared(manifest, setup):
    imported = ros_packages('rganet_ros')
    assert {'rclpy', 'sensor_msgs'} <= imported
    assert imported <= {depend.name for depend in manifest.exec_depends}
    for distribution in ('jazzy', 'kilted'):
        wheels = setup['extras_require'][f'ros-{distribution}']
        named = {w.removeprefix(f'ros-{distribution}-').replace('-', '_') for w in wheels}
        assert imported <= named, distribution


def test_what_launch_files_import_of_ros_is_declared(manifest):
    assert ros_packages('launch') <= {depend.name for depend in manifest.exec_depends}


def test_every_installed_file_is_there_and_no_folder_is_forgotten(setup):
    installed = {name for _, names in setup['data_files'] for name in names}
    assert all((ROOT / name).is_file() for name in installed)
    tracked = {str(p.relative_to(ROOT)) for p in FILES}
    expected = {n for n in tracked if n.startswith(('launch/', 'config/', 'models/', 'demo/'))}
    assert expected <= installed
