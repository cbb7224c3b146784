"""The figures of the theory questions, one function each."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from coursework.figure import BLUE, GRAY, GREEN, VERMILION, new_figure
from hw4.theory.half_planes import HalfPlane, as_floats
from hw4.theory.radial_neuron import (
    CASES,
    CrossingLines,
    Floats,
    Hyperbola,
    Plane,
    Point,
    RadialNeuron,
)
from hw4.theory.threshold_neurons import GREEN_SHAPE, VIEW, Network


def radial_cases() -> Figure:
    """Draw the zero set of each radial neuron of the `CASES` over its value, one panel each."""
    figure, axes = new_figure(3, 4, height=6.35, sharex=True, sharey=True)
    norm = Normalize(-1.5, 1.5, clip=True)
    for ax, neuron in zip(axes.flat, CASES, strict=True):
        _radial_case(ax, neuron, norm)
    for ax in axes[-1]:
        ax.set_xlabel("$x_1$")
    for ax in axes[:, 0]:
        ax.set_ylabel("$x_2$")
    bar = figure.colorbar(
        ScalarMappable(norm, "PuOr_r"), ax=axes, location="bottom", extend="both", aspect=50
    )
    bar.set_label("value y of the neuron; black: y = 0", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    return figure


def _radial_case(ax: Axes, neuron: RadialNeuron, norm: Normalize) -> None:
    """Draw the value of one neuron in colours, its zero set in black, and its asymptotes."""
    side = 2.5
    grid = np.linspace(-side, side, 201)
    value = neuron(grid[None, :], grid[:, None])
    extent = (-side, side, -side, side)
    ax.imshow(value, cmap="PuOr_r", norm=norm, extent=extent, origin="lower", alpha=0.8)
    shape = neuron.zero_set()
    if isinstance(shape, Plane):
        ax.imshow([[0]], cmap="gray", extent=extent)
    elif isinstance(shape, Point):
        ax.plot(0, 0, "o", color="black", markersize=5)
    else:
        # Lines reach from corner to corner; angles go round more than once.
        reach = 2 * side / min(shape.direction) if isinstance(shape, CrossingLines) else 9
        for branch in shape.branches(np.linspace(-reach, reach, 2001)):
            ax.plot(*branch.T, color="black", linewidth=1.8)
    if isinstance(shape, Hyperbola):
        reach = 2 * side / min(shape.semi_axes)
        for branch in shape.asymptotes.branches(np.array([-reach, reach])):
            ax.plot(*branch.T, color="black", linewidth=0.8, linestyle=(0, (4, 3)))
    name = str(shape).split(",")[0]
    ax.set_title(f"{name}\n$w = ({neuron.w1:g}, {neuron.w2:g}),\\ b = {neuron.b:g}$", fontsize=8)
    ax.set(xlim=(-side, side), ylim=(-side, side), xticks=(-2, 0, 2), yticks=(-2, 0, 2))
    ax.tick_params(labelsize=8)


def threshold_regions(networks: Mapping[str, Network]) -> Figure:
    """Draw lines, sides and the region y = 1 of each network in Figure 1, side by side.

    The green area is the `GREEN_SHAPE`; the dots are the points of a grid at which the network
    answers y = 1. A line that has moved since the first network is in another colour, with an arrow
    from its old place.
    """
    figure, (axes,) = new_figure(1, len(networks), height=4.1, sharey=True)
    across, up = np.arange(VIEW.left, VIEW.right, 0.25), np.arange(VIEW.bottom, VIEW.top, 0.25)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    first = next(iter(networks.values()))
    for ax, (name, network) in zip(axes, networks.items(), strict=True):
        ax.fill(*as_floats(GREEN_SHAPE).T, color=GREEN, alpha=0.45, linewidth=0)
        ax.plot(*grid[network(grid)].T, ".", color="black", markersize=1.5)
        _lines(ax, network.sides, first.sides)
        ax.set_title(name, fontsize=10)
        ax.set(xlim=VIEW[:2], ylim=VIEW[2:], aspect="equal", xlabel="$x_1$")
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8)
    axes[0].set_ylabel("$x_2$")
    handles = [
        Patch(color=GREEN, alpha=0.45, label="the shape that is wanted"),
        *axes[0].plot([], [], ".", color="black", markersize=4, label="$y = 1$ by the network"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    return figure


def _lines(ax: Axes, sides: Sequence[HalfPlane], before: Sequence[HalfPlane]) -> None:
    """Draw the boundaries with their names, and with + and - on their two sides."""
    placed: list[Floats] = []
    moved = [(was, side) for was, side in zip(before, sides, strict=True) if was != side]
    for was, side in moved:
        placed += _arrow(ax, was, side)
    for number, (side, was) in enumerate(zip(sides, before, strict=True), start=1):
        ends = np.array(side.boundary(VIEW))
        if not len(ends):
            continue
        start, end = ends
        colour = BLUE if side == was else VERMILION
        ax.plot(*ends.T, color=colour, linewidth=1.6)
        normal = np.array([side.w1, side.w2]) / np.hypot(side.w1, side.w2)
        # Two places along the line, one for the name and one for the signs: those that are
        # furthest from other lines, from earlier texts and from the rim.
        along = start + np.linspace(0.02, 0.98, 97)[:, None] * (end - start)
        others = [other for other in (*sides, *(was for was, _ in moved)) if other != side]
        for marks in ((f"$n_{number}$", -0.6),), (("+", 0.45), ("−", -0.45)):
            place = along[np.argmax(_clearance(along, others, placed))]
            placed.append(place)
            for text, offset in marks:
                where = place + offset * normal
                written = ax.text(where[0], where[1], text, color=colour, ha="center", va="center")
                written.set_bbox({"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5})


def _arrow(ax: Axes, was: HalfPlane, side: HalfPlane) -> list[Floats]:
    """Draw the old place of a line and an arrow to its new one; return the place of the arrow."""
    old, new = was.boundary(VIEW), side.boundary(VIEW)
    if not old or not new:
        return []
    ax.plot(*np.transpose(old), color=GRAY, linewidth=1, linestyle=(0, (4, 3)))
    tip = np.mean(new, axis=0)
    # The arrow starts at the foot of the perpendicular from its tip to the old line.
    normal = np.array([was.w1, was.w2])
    tail = tip - (tip @ normal + was.b) / (normal @ normal) * normal
    ax.annotate("", tip, tail, arrowprops={"arrowstyle": "->", "color": GRAY})
    return [(tip + tail) / 2]


def _clearance(points: Floats, others: Sequence[HalfPlane], placed: Sequence[Floats]) -> Floats:
    """Return how far each point, shape (n, 2), is from everything that a text should not touch."""
    rim = [points[:, 0] - VIEW.left, VIEW.right - points[:, 0]]
    rim += [points[:, 1] - VIEW.bottom, VIEW.top - points[:, 1]]
    lines = [
        np.abs(points @ [side.w1, side.w2] + side.b) / np.hypot(side.w1, side.w2) for side in others
    ]
    texts = [np.linalg.norm(points - text, axis=1) / 2 for text in placed]
    clearance: Floats = np.min([*rim, *lines, *texts], axis=0)
    return clearance
