"""Totes of some plastics are seen in testing alone."""

import numpy as np
from rganet_ros.synthetic import containers, textures


def drawn(split: str) -> list:
    rng = np.random.default_rng(0)
    return [containers.plastic(rng, split, len(textures.TOTES)) for _ in range(200)]


def test_no_training_tote_is_of_a_plastic_that_is_held_out():
    assert set(drawn('train')) == set(textures.TOTES) - set(containers.HELD_OUT)


def test_totes_of_every_plastic_are_tested():
    rng = np.random.default_rng(0)
    expected = [textures.TOTES[rng.integers(len(textures.TOTES))] for _ in range(200)]
    assert drawn('test') == expected  # the frames of version 2, to the last byte
    assert set(expected) >= set(containers.HELD_OUT)
