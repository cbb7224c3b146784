"""Theory 3: neurons that each know one side of a line, and one that is their logical AND.

H is the step function, 1 for positive numbers and 0 otherwise: H(0) = 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Rational

import numpy as np
import numpy.typing as npt
import pandas as pd

from hw4.theory.half_planes import Box, HalfPlane, Vertex, inside, intersection

Number = float | Fraction


def exact(value: Number) -> Fraction:
    """Return a number as a fraction, reading a float as its decimals: 0.2 is one fifth.

    The decimals of a float are those that Python prints. The float itself is the binary number next
    to them, with which the sums, and so the ends of an interval, would differ from those on paper.
    """
    return Fraction(value) if isinstance(value, Rational) else Fraction(repr(float(value)))


@dataclass(frozen=True)
class Interval:
    """All numbers with ``lower`` < number ≤ ``upper``."""

    lower: Fraction
    upper: Fraction

    @property
    def tex(self) -> str:
        """The interval as a formula."""
        return rf"{float(self.lower):g} < b^* \le {float(self.upper):g}"


def and_interval(v: Sequence[Number], off: Number = 0.2, on: Number = 0.5) -> Interval:
    """Return all b* for which y = H(Σ vᵢ nᵢ + b*) is the AND of the neurons n.

    Every n is ``on`` or ``off``.

    Parameters
    ----------
    v
        Positive weights, one for each neuron. They and the levels are read by `exact`.
    off, on
        The two values of a neuron; y is 1 if all neurons are ``on``.

    Raises
    ------
    ValueError
        If there is no weight, a weight is not positive, or ``on`` is not above ``off``.

    Notes
    -----
    Let V = Σ vᵢ. If all are on, the sum is on V, and y = 1 needs on V + b* > 0. Of all other
    patterns the one in which only the neuron with the smallest weight is off has the largest sum,
    on V - (on - off) min v, and y = 0 needs this sum + b* ≤ 0::

        -on V  <  b*  ≤  -on V + (on - off) min v

    The lower end is open and the upper end closed, both because H(0) = 0. If ``on`` is not above
    ``off``, the sum is not largest where all neurons are on, so y cannot be 1 there alone.

    Examples
    --------
    >>> interval = and_interval([1, 1], off=0, on=1)
    >>> float(interval.lower), float(interval.upper)
    (-2.0, -1.0)
    """
    weights, low, high = [exact(weight) for weight in v], exact(off), exact(on)
    if not weights or min(weights) <= 0:
        raise ValueError(f"v is {list(v)}, expected one positive weight or more")
    if high <= low:
        raise ValueError(f"on is {on} and off is {off}; no b* makes an AND unless on > off")
    lower = -high * sum(weights)
    return Interval(lower, lower + (high - low) * min(weights))


@dataclass(frozen=True)
class Network:
    """A layer of half-plane neurons nᵢ and a threshold neuron y on top of them.

    nᵢ = (on - off) H(w₁ x₁ + w₂ x₂ + b) + off, and y = H(Σ vᵢ nᵢ + b*).

    Attributes
    ----------
    sides
        The half-plane of each neuron, in which it is ``on``.
    v
        Weights of the threshold neuron, one for each half-plane.
    bias
        b*, its bias.
    off, on
        The two values of a neuron.
    """

    sides: tuple[HalfPlane, ...]
    v: tuple[Number, ...]
    bias: Number
    off: Number = 0.2
    on: Number = 0.5

    def __post_init__(self) -> None:
        if len(self.v) != len(self.sides):
            raise ValueError(f"{len(self.v)} weights v for {len(self.sides)} neurons")

    def fires(self, pattern: Sequence[bool]) -> bool:
        """Return whether y = 1, given which neurons are on; in fractions, without rounding."""
        on, off = exact(self.on), exact(self.off)
        levels = [on if active else off for active in pattern]
        weighted = (exact(v) * n for v, n in zip(self.v, levels, strict=True))
        return sum(weighted) + exact(self.bias) > 0

    def __call__(self, points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return y = 1 or not at each point, shape (..., 2)."""
        active = np.stack([side.contains(points) for side in self.sides], axis=-1)
        # Fractions are slow, so `fires` is asked once for each pattern and not for each point.
        patterns, which = np.unique(
            active.reshape(-1, len(self.sides)), axis=0, return_inverse=True
        )
        fired = np.array([self.fires(pattern) for pattern in patterns.tolist()], bool)
        return fired[which].reshape(active.shape[:-1])


VIEW = Box(-5.0, 7.0, -7.0, 4.0)
"""The part of the plane that Figure 1 shows."""

GREEN_SHAPE: tuple[Vertex, ...] = (
    (Fraction(-9, 4), Fraction(-1, 4)),
    (Fraction(1, 2), Fraction(-3)),
    (Fraction(11, 4), Fraction(0)),
    (Fraction(-3, 4), Fraction(7, 4)),
    (Fraction(-9, 4), Fraction(5, 4)),
)
"""The pentagon of Figure 1 where y has to be 1, counter-clockwise from its left corner."""

SHIFT = 2.0
"""How far n₅'s line has to move, along its weights."""


def figure_1() -> Network:
    """Return the network of Figure 1 as it is set, with n₅'s line off to the right.

    n₁ to n₄ bound a pentagon that is open at the lower right. n₅'s line runs past it, upwards to
    the right, with its positive side above and to the left. y is the AND of the five.
    """
    sides = (
        HalfPlane(1, 1, 2.5),  # n1: the edge at the lower left
        HalfPlane(1, 0, 2.25),  # n2: the left edge
        HalfPlane(1, -3, 6),  # n3: the upper left edge
        HalfPlane(-1, -2, 2.75),  # n4: the upper right edge
        HalfPlane(-4, 3, 21),  # n5
    )
    v, bias = threshold()
    return Network(sides, v, bias)


def threshold() -> tuple[tuple[Number, ...], Number]:
    """Return weights v of the five neurons and a b* for which y is their AND."""
    return (1, 1, 1, 1, 1), -2.4


def move_side(network: Network, number: int, distance: float) -> Network:
    """Return the network with the line of one neuron shifted along its weights.

    Parameters
    ----------
    network
        The network, which is not changed.
    number
        Which neuron, counted from 1 as in the figure.
    distance
        Towards the positive side, or away from it if negative.
    """
    if not 1 <= number <= len(network.sides):
        raise ValueError(f"there is no neuron {number}, only 1 to {len(network.sides)}")
    sides = list(network.sides)
    sides[number - 1] = sides[number - 1].moved(distance)
    return replace(network, sides=tuple(sides))


def agreement_table(networks: dict[str, Network], rng: np.random.Generator) -> pd.DataFrame:
    """Compare the region y = 1 with the polygon that the half-planes cut and with `GREEN_SHAPE`.

    They are compared at all points of the `VIEW` whose coordinates are multiples of 1/8, of which
    many lie on the very boundary, and at 5,000 random points.

    Parameters
    ----------
    networks
        From the name of a row to the network.
    rng
        Draws the random points.

    Returns
    -------
    DataFrame
        For each network and kind of points: how many were tested, at how many y = 1, and at how
        many y is wrong about the polygon, and about the green shape.
    """
    axes = [np.arange(8 * low, 8 * high + 1) / 8 for low, high in (VIEW[:2], VIEW[2:])]
    kinds = {
        "grid": np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2),
        "random": rng.uniform(VIEW[::2], VIEW[1::2], (5000, 2)),
    }
    # The polygon is cut from a larger box, so that no point lies on a side of the box.
    around = Box(VIEW.left - 1, VIEW.right + 1, VIEW.bottom - 1, VIEW.top + 1)
    rows = []
    for name, network in networks.items():
        polygon = intersection(network.sides, around)
        for kind, where in kinds.items():
            fired = network(where)
            missed = [(fired != inside(shape, where)).sum() for shape in (polygon, GREEN_SHAPE)]
            rows.append((name, kind, len(where), int(fired.sum()), *map(int, missed)))
    names = ["network", "points", "tested", "y = 1", "not polygon", "not green"]
    return pd.DataFrame(rows, columns=names)
