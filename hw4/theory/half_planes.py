"""Half-planes w₁ x₁ + w₂ x₂ + b > 0, their boundary lines, and the polygons that they cut."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

Vertex = tuple[Fraction, Fraction]


class Box(NamedTuple):
    """A rectangle with its sides along the axes, such as the part of the plane in a figure."""

    left: float
    right: float
    bottom: float
    top: float

    @property
    def corners(self) -> list[Vertex]:
        """The four corners, counter-clockwise."""
        left, right, bottom, top = map(Fraction, self)
        return [(left, bottom), (right, bottom), (right, top), (left, top)]


@dataclass(frozen=True)
class HalfPlane:
    """All points with w₁ x₁ + w₂ x₂ + b > 0.

    The vector (w₁, w₂) is perpendicular to the boundary and points into the half-plane.

    Raises
    ------
    ValueError
        If a number is not finite, or both weights are zero, so that there is no boundary.
    """

    w1: float
    w2: float
    b: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.w1, self.w2, self.b))):
            raise ValueError(f"{self} has a number that is not finite")
        if self.w1 == 0 and self.w2 == 0:
            raise ValueError(f"{self} has no boundary: both weights are zero")

    def contains(self, points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return whether each point, shape (..., 2), lies inside; the boundary does not."""
        x = np.asarray(points, np.float64)
        return np.asarray(self.w1 * x[..., 0] + self.w2 * x[..., 1] + self.b > 0)

    def moved(self, distance: float) -> Self:
        """Shift the boundary parallel to itself by ``distance`` along (w₁, w₂).

        Notes
        -----
        A change of the bias by Δb shifts the line by -Δb / |w|. To shift it by δ the bias becomes
        b - δ |w|: a smaller bias moves the line to its positive side, and the half-plane shrinks.
        """
        return replace(self, b=self.b - distance * math.hypot(self.w1, self.w2))

    @property
    def equation(self) -> str:
        """The boundary as x₂ = slope · x₁ + intercept, or x₁ = constant if it is vertical."""
        # Adding 0 turns the negative zero of -0 / w into a plain one.
        if self.w2 == 0:
            return f"x1 = {-self.b / self.w1 + 0:.4g}"
        return f"x2 = {-self.w1 / self.w2 + 0:.4g} x1 {-self.b / self.w2 + 0:+.4g}"

    def height(self, point: Vertex) -> Fraction:
        """Return w₁ x₁ + w₂ x₂ + b at a point, without rounding."""
        w1, w2, b = map(Fraction, (self.w1, self.w2, self.b))
        return w1 * point[0] + w2 * point[1] + b

    def boundary(self, box: Box) -> list[tuple[float, float]]:
        """Return the two ends of the boundary within a box; none if all of the box lies outside."""
        ends = [point for point in clip(box.corners, self) if self.height(point) == 0]
        # A line may touch the box in a single corner, which is both ends then.
        return [(float(x1), float(x2)) for x1, x2 in ends[:1] + ends[-1:]]


def clip(polygon: Sequence[Vertex], side: HalfPlane) -> list[Vertex]:
    """Cut a convex polygon along the boundary of a half-plane and keep what lies inside.

    Parameters
    ----------
    polygon
        Vertices in order. They are fractions, so that nothing is rounded.
    side
        The half-plane to keep.

    Returns
    -------
    list
        The vertices of the part that is left, in the same order; empty if nothing is left.

    References
    ----------
    Sutherland and Hodgman, *Reentrant polygon clipping*, Communications of the ACM 17, 1974.
    """
    height = [side.height(point) for point in polygon]
    if not any(value > 0 for value in height):
        return []
    kept = []
    for i, (x1, x2) in enumerate(polygon):
        if height[i - 1] * height[i] < 0:
            # The edge from the previous vertex crosses the boundary after this share of its length.
            share = height[i - 1] / (height[i - 1] - height[i])
            y1, y2 = polygon[i - 1]
            kept.append((y1 + share * (x1 - y1), y2 + share * (x2 - y2)))
        if height[i] >= 0:
            kept.append((x1, x2))
    return kept


def intersection(sides: Iterable[HalfPlane], box: Box) -> list[Vertex]:
    """Return the polygon of all points of a box that lie in every half-plane."""
    return reduce(clip, sides, box.corners)


def inside(polygon: Sequence[Vertex], points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return whether each point, shape (n, 2), is strictly inside a convex polygon.

    Parameters
    ----------
    polygon
        Vertices, counter-clockwise.
    points
        Compared in fractions, without rounding: a point on an edge is outside, and the next float
        beside it may be inside.
    """
    edges = []
    for i, (x1, x2) in enumerate(polygon):
        d1, d2 = x1 - polygon[i - 1][0], x2 - polygon[i - 1][1]
        # The left side of the edge, d × (point - vertex) > 0, as weights and bias.
        edges.append((-d2, d1, d2 * x1 - d1 * x2))
    result = [
        bool(edges) and all(w1 * x1 + w2 * x2 + b > 0 for w1, w2, b in edges)
        for x1, x2 in (map(Fraction, point) for point in np.asarray(points, np.float64).tolist())
    ]
    return np.array(result, bool)


def as_floats(polygon: Sequence[Vertex]) -> npt.NDArray[np.float64]:
    """Return the vertices as an array of shape (n, 2)."""
    return np.array([(float(x1), float(x2)) for x1, x2 in polygon]).reshape(-1, 2)
