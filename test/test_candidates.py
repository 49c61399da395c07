import cv2
import numpy as np
import pytest
from rganet_ros.candidates import CandidateOptions, find_candidates
from rganet_ros.options import make, options_of
from rganet_ros.types import Camera, Candidate
from scenes import CAMERA, cast, cylinder, hole, plane, sense, sphere, step

RADIUS = CandidateOptions().cup_radius
HIGH = np.ones((480, 640), np.float32)
DENSE = {'limit': 256, 'spacing': 1e-4, 'min_score': 0.0}


def find(depth, affordance=HIGH, camera=CAMERA, **options):
    return find_candidates(affordance, depth, camera, CandidateOptions(**options))


def disc(u, v, radius, shape=(480, 640)):
    """Affordance 1 within radius pixels of (u, v), 0 elsewhere."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (np.hypot(columns - u, rows - v) <= radius).astype(np.float32)


def errors(candidates, depth, normals, camera=CAMERA):
    """Largest distance (metres) and angle (degrees) from the true surface at the pixels."""
    distances, angles = [], []
    for c in candidates:
        row, column = int(c.v), int(c.u)
        ray = np.array([(c.u - camera.cx) / camera.fx, (c.v - camera.cy) / camera.fy, 1])
        distances.append(np.linalg.norm(np.array(c[:3]) - ray * depth[row, column]))
        cosine = np.dot(c[3:6], normals[row, column])
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return max(distances), max(angles)


NORMALS = [(0, 0, -1), (0.5, 0, -0.866), (-0.3, 0.55, -0.78), (0, -0.69, -0.72)]


@pytest.mark.parametrize('normal', NORMALS)
@pytest.mark.parametrize('z', [0.25, 0.5, 0.9])
def test_a_plane_without_noise(normal, z):
    depth, normals = cast(plane((0, 0, z), normal))
    found = find(depth)
    assert len(found) == 20
    distance, angle = errors(found, depth, normals)
    assert distance < 1e-3
    assert angle < 2
    assert min(c.flatness for c in found) > 0.98
    assert {c.valid for c in found} == {1}
    assert np.isclose([np.linalg.norm(c[3:6]) for c in found], 1).all()


@pytest.mark.parametrize('normal', NORMALS)
def test_a_plane_seen_by_a_sensor(normal):
    depth, normals = cast(plane((0, 0, 0.5), normal))
    found = find(sense(depth, zeros=0.3))
    assert len(found) == 20
    distance, angle = errors(found, depth, normals)
    assert distance < 1e-3
    assert angle < 2
    assert min(c.valid for c in found) > 0.95


@pytest.mark.parametrize(
    'camera',
    [
        Camera(920, 920, 640, 360, 1280, 720),
        Camera(300, 300, 160, 120, 320, 240),
        Camera(600, 420, 250, 300, 640, 480),
        Camera(250, 380, 99.5, 149.5, 200, 300),
    ],
)
def test_other_cameras(camera):
    depth, normals = cast(plane((0, 0, 0.45), (0.3, -0.3, -0.9)), camera=camera)
    found = find(depth, np.ones_like(depth), camera)
    assert len(found) == 20
    distance, angle = errors(found, depth, normals, camera)
    assert distance < 1e-3
    assert angle < 2


@pytest.mark.parametrize('shape', [cylinder, sphere])
@pytest.mark.parametrize('noisy', [False, True])
def test_curved_things_keep_their_normals_and_lose_flatness(shape, noisy):
    flatness = []
    for radius in (0.04, 0.08):
        centre = (0.01, 0, 0.5 + radius)
        thing = (
            cylinder(centre, (0.2, 1, 0.1), radius)
            if shape is cylinder
            else sphere(centre, radius)
        )
        depth, normals = cast(thing, plane((0, 0, 0.5 + radius)))
        high = (depth < 0.5 + 0.6 * radius).astype(np.float32)
        found = find(sense(depth) if noisy else depth, high)
        assert found
        distance, angle = errors(found, depth, normals)
        assert distance < 1e-3
        assert angle < (2.5 if noisy else 2)
        flatness.append(found[0].flatness)
    assert flatness[0] < flatness[1] < 0.95


def test_a_cylinder_thinner_than_the_cup_can_follow_has_none():
    depth, _ = cast(cylinder((0, 0, 0.52), (0, 1, 0), 0.018), plane((0, 0, 0.54)))
    assert find(depth, (depth < 0.53).astype(np.float32)) == ()


@pytest.mark.parametrize('noisy', [False, True])
@pytest.mark.parametrize('angle', [0, 0.4, np.pi / 4, np.pi / 2])
@pytest.mark.parametrize('height', [0.005, 0.012, 0.03, 0.2])
def test_promise_17_never_on_a_step(height, angle, noisy):
    depth, _ = cast(*step(height, at=0.003, angle=angle))
    seen = sense(depth, seed=1) if noisy else depth
    rows, columns = np.mgrid[:480, :640]
    across = (columns - CAMERA.cx) * np.cos(angle) + (rows - CAMERA.cy) * np.sin(angle)
    edge, cup = 0.003 * 600 / (0.5 - height), RADIUS * 600 / (0.5 - height)
    for band in (0.3 * cup, 2.5 * cup):  # every seed is over the step; or most are beside it
        high = (np.abs(across - edge) < band).astype(np.float32)
        found = find(seen, high, max_tilt=1.5, **DENSE)
        away = [abs(c.x * np.cos(angle) + c.y * np.sin(angle) - 0.003) for c in found]
        assert all(distance > RADIUS for distance in away)
    assert len(found) > 20


@pytest.mark.parametrize('height', [0.006, 0.03])
def test_never_across_a_step_that_is_hidden_in_a_shadow(height):
    depth, _ = cast(*step(height))
    depth[:, 314:322] = 0  # as a projector leaves beside an edge; 6 mm, of the cup's 30
    for u in range(300, 341, 4):
        found = find(depth, disc(u, 240, 3), min_valid=0.3, **DENSE)
        assert all(abs(c.x) > RADIUS for c in found)


@pytest.mark.parametrize('noisy', [False, True])
@pytest.mark.parametrize('radius', [0.0025, 0.005, 0.012, 0.03])
def test_never_over_a_hole(radius, noisy):
    depth, _ = cast(*hole(radius, at=(0.004, -0.002)))
    seen = sense(depth, seed=2) if noisy else depth
    # To where half of the cup is beside the hole, then to well beside it.
    over = find(seen, disc(324, 237, (radius + 0.5 * RADIUS) * 1200), max_tilt=1.5, **DENSE)
    beside = find(seen, disc(324, 237, (radius + 2 * RADIUS) * 1200), max_tilt=1.5, **DENSE)
    for c in over + beside:
        if c.z < 0.55:  # on the surface with the hole; the bottom of a large one is a place too
            assert np.hypot(c.x - 0.004, c.y + 0.002) > radius + RADIUS - 0.001
        else:
            assert np.hypot(c.x - 0.0048, c.y + 0.0024) < radius * 1.2 - RADIUS + 0.001
    assert any(c.z < 0.55 for c in beside)


def test_the_margin_is_the_way_to_the_step_over_what_the_cup_needs():
    depth, _ = cast(*step(0.02))
    need = RADIUS + CandidateOptions().edge_margin
    ring = RADIUS / 6  # between samples; a step is seen over two of them, from 1.5 pixels on
    ways = []
    for u in range(330, 372, 3):
        for c in find(depth, disc(u, 240, 26), **DENSE):
            if c.x > 0 and np.hypot(c.u - u, c.v - 240) < 18:  # the affordance is wide enough
                assert -0.5 * ring < min(need, c.x) - c.margin * need < 1.5 * ring
                ways.append(c.x)
    assert min(ways) < RADIUS + ring < need < max(ways)


def test_the_margin_is_less_near_the_border_of_the_affordance():
    depth, _ = cast(plane())
    wide, narrow = (find(depth, disc(320, 240, radius))[0] for radius in (20, 3))
    assert wide.margin == 1
    assert 0.3 < narrow.margin < 0.8  # 3 pixels are 2.5 mm, of 5 mm


@pytest.mark.parametrize('unknown', [0, np.nan, np.inf])
def test_no_candidate_where_depth_is_unknown(unknown):
    depth, _ = cast(plane())
    centre = disc(320, 240, 30) > 0
    depth[centre] = unknown
    assert find(np.full_like(depth, unknown)) == ()
    assert find(depth, centre.astype(np.float32), **DENSE) == ()
    found = find(depth, disc(320, 240, 60), **DENSE)
    assert found
    assert np.isfinite(found).all()
    for c in found:
        assert np.hypot(c.u - 320, c.v - 240) > 30


@pytest.mark.parametrize('offset', [0, 7, 14, 17, 40])
def test_valid_is_the_share_of_the_footprint_with_depth(offset):
    depth, normals = cast(plane(normal=(0.3, 0, -0.95)))
    seen = np.where(disc(320 + offset, 240, 5) > 0, np.float32(0), depth)  # 4 mm, of the cup's 15
    found = find(seen, disc(320, 240, 1), min_score=0.0, min_valid=0.0, edge_margin=0.0)
    if offset < 10:  # unknown in the middle
        assert found == ()
        return
    (c,) = found
    cup = disc(320, 240, RADIUS * 600 / depth[240, 320]) > 0
    assert abs(c.valid - (seen[cup] > 0).mean()) < 0.05
    assert (c.margin < 1) == (offset < 30)
    distance, angle = errors(found, depth, normals)
    assert distance < 1e-3
    assert angle < 2
    assert find(seen, disc(320, 240, 1), min_score=0.0, min_valid=c.valid + 0.01) == ()


def test_lattices_and_speckle_are_not_holes():
    depth, normals = cast(plane(normal=(0.4, 0.2, -0.9)))
    depth[::4], depth[:, 1::4] = 0, 0  # what registration by forward warping leaves
    found = find(depth * (np.random.default_rng(0).random(depth.shape) > 0.1))
    assert len(found) == 20
    assert errors(found, cast(plane(normal=(0.4, 0.2, -0.9)))[0], normals)[1] < 2
    assert min(c.valid for c in found) > 0.95


def test_the_tilt_is_measured_from_up():
    depth, _ = cast(plane(normal=(0, -np.sin(0.6), -np.cos(0.6))))
    assert find(depth, max_tilt=0.55) == ()
    assert find(depth, max_tilt=0.65)
    assert find(depth, max_tilt=0.05, up=(0, -0.5 * np.sin(0.6), -0.5 * np.cos(0.6)))
    assert find(depth, max_tilt=1.0, up=(0.0, 1.0, 0.0)) == ()


def test_the_workspace_is_a_box_in_the_cameras_frame():
    depth, _ = cast(plane())
    box = (-0.05, 0.0, 0.4, 0.1, 0.12, 0.6)
    found = np.array(find(depth, workspace=box, **DENSE))
    assert len(found) > 10
    assert (found[:, :3] >= box[:3]).all()
    assert (found[:, :3] <= box[3:]).all()
    assert find(depth, workspace=(-1.0, -1.0, 0.51, 1.0, 1.0, 2.0)) == ()


def _hills(seed=0):
    """Draw a smooth affordance with some 30 hills."""
    noise = np.random.default_rng(seed).normal(size=(480, 640)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 18)
    return np.clip(0.5 + smooth / smooth.std() / 4, 0, 1)


def test_the_list_is_ordered_apart_and_limited_and_the_score_is_the_product_of_its_terms():
    depth, _ = cast(plane(normal=(0.2, 0.1, -0.9)))
    affordance = _hills()
    found = find(sense(depth), affordance, limit=15, spacing=0.04, min_score=0.3)
    assert len(found) == 15
    scores = [c.score for c in found]
    assert scores == sorted(scores, reverse=True)
    points = np.array(found)[:, :3]
    apart = np.linalg.norm(points[:, None] - points, axis=2) + np.eye(15)
    assert apart.min() >= 0.04
    for c in found:
        assert c.affordance == affordance[int(c.v), int(c.u)] >= 0.5
        assert c.score == pytest.approx(c.affordance * c.flatness * c.valid * c.margin, rel=1e-5)
        assert c.score >= 0.3
    near = np.array(find(sense(depth), affordance))[:, :3]
    apart = np.linalg.norm(near[:, None] - near, axis=2) + np.eye(len(near))
    assert 2 * RADIUS <= apart.min() < 0.04


def test_suppression_leaves_nothing_out():
    """With room in the list, every place that scores is taken or near one that scores more."""
    depth, _ = cast(plane())
    everything = np.array(find(depth, _hills(), limit=256, spacing=1e-4))
    taken = np.array(find(depth, _hills(), limit=256))
    assert len(taken) < len(everything)
    for row in everything:
        near = np.linalg.norm(taken[:, :3] - row[:3], axis=1) < 2 * RADIUS
        assert (taken[near][:, 6] >= row[6]).any()


def test_flat_before_curved_and_free_before_confined():
    shapes = [plane((0, 0, 0.6)), cylinder((-0.12, 0, 0.55), (0, 1, 0), 0.05)]
    top = plane((0, 0, 0.5), where=lambda p: np.abs(p[..., 0] - 0.1) < 0.05)
    slat = plane((0, 0, 0.5), where=lambda p: np.abs(p[..., 0] - 0.2) < 0.019)
    depth, _ = cast(top, slat, *shapes)
    found = find(depth, (depth < 0.52).astype(np.float32), limit=256)
    best = [max(c.score for c in found if abs(c.x - x) < 0.04) for x in (0.1, 0.2, -0.12)]
    assert best[0] > 0.95 > best[1]
    assert best[0] > best[2]
    assert 0.06 < found[0].x < 0.14


@pytest.mark.parametrize(('depth', 'camera'), [(None, CAMERA), (np.ones((480, 640)), None)])
def test_without_depth_or_camera_there_are_pixels(depth, camera):
    places = [(100, 100, 0.9), (300, 200, 1.0), (500, 400, 0.8), (322, 200, 0.7)]
    affordance = np.zeros((480, 640), np.float32)
    for u, v, height in places:
        np.maximum(affordance, height * disc(u, v, 12), out=affordance)
    found = find(depth, affordance, camera, pixel_spacing=40.0)
    assert [c.score for c in found] == pytest.approx([1.0, 0.9, 0.8])
    for c, (u, v, _) in zip(found, (places[1], places[0], places[2])):
        assert np.hypot(c.u - u, c.v - v) < 3
        assert c.score == c.affordance == affordance[int(c.v), int(c.u)]
        terms = (*c[:6], c.flatness, c.valid, c.margin)
        assert np.isnan(terms).all()
    assert len(find(depth, affordance, camera, pixel_spacing=10.0)) > 3
    assert len(find(depth, affordance, camera, limit=2)) == 2
    assert find(depth, disc(0, 240, 30), camera)[0].u > 8  # away from the picture's border, too


@pytest.mark.parametrize('depth', [None, cast(plane())[0]], ids=['pixels', 'depth'])
def test_nothing_where_the_affordance_is_low_or_nan(depth):
    affordance = np.full((480, 640), 0.49, np.float32)
    affordance[100:200] = np.nan
    assert find(depth, affordance) == ()
    affordance[300:400] = 0.51
    assert {300 <= c.v < 400 for c in find(depth, affordance)} == {True}
    assert find(depth, np.zeros_like(affordance), min_affordance=0.0) == ()


def test_the_same_again_and_nothing_is_written_on():
    depth, affordance = sense(cast(plane())[0]), _hills()
    before = depth.copy(), affordance.copy()
    first = find(depth, affordance)
    assert first == find(depth, affordance)
    assert all(type(value) is float for c in first for value in c)
    np.testing.assert_array_equal(depth, before[0])
    np.testing.assert_array_equal(affordance, before[1])
    assert isinstance(first[0], Candidate)


def test_sizes_that_do_not_agree_are_refused():
    with pytest.raises(ValueError, match='size'):
        find(np.ones((240, 320), np.float32))
    with pytest.raises(ValueError, match='size'):
        find(cast(plane())[0], camera=CAMERA._replace(width=320))


@pytest.mark.parametrize(
    'values',
    [
        {'up': [0, 0, 0]},
        {'up': [1, 0]},
        {'workspace': [0, 0, 0, 1, 1]},
        {'workspace': [0, 0, 1, 1, 1, 0]},
        {'cup_radius': -1.0},
        {'max_tilt': 3.0},
    ],
)
def test_options_that_cannot_be_are_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        make(CandidateOptions, values)


def test_options_are_described_with_units():
    for option in options_of(CandidateOptions).values():
        if option.type in (float, tuple) and option.bounds.high != 1:
            assert any(unit in option.text for unit in ('metres', 'radians', 'pixels')), option
