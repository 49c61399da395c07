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


@pytest.mark.parametrize('kind', objects.KINDS)
def test_every_kind_is_of_a_size_that_a_tote_holds_and_closed_to_physics(kind, rng):
    thing = objects.KINDS[kind][0](rng)
    assert thing.kind == kind and thing.colliders
    vertices = np.concatenate([part.mesh.vertices for part in thing.parts])
    assert np.isfinite(vertices).all()
    assert 0.02 < np.ptp(vertices, axis=0).max() < 0.3
    for part in thing.parts:
        assert part.mesh.faces.min() >= 0 and part.mesh.faces.max() < len(part.mesh.vertices)
