"""The label on surfaces whose answer is known: cut exactly, seen from above at 0.7 m."""

import numpy as np
import pytest
from rganet_ros.synthetic import label
from rganet_ros.synthetic.cup import CUPS
from rganet_ros.types import BACKGROUND, Camera, SUCTIONABLE

CAMERA = Camera(616, 616, 319.5, 239.5, 640, 480)
CUP, STRONG = CUPS['rigid'], CUPS['strong']
FORCE = CUP.force()
UP = np.array([0, 0, -1.0])  # the camera looks straight down
TOP = 0.7  # m


def rays():
    x = (np.arange(640) - CAMERA.cx) / CAMERA.fx
    y = (np.arange(480) - CAMERA.cy) / CAMERA.fy
    return np.broadcast_arrays(x[None], y[:, None])


def score(depth, instance, *, mass=0.05, centre=(0, 0, TOP), porous=False, mesh=False, cup=CUP):
    count = instance.max()
    bodies = label.Bodies(
        np.full(count, mass),
        np.tile(np.asarray(centre, float), (count, 1)),
        np.full(count, porous),
        np.full(count, mesh),
    )
    cloud = label.points(depth, CAMERA)
    normal = label.normals(cloud, instance)
    return label.score(cloud, normal, instance, CAMERA, UP, UP, bodies, cup)


def flat(inside):
    """Place a flat object at TOP where `inside`, on a floor 50 mm below."""
    depth = np.where(inside, TOP, TOP + 0.05)
    return depth, inside.astype(np.int32)


def cylinder(radius):
    """Depth and instance of a cylinder along x whose top line lies at TOP, on a floor."""
    _, y = rays()
    a, b, c = 1 + y**2, -2 * (TOP + radius), (TOP + radius) ** 2 - radius**2
    root = b**2 - 4 * a * c
    hit = root > 0
    depth = np.where(hit, (-b - np.sqrt(np.maximum(root, 0))) / (2 * a), TOP + 2 * radius)
    return depth, hit.astype(np.int32)


def sphere(radius):
    x, y = rays()
    a, b, c = 1 + x**2 + y**2, -2 * (TOP + radius), (TOP + radius) ** 2 - radius**2
    root = b**2 - 4 * a * c
    hit = root > 0
    depth = np.where(hit, (-b - np.sqrt(np.maximum(root, 0))) / (2 * a), TOP + 2 * radius)
    return depth, hit.astype(np.int32)


def test_the_middle_of_a_plane_holds_fully():
    x, _ = rays()
    depth, instance = flat(np.ones_like(x, bool))
    quality = score(depth, instance)
    assert quality[240, 320] == pytest.approx(1, abs=0.02)
    assert (quality[:5] == 0).all()  # a lip that leaves the picture is not known to seal


def test_the_lip_must_lie_on_the_object():
    x, y = rays()
    margin = 0.05 - TOP * np.maximum(abs(x), abs(y))  # m, distance to the edge of a 100 mm square
    depth, instance = flat(margin > 0)
    kinds = label.classes(score(depth, instance), instance, CUP)
    found = kinds == SUCTIONABLE
    assert found[margin > CUP.radius + 0.003].all()
    assert not found[margin < CUP.radius - 0.003].any()
    assert (kinds[instance == 0] == BACKGROUND).all()


@pytest.mark.parametrize(
    ('radius', 'low', 'high'), [(0.020, 0, 0.15), (0.024, 0.28, 0.45), (0.040, 0.55, 0.8)]
)
def test_a_cylinder_seals_from_24_millimetres_on(radius, low, high):
    depth, instance = cylinder(radius)
    quality = score(depth, instance)
    assert low <= quality[240, 300:340].mean() <= high
    kinds = label.classes(quality, instance, CUP)
    assert (kinds[235:245, 300:340] == SUCTIONABLE).any() == (radius > 0.02)


@pytest.mark.parametrize(('radius', 'holds'), [(0.020, False), (0.040, True)])
def test_a_sphere_seals_when_it_is_large(radius, holds):
    depth, instance = sphere(radius)
    assert (score(depth, instance)[240, 320] > CUP.threshold) == holds


def test_a_step_leaks():
    x, _ = rays()
    lower = x > 0
    depth = np.where(lower, TOP + 0.006, TOP)
    quality = score(depth, np.ones((480, 640), np.int32))
    away = abs(x) * TOP
    assert (quality[100:380][away[100:380] < CUP.radius - 0.005] < CUP.threshold).all()
    beyond = (away > CUP.radius + 0.004) & (away < 0.1)
    assert (quality[100:380][beyond[100:380]] > CUP.threshold).all()


def test_a_wall_keeps_the_holder_away():
    x, _ = rays()
    wall = x > 0
    depth, instance = np.where(wall, TOP - 0.05, TOP), np.where(wall, 2, 1)
    quality = score(depth, instance)
    away = -x[240] * TOP  # of the object's pixels from the wall's foot, seen from the middle
    assert (quality[240][(away > 0) & (away < 0.02)] < CUP.threshold).all()
    assert (quality[240][(away > 0.032) & (away < 0.1)] > 0.8).all()


def test_reach_ends_at_sixty_degrees():
    tilt = np.radians([0, 35, 47.5, 60, 80])
    axis = np.stack([np.sin(tilt), 0 * tilt, -np.cos(tilt)], -1)
    assert label.reach(axis, UP, CUP) == pytest.approx([1, 1, 0.5, 0, 0], abs=1e-6)


def test_weight_peels_and_slides():
    axis = UP[None]
    at, centre = np.zeros((1, 3)), np.array([[0.03, 0, 0.02]])
    arm = 0.4 * CUP.gravity * 0.03 / (FORCE * CUP.radius)
    hold = label.wrench(at, axis, UP, np.array([0.4]), centre, FORCE, CUP)
    assert hold == pytest.approx([np.sqrt(1 - arm)])
    heavy = label.wrench(at, axis, UP, np.array([FORCE / CUP.gravity * 1.01]), at, FORCE, CUP)
    assert heavy == pytest.approx([0])
    side = np.array([[1.0, 0, 0]])
    slides = label.wrench(at, side, UP, np.array([1.0]), at, FORCE, CUP)
    expected = 1 - CUP.gravity / (CUP.friction * FORCE)
    assert slides == pytest.approx([np.sqrt(expected)])


def test_porous_things_hold_for_a_strong_vacuum_alone_and_open_ones_never():
    x, _ = rays()
    depth, instance = flat(np.ones_like(x, bool))
    assert score(depth, instance, porous=True).max() == 0
    assert score(depth, instance, porous=True, cup=STRONG)[240, 320] > 0.9
    assert score(depth, instance, mesh=True, cup=STRONG).max() == 0


def test_a_strong_vacuum_lifts_less_by_cloth_than_by_card_and_as_much_by_card():
    x, _ = rays()
    depth, instance = flat(np.ones_like(x, bool))
    heavy = 1.5  # kg: 14.7 N, of 24.7 N on what is closed and 10.6 N on what is porous
    by_card, by_cloth = (
        score(depth, instance, mass=heavy, porous=porous, cup=STRONG)[240, 320]
        for porous in (False, True)
    )
    assert by_card == pytest.approx(score(depth, instance, mass=heavy)[240, 320]) and by_card > 0.5
    assert by_cloth == 0


@pytest.mark.parametrize(('radius', 'rigid', 'strong'), [
    (0.014, False, False), (0.019, False, True), (0.025, True, True),
])  # fmt: skip
def test_a_strong_vacuum_holds_narrower_cylinders(radius, rigid, strong):
    depth, instance = cylinder(radius)
    found = [score(depth, instance, cup=cup)[240, 320] > cup.threshold for cup in (CUP, STRONG)]
    assert found == [rigid, strong]
