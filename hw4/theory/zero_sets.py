"""The shapes that w₁ x₁² + w₂ x₂² = c can have: conics around the origin, and what is left of them.

Every shape has a method ``branches(t)`` that gives points on it: a list with one array of shape
(len(t), 2) for each connected piece, so that a piece can be drawn as one line. Printed, a shape
says in words what it is.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Circle:
    """All points at the distance ``radius`` from the origin."""

    radius: float

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return the points at the angles t, in radians."""
        return Ellipse((self.radius, self.radius)).branches(t)

    def __str__(self) -> str:
        return f"circle, radius {self.radius:.3g}"


@dataclass(frozen=True)
class Ellipse:
    """(x₁ / a₁)² + (x₂ / a₂)² = 1 with the semi-axes a."""

    semi_axes: tuple[float, float]

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return the points (a₁ cos t, a₂ sin t)."""
        angle = np.asarray(t, np.float64)
        return [np.column_stack([np.cos(angle), np.sin(angle)]) * self.semi_axes]

    def __str__(self) -> str:
        return f"ellipse, semi-axes {self.semi_axes[0]:.3g} and {self.semi_axes[1]:.3g}"


@dataclass(frozen=True)
class CrossingLines:
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
class Hyperbola:
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
        argument = np.asarray(t, np.float64)
        along, across = np.cosh(argument), np.sinh(argument)
        pieces = []
        for sign in (1, -1):
            columns = [sign * along, across] if self.axis == 1 else [across, sign * along]
            pieces.append(np.column_stack(columns) * self.semi_axes)
        return pieces

    def __str__(self) -> str:
        vertex = self.semi_axes[self.axis - 1]
        slope = self.asymptotes.slope
        return f"hyperbola, vertices x{self.axis} = ±{vertex:.3g}, asymptote slopes ±{slope:.3g}"


@dataclass(frozen=True)
class ParallelLines:
    """The two lines x_i = ± ``distance``, where i = ``axis``."""

    axis: int
    distance: float

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return the points whose other coordinate is t."""
        return [_line(self.axis, place, t) for place in (self.distance, -self.distance)]

    def __str__(self) -> str:
        return f"parallel lines, x{self.axis} = ±{self.distance:.3g}"


@dataclass(frozen=True)
class SingleLine:
    """The line x_i = 0, where i = ``axis``."""

    axis: int

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return the points whose other coordinate is t."""
        return [_line(self.axis, 0.0, t)]

    def __str__(self) -> str:
        return f"one line, x{self.axis} = 0"


@dataclass(frozen=True)
class Point:
    """The origin alone."""

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return the origin, whatever t is."""
        return [np.zeros((1, 2))]

    def __str__(self) -> str:
        return "the origin alone"


@dataclass(frozen=True)
class Plane:
    """Every point."""

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return the grid of all points whose coordinates are both among t, shape (len(t)², 2)."""
        return [np.stack(np.meshgrid(np.asarray(t, np.float64), t), axis=-1).reshape(-1, 2)]

    def __str__(self) -> str:
        return "the whole plane"


@dataclass(frozen=True)
class Empty:
    """No point."""

    def branches(self, t: npt.ArrayLike) -> list[Floats]:
        """Return nothing."""
        return []

    def __str__(self) -> str:
        return "nothing"


ZeroSet = (
    Circle
    | Ellipse
    | Hyperbola
    | CrossingLines
    | ParallelLines
    | SingleLine
    | Point
    | Plane
    | Empty
)


def _line(axis: int, place: float, t: npt.ArrayLike) -> Floats:
    """Return points with x_axis = place and t for the other coordinate."""
    free = np.asarray(t, np.float64)
    fixed = np.full_like(free, place)
    return np.column_stack([fixed, free] if axis == 1 else [free, fixed])
