"""The banks of the two splits."""

import numpy as np
import pytest
from rganet_ros.synthetic import objects

COUNT = 40


@pytest.fixture(scope='module')
def banks():
    return {
        split: [objects.thing(split, number) for number in range(COUNT)]
        for split in objects.SPLITS
    }


def shape(thing) -> bytes:
    return b''.join(part.mesh.vertices.tobytes() for part in thing.parts)


def test_no_thing_is_in_both_banks(banks):
    train, test = ({shape(thing) for thing in banks[split]} for split in objects.SPLITS)
    assert len(train) == len(test) == COUNT
    assert not train & test


def test_held_out_kinds_are_in_the_test_bank_alone(banks):
    kinds = {split: {thing.kind for thing in bank} for split, bank in banks.items()}
    assert kinds['train'].isdisjoint(objects.HELD_OUT)
    assert kinds['test'] & set(objects.HELD_OUT)


def test_a_thing_is_a_function_of_its_number(banks):
    again = objects.thing.__wrapped__('test', 7)
    assert shape(again) == shape(banks['test'][7])
    for part, other in zip(again.parts, banks['test'][7].parts, strict=True):
        assert np.array_equal(part.texture, other.texture)


def corners(colliders) -> np.ndarray:
    """Points (n, 3) that span all colliders."""
    sides = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    return np.concatenate([
        (c.size if c.shape == 'hull' else sides * c.size) + np.array(c.position)
        for c in colliders
    ])  # fmt: skip


@pytest.mark.parametrize('kind', objects.KINDS)
def test_every_kind_is_of_a_size_that_a_tote_holds_and_collides_where_it_is_seen(kind, rng):
    thing = objects.KINDS[kind][0](rng)
    assert thing.kind == kind and thing.colliders
    vertices = np.concatenate([part.mesh.vertices for part in thing.parts])
    assert np.isfinite(vertices).all()
    assert 0.02 < np.ptp(vertices, axis=0).max() < 0.3
    low, high = vertices.min(0), vertices.max(0)
    hit = corners(thing.colliders)
    assert (hit.min(0) > low - 0.004).all() and (hit.max(0) < high + 0.004).all()
    assert (np.ptp(hit, axis=0) > 0.5 * (high - low) - 0.004).all()
    for part in thing.parts:
        assert part.mesh.faces.min() >= 0 and part.mesh.faces.max() < len(part.mesh.vertices)
        assert part.mesh.uv.shape == (len(part.mesh.vertices), 2)
        assert part.texture is None or part.texture.dtype == np.uint8


# Sheets without a thickness, and tubes whose ends are open where no one looks.
NOT_CLOSED = ('bag', 'brush', 'cable', 'clear_bottle', 'mesh_cup', 'mug', 'tape', 'whisk')


@pytest.mark.parametrize('kind', objects.KINDS)
def test_what_is_seen_is_closed_and_turned_outwards(kind, rng):
    for part in objects.KINDS[kind][0](rng).parts:
        corner = part.mesh.vertices[part.mesh.faces]
        volume = (
            np.einsum('ij,ij->i', corner[:, 0], np.cross(corner[:, 1], corner[:, 2])).sum() / 6
        )
        assert volume > -1e-9
        if kind in NOT_CLOSED:
            continue
        merged = {}
        index = [
            merged.setdefault(tuple(point), len(merged))
            for point in part.mesh.vertices.round(6)[part.mesh.faces].reshape(-1, 3).tolist()
        ]
        faces = np.array(index).reshape(-1, 3)
        faces = faces[[len(set(face)) == 3 for face in faces.tolist()]]
        edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        there, back = ({*map(tuple, way.tolist())} for way in (edges, edges[:, ::-1]))
        assert len(there - back) <= 0.01 * len(there), f'{len(there - back)} of {len(there)}'
