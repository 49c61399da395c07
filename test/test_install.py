"""
The package finds its files from the source tree, a pip install and a colcon install alike.

`ros2 run` itself is in no package registry. What it does is look for an executable in
lib/<package> of a prefix that the ament index knows, and run it: that is what is tested here.
"""

import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ('launch', 'config', 'models', 'demo')
PROBE = (
    'import json; from rganet_ros import models; print(json.dumps([models.__file__, '
    f'{{name: str(models.share(name)) for name in {FOLDERS}}}]))'
)
# What the ROS wheels and a sourced workspace leave behind would lead a child to this environment.
INHERITED = (
    'AMENT_PREFIX_PATH', 'COLCON_PREFIX_PATH', 'LD_LIBRARY_PATH', 'PYTHONPATH', 'VIRTUAL_ENV',
    '_ROS_WHEELS_BOOTSTRAP_COMPLETE',
)  # fmt: skip
CLEAN = {name: value for name, value in os.environ.items() if name not in INHERITED}


def run(*command, **options):
    options = {'env': CLEAN, 'text': True, 'capture_output': True, **options}
    done = subprocess.run([str(word) for word in command], **options)
    assert done.returncode == 0, f'{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}'
    return done.stdout


def shared(package: Path) -> dict[str, set[str]]:
    """List the files of a tree that has FOLDERS, by folder."""
    return {
        name: {
            str(path.relative_to(package / name))
            for path in (package / name).rglob('*')
            if path.is_file() and '__pycache__' not in path.parts
        }
        for name in FOLDERS
    }


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """Copy the sources, as a fresh clone would have them, with a new file in every folder."""
    names = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split('\0')  # fmt: skip
    copy = tmp_path_factory.mktemp('sources') / 'rganet_ros'
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    for name in FOLDERS:
        (copy / name / 'deep').mkdir(parents=True, exist_ok=True)
        (copy / name / 'deep/planted.txt').write_text(name)
    return copy


@pytest.fixture(scope='module')
def installed(checkout, tmp_path_factory):
    """Install a wheel into a new environment, which borrows this one's libraries."""
    folder = tmp_path_factory.mktemp('pip')
    here = tmp_path_factory.mktemp('wheel')
    pip = [sys.executable, '-m', 'pip', '--quiet', '--disable-pip-version-check']
    run(*pip, 'wheel', '--no-deps', '--no-build-isolation', '--wheel-dir', here, checkout)
    [wheel] = here.glob('*.whl')
    run(sys.executable, '-m', 'venv', '--without-pip', folder / 'venv')
    python = folder / 'venv/bin/python'
    run(*pip, '--python', python, 'install', '--no-deps', '--no-index', wheel)
    [site] = (folder / 'venv/lib').glob('python*/site-packages')
    (site / 'borrowed.pth').write_text(sysconfig.get_path('purelib'))
    (site / 'models').mkdir()  # somebody else's
    return folder / 'venv'


@pytest.fixture(scope='module', params=['copied', 'linked'])
def workspace(request, checkout, tmp_path_factory):
    """Build a colcon workspace with the package in it."""
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(checkout, folder / 'src/rganet_ros')
    link = ['--symlink-install'] if request.param == 'linked' else []
    colcon = Path(sys.executable).with_name('colcon')
    run(colcon, '--log-base', 'log', 'build', *link, cwd=folder)
    return folder


def sourced(workspace, command):
    """Run a command as a user does who has sourced the workspace; the interpreter is ours."""
    path = f'{Path(sys.executable).parent}:{CLEAN["PATH"]}'
    script = f'source {workspace}/install/setup.bash && exec {command}'
    return ['bash', '-c', script], {**CLEAN, 'PATH': path}


def pictures(folder):
    folder.mkdir()
    disc = cv2.circle(np.zeros((240, 320, 3), np.uint8), (160, 120), 40, (255, 255, 255), -1)
    for name in ('a.png', 'b.png'):
        cv2.imwrite(str(folder / name), disc)
    return folder


def replays(rganet, tmp_path):
    """Run the pipeline by the installed command, with nothing but the base install."""
    words = ('--model', 'fake', '--backend', 'fake', '--out', tmp_path / 'out')
    run(rganet, 'replay', pictures(tmp_path / 'pictures'), *words, cwd=tmp_path)
    report = json.loads((tmp_path / 'out/report.json').read_text())
    assert report['frames'] == 2
    assert report['candidates_per_frame'] >= 1


def test_the_source_tree_serves_its_own_files(checkout, tmp_path):
    # A sourced workspace with an older copy of the package does not get in between.
    older = tmp_path / 'older'
    for name in FOLDERS:
        (older / 'share/rganet_ros' / name).mkdir(parents=True)
    env = {**CLEAN, 'PYTHONPATH': str(checkout), 'AMENT_PREFIX_PATH': str(older)}
    _, found = json.loads(run(sys.executable, '-c', PROBE, cwd=tmp_path, env=env))
    assert found == {name: str(checkout / name) for name in FOLDERS}


def test_a_pip_install_serves_its_own_files(checkout, installed, tmp_path):
    file, found = json.loads(run(installed / 'bin/python', '-c', PROBE, cwd=tmp_path))
    assert Path(file).is_relative_to(installed)
    share = installed / 'share/rganet_ros'
    assert found == {name: str(share / name) for name in FOLDERS}
    assert shared(share) == shared(checkout)


def test_a_pip_install_has_the_command_and_runs(installed, tmp_path):
    assert 'replay' in run(installed / 'bin/rganet', '--help', cwd=tmp_path)
    replays(installed / 'bin/rganet', tmp_path)


def test_a_colcon_install_is_an_ament_package(workspace):
    # Without these colcon took it for a plain Python package: an invalid e-mail is enough.
    prefix = workspace / 'install/rganet_ros'
    assert (prefix / 'share/ament_index/resource_index/packages/rganet_ros').is_file()
    assert (prefix / 'share/rganet_ros/hook/ament_prefix_path.sh').is_file()
    assert (prefix / 'share/rganet_ros/package.xml').is_file()


def test_a_colcon_install_serves_its_own_files(workspace, tmp_path):
    command, env = sourced(workspace, 'python3 -c "$PROBE"')
    file, found = json.loads(run(*command, cwd=tmp_path, env={**env, 'PROBE': PROBE}))
    source, share = workspace / 'src/rganet_ros', workspace / 'install/rganet_ros/share/rganet_ros'
    linked = workspace.name.startswith('linked')
    place = source if linked else workspace / 'install'
    assert Path(file).resolve().is_relative_to(place)
    expected = source if linked else share
    assert found == {name: str(expected / name) for name in FOLDERS}
    assert shared(share) == shared(source)


def test_a_colcon_install_runs_the_node(workspace, tmp_path):
    executable = workspace / 'install/rganet_ros/lib/rganet_ros/perception'
    assert os.access(executable, os.X_OK)
    fake = '--ros-args -p model:=fake -p backend:=fake'
    command, env = sourced(workspace, f'{executable} {fake}')
    env['ROS_LOG_DIR'] = str(tmp_path)
    node = subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    limit = threading.Timer(60, node.kill)
    limit.start()
    try:
        said = next((line for line in node.stdout if 'active' in line), '')
        node.send_signal(signal.SIGINT)
        rest = node.communicate()[0]
    finally:
        limit.cancel()
    assert 'active' in said, rest
    assert node.returncode == 0, rest


@pytest.mark.slow
@pytest.mark.parametrize('version', ['3.10', '3.12'])
def test_the_base_install_is_light_and_runs(checkout, tmp_path, version):
    env = {**CLEAN, 'PYENV_VERSION': version}  # for those whose interpreters pyenv keeps
    try:
        python = run(f'python{version}', '-c', 'import sys; print(sys.executable)', env=env)
    except (FileNotFoundError, AssertionError):
        pytest.skip(f'no python{version} on this machine')
    run(python.strip(), '-m', 'venv', tmp_path / 'venv')
    commands = tmp_path / 'venv/bin'
    shutil.copytree(checkout, tmp_path / 'checkout')
    run(
        commands / 'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        tmp_path / 'checkout',
    )
    has = 'import importlib.util as u; print([n for n in NAMES if u.find_spec(n)])'
    names = "NAMES = ['torch', 'rclpy', 'mujoco', 'scipy', 'onnx', 'onnxruntime']; "
    assert run(commands / 'python', '-c', names + has).strip() == "['onnxruntime']"
    replays(commands / 'rganet', tmp_path)
