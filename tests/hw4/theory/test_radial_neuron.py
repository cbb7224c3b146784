"""Theory 2: the zero set of y = exp(-(w1 x1² + w2 x2²)) + b, for every w1, w2 and b."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw4.theory.radial_neuron import (
    CASES,
    Circle,
    CrossingLines,
    Ellipse,
    Empty,
    Hyperbola,
    ParallelLines,
    Plane,
    Point,
    RadialNeuron,
    SingleLine,
    case_table,
)

pytestmark = pytest.mark.hw4_theory2

EPSILON = 2.0**-52
TINY, LARGEST = 5e-324, 1.7e308
T = np.linspace(-3, 3, 25)

moderate = st.floats(0.01, 9)
weights = moderate | moderate.map(lambda w: -w) | st.just(0.0)
biases = st.floats(-3, -0.01) | st.just(-1.0)


def zero_set(w1, w2, b):
    return RadialNeuron(w1, w2, b).zero_set()


@given(weights, weights, biases)
def test_points_of_the_set_have_y_0(w1, w2, b):
    neuron = RadialNeuron(w1, w2, b)
    # On a hyperbola and on crossing lines y is 0 because large terms cancel.
    terms = 1 + np.cosh(2 * T) * abs(math.log(-b)) + T**2
    for points in neuron.zero_set().branches(T):
        y = neuron(points[:, 0], points[:, 1])
        assert (np.abs(y) <= 8 * EPSILON * abs(b) * terms).all()


@given(st.floats(-4, 4), st.floats(-4, 4), st.floats(-3, 1))
def test_where_y_changes_its_sign_the_set_is_not_empty(w1, w2, b):
    neuron = RadialNeuron(w1, w2, b)
    grid = np.linspace(-5, 5, 41)
    y = neuron(grid[:, None], grid[None, :])
    # Rounding may reach 0 from one side, it may not cross.
    if isinstance(neuron.zero_set(), Empty | Point | Plane):
        assert (y >= 0).all() or (y <= 0).all()


INSIDE, BELOW = -math.exp(-4), -math.exp(4)  # c = 4 and c = -4


@pytest.mark.parametrize(
    ("w1", "w2", "b", "expected"),
    [
        (1, 1, INSIDE, Circle(2.0)),
        (1, 1, -1, Point()),
        (1, 1, -1.5, Empty()),
        (1, 1, -0.0, Empty()),
        (1, 1, 0.0, Empty()),
        (1, 4, INSIDE, Ellipse((2.0, 1.0))),
        (1, 4, BELOW, Empty()),
        (1, 4, -1, Point()),
        (-1, -4, BELOW, Ellipse((2.0, 1.0))),
        (-1, -4, INSIDE, Empty()),
        (-1, -4, -1, Point()),
        (-1, -1, BELOW, Circle(2.0)),
        (1, -4, INSIDE, Hyperbola(1, (2.0, 1.0))),
        (1, -4, BELOW, Hyperbola(2, (2.0, 1.0))),
        (-1, 4, INSIDE, Hyperbola(2, (2.0, 1.0))),
        (-1, 4, BELOW, Hyperbola(1, (2.0, 1.0))),
        (1, -4, -1, CrossingLines((1.0, 0.5))),
        (4, 0, INSIDE, ParallelLines(1, 1.0)),
        (0, 4, INSIDE, ParallelLines(2, 1.0)),
        (-4, 0, BELOW, ParallelLines(1, 1.0)),
        (0, -4, BELOW, ParallelLines(2, 1.0)),
        (4, 0, BELOW, Empty()),
        (0, -4, INSIDE, Empty()),
        (4, 0, -1, SingleLine(1)),
        (0, -4, -1, SingleLine(2)),
        (0, 0, -1, Plane()),
        (0, 0, INSIDE, Empty()),
        (0, 0, BELOW, Empty()),
        (1, -4, 0.5, Empty()),
        (0, 0, 1.0, Empty()),
    ],
)
def test_every_case_of_weights_and_bias(w1, w2, b, expected):
    assert zero_set(w1, w2, b) == expected


def test_the_table_has_every_case():
    shapes = {type(neuron.zero_set()) for neuron in CASES}
    everything = {Circle, Ellipse, Hyperbola, CrossingLines, ParallelLines, SingleLine, Point}
    assert shapes == everything | {Plane, Empty}
    assert {n.zero_set().axis for n in CASES if isinstance(n.zero_set(), Hyperbola)} == {1, 2}
    assert case_table()["y = 0"].tolist() == [str(n.zero_set()).split(",")[0] for n in CASES]


def test_the_asymptotes_are_the_lines_of_b_minus_1():
    for b in (-0.3, -4.0):
        asymptotes = zero_set(2.0, -0.5, b).asymptotes
        assert asymptotes.slope == pytest.approx(zero_set(2.0, -0.5, -1).slope, rel=4 * EPSILON)
        assert asymptotes.slope == pytest.approx(2.0, rel=4 * EPSILON)


def test_next_to_b_minus_1_the_circle_is_small_and_not_a_point():
    """For b next to -1 the number c is 1 + b, up to its square: 2⁻⁵³ above -1."""
    b = math.nextafter(-1, 0)
    assert zero_set(1, 1, b).radius == pytest.approx(math.sqrt(2.0**-53), rel=1e-15)
    assert zero_set(1, 1, math.nextafter(-1, -2)) == Empty()
    assert zero_set(-1, -1, math.nextafter(-1, -2)).radius == pytest.approx(2.0**-26, rel=1e-15)


def test_next_to_b_0_the_circle_is_large_and_finite():
    assert zero_set(1, 1, -TINY).radius == pytest.approx(math.sqrt(1074 * math.log(2)), rel=1e-15)


def test_a_tiny_weight_is_not_zero():
    """The quotient c / w would be infinite, its root is not."""
    shape = zero_set(TINY, 1.0, -0.5)
    assert shape.semi_axes[0] == pytest.approx(math.sqrt(math.log(2)) * 2.0**537, rel=1e-15)
    assert isinstance(zero_set(TINY, -TINY, -1), CrossingLines)
    assert zero_set(TINY, -LARGEST, -1).slope == pytest.approx(2.0**-537 / math.sqrt(LARGEST))
    assert zero_set(LARGEST, -TINY, -1).slope == math.inf


any_weight = st.floats(-LARGEST, LARGEST) | st.floats(-9, 9) | st.sampled_from((0.0, TINY, -TINY))


@given(any_weight, any_weight, st.floats(-LARGEST, 0, exclude_max=True) | biases)
def test_exchanging_the_axes_exchanges_the_shape(w1, w2, b):
    shape, mirrored = zero_set(w1, w2, b), zero_set(w2, w1, b)
    assert type(shape) is type(mirrored)
    if isinstance(shape, Ellipse | Hyperbola):
        assert shape.semi_axes == mirrored.semi_axes[::-1]
    if isinstance(shape, Hyperbola | ParallelLines | SingleLine):
        assert shape.axis == 3 - mirrored.axis


@pytest.mark.handed_out
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))
def test_the_neuron_is_the_formula(w1, w2, b, x1, x2):
    expected = math.exp(-(w1 * x1**2 + w2 * x2**2)) + b
    assert RadialNeuron(w1, w2, b)(x1, x2) == pytest.approx(expected, rel=1e-11, abs=1e-12)


@pytest.mark.handed_out
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_infinite_and_missing_numbers_are_refused(number):
    for arguments in ((number, 1, -1), (1, number, -1), (1, 1, number)):
        with pytest.raises(ValueError, match="expected a finite number"):
            RadialNeuron(*arguments)
