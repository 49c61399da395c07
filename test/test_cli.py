"""The command `rganet`, as a user meets it: in a process of its own."""

import importlib.metadata
import subprocess
import sys

import pytest
from rganet_ros import cli

# Where a module named here is wanted, Python says that there is none.
WITHOUT = 'import sys; sys.modules[sys.argv.pop(1)] = None; from rganet_ros import cli; '
RUN = 'sys.exit(cli.main(sys.argv[1:]))'


def rganet(*words, code=None):
    command = ['-c', code] if code else ['-m', 'rganet_ros.cli']
    return subprocess.run([sys.executable, *command, *words], capture_output=True, text=True)


def test_help_names_every_verb():
    done = rganet('--help')
    assert done.returncode == 0
    for verb, (_, text) in cli.VERBS.items():
        assert any(line.split()[:1] == [verb] for line in done.stdout.splitlines()), verb
        assert text.split()[0] in done.stdout


@pytest.mark.parametrize('verb', cli.VERBS)
def test_every_verb_explains_itself(verb):
    done = rganet(verb, '--help')
    assert done.returncode == 0, done.stderr
    assert verb in done.stdout
    assert done.stderr == ''


def test_help_and_version_import_no_verb():
    code = f'import sys; from rganet_ros import cli\ntry: {RUN}\nfinally: print(*sys.modules)'
    for word in ('--help', '--version'):
        done = rganet(word, code=code)
        assert done.returncode == 0, done.stderr
        assert not {'numpy', 'torch', 'rclpy'} & set(done.stdout.split())


def test_version_is_that_of_the_package():
    assert rganet('--version').stdout.strip() == importlib.metadata.version('rganet_ros')


@pytest.mark.parametrize(
    'words',
    [
        ['replay', '/nowhere/at-all'],
        ['replay', '/', '--params', '/nowhere/at-all'],
        ['evaluate', '/nowhere/at-all.onnx', '/nowhere'],
        ['export', '/nowhere/at-all.safetensors', '/nowhere/out.onnx'],
        ['train', '--recipe', '/nowhere/at-all', '--data', '/nowhere', '--out', '/nowhere/runs'],
    ],
    ids=lambda words: words[0],
)
def test_what_is_not_there_is_refused_in_one_sentence(words):
    done = rganet(*words)
    assert done.returncode == 2, done.stderr
    [sentence] = done.stderr.splitlines()
    assert sentence.startswith(f'rganet {words[0]}: error: ')
    assert '/nowhere' in sentence


@pytest.mark.parametrize('words', [[], ['dance'], ['replay'], ['replay', '--dance', '.']])
def test_what_it_does_not_know_is_refused(words):
    done = rganet(*words)
    assert done.returncode == 2
    assert done.stderr.startswith('usage: rganet')
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize(
    ('verb', 'missing', 'extra'),
    [
        ('train', 'torch', 'train'),
        ('export', 'onnx', 'train'),
        ('evaluate', 'safetensors', 'train'),
        ('synthesize', 'mujoco', 'sim'),
        ('synthesize', 'scipy', 'sim'),
        ('perception', 'rclpy', 'ros-jazzy'),
        ('perception', 'sensor_msgs', 'ros-jazzy'),
    ],
)
def test_a_missing_package_is_named_with_its_extra(verb, missing, extra):
    done = rganet(missing, verb, '--help', code=WITHOUT + RUN)
    assert done.returncode == 2, done.stdout
    [sentence] = done.stderr.splitlines()
    assert f'needs {missing}' in sentence
    assert f'.[{extra}]' in sentence


@pytest.mark.parametrize('missing', ['torch', 'rclpy', 'mujoco', 'onnx', 'safetensors', 'scipy'])
def test_replay_needs_none_of_the_extras(missing):
    assert rganet(missing, 'replay', '--help', code=WITHOUT + RUN).returncode == 0


def verb_that(monkeypatch, tmp_path, does):
    """Add a verb, `planted`, whose run does what is given."""
    text = f'def arguments(parser): pass\ndef run(args): {does}\n'
    (tmp_path / 'planted_verb.py').write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'planted_verb', raising=False)
    monkeypatch.setitem(cli.VERBS, 'planted', ('planted_verb', 'for a test'))


@pytest.mark.parametrize(
    ('does', 'status', 'said'),
    [
        ('return 0', 0, ''),
        ('return 1', 1, ''),
        ('raise KeyboardInterrupt', 130, 'rganet planted: interrupted\n'),
        ('raise ValueError("3 is too many")', 2, 'rganet planted: error: 3 is too many\n'),
        ('open("/nowhere")', 2, 'rganet planted: error: /nowhere: No such file or directory\n'),
    ],
)
def test_how_a_verb_ends_is_the_exit_status(monkeypatch, tmp_path, capsys, does, status, said):
    verb_that(monkeypatch, tmp_path, does)
    assert cli.main(['planted']) == status
    assert capsys.readouterr().err == said


def test_a_mistake_of_the_program_is_not_hidden(monkeypatch, tmp_path):
    verb_that(monkeypatch, tmp_path, 'import rganet_ros.no_such_module')
    with pytest.raises(ModuleNotFoundError):
        cli.main(['planted'])
