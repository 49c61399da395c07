"""The seal of all places at once, held against one place after the other in plain numbers."""

import math

import numpy as np
import pytest
from rganet_ros.footprint import AGREE, KNOWN, OBLIQUE, RINGS, seal, smooth
from rganet_ros.geometry import tangents
from scenes import CAMERA, cast, cylinder, plane, sense

RADIUS, MARGIN, GAP, STEP = 0.015, 0.005, 0.003, 0.0015
RAYS = 24


def _scene():
    """See a board with an edge, a bottle on a floor, and a patch where nothing is known."""
    board = plane((0, 0, 0.5), (0.3, 0.1, -0.95), where=lambda p: p[..., 0] > 0.03)
    depth, _ = cast(board, cylinder((-0.1, 0, 0.55), (0.2, 1, 0.1), 0.05), plane((0, 0, 0.6)))
    seen = sense(depth, zeros=0.3)
    seen[200:240, 420:440] = seen[:, 347:355] = 0  # the second hides the board's edge
    return smooth(seen, seen > 0, CAMERA, 3)


def _look(surface, origin, normal, rings):
    """Give, by (ray, ring), the ray (x, y, 1) of a sample's whole pixel, 1 / z, share."""
    right, across = (axis[0] for axis in tangents(normal[None]))
    samples = {}
    for ray in range(RAYS):
        for ring in range(rings):
            angle, far = 2 * math.pi * ray / RAYS, (ring + 0.5) * RADIUS / RINGS
            x, y, z = origin + far * (math.cos(angle) * right + math.sin(angle) * across)
            u, v = round(CAMERA.fx * x / z + CAMERA.cx), round(CAMERA.fy * y / z + CAMERA.cy)
            inside = 0 <= u < CAMERA.width and 0 <= v < CAMERA.height
            share = float(surface.share[v, u]) if inside else 0.0
            inverse = float(surface.inverse[v, u]) / share if share else 0.0
            at = ((u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, 1.0)
            samples[ray, ring] = np.array(at), inverse, share
    return samples


def _fit(samples):
    """Give the plane n . p = d as (n, d)."""
    rows = [
        (ray, inverse, math.sqrt((ring + 0.5) * share))
        for (_, ring), (ray, inverse, share) in samples.items()
        if share >= KNOWN
    ]
    rays, inverse, root = (np.array(each) for each in zip(*rows))
    found, *_ = np.linalg.lstsq(rays * root[:, None], inverse * root, rcond=None)
    return found / np.linalg.norm(found), 1 / np.linalg.norm(found)


def _plain(surface, u, v):
    """Seal one place: point, normal, flatness, valid, margin, sound."""
    ray = np.array([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, 1])
    origin = ray * float(surface.share[v, u]) / float(surface.inverse[v, u])
    rough, _ = _fit(_look(surface, origin, np.array([0.0, 0, 1]), RINGS // 2))
    rings = RINGS + math.ceil(MARGIN / RADIUS * RINGS)
    samples = _look(surface, origin, rough, rings)
    under = {key: each for key, each in samples.items() if key[1] < RINGS}
    normal, distance = _fit(under)
    height = {
        key: distance - normal @ at / inverse
        for key, (at, inverse, share) in samples.items()
        if share >= KNOWN
    }
    cells = {}
    for ray_index, ring in under:
        sums = cells.setdefault((ring * 3 // RINGS, ray_index * 8 // RAYS), [0.0, 0.0, 0.0])
        known = (ray_index, ring) in height
        area = ring + 0.5
        sums[0] += area
        sums[1] += area * known
        sums[2] += area * height[ray_index, ring] if known else 0
    inner = [sums for (band, _), sums in cells.items() if band == 0]
    middle = sum(sums[2] for sums in inner) / sum(sums[1] for sums in inner)
    point = ray * (distance - middle) / (normal @ ray)
    seen = all(known for _, known, _ in cells.values())
    gap = max(abs(total / known) for _, known, total in cells.values()) if seen else math.nan
    valid = sum(sums[1] for sums in cells.values()) / sum(sums[0] for sums in cells.values())

    def terms(key):
        angle, far = 2 * math.pi * key[0] / RAYS, (key[1] + 0.5) / RINGS
        return np.array([
            1, far * math.cos(angle), far * math.sin(angle), far**2,
            far**2 * math.cos(2 * angle), far**2 * math.sin(2 * angle),
        ])  # fmt: skip

    root = [math.sqrt(key[1] + 0.5) for key in under]
    bowl, *_ = np.linalg.lstsq(
        np.array([r * terms(key) for r, key in zip(root, under)]),
        np.array([r * height.get(key, 0) for r, key in zip(root, under)]),
        rcond=None,
    )
    step, to_step = STEP + 1.5 * (0.0006 + 0.0014 * point[2] ** 2), math.inf
    for line in range(RAYS // 2):
        along = [(line + RAYS // 2, ring) for ring in range(rings - 1, -1, -1)]
        along += [(line, ring) for ring in range(rings)]
        place = [(key[1] + 0.5) * (1 if key[0] == line else -1) * RADIUS / RINGS for key in along]
        for index in range(2, len(along)):
            before = [key for key in along[: index - 1] if key in height]
            if along[index] in height and before:
                pair = (along[index], before[-1])
                here, there = (height[key] - terms(key) @ bowl for key in pair)
                if abs(here - there) > step:
                    to_step = min(to_step, abs(place[index] + place[index - 2]) / 2)
    holes = [(ring + 0.5) * RADIUS / RINGS for (_, ring) in samples.keys() - height.keys()]
    towards = normal @ ray / np.linalg.norm(ray)
    half = all(known >= 0.5 * whole for whole, known, _ in cells.values())
    return (
        point, -normal, float(np.clip(1 - gap / GAP, 0, 1)), valid,
        min(1, min([to_step, *holes]) / (RADIUS + MARGIN)),
        towards >= OBLIQUE and normal @ rough >= AGREE and to_step > RADIUS and half,
    )  # fmt: skip


@pytest.mark.parametrize('line', range(4))
def test_all_places_at_once_are_as_each_place_by_itself(line):
    surface = _scene()
    u, v = np.meshgrid(np.r_[40:620:53, 328:384:4], [150 + 60 * line])
    u, v = u.ravel(), v.ravel()
    near = surface.share[v, u] >= KNOWN
    u, v = u[near], v[near]
    found = seal(surface, u, v, RADIUS, MARGIN, GAP, STEP)
    assert len(u) >= 10
    for index, (column, row) in enumerate(zip(u.tolist(), v.tolist())):
        point, normal, flatness, valid, margin, sound = _plain(surface, column, row)
        assert found.sound[index] == sound
        assert found.valid[index] == pytest.approx(valid, abs=1e-6)
        assert found.margin[index] == pytest.approx(margin, abs=1e-6)
        if not sound:  # over an edge all hangs on which of two pixels a sample is rounded to
            continue
        # In float32 a height is known to a tenth of a micrometre; flatness is of 3 mm.
        np.testing.assert_allclose(found.point[index], point, atol=1e-6)
        np.testing.assert_allclose(found.normal[index], normal, atol=1e-5)
        assert found.flatness[index] == pytest.approx(flatness, abs=1e-3)


def test_the_scene_has_places_of_every_kind():
    surface = _scene()
    v, u = (axis.ravel() for axis in np.mgrid[100:400:7, 20:620:9])
    near = surface.share[v, u] >= KNOWN
    found = seal(surface, u[near], v[near], RADIUS, MARGIN, GAP, STEP)
    assert 0.2 < found.sound.mean() < 0.95
    for term in (found.valid, found.margin):
        assert (term < 1).any() and (term == 1).any()
    assert (found.flatness < 0.5).any() and (found.flatness > 0.85).any()


def test_a_camera_in_numbers_of_numpy_gives_the_same():
    surface = _scene()
    wide = surface._replace(camera=CAMERA._replace(fx=np.float64(CAMERA.fx)))
    at = np.array([100, 300]), np.array([150, 200])
    found, same = (seal(each, *at, RADIUS, MARGIN, GAP, STEP) for each in (surface, wide))
    np.testing.assert_allclose(same.point, found.point, atol=1e-6)
