"""One parameter limits every pool of threads."""

import os
import subprocess
import sys

import cv2
import pytest
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter
from rganet_ros.node.diagnostics import Tally
from rganet_ros.node.frames import open_frames
from rganet_ros.node.parameters import Parameters
from rganet_ros.node.worker import Worker


@pytest.mark.parametrize(('asked', 'expected'), [(1, 1), (3, 3), (0, None)])
def test_the_engine_and_opencv_have_as_many_as_the_parameter_says(ros, asked, expected):
    values = {'model': 'fanet18-rgb', 'backend': 'onnxruntime', 'threads': asked, 'depth': False}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    node = LifecycleNode('pools', parameter_overrides=overrides)
    worker, before = Worker(lambda item: None), cv2.getNumThreads()
    try:
        parameters = Parameters(node, lambda: False, lambda: None)
        frames = open_frames(node, worker, parameters, Tally(), lambda *_: None)
        count = expected or min(4, len(os.sched_getaffinity(0)))
        assert cv2.getNumThreads() == count
        assert frames.pipeline.predictor.backend.describe()['threads'] == str(count)
        frames.close()
        frames.pipeline.close()
    finally:
        cv2.setNumThreads(before)
        worker.stop()
        node.destroy_node()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason='one core: BLAS has one anyway')
@pytest.mark.parametrize('first', ['rganet_ros.node', 'sys'])
def test_blas_has_one_where_the_node_is(first):
    code = f'import {first}, os, numpy; print(len(os.listdir("/proc/self/task")))'
    ours = ('OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS')
    environment = {k: v for k, v in os.environ.items() if k not in ours}
    words = [sys.executable, '-c', code]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    count = int(done.stdout)
    assert count == 1 if first == 'rganet_ros.node' else count > 1
