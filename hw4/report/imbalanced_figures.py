"""The figures of coding part 2, one function each."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coursework.figure import BLUE, GRAY, GREEN, ORANGE, VERMILION, new_figure, tidy
from hw4.imbalanced import ImbalancedDataset, LinearNet, Metrics, RadialNet, decision_line
from hw4.theory.half_planes import Box, HalfPlane, as_floats, clip


def sample_scatter(samples: ImbalancedDataset) -> Figure:
    """Draw the samples of both classes."""
    figure, ((ax,),) = new_figure(height=3.6)
    box = frame(samples)
    _scatter(ax, samples)
    _name_axes([ax], box)
    ax.legend(fontsize=9, markerscale=3, loc="upper left")
    return figure


def decision_lines(models: Mapping[str, LinearNet], samples: ImbalancedDataset) -> Figure:
    """Draw the decision line of each linear model over the samples, side by side.

    The half-plane in which the model says positive is shaded.
    """
    box = frame(samples)
    figure, (axes,) = new_figure(1, len(models), height=4.2, sharey=True)
    for ax, (name, model) in zip(axes, models.items(), strict=True):
        _scatter(ax, samples)
        side = decision_line(model)
        if side is None:
            caption = "no line: both weights are 0"
        else:
            _shade(ax, side, box)
            caption = f"${side.equation.replace('x1', 'x_1').replace('x2', 'x_2')}$"
        ax.set_title(f"{name}\n{caption}", fontsize=9)
    _name_axes(axes, box)
    # One legend for all panels together, because one of them may have no line.
    entries = [ax.get_legend_handles_labels() for ax in axes]
    named = {label: handle for entry in entries for handle, label in zip(*entry, strict=True)}
    figure.legend(
        named.values(),
        named.keys(),
        loc="outside lower center",
        ncols=4,
        fontsize=8,
        markerscale=3,
        frameon=False,
    )
    return figure


def metric_bars(results: Mapping[str, Metrics]) -> Figure:
    """Draw accuracy, TPR, TNR and balanced accuracy of each model next to each other."""
    figure, ((ax,),) = new_figure(height=2.9)
    names = ["accuracy", "true-positive\nrate", "true-negative\nrate", "balanced\naccuracy"]
    width = 0.8 / len(results)
    looks = ((BLUE, ""), (ORANGE, "//"), (GREEN, ".."))
    for i, (name, m) in enumerate(results.items()):
        values = [m.accuracy, m.tpr, m.tnr, m.balanced_accuracy]
        colour, hatch = looks[i % len(looks)]
        places = np.arange(len(names)) + (i - (len(results) - 1) / 2) * width
        bars = ax.bar(
            places, values, 0.92 * width, label=name, color=colour, hatch=hatch, edgecolor="white"
        )
        ax.bar_label(bars, [f"{value:.3f}" for value in values], fontsize=8, padding=2)
    ax.axhline(0.5, color=GRAY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    tidy(ax)
    ax.grid(False, axis="x")
    ax.set_xticks(range(len(names)), names, fontsize=9)
    ax.set(ylim=(0, 1.12), yticks=(0, 0.25, 0.5, 0.75, 1), ylabel="share on the test set")
    figure.legend(loc="outside upper center", ncols=len(results), fontsize=9, frameon=False)
    return figure


def curved_boundary(model: RadialNet, samples: ImbalancedDataset) -> Figure:
    """Draw the boundary of a radial model over the samples, with its positive side shaded."""
    box = frame(samples)
    figure, ((ax,),) = new_figure(height=3.6)
    _scatter(ax, samples)
    across, up = np.linspace(*box[:2], 400), np.linspace(*box[2:], 400)
    neuron = model.neuron()
    value = neuron(across[None, :], up[:, None])
    # The radial neuron is negative where the model says positive.
    ax.contourf(across, up, value, levels=(-np.inf, 0), colors=[ORANGE], alpha=0.18)
    if value.min() < 0 < value.max():
        ax.contour(across, up, value, levels=(0,), colors="black", linewidths=1.8)
    ax.set_title(str(neuron.zero_set()), fontsize=9)
    _name_axes([ax], box)
    ax.legend(fontsize=9, markerscale=3, loc="upper left")
    return figure


def frame(samples: ImbalancedDataset) -> Box:
    """Return the rectangle around all samples, with a margin."""
    low, high = samples.data.min(dim=0).values.tolist(), samples.data.max(dim=0).values.tolist()
    margin = 0.06 * max(high[0] - low[0], high[1] - low[1])
    return Box(low[0] - margin, high[0] + margin, low[1] - margin, high[1] + margin)


def _scatter(ax: Axes, samples: ImbalancedDataset) -> None:
    """Draw both classes, told apart by colour and by form."""
    for label, name, colour, marker in (
        (0, "negative", BLUE, "o"),
        (1, "positive", VERMILION, "^"),
    ):
        where = np.flatnonzero(samples.labels.numpy() == label)
        # At most 3,000, evenly spaced over the file, so that every cluster is there.
        shown = where[:: max(1, -(-len(where) // 3000))]
        ax.plot(
            *samples.data.numpy()[shown].T,
            marker,
            color=colour,
            markersize=2.6,
            markeredgewidth=0,
            alpha=0.7,
            label=f"{name} ({len(where):,})",
            rasterized=True,
        )


def _shade(ax: Axes, side: HalfPlane, box: Box) -> None:
    """Shade a half-plane and draw its boundary, both within the box."""
    polygon = as_floats(clip(box.corners, side))
    ax.fill(*polygon.T, color=ORANGE, alpha=0.18, linewidth=0, zorder=0, label="called positive")
    ends = side.boundary(box)
    if ends:
        ax.plot(*np.transpose(ends), color="black", linewidth=1.8, label="decision line")


def _name_axes(axes: Sequence[Axes], box: Box) -> None:
    """Name the axes of panels side by side, and give all of them the same scale."""
    for ax in axes:
        ax.set(xlabel="$x_1$", xlim=box[:2], ylim=box[2:], aspect="equal")
        tidy(ax)
    axes[0].set_ylabel("$x_2$")
