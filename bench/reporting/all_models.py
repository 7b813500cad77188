"""Cost against accuracy over all models of a profile: costs and scores that several suites have stored.

A model is drawn where it has a finished cost trial in any suite and a finished training, under natural frequency, in a
suite on the data set of the figure. One figure a data set, since scores on two do not compare. The paper's points are
hollow, where its tables print both coordinates. Milliseconds and memory of two machines do not compare either, so these
axes are multiples of SegNet's on the same machine; without a SegNet they are ours alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.replication.conditions import MARK as DISTURBED
from bench.replication.paper import target
from bench.replication.scores import costs
from bench.reporting.comparison import Side
from bench.reporting.staleness import IN_FIGURES, MARK
from bench.reporting.style import INK, MUTED, as_percent, new_figure
from bench.reporting.suite_results import SuiteResults
from bench.study.catalog import DATASET_TITLES, MODEL_TITLES

WEIGHTING = "natural_frequency"  # the one that the paper's Tables 3 and 4 have, and every suite of such networks
REFERENCE = "segnet"
COST_TABLE = "T6"
FEWEST = 3  # models in a figure: the splits of the open questions train two
ACCURACIES = {"mean_iou": "mIoU, test (%)", "boundary_f1": "BF, test (%)"}
SUITE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#332288", "#117733", "#882255", "#6E6E6E")

MEANINGS = {MARK: IN_FIGURES, DISTURBED: f"{DISTURBED} Something disturbed the measurement of its time."}


class CostAxis(NamedTuple):
    """One row of panels; `unit` is that of the stored metric."""

    metric: str
    title: str
    unit: str
    relative: bool  # drawn as a multiple of the reference's


AXES = (
    CostAxis("forward_ms", "Forward time", "ms", True),
    CostAxis("inference_peak_mib", "Peak memory of inference", "MiB", True),
    CostAxis("model_size_mb", "Model size", "MB", False),
)


class Point(NamedTuple):
    """A model as one suite has trained it: costs by metric, test scores by metric, ours or the paper's."""

    model: str
    suite: str
    cost: Mapping[str, float]
    score: Mapping[str, float]
    marks: str = ""  # of what is stale or was disturbed


class AllModels(NamedTuple):
    """What is drawn of one data set, and what could not be."""

    dataset: str
    ours: tuple[Point, ...]
    paper: tuple[Point, ...]
    without_cost: tuple[str, ...]  # names of models that are trained on it
    without_training: tuple[str, ...]  # names of models whose costs are known
    other_device: tuple[str, ...]  # names of models whose costs were measured on another device than most

    @property
    def legend(self) -> str:
        """Says what the marks of names mean; "" where no name has one."""
        marks = {mark for point in self.ours for mark in point.marks}
        return " ".join(meaning for mark, meaning in MEANINGS.items() if mark in marks)

    @property
    def title(self) -> str:
        """The data set's name."""
        return DATASET_TITLES.get(self.dataset, self.dataset)

    @property
    def left_out(self) -> str:
        """Says which models are not in the figure, and why; "" where all are."""
        parts = (
            ("it has no finished cost trial", self.without_cost),
            (f"it has no finished training on {self.title}", self.without_training),
            ("its cost was measured on another device than most", self.other_device),
        )
        return " ".join(f"Not drawn, since {why}: {'; '.join(names)}." for why, names in parts if names)


def all_models(suites: Sequence[SuiteResults], first: str) -> list[AllModels]:
    """Returns what there is to draw, one entry a data set that FEWEST models of known costs are trained on.

    Args:
        suites: all of one profile, in the order of the study.
        first: the suite whose costs come before those of others, where several have measured a model.
    """
    in_order = sorted(suites, key=lambda suite: suite.suite != first)
    known, marks, other_device = _costs(in_order)
    datasets: dict[str, list[Point]] = {}
    for suite in suites:
        for (model, weighting), side in suite.scored().items() if suite.trainings else ():
            if weighting == WEIGHTING:
                found_marks = {MARK} if side.stale else set()
                text = "".join(sorted(found_marks | marks.get(model, set())))
                point = Point(model, suite.suite, known.get(model, {}), _means(side), text)
                datasets.setdefault(suite.planned[0].dataset, []).append(point)
    found = []
    for dataset, points in datasets.items():
        drawn = tuple(sorted((p for p in points if p.cost), key=lambda p: list(MODEL_TITLES).index(p.model)))
        if len({point.model for point in drawn}) >= FEWEST:
            trained = {point.model for point in points}
            found.append(
                AllModels(
                    dataset,
                    drawn,
                    _paper(drawn, suites),
                    _names(trained - known.keys() - other_device),
                    _names(known.keys() - trained),
                    _names(trained & other_device),
                )
            )
    return found


def all_models_figure(data: AllModels, notice: str = "") -> Figure:
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
    text = f"{notice} {data.legend}".strip()
    figure = new_figure(2.0 * len(axes_drawn) + 0.17 * lines + 0.5, text)
    grid = figure.subplots(len(axes_drawn), 2, sharey="col", squeeze=False)
    for panels, axis in zip(grid, axes_drawn, strict=True):
        reference = _reference(data.ours, axis)
        theirs = data.paper if reference or not axis.relative else ()
        for axes, accuracy in zip(panels, ACCURACIES, strict=True):
            _draw(axes, _places(data.ours, axis, accuracy, reference), numbers, colours, hollow=False)
            _draw(axes, _places(theirs, axis, accuracy, _reference(theirs, axis)), numbers, colours, hollow=True)
            _settle(axes)
        panels[0].set_xlabel(_label(axis, reference), loc="left")
    for axes, title in zip(grid[0], ACCURACIES.values(), strict=True):
        axes.set_title(title)
    entries = [Line2D([], [], linestyle="", label=key) for key in keys]
    entries += [_entry(colours[suite], f"Suite {suite}") for suite in suites]
    entries += [_entry(MUTED, "Paper (hollow)", hollow=True)] if data.paper else []
    figure.legend(handles=entries, loc="outside lower left", ncols=2, columnspacing=1.2, handlelength=1.0, fontsize=7)
    return figure


def all_models_caption(data: AllModels, first: str) -> str:
    """Says what the figure of a data set shows."""
    return (
        f"Models trained on {data.title} under natural frequency: test scores over what each costs, on logarithmic "
        "axes; up and to the left is better. The number in a point is the model, its colour the suite that trained it; "
        f"suites do not train equally long. Costs are those of suite {first} where it has measured the model, with the "
        "classes of its own data set in the last layer, and else those of the suite that has. Hollow: the paper, where "
        "it prints both coordinates; time and memory of its machine are multiples of its own SegNet's. "
        f"{data.left_out} {data.legend}"
    ).strip()


def _costs(
    suites: Sequence[SuiteResults],
) -> tuple[dict[str, dict[str, float]], dict[str, set[str]], set[str]]:
    """Returns the costs of each model, of the first suite that has them; their marks; the models of other devices."""
    found: dict[str, dict[str, float]] = {}
    devices: dict[str, str] = {}
    marks: dict[str, set[str]] = {}
    for suite in suites:
        rows: pd.DataFrame = costs(suite.rows).drop_duplicates(["model", "metric"])
        new = rows[rows["metric"].isin([axis.metric for axis in AXES]) & ~rows["model"].isin(list(found))]
        columns = ["model", "metric", "value", "device_name", "trials", "disturbance"]
        for model, metric, value, device, trials, why in new[columns].itertuples(index=False, name=None):
            found.setdefault(model, {})[metric] = float(value)
            devices[model] = device
            marks.setdefault(model, set()).update(
                {MARK} if suite.stale.holds(trials) else (), {DISTURBED} if why else ()
            )
    usual = max(devices.values(), key=list(devices.values()).count, default="")
    others = {model for model, device in devices.items() if device != usual}
    return {model: cost for model, cost in found.items() if model not in others}, marks, others


def _means(side: Side) -> dict[str, float]:
    return {metric: side.mean(metric) for metric in ACCURACIES}


def _paper(drawn: Sequence[Point], suites: Sequence[SuiteResults]) -> tuple[Point, ...]:
    """Returns the paper's points of the models that are drawn, where a table of the suite prints their scores."""
    tables = {suite.suite: suite.tables for suite in suites}
    found: dict[str, Point] = {}
    for point in drawn:
        for table in tables[point.suite]:
            score = {m: target(table, point.model, WEIGHTING, "test", m) for m in ACCURACIES}
            cost = {axis.metric: target(COST_TABLE, point.model, None, None, axis.metric) for axis in AXES}
            if any(score.values()) and any(cost.values()):
                x, y = ({name: cell.stored for name, cell in cells.items() if cell} for cells in (cost, score))
                found.setdefault(point.model, Point(point.model, point.suite, x, y))
    return tuple(found.values())


def _names(models: set[str]) -> tuple[str, ...]:
    return tuple(title for model, title in MODEL_TITLES.items() if model in models)


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


def _label(axis: CostAxis, reference: float | None) -> str:
    if reference is None:
        return f"{axis.title} ({axis.unit}{', ours alone' if axis.relative else ''})"
    amount = f"{reference:,.0f}" if reference >= 100 else f"{reference:.3g}"
    return f"{axis.title}, multiple of SegNet's (ours {amount} {axis.unit})"


def _entry(colour: str, label: str, hollow: bool = False) -> Line2D:
    return Line2D(
        [], [], linestyle="", marker="o", markersize=5.5, color=colour, label=label,
        markerfacecolor="white" if hollow else colour,
    )  # fmt: skip
