"""Other frames, with a stand-in for tf2_ros where that is not installed."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from rganet_ros.candidates import CandidateOptions
from rganet_ros.decode import Undecodable
from rganet_ros.node.frames import open_frames
from rganet_ros.node.parameters import NodeOptions
from rganet_ros.node.transforms import Transforms
from rganet_ros.predictor import PredictorOptions
from rganet_ros.rectify import LensOptions
from rganet_ros.region import RegionOptions


class StandIn:
    """The part of tf2_ros that is used."""

    class TransformException(Exception):
        pass

    class Buffer:
        def lookup_transform(self, target, source, time, timeout):
            if source != 'camera' or timeout.nanoseconds > 1e9:
                raise StandIn.TransformException('two trees')
            move = SimpleNamespace(x=1.0, y=2.0, z=time.nanoseconds / 1e9)
            half = 0.5**0.5  # a quarter turn about z
            turn = SimpleNamespace(x=0.0, y=0.0, z=half, w=half)
            return SimpleNamespace(transform=SimpleNamespace(translation=move, rotation=turn))

    class TransformListener:
        ended = False

        def __init__(self, buffer, node):
            node.append(self)

        def unregister(self):
            self.ended = True


@pytest.fixture
def there(monkeypatch):
    monkeypatch.setitem(sys.modules, 'tf2_ros', StandIn)


def test_a_pose_is_that_of_the_stamp(there):
    node = []
    transforms = Transforms(node, 'target_frame')
    pose = transforms.pose('world', 'camera', 3_000_000_000)
    np.testing.assert_allclose(pose @ (1, 0, 0, 1), (1, 3, 3, 1), atol=1e-9)
    np.testing.assert_allclose(pose @ (0, 1, 0, 1), (0, 2, 3, 1), atol=1e-9)
    transforms.close()
    assert node[0].ended


def test_a_pose_that_is_not_known_drops_the_frame(there):
    with pytest.raises(Undecodable, match="from 'moon' to 'world': two trees") as refusal:
        Transforms([], 'target_frame').pose('world', 'moon', 0)
    assert refusal.value.reason == 'transform'


def test_without_tf2_the_parameter_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, 'tf2_ros', None)
    with pytest.raises(ValueError, match='parameter workspace_frame needs tf2_ros'):
        Transforms([], 'workspace_frame')


def test_where_no_model_can_be_opened_nothing_listens_on(there):
    node, worker = [], SimpleNamespace(call=lambda job, *given: job(*given))
    parameters = SimpleNamespace(
        predictor=PredictorOptions(model='nowhere'), candidates=CandidateOptions(),
        region=RegionOptions(), lens=LensOptions(), node=NodeOptions(target_frame='base'),
    )  # fmt: skip
    with pytest.raises(FileNotFoundError, match='nowhere'):
        open_frames(node, worker, parameters, None, None)
    (listener,) = node
    assert listener.ended
