"""Fixtures of live nodes; and, before rclpy is imported, room for pictures."""

import os
from pathlib import Path
import sys

PROFILE = str(Path(__file__).parents[2] / 'config' / 'fastdds.xml')
os.environ.update(
    AMENT_PREFIX_PATH=':'.join([sys.prefix, os.environ.get('AMENT_PREFIX_PATH', '')]).strip(':'),
    FASTDDS_DEFAULT_PROFILES_FILE=PROFILE,
    FASTRTPS_DEFAULT_PROFILES_FILE=PROFILE,
    PYTHONUNBUFFERED='1',
)

from live import Client, Process  # noqa: E402
import pytest  # noqa: E402
import rclpy  # noqa: E402


@pytest.fixture(scope='session')
def ros():
    rclpy.init()
    yield
    rclpy.try_shutdown()  # interrupted, rclpy has shut it down


@pytest.fixture
def client(ros):
    made = Client()
    yield made
    made.close()


@pytest.fixture
def start(tmp_path):
    """Start nodes; what a test leaves running must end with status 0."""
    started = []

    def make(*words, **options):
        started.append(Process(tmp_path / f'node{len(started)}.log', *words, **options))
        return started[-1]

    yield make
    for each in started:
        if each.process.poll() is None:
            status = each.stop()
            assert status == 0, each.said()
