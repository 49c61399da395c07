"""From a frame to a detection."""

import numpy as np
import pytest
from rganet_ros.candidates import CandidateOptions
from rganet_ros.geometry import matrix
from rganet_ros.pipeline import open_pipeline
from rganet_ros.predictor import PredictorOptions
from rganet_ros.types import Frame
import scenes

FAKE = PredictorOptions(model='fake', backend='fake')


@pytest.fixture
def pipeline():
    opened = open_pipeline(FAKE)
    yield opened
    opened.close()


def disc():
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[200:280, 280:360] = 255
    return picture


def test_a_white_patch_on_a_plane_is_a_place(pipeline):
    depth = np.full((480, 640), 0.6, np.float32)
    found = pipeline(Frame(disc(), depth, scenes.CAMERA))
    best = found.candidates[0]
    assert best.z == pytest.approx(0.6, abs=1e-3)
    assert best.normal_z == pytest.approx(-1, abs=1e-3)
    assert 280 <= best.u < 360 and 200 <= best.v < 280
    assert found.affordance.shape == found.labels.shape == (480, 640)
    assert set(found.ms) == {'letterbox', 'infer', 'undo', 'candidates', 'total'}
    stages = sum(ms for stage, ms in found.ms.items() if stage != 'total')
    assert stages <= found.ms['total']


def test_nothing_to_pick_is_an_answer(pipeline):
    assert pipeline(Frame(np.zeros((480, 640, 3), np.uint8))).candidates == ()


def test_without_depth_there_are_pixels_and_scores(pipeline):
    best = pipeline(Frame(disc())).candidates[0]
    assert np.isnan([best.x, best.y, best.z, best.normal_x]).all()
    assert best.score == best.affordance == 1


def test_options_are_live(pipeline):
    frame = Frame(disc(), np.full((480, 640), 0.6, np.float32), scenes.CAMERA)
    assert pipeline(frame).candidates
    pipeline.options = CandidateOptions(workspace=(-1.0, -1.0, 0.7, 1.0, 1.0, 2.0))
    assert pipeline(frame).candidates == ()


def test_a_workspace_in_another_frame_and_what_is_outside(pipeline):
    frame = Frame(disc(), np.full((480, 640), 0.6, np.float32), scenes.CAMERA)
    # In a frame 1 m below that looks up, the plane is at z = 0.4.
    pose = matrix((0.0, 0.0, 1.0), (1.0, 0.0, 0.0, 0.0))
    pipeline.options = CandidateOptions(workspace=(-1.0, -1.0, 0.35, 1.0, 1.0, 0.45))
    assert pipeline(frame).candidates == ()
    assert pipeline(frame, workspace_pose=pose).candidates
    inside = np.zeros((480, 640), bool)
    found = pipeline(frame, inside, pose)
    assert found.candidates == () and found.affordance.max() == 1
    inside[:, 320:] = True
    assert all(c.u >= 320 for c in pipeline(frame, inside, pose).candidates)


def test_another_cup_than_the_models_is_said(pipeline):
    assert pipeline.warnings == ()
    pipeline.options = CandidateOptions(cup_radius=0.02)
    (warning,) = pipeline.warnings
    assert '20 mm' in warning and '15 mm' in warning
