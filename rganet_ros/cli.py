"""The command `rganet <verb>`: each verb is a module, imported when it is asked for."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
import logging
import shlex
import sys

# Verb: (module with arguments(parser) and run(args) -> exit status, one line of help).
VERBS = {
    'demo': ('rganet_ros.node.demo', 'play a bag through the live node and show what it says'),
    'perception': ('rganet_ros.node.perception_node', 'the ROS 2 node itself'),
    'view': ('rganet_ros.node.view', 'show a running node in a browser, without ROS tools'),
    'replay': ('rganet_ros.replay.replay', 'run the pipeline over bags and folders, without ROS'),
    'synthesize': ('rganet_ros.synthetic.generate', 'make labelled clutter for training'),
    'train': ('rganet_ros.training.train', 'train a network by a recipe'),
    'evaluate': ('rganet_ros.training.evaluate', 'score a model on a data set'),
    'calibrate': ('rganet_ros.training.calibrate', 'make probabilities mean what they say'),
    'export': ('rganet_ros.training.export', 'write a checkpoint as a model file (ONNX)'),
    'doctor': ('rganet_ros.doctor', 'say what can run here, and what a running system lacks'),
    'models': ('rganet_ros.zoo', 'list the shipped models and what they reach'),
    'networks': ('rganet_ros.catalogue', 'list the networks and what each costs'),
    'bench': ('rganet_ros.bench', 'measure speed on this machine'),
}

EXTRAS = {
    'torch': 'train',
    'torchvision': 'train',
    'timm': 'train',
    'safetensors': 'train',
    'lightning_fabric': 'train',
    'tensorboardX': 'train',
    'onnx': 'train',
    'onnxscript': 'train',
    'mujoco': 'sim',
    'scipy': 'sim',
    'foxglove': 'view',
}


def main(argv: list[str] | None = None) -> int:
    """Run a verb; returns the exit status: 2 where it was refused, with one sentence on stderr."""
    argv = sys.argv[1:] if argv is None else argv
    verb = argv[0] if argv and argv[0] in VERBS else ''
    logging.basicConfig(format='%(message)s')
    logging.getLogger('rganet_ros').setLevel(logging.INFO)  # what a long build says
    try:
        return _run(verb, argv)
    except ModuleNotFoundError as error:
        sentence, status = _missing(error), 2
    except (OSError, ValueError) as error:
        sentence, status = f'error: {_sentence(error)}', 2
    except KeyboardInterrupt:
        sentence, status = 'interrupted', 130
    print(f'rganet {verb}: {sentence}', file=sys.stderr)
    return status


def _run(verb: str, argv: list[str]) -> int:
    # Only the verb that is asked for is imported: help stays quick and needs no torch.
    module = import_module(VERBS[verb][0]) if verb else None
    if verb == 'perception':  # its arguments are ROS's own
        return module.main(argv)
    parser = argparse.ArgumentParser(
        prog='rganet',
        description='Where will a suction cup hold?',
        epilog='rganet VERB --help says more about one.',
    )
    parser.add_argument('--version', action='version', version=_version())
    verbs = parser.add_subparsers(metavar='VERB', required=True)
    for name, (_, text) in VERBS.items():
        verb_parser = verbs.add_parser(name, help=text, description=text)
        if name == verb:
            module.arguments(verb_parser)
    given = argparse.Namespace(command=shlex.join(['rganet', *argv]))
    args = parser.parse_args(argv, given)  # without a verb it ends here
    return module.run(args)


def _version() -> str:
    try:
        return version('rganet_ros')
    except PackageNotFoundError:
        return 'source tree'


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f'{error.filename}: {error.strerror}'
    return str(error)


def _missing(error: ModuleNotFoundError) -> str:
    name = (error.name or '').partition('.')[0]
    if name in ('', 'rganet_ros'):
        raise error
    if name in EXTRAS:
        advice = f"in the checkout, pip install '.[{EXTRAS[name]}]'"
    elif name == 'rclpy' or name.endswith(('_msgs', '_srvs', '_interfaces')):
        advice = "source ROS 2's setup.bash or, without ROS, pip install '.[ros-jazzy]'"
    else:
        advice = f'pip install {name}'
    return f'error: needs {name}, which is not installed: {advice}'


if __name__ == '__main__':
    sys.exit(main())
