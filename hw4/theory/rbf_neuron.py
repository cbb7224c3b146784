"""Theory 2: where a radial neuron y = exp(-(w₁ x₁² + w₂ x₂²)) + b is zero."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from hw4.theory.zero_sets import (
    Circle,
    CrossingLines,
    Ellipse,
    Empty,
    Floats,
    Hyperbola,
    ParallelLines,
    Plane,
    Point,
    SingleLine,
    ZeroSet,
)


@dataclass(frozen=True)
class RbfNeuron:
    """The neuron y = exp(-(w₁ x₁² + w₂ x₂²)) + b.

    Attributes
    ----------
    w1, w2
        Weights of the squares, of any sign.
    b
        Bias.

    Raises
    ------
    ValueError
        If one of them is infinite or not a number.
    """

    w1: float
    w2: float
    b: float

    def __post_init__(self) -> None:
        for name in ("w1", "w2", "b"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name)}, expected a finite number")

    def __call__(self, x1: npt.ArrayLike, x2: npt.ArrayLike) -> Floats:
        """Return y at the points (x1, x2), in the shape to which the two broadcast.

        Infinite where the exponential is too large for a float.
        """
        u = math.sqrt(abs(self.w1)) * np.asarray(x1, np.float64)
        v = math.sqrt(abs(self.w2)) * np.asarray(x2, np.float64)
        with np.errstate(over="ignore"):
            if _signs_differ(self.w1, self.w2):
                # (u - v)(u + v) and not u² - v²: close to the asymptotes the squares cancel.
                q = math.copysign(1, self.w1) * (u - v) * (u + v)
            else:
                q = math.copysign(1, self.w1 or self.w2) * (u * u + v * v)
            # Close to b = -1 the whole set lies where q is tiny. There 1 + b is exact, and
            # exp(-q) - 1 keeps the digits that exp(-q) would round away.
            near = -2 <= self.b <= -0.5
            y = np.expm1(-q) + (1 + self.b) if near else np.exp(-q) + self.b
        return np.asarray(y, np.float64)

    def zero_set(self) -> ZeroSet:
        """Return the set of all points with y = 0; see `zero_set`."""
        return zero_set(self.w1, self.w2, self.b)


def zero_set(w1: float, w2: float, b: float) -> ZeroSet:
    """Classify the set of all points with exp(-(w₁ x₁² + w₂ x₂²)) + b = 0.

    An exponential is positive, so b ≥ 0 leaves nothing. For b < 0 the logarithm can be taken::

        w₁ x₁² + w₂ x₂² = c,    c = -ln(-b)

    where c > 0 for -1 < b < 0, c = 0 for b = -1 and c < 0 for b < -1. A conic remains:

    ==================  ====================  =====================  =====================
    weights             c = 0                 c of the sign of a w   c of the other sign
    ==================  ====================  =====================  =====================
    same sign           the origin alone      ellipse (or circle)    nothing
    opposite signs      two crossing lines    hyperbola              hyperbola, other axis
    one is zero         one line              two parallel lines     nothing
    both zero           the whole plane       nothing                nothing
    ==================  ====================  =====================  =====================

    Parameters
    ----------
    w1, w2, b
        Weights and bias, taken as exactly the numbers they are: b = -1 + 1e-16 is a small circle
        and not a point, and a weight of 5e-324 is not zero.

    Returns
    -------
    ZeroSet
        One of the shapes of `hw4.theory.zero_sets`, with its measures.

    Raises
    ------
    ValueError
        If a number is infinite or not a number.

    Notes
    -----
    Two steps keep every measure right to a few units in the last place. -b is exact, so that its
    logarithm is too, for b next to 0 (c reaches 744.4) as for b next to -1 (|c| begins at 1.1e-16);
    nothing is subtracted. And a semi-axis is √|c| / √|w| and not √(c / w): the quotient c / w can
    leave the range of floats when the semi-axis does not.

    Examples
    --------
    >>> zero_set(1.0, 1.0, -math.exp(-4.0))
    Circle(radius=2.0)
    >>> print(zero_set(1.0, -1.0, -1.0))
    crossing lines, slopes ±1
    """
    neuron = RbfNeuron(w1, w2, b)
    if neuron.b >= 0:
        return Empty()
    c = -math.log(-b)
    if w1 == 0 and w2 == 0:
        return Plane() if c == 0 else Empty()
    if w1 == 0 or w2 == 0:
        axis, w = (1, w1) if w2 == 0 else (2, w2)
        if c == 0:
            return SingleLine(axis)
        return Empty() if _signs_differ(c, w) else ParallelLines(axis, _semi_axis(c, w))
    if c == 0:
        if _signs_differ(w1, w2):
            return CrossingLines((_semi_axis(1, w1), _semi_axis(1, w2)))
        return Point()
    semi_axes = (_semi_axis(c, w1), _semi_axis(c, w2))
    if _signs_differ(w1, w2):
        return Hyperbola(2 if _signs_differ(c, w1) else 1, semi_axes)
    if _signs_differ(c, w1):
        return Empty()
    return Circle(semi_axes[0]) if w1 == w2 else Ellipse(semi_axes)


CASES = (
    RbfNeuron(1, 1, -0.5),
    RbfNeuron(0.4, 2, -0.5),
    RbfNeuron(-0.4, -2, -2.5),
    RbfNeuron(1, -0.5, -0.5),
    RbfNeuron(1, -0.5, -2),
    RbfNeuron(1, -0.5, -1),
    RbfNeuron(1, 0, -0.4),
    RbfNeuron(0, 1, -1),
    RbfNeuron(1, 1, -1),
    RbfNeuron(0, 0, -1),
    RbfNeuron(1, 1, 0.3),
    RbfNeuron(1, 1, -1.3),
)
"""One neuron for each case, and both reasons why nothing may be left."""


def case_table(neurons: tuple[RbfNeuron, ...] = CASES) -> pd.DataFrame:
    """Return weights, bias, zero set and its measures for each neuron, one a row."""
    rows = []
    for neuron in neurons:
        shape, _, measures = str(neuron.zero_set()).partition(", ")
        rows.append((f"{neuron.w1:g}", f"{neuron.w2:g}", f"{neuron.b:g}", shape, measures))
    return pd.DataFrame(rows, columns=["w1", "w2", "b", "y = 0", "measures"])


def _signs_differ(first: float, second: float) -> bool:
    """Whether one is positive and the other negative."""
    # Not by their product, which may underflow to zero.
    return (first < 0 < second) or (second < 0 < first)


def _semi_axis(c: float, w: float) -> float:
    """Return √|c / w|."""
    return math.sqrt(abs(c)) / math.sqrt(abs(w))
