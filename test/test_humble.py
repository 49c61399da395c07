"""The oldest distribution: what ROS 2 Humble and its Python 3.10 lack is not used."""

import ast
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = [*(ROOT / 'rganet_ros').rglob('*.py'), *(ROOT / 'launch').glob('*.py')]
# What came later, and since when.
LACKS = {
    r'rclpy\.experimental': 'Jazzy',
    r'\.BEST_AVAILABLE\b': 'Iron',
    r'add_(pre|post)_set_parameters_callback': 'Iron',
    r'\bPublisher\[|\bSubscription\[|\bClient\[': 'Kilted',
    r'with rclpy\.init': 'Kilted',
    r'content_filter_options': 'Jazzy',
    r'\btomllib\b|typing import .*\bSelf\b|\bStrEnum\b|datetime import UTC': 'Python 3.11',
    r'itertools import .*\bbatched\b|typing import .*\boverride\b': 'Python 3.12',
}
# Modules that Humble lacks, where an ImportError leads to what it has.
BOTH = {'rclpy.event_handler': 'rclpy.qos_event'}


def offences(text: str) -> list[str]:
    tree = ast.parse(text, feature_version=(3, 10))
    found = [f'{since}: {match[0]}' for pattern, since in LACKS.items()
             for match in [re.search(pattern, text)] if match]  # fmt: skip
    caught = {
        name.module
        for node in ast.walk(tree)
        if isinstance(node, ast.Try)
        and any('ImportError' in ast.unparse(h) for h in node.handlers)
        for name in ast.walk(node)
        if isinstance(name, ast.ImportFrom)
    }
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    found += [name for name, other in BOTH.items()
              if name in imported and not {name, other} <= caught]  # fmt: skip
    return found


@pytest.mark.parametrize('path', SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_promise_21_nothing_that_humble_lacks(path):
    assert offences(path.read_text()) == []


@pytest.mark.parametrize(
    'text',
    [
        'from rclpy.experimental import EventsExecutor',
        'qos = ReliabilityPolicy.BEST_AVAILABLE',
        'node.add_post_set_parameters_callback(f)',
        'publisher: Publisher[Image] = None',
        'with rclpy.init():\n    pass',
        'from rclpy.event_handler import SubscriptionEventCallbacks',
        'from typing import Any, Self',
    ],
)
def test_a_planted_offence_is_found(text):
    assert offences(text)


def test_what_falls_back_is_no_offence():
    inputs = (ROOT / 'rganet_ros' / 'node' / 'inputs.py').read_text()
    assert 'rclpy.qos_event' in inputs and offences(inputs) == []
