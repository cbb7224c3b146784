"""Theory 2: where a radial neuron y = exp(-(w₁ x₁² + w₂ x₂²)) + b is zero."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RadialNeuron:
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
        with np.errstate(over="ignore"):
            y = np.exp(-(self.w1 * np.square(x1) + self.w2 * np.square(x2))) + self.b
        return np.asarray(y, np.float64)

    def zero_set(self) -> "ZeroSet":
        """Classify the set of all points with exp(-(w₁ x₁² + w₂ x₂²)) + b = 0.

        Weights and bias are taken as exactly the numbers they are: b = -1 + 1e-16 is a small
        circle and not a point, and a weight of 5e-324 is not zero.

        Returns
        -------
        ZeroSet
            One of the shapes of this module, with its measures.

        Notes
        -----
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

        Two steps keep every measure right to a few units in the last place. -b is exact, and so its
        logarithm is right for b next to 0 (c reaches 744.4) and for b next to -1 (|c| begins at
        1.1e-16); nothing is subtracted. And a semi-axis is √|c| / √|w| and not √(c / w), because
        the quotient c / w can leave the range of floats when the semi-axis does not.

        Examples
        --------
        >>> RadialNeuron(1.0, 1.0, -math.exp(-4.0)).zero_set()
        Circle(radius=2.0)
        >>> print(RadialNeuron(1.0, 1.0, 0.5).zero_set())
        nothing
        """
        w1, w2, b = self.w1, self.w2, self.b
        if b >= 0:
            return Empty()
        c = -math.log(-b)
        if w1 == 0 and w2 == 0:
            return Plane() if c == 0 else Empty()
        if w1 == 0 or w2 == 0:
            axis, w = (1, w1) if w2 == 0 else (2, w2)
            if c == 0:
                return SingleLine(axis)
            return Empty() if signs_differ(c, w) else ParallelLines(axis, semi_axis(c, w))
        if c == 0:
            if signs_differ(w1, w2):
                return CrossingLines((semi_axis(1, w1), semi_axis(1, w2)))
            return Point()
        semi_axes = (semi_axis(c, w1), semi_axis(c, w2))
        if signs_differ(w1, w2):
            return Hyperbola(2 if signs_differ(c, w1) else 1, semi_axes)
        if signs_differ(c, w1):
            return Empty()
        return Circle(semi_axes[0]) if w1 == w2 else Ellipse(semi_axes)


def signs_differ(first: float, second: float) -> bool:
    """Return whether one is positive and the other negative."""
    # The product of the two would not tell, because it may underflow to zero.
    return (first < 0 < second) or (second < 0 < first)


def semi_axis(c: float, w: float) -> float:
    """Return √|c / w|."""
    return math.sqrt(abs(c)) / math.sqrt(abs(w))


class ZeroSet:
    """A shape that w₁ x₁² + w₂ x₂² = c can have; printed, it says in words what it is."""

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return points on the shape, one array (len(t), 2) for each piece that is a curve."""
        return []


@dataclass(frozen=True)
class Ellipse(ZeroSet):
    """(x₁ / a₁)² + (x₂ / a₂)² = 1 with the semi-axes a."""

    semi_axes: tuple[float, float]

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return the points (a₁ cos t, a₂ sin t)."""
        return [np.column_stack([np.cos(t), np.sin(t)]) * self.semi_axes]

    def __str__(self) -> str:
        return f"ellipse, semi-axes {self.semi_axes[0]:.3g} and {self.semi_axes[1]:.3g}"


@dataclass(frozen=True)
class Circle(ZeroSet):
    """All points at the distance ``radius`` from the origin."""

    radius: float

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return the points at the angles t, in radians."""
        return Ellipse((self.radius, self.radius)).branches(t)

    def __str__(self) -> str:
        return f"circle, radius {self.radius:.3g}"


@dataclass(frozen=True)
class CrossingLines(ZeroSet):
    """Two lines through the origin, along (d₁, d₂) and (d₁, -d₂).

    Attributes
    ----------
    direction
        d, both components positive, of any length.
    """

    direction: tuple[float, float]

    @property
    def slope(self) -> float:
        """d₂ / d₁: the lines are x₂ = ± slope x₁. Infinite if that is too large for a float."""
        with np.errstate(over="ignore"):
            return float(np.divide(self.direction[1], self.direction[0]))

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return t d on either line."""
        multiple = np.asarray(t, np.float64)[:, None]
        d1, d2 = self.direction
        return [multiple * np.array([d1, d2]), multiple * np.array([d1, -d2])]

    def __str__(self) -> str:
        return f"crossing lines, slopes ±{self.slope:.3g}"


@dataclass(frozen=True)
class Hyperbola(ZeroSet):
    """(x_i / a_i)² - (x_j / a_j)² = 1, where i = ``axis`` is the axis that it crosses.

    Attributes
    ----------
    axis
        1 if it opens to the left and right, 2 if it opens upwards and downwards.
    semi_axes
        (a₁, a₂). The vertices are at ± a_i on the axis i.
    """

    axis: int
    semi_axes: tuple[float, float]

    @property
    def asymptotes(self) -> CrossingLines:
        """The lines x₂ = ± (a₂ / a₁) x₁ that both branches approach."""
        return CrossingLines(self.semi_axes)

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return ± a_i cosh t on the axis i and a_j sinh t on the other."""
        pieces = []
        for along in (np.cosh(t), -np.cosh(t)):
            columns = [along, np.sinh(t)] if self.axis == 1 else [np.sinh(t), along]
            pieces.append(np.column_stack(columns) * self.semi_axes)
        return pieces

    def __str__(self) -> str:
        vertex = self.semi_axes[self.axis - 1]
        slope = self.asymptotes.slope
        return f"hyperbola, vertices x{self.axis} = ±{vertex:.3g}, asymptote slopes ±{slope:.3g}"


@dataclass(frozen=True)
class ParallelLines(ZeroSet):
    """The two lines x_i = ± ``distance``, where i = ``axis``."""

    axis: int
    distance: float

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return the points whose other coordinate is t."""
        return [_line(self.axis, place, t) for place in (self.distance, -self.distance)]

    def __str__(self) -> str:
        return f"parallel lines, x{self.axis} = ±{self.distance:.3g}"


@dataclass(frozen=True)
class SingleLine(ZeroSet):
    """The line x_i = 0, where i = ``axis``."""

    axis: int

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return the points whose other coordinate is t."""
        return [_line(self.axis, 0.0, t)]

    def __str__(self) -> str:
        return f"one line, x{self.axis} = 0"


@dataclass(frozen=True)
class Point(ZeroSet):
    """The origin alone."""

    def __str__(self) -> str:
        return "the origin alone"


@dataclass(frozen=True)
class Plane(ZeroSet):
    """Every point."""

    def __str__(self) -> str:
        return "the whole plane"


@dataclass(frozen=True)
class Empty(ZeroSet):
    """No point."""

    def __str__(self) -> str:
        return "nothing"


def _line(axis: int, place: float, t: npt.ArrayLike) -> Floats:
    """Return points with x_axis = place and t for the other coordinate."""
    free = np.asarray(t, np.float64)
    fixed = np.full_like(free, place)
    return np.column_stack([fixed, free] if axis == 1 else [free, fixed])


CASES = (
    RadialNeuron(1, 1, -0.5),
    RadialNeuron(0.4, 2, -0.5),
    RadialNeuron(-0.4, -2, -2.5),
    RadialNeuron(1, -0.5, -0.5),
    RadialNeuron(1, -0.5, -2),
    RadialNeuron(1, -0.5, -1),
    RadialNeuron(1, 0, -0.4),
    RadialNeuron(0, 1, -1),
    RadialNeuron(1, 1, -1),
    RadialNeuron(0, 0, -1),
    RadialNeuron(1, 1, 0.3),
    RadialNeuron(1, 1, -1.3),
)
"""One neuron for each case, and both reasons why nothing may be left."""


def case_table() -> pd.DataFrame:
    """Return weights, bias, zero set and its measures for each of the `CASES`, one a row."""
    rows = []
    for neuron in CASES:
        shape, _, measures = str(neuron.zero_set()).partition(", ")
        rows.append((f"{neuron.w1:g}", f"{neuron.w2:g}", f"{neuron.b:g}", shape, measures))
    return pd.DataFrame(rows, columns=["w1", "w2", "b", "y = 0", "measures"])
