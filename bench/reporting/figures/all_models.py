"""The figure of cost against accuracy over all models, one a data set.

Milliseconds and memory of two machines do not compare, so these axes are multiples of SegNet's on the same machine;
without a SegNet they are ours alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.reporting.comparisons.all_models import (
    ACCURACIES,
    AXES,
    MEMORY,
    AllModels,
    CostAxis,
    Point,
    all_models,
    all_models_caption,
)
from bench.reporting.comparisons.suite_results import SuiteResults
from bench.reporting.figures.drawing import Drawing
from bench.reporting.figures.groups import FigureGroup, Picture
from bench.reporting.figures.style import INK, MUTED, as_percent, new_figure
from bench.reporting.tables.deep_costs import NVIDIA_SMI
from bench.study.catalog import MODEL_TITLES

REFERENCE = "segnet"
READING = (
    "Test scores under natural frequency over what a model costs, on logarithmic axes, one figure a data set; up and "
    "to the left is better. The number in a point is the model, its colour the suite that trained it; suites do not "
    "train equally long. Costs are those of suite {first} where it has measured the model, with the classes of its own "
    "data set in the last layer, and else those of the suite that has. Hollow: the paper, where its Tables 3, 4 and 6 "
    "print both coordinates; time and memory of its machine are multiples of its own SegNet's, and memory stands only "
    "where ours is that of a GPU too."
)
SUITE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#332288", "#117733", "#882255", "#6E6E6E")


def all_models_group(suites: Sequence[SuiteResults], first: str, folder: Path) -> FigureGroup:
    """Draws the figures that the results of all suites of a profile can fill into `folder`, as SVG, PNG and PDF.

    Args:
        suites: all of one profile, in the order of the study; empty where they are not known.
        first: the suite on whose page it stands; its costs come before those of others.
        folder: of the figures.
    """
    found = {f"all-models-{data.dataset}": data for data in all_models(suites, first)}
    Drawing({name: partial(all_models_figure, data) for name, data in found.items()}, folder).finished()
    pictures, captions = [], []
    for name, data in found.items():
        models = len({point.model for point in data.ours})
        alt = f"Scatter plots of test mIoU and boundary F1 of {models} models over forward time, memory and model size."
        pictures.append(Picture(name, data.title, alt))
        captions.append(all_models_caption(data))
    return FigureGroup(
        key="all-models",
        title="Cost against accuracy over all models",
        caption=" ".join([READING.format(first=first), *filter(None, captions)]),
        pictures=tuple(pictures),
        missing="No data set has three models with both a finished cost trial and a finished training in this profile.",
    )


def all_models_figure(data: AllModels) -> Figure:
    """Draws test mIoU (left) and boundary F1 (right) over forward time, memory and model size.

    A number in a point says which model it is, its colour in which suite it was trained.
    """
    models = list(dict.fromkeys(point.model for point in data.ours))
    suites = list(dict.fromkeys(point.suite for point in data.ours))
    numbers = {model: str(number) for number, model in enumerate(models, start=1)}
    colours = {suite: SUITE_COLOURS[place % len(SUITE_COLOURS)] for place, suite in enumerate(suites)}
    marks = {point.model: point.marks for point in data.ours if point.marks}
    keys = [f"{numbers[m]}  {MODEL_TITLES[m]} {marks.get(m, '')}".rstrip() for m in models]
    axes_drawn = [axis for axis in AXES if any(_at(point, axis) for point in data.ours)]

    lines = -(-len(keys) // 2) + -(-(len(suites) + bool(data.paper)) // 2)
    text = f"{data.notice} {data.legend}".strip()
    figure = new_figure(2.0 * len(axes_drawn) + 0.17 * lines + 0.5, text)
    grid = figure.subplots(len(axes_drawn), 2, sharey="col", squeeze=False)
    for panels, axis in zip(grid, axes_drawn, strict=True):
        # the paper's is memory of a GPU: that of a process on a processor is another thing
        alike = axis.metric != MEMORY or data.memory == NVIDIA_SMI
        reference = _reference(data.ours, axis) if alike else None
        theirs = data.paper if reference or not axis.relative else ()
        kind = f" ({data.memory.replace('_', ' ')})" if axis.metric == MEMORY and data.memory else ""
        for axes, accuracy in zip(panels, ACCURACIES, strict=True):
            _draw(axes, _places(theirs, axis, accuracy, _reference(theirs, axis)), numbers, colours, hollow=True)
            _draw(axes, _places(data.ours, axis, accuracy, reference), numbers, colours, hollow=False)
            _settle(axes)
        panels[0].set_xlabel(_label(axis, reference, kind), loc="left")
    for axes, title in zip(grid[0], ACCURACIES.values(), strict=True):
        axes.set_title(title)
    entries = [Line2D([], [], linestyle="", label=key) for key in keys]
    entries += [_entry(colours[suite], f"Suite {suite}") for suite in suites]
    entries += [_entry(MUTED, "Paper (hollow)", hollow=True)] if data.paper else []
    figure.legend(handles=entries, loc="outside lower left", ncols=2, columnspacing=1.2, handlelength=1.0, fontsize=7)
    return figure


def _at(point: Point, axis: CostAxis) -> float | None:
    value = point.cost.get(axis.metric, np.nan)
    return value if np.isfinite(value) and value > 0 else None


def _reference(points: Sequence[Point], axis: CostAxis) -> float | None:
    """Returns the reference's cost, of which an axis shows multiples; None where it shows the costs themselves."""
    if not axis.relative:
        return None
    return next((value for point in points if point.model == REFERENCE and (value := _at(point, axis))), None)


def _places(
    points: Sequence[Point], axis: CostAxis, accuracy: str, reference: float | None
) -> list[tuple[Point, float, float]]:
    """Returns the coordinates of the points that have both."""
    places = [(point, _at(point, axis), point.score.get(accuracy, np.nan)) for point in points]
    return [(point, x / (reference or 1.0), y) for point, x, y in places if x is not None and np.isfinite(y)]


def _draw(
    axes: Axes,
    places: Sequence[tuple[Point, float, float]],
    numbers: Mapping[str, str],
    colours: Mapping[str, str],
    hollow: bool,
) -> None:
    for point, x, y in places:
        colour = colours[point.suite]
        face, ink, edge = ("white", colour, colour) if hollow else (colour, "white", INK)
        axes.plot(
            x, y, marker="o", markersize=8.5, color=face, markeredgecolor=edge, markeredgewidth=0.8 if hollow else 0.4
        )
        axes.annotate(
            numbers[point.model], (x, y), ha="center", va="center_baseline", fontsize=5.2, color=ink, weight="bold"
        )


def _settle(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if _decades(axes) < 2 else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    as_percent(axes)
    axes.margins(0.12)


def _decades(axes: Axes) -> float:
    low, high = axes.get_xlim()
    return float(np.log10(high / low))


def _label(axis: CostAxis, reference: float | None, kind: str) -> str:
    if reference is None:
        return f"{axis.title}{kind} in {axis.unit}{', ours alone' if axis.relative else ''}"
    amount = f"{reference:,.0f}" if reference >= 100 else f"{reference:.3g}"
    return f"{axis.title}{kind}, multiple of SegNet's (ours {amount} {axis.unit})"


def _entry(colour: str, label: str, hollow: bool = False) -> Line2D:
    return Line2D(
        [], [], linestyle="", marker="o", markersize=5.5, color=colour, label=label,
        markerfacecolor="white" if hollow else colour,
    )  # fmt: skip
