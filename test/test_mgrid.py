"""MGRID by hand, by a plain loop, and its bounds."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from rganet_ros.mgrid import cells, gamma, Grid, mgrid

CODE = Grid(gamma_at_zero='code')


def row(*pairs):
    """Make said and true (1, n) of pairs."""
    return tuple(np.array(each, bool)[None] for each in zip(*pairs))


def test_one_cell_by_hand():
    # TP = FP = FN = 1: F = 0.5, and the cubic turns there.
    assert mgrid(*row((1, 1), (1, 0), (0, 1))) == pytest.approx(0.525)


def test_a_cell_without_a_hit():
    missed = row((0, 1), (0, 0))
    assert mgrid(*missed) == 0
    assert mgrid(*missed, grid=CODE) == pytest.approx(0.05)


def test_a_picture_without_any_cell_that_counts():
    empty = row((0, 0), (0, 0))
    assert np.isnan(mgrid(*empty)) and mgrid(*empty, grid=CODE) == 1
    # What is not counted is not there.
    said, true = row((1, 0), (0, 1))
    assert np.isnan(mgrid(said, true, np.zeros((1, 2), bool)))


def test_covering_a_second_thing_is_worth_more_than_more_of_the_first():
    true = np.zeros((24, 24), bool)
    true[:12, :12] = true[12:, 12:] = True
    one, two = np.zeros((2, 24, 24), bool)
    one[:12, :6] = True
    two[:6, :6] = two[12:18, 12:18] = True
    assert one.sum() == two.sum() and mgrid(two, true) > mgrid(one, true)


def loop(said, true, counted, grid):
    total = n = 0
    for top in range(0, said.shape[0], grid.cell):
        for left in range(0, said.shape[1], grid.cell):
            tp = fp = fn = 0
            for y in range(top, min(top + grid.cell, said.shape[0])):
                for x in range(left, min(left + grid.cell, said.shape[1])):
                    tp += counted[y, x] and said[y, x] and true[y, x]
                    fp += counted[y, x] and said[y, x] and not true[y, x]
                    fn += counted[y, x] and not said[y, x] and true[y, x]
            if tp + fp + fn:
                b = grid.beta**2
                f = (1 + b) * tp / (b * (tp + fn) + tp + fp + 1e-31)
                slope = (1 - grid.height) / (1 - grid.middle) ** 3
                zero = f == 0 and grid.gamma_at_zero == 'paper'
                total += 0 if zero else slope * (f - grid.middle) ** 3 + grid.height
                n += 1
    if n == 0:
        return 1.0 if grid.gamma_at_zero == 'code' else float('nan')
    return total / n


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30), st.integers(1, 13),
    st.floats(0.3, 2), st.sampled_from(['paper', 'code']), st.sampled_from([0.02, 0.3, 0.9]),
)  # fmt: skip
def test_it_is_what_a_plain_loop_says(seed, height, width, cell, beta, zero, share):
    random = np.random.default_rng(seed)
    said, true = random.random((2, height, width)) < share
    counted = random.random((height, width)) < 0.8
    grid = Grid(cell=cell, beta=beta, gamma_at_zero=zero)
    found, expected = mgrid(said, true, counted, grid), loop(said, true, counted, grid)
    assert found == pytest.approx(expected, nan_ok=True)
    again = mgrid(np.asfortranarray(said), true, counted, grid)
    assert again == pytest.approx(expected, nan_ok=True)
    perfect = cells(true, true, counted, grid)
    assert perfect == pytest.approx(np.ones(len(perfect)))
    swapped = cells(true, said, counted, Grid(cell=cell, beta=1))
    assert swapped == pytest.approx(cells(said, true, counted, Grid(cell=cell, beta=1)))


@settings(max_examples=200, deadline=None)
@given(st.floats(0.01, 0.9), st.floats(0.001, 0.999), st.sampled_from([-1, 0, 1]))
def test_equation_5_is_what_keeps_the_curve_between_0_and_the_middle(middle, share, side):
    t = (middle / (1 - middle)) ** 3
    low, high = t / (1 + t), (middle + t) / (1 + t)
    height = (low + share * (high - low), low - share * low, high + share * (1 - high))[side]
    if side:
        with pytest.raises(ValueError, match='equation 5'):
            Grid(middle=middle, height=height)
        return
    curve = gamma(np.linspace(0, 1, 101), Grid(middle=middle, height=height, gamma_at_zero='code'))
    assert 0 < curve[0] < middle and curve[-1] == pytest.approx(1)
    assert (np.diff(curve) > -1e-12).all()


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        ({'middle': 1.0}, 'middle 1.0'),
        ({'height': 0.5}, 'equation 5'),
        ({'height': 0.75}, 'equation 5'),
        ({'cell': 0}, 'cell 0'),
        ({'beta': 0.0}, 'beta 0.0'),
        ({'gamma_at_zero': 'both'}, 'paper or code'),
    ],
)
def test_constants_that_cannot_be_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        Grid(**given)
