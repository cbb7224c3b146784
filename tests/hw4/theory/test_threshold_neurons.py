"""Theory 3: half-plane neurons, the AND of them, and Figure 1."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw4.theory.half_planes import Box, HalfPlane, as_floats, clip, inside, intersection
from hw4.theory.threshold_neurons import (
    GREEN_SHAPE,
    SHIFT,
    VIEW,
    Network,
    agreement_table,
    and_interval,
    exact,
    figure_1,
    move_side,
)

pytestmark = pytest.mark.hw4_theory3

fractions = st.fractions(-5, 5, max_denominator=50)
positive = st.fractions(Fraction(1, 50), 5, max_denominator=50)
numbers = st.floats(-5, 5) | fractions


def is_and(v, off, on, bias):
    """Whether y is 1 for the pattern with all neurons on and for no other; all are tried."""
    network = Network(tuple(HalfPlane(1, 0, 0) for _ in v), tuple(v), bias, off, on)
    patterns = itertools.product((False, True), repeat=len(v))
    return all(network.fires(pattern) == all(pattern) for pattern in patterns)


@given(st.lists(positive | st.floats(0.01, 5), min_size=1, max_size=6), numbers, numbers, st.data())
def test_the_and_holds_inside_the_interval_and_fails_outside(v, one, other, data):
    off, on = sorted((one, other), key=exact)
    if exact(off) == exact(on):
        with pytest.raises(ValueError, match="on > off"):
            and_interval(v, off, on)
        return
    interval = and_interval(v, off, on)
    width = interval.upper - interval.lower
    share = data.draw(st.fractions(0, 1, max_denominator=10**6))
    assert is_and(v, off, on, interval.upper - share * width) == (share < 1)
    away = data.draw(positive)
    assert not is_and(v, off, on, interval.lower - away)
    assert not is_and(v, off, on, interval.upper + away)


def test_the_homework_s_interval_and_its_ends():
    interval = and_interval([1, 1, 1, 1, 1], off=0.2, on=0.5)
    assert (interval.lower, interval.upper) == (Fraction(-5, 2), Fraction(-11, 5))
    assert interval.tex == r"-2.5 < b^* \le -2.2"
    ands = [is_and([1] * 5, 0.2, 0.5, bias) for bias in (-2.5, -2.4, -2.2, -2.1999999999999997)]
    assert ands == [False, True, True, False]


@pytest.mark.parametrize("neurons", range(1, 9))
def test_the_closed_end_is_closed_for_every_number_of_neurons(neurons):
    """In binary floats the end -1.2 would lie outside."""
    v = [1] * neurons
    assert is_and(v, 0.2, 0.5, float(and_interval(v).upper))
    assert not is_and(v, 0.2, 0.5, float(and_interval(v).lower))


@pytest.mark.parametrize("v", [[], [1, 0], [1, -1]])
def test_weights_must_be_positive(v):
    with pytest.raises(ValueError, match="expected one positive weight"):
        and_interval(v)


def test_inverted_levels_have_no_and():
    with pytest.raises(ValueError, match="no b\\* makes an AND"):
        and_interval([1, 1], off=0.5, on=0.2)
    biases = [Fraction(b, 10) for b in range(-30, 31)]
    assert not any(is_and([1, 1], 0.5, 0.2, bias) for bias in biases)


@pytest.mark.handed_out
def test_floats_are_read_as_the_decimals_they_are_written_as():
    assert exact(0.2) == exact(np.float64(0.2)) == Fraction(1, 5)
    assert exact(0.1 + 0.2) != exact(0.3)


lines = st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.integers(-20, 20)).filter(
    lambda w: w[:2] != (0, 0)
)


@given(lines, st.floats(-5, 5))
def test_moving_shifts_along_the_weights(w, distance):
    """A point of the old line, moved by that distance along w / |w|, is on the new line."""
    side = HalfPlane(*w)
    moved = side.moved(distance)
    norm = np.hypot(w[0], w[1])
    foot = -w[2] / norm**2 * np.array(w[:2])
    landed = foot + distance * np.array(w[:2]) / norm
    assert (moved.w1, moved.w2) == (side.w1, side.w2)
    assert moved.w1 * landed[0] + moved.w2 * landed[1] + moved.b == pytest.approx(0, abs=1e-12)


@pytest.mark.handed_out
@pytest.mark.parametrize(("w2", "rises"), [(1, True), (-1, False)])
def test_which_way_a_smaller_bias_moves_the_line_depends_on_the_sign_of_w2(w2, rises):
    """Trap: a bare "decrease b" is no answer."""
    smaller, larger = HalfPlane(-1, w2, 0), HalfPlane(-1, w2, 1)
    intercepts = [-side.b / side.w2 for side in (larger, smaller)]
    assert (intercepts[1] > intercepts[0]) == rises


def test_figure_1_is_drawn_as_described():
    network = figure_1()
    box = Box(-100, 100, -100, 100)
    open_pentagon = intersection(network.sides[:4], box)
    # Four lines leave the region open at the lower right: it reaches the rim of any box.
    assert max(x1 for x1, _ in open_pentagon) == 100
    n5 = network.sides[4]
    assert -n5.w1 / n5.w2 > 0
    assert n5.w2 > 0  # the positive side is above
    assert n5.w1 < 0  # and to the left
    assert n5.contains(as_floats(GREEN_SHAPE)).all()


def test_the_move_lowers_b_and_closes_the_green_shape():
    before, after = figure_1(), move_side(figure_1(), 5, SHIFT)
    assert after.sides[:4] == before.sides[:4]
    assert after.sides[4].b < before.sides[4].b
    assert set(intersection(before.sides, VIEW)) != set(GREEN_SHAPE)
    assert set(intersection(after.sides, VIEW)) == set(GREEN_SHAPE)
    # The lower right edge lies on n5's line.
    n5 = after.sides[4]
    assert [n5.w1 * x1 + n5.w2 * x2 + n5.b for x1, x2 in GREEN_SHAPE[1:3]] == [0, 0]


def test_the_network_answers_1_in_the_green_shape_alone():
    networks = {"before": figure_1(), "after": move_side(figure_1(), 5, SHIFT)}
    table = agreement_table(networks, np.random.default_rng(1))
    assert (table["not polygon"] == 0).all()
    after = table[table["network"] == "after"]
    assert (after["y = 1"] > 0).all()
    assert (after["not green"] == 0).all()
    assert (table[table["network"] == "before"]["not green"] > 0).all()


def test_corners_and_edges_are_outside():
    """H(0) = 0: the region is open."""
    network = move_side(figure_1(), 5, SHIFT)
    corners = as_floats(GREEN_SHAPE)
    middles = (corners + np.roll(corners, 1, axis=0)) / 2
    assert not network(np.vstack([corners, middles])).any()
    assert network(corners.mean(axis=0))


@given(st.lists(lines, min_size=1, max_size=6), st.integers(0, 2**32))
def test_the_network_is_the_polygon_for_any_lines(parameters, seed):
    sides = tuple(HalfPlane(*w) for w in parameters)
    interval = and_interval([1] * len(sides))
    network = Network(sides, (1,) * len(sides), interval.upper)
    points = np.random.default_rng(seed).integers(-40, 41, (60, 2)) / 8
    polygon = intersection(sides, Box(-6, 6, -6, 6))
    assert np.array_equal(network(points), inside(polygon, points))


def test_a_wrong_number_of_weights_and_a_missing_neuron_are_refused():
    with pytest.raises(ValueError, match="2 weights v for 1 neurons"):
        Network((HalfPlane(1, 0, 0),), (1, 1), 0)
    with pytest.raises(ValueError, match="no neuron 6"):
        move_side(figure_1(), 6, 1.0)


def test_the_network_keeps_the_shape_of_its_input():
    network = figure_1()
    assert network(np.zeros((3, 4, 2))).shape == (3, 4)
    assert network([0.0, 0.0]).shape == ()


# --- The geometry underneath -----------------------------------------------------------------


@pytest.mark.handed_out
def test_a_half_plane_needs_a_direction():
    with pytest.raises(ValueError, match="no boundary"):
        HalfPlane(0, 0, 1)
    with pytest.raises(ValueError, match="not finite"):
        HalfPlane(1, np.nan, 1)


UNIT = Box(0, 1, 0, 1)


@pytest.mark.handed_out
@pytest.mark.parametrize(
    ("w", "ends"),
    [
        ((1, 0, -0.25), {(0.25, 0), (0.25, 1)}),
        ((0, -2, 0.5), {(0, 0.25), (1, 0.25)}),
        ((1, -1, 0), {(0, 0), (1, 1)}),
        ((1, 1, -0.5), {(0, 0.5), (0.5, 0)}),
        ((4, 1, -2), {(0.5, 0), (0.25, 1)}),
        ((-1, -1, 2), {(1, 1)}),
        ((1, 0, 1), set()),
        ((0, 1, 1), set()),
        ((1, 1, -3), set()),
        ((1, 3, 4), set()),
    ],
)
def test_the_boundary_within_a_box(w, ends):
    assert set(HalfPlane(*w).boundary(UNIT)) == ends


@pytest.mark.handed_out
@given(lines)
def test_the_ends_of_a_boundary_solve_its_equation(w):
    box = Box(-3, 4, -2, 5)
    side = HalfPlane(*w)
    corners = side.contains(as_floats(box.corners))
    ends = side.boundary(box)
    assert len(ends) == 2 or not 0 < corners.sum() < 4
    for x1, x2 in ends:
        assert w[0] * x1 + w[1] * x2 + w[2] == pytest.approx(0, abs=1e-12)
        assert box.left - 1e-12 <= x1 <= box.right + 1e-12
        assert box.bottom - 1e-12 <= x2 <= box.top + 1e-12


@pytest.mark.handed_out
def test_clipping_keeps_all_none_or_a_part():
    square = UNIT.corners
    assert clip(square, HalfPlane(1, 0, 1)) == square
    assert clip(square, HalfPlane(1, 0, -1)) == []
    assert set(clip(square, HalfPlane(1, 1, -1))) == {(1, 0), (1, 1), (0, 1)}
    assert not inside([], [[0, 0]]).any()


@pytest.mark.handed_out
@pytest.mark.parametrize(
    ("w", "equation"),
    [
        ((2, 0, -3), "x1 = 1.5"),
        ((2, 0, 0), "x1 = 0"),
        ((2, 1, -3), "x2 = -2 x1 +3"),
        ((0, 1, 0), "x2 = 0 x1 +0"),
    ],
)
def test_the_equation_of_a_boundary(w, equation):
    assert HalfPlane(*w).equation == equation
