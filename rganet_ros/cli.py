"""The command `rganet <verb>`: each verb is a module, imported when it is asked for."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
import sys

# Verb: (module with arguments(parser) and run(args) -> exit status, one line of help).
VERBS = {
    'demo': ('rganet_ros.node.demo', 'play a bag through the live node and show what it says'),
    'perception': ('rganet_ros.node.perception_node', 'the ROS 2 node itself'),
    'replay': ('rganet_ros.replay.replay', 'run the pipeline over bags and folders, without ROS'),
    'synthesize': ('rganet_ros.synthetic.generate', 'make labelled clutter for training'),
    'train': ('rganet_ros.training.train', 'train a network by a recipe'),
    'evaluate': ('rganet_ros.training.evaluate', 'score a model on a data set'),
    'export': ('rganet_ros.training.export', 'write a checkpoint as a model file (ONNX)'),
    'bench': ('rganet_ros.bench', 'measure speed on this machine'),
}

EXTRAS = {'torch': 'train', 'safetensors': 'train', 'onnx': 'train', 'mujoco': 'sim'}


def main(argv: list[str] | None = None) -> int:
    """Run a verb; returns the exit status: 2 where it was refused, with one sentence on stderr."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog='rganet', description='Where will a suction cup hold?',
        epilog='rganet VERB --help says more about one.',
    )  # fmt: skip
    parser.add_argument('--version', action='version', version=_version())
    verbs = parser.add_subparsers(dest='verb', metavar='VERB', required=True)
    for verb, (module, text) in VERBS.items():
        # Only the verb that is asked for is imported: help stays quick and needs no torch.
        verb_parser = verbs.add_parser(verb, help=text, description=text)
        if argv[:1] == [verb] and verb != 'perception':
            try:
                import_module(module).arguments(verb_parser)
            except ModuleNotFoundError as error:
                return _missing(verb, error)
    if argv[:1] == ['perception']:  # its arguments are ROS's own
        try:
            return import_module(VERBS['perception'][0]).main(argv)
        except ModuleNotFoundError as error:
            return _missing('perception', error)
    args = parser.parse_args(argv)
    try:
        return import_module(VERBS[args.verb][0]).run(args)
    except ModuleNotFoundError as error:
        return _missing(args.verb, error)
    except (OSError, ValueError) as error:
        print(f'rganet {args.verb}: error: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f'rganet {args.verb}: interrupted', file=sys.stderr)
        return 130


def _version() -> str:
    try:
        return version('rganet_ros')
    except PackageNotFoundError:
        return 'source tree'


def _missing(verb: str, error: ModuleNotFoundError) -> int:
    name = (error.name or '').partition('.')[0]
    if name == 'rganet_ros':
        raise error
    if name in EXTRAS:
        advice = f"in the checkout, pip install '.[{EXTRAS[name]}]'"
    elif name == 'rclpy' or name.endswith(('_msgs', '_srvs', '_interfaces')):
        advice = "source ROS 2's setup.bash or, without ROS, pip install '.[ros-jazzy]'"
    else:
        advice = f'pip install {name}'
    print(f'rganet {verb}: error: needs {name}, which is not installed: {advice}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
