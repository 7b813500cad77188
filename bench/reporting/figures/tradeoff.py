"""Accuracy against cost: mean IoU and boundary F1 over parameters, time and memory.

The paper's points stand beside ours only where one axis can hold both: parameters are the same count
everywhere, and time is comparable as a multiple of SegNet-Basic's on the same machine. Milliseconds and MiB of
another machine are not drawn, and Table 1 prints no memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.replication.paper import target
from bench.replication.scores import costs, scores
from bench.reporting.figures.spread import spread, spread_said
from bench.reporting.figures.style import INK, MODEL_STYLES, MUTED, as_percent, model_legend, new_figure, paper_order
from bench.study.catalog import ROW_TITLES

REFERENCE_MODEL = "segnet_basic"  # every variant of Table 1 is a change to it
ACCURACIES = {"mean_iou": "mIoU, test (%)", "boundary_f1": "BF, test (%)"}


class CostAxis(NamedTuple):
    """One row of panels."""

    metric: str  # column of the table of costs
    label: str
    has_paper: bool


RELATIVE = CostAxis("relative_time", "Forward time as a multiple of SegNet-Basic's (ours {reference:.3g} ms)", True)
ABSOLUTE = CostAxis("forward_ms", "Forward time, ours only (ms)", False)
PARAMETERS = CostAxis("parameters", "Parameters (millions)", True)
MEMORY = CostAxis("inference_peak_mib", "Peak memory of inference, ours only (MiB, {kind})", False)


def accuracy_against_cost(
    results: pd.DataFrame,
    weighting: str,
    table: str | None,
    notice: str = "",
    titles: Mapping[str, str] = ROW_TITLES,
) -> Figure | None:
    """Draws test mIoU (left) and BF (right) over parameters, time and memory.

    Time is a multiple of SegNet-Basic's where its time is known, and milliseconds where it is not. Ours is filled, the
    paper's is hollow, and a thin line joins the two points of a model. Seeds are averaged, and a whisker has their
    `spread`. A row without values is left out.

    Args:
        results: rows of one suite and profile in the stored columns, one configuration of each trial.
        weighting: the loss weighting of the accuracies.
        table: key of the paper's table; None draws ours only.
        notice: says what scale the run has; empty at the paper's scale.
        titles: names of the models.

    Returns:
        None where no model has both a cost and a score.
    """
    scored = scores(results)
    scored = scored[(scored["weighting"] == weighting) & (scored["split"] == "test")]
    ours = _cost_table(results).join(_score_table(scored), how="inner")
    time = RELATIVE if ours["relative_time"].notna().any() else ABSOLUTE
    rows = [axis for axis in (PARAMETERS, time, MEMORY) if ours[axis.metric].notna().any()]
    if not rows:
        return None
    theirs = _paper_table(list(ours.index), weighting, table)
    models = paper_order(list(ours.index))
    limits = _limits(scored)

    figure = new_figure(1.75 * len(rows) + 1.7, notice)
    grid = figure.subplots(len(rows), 2, sharey="col", squeeze=False)
    for panels, cost in zip(grid, rows, strict=True):
        for axes, accuracy in zip(panels, ACCURACIES, strict=True):
            _draw_points(axes, ours, theirs if cost.has_paper else None, cost.metric, accuracy, limits)
            as_percent(axes)
            if cost is PARAMETERS:
                axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1e6:g}")
            axes.margins(0.12)
            axes.locator_params(nbins=5)
        reference = ours["forward_ms"].get(REFERENCE_MODEL, np.nan)
        panels[0].set_xlabel(cost.label.format(kind=_kind_of_memory(results), reference=reference), loc="left")
    for axes, title in zip(grid[0], ACCURACIES.values(), strict=True):
        axes.set_title(title)
    model_legend(figure, models, _legend(theirs, scored), lines=False, titles=titles)
    return figure


def _legend(theirs: pd.DataFrame, scored: pd.DataFrame) -> list[Line2D]:
    """Returns the entries after those of the models."""
    filled = Line2D([], [], linestyle="", marker="o", color=MUTED, markersize=5, label="Ours")
    hollow = Line2D([], [], linestyle="", marker="o", color=MUTED, markersize=5, markerfacecolor="white")
    hollow.set_label("Paper (hollow)")
    seeds = set(scored["n"])
    whisker = Line2D([], [], linestyle="", marker="|", color=INK, markersize=7 * (max(seeds) > 1))
    whisker.set_label(spread_said(seeds, "Whisker"))
    drawn = theirs[list(ACCURACIES)].notna().any(axis=None)  # a cost alone is no point
    return [*([filled, hollow] if drawn else []), whisker]


def _limits(scored: pd.DataFrame) -> dict[tuple[str, str], tuple[float, float]]:
    """Returns what the whisker of a model and metric spans; none of a single run."""
    found = {}
    for model, metric, values in scored[["model", "metric", "values"]].itertuples(index=False):
        of_seeds = spread([[value] for value in values.values()])
        if np.isfinite(of_seeds.low[0]):
            found[model, metric] = float(of_seeds.low[0]), float(of_seeds.high[0])
    return found


def _cost_table(results: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per model with the costs of `COST_AXES`; NaN where a value was not measured."""
    first = costs(results).drop_duplicates(["model", "metric"])  # ours, where there are several protocols
    table = first.pivot(index="model", columns="metric", values="value")
    table = table.reindex(columns=["parameters", "forward_ms", "inference_peak_mib"]).astype("float64")
    return _with_relative_time(table)


def _kind_of_memory(results: pd.DataFrame) -> str:
    """Returns which memory the peaks are of: what `costs` has first."""
    peaks = results[(results["record"] == "cost") & (results["metric"] == "inference_peak_mib")]
    return str(peaks["protocol"].iloc[0]).partition(",")[0].replace("_", " ") if len(peaks) else ""


def _score_table(scored: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per model with test mIoU and BF at the reported checkpoint, mean of seeds."""
    table = scored.pivot(index="model", columns="metric", values="value")
    return table.reindex(columns=list(ACCURACIES)).astype("float64")


def _paper_table(models: list[str], weighting: str, table: str | None) -> pd.DataFrame:
    """Returns what the paper prints about each model, in stored units; NaN where it prints nothing."""
    rows = {}
    for model in models:
        cells = {name: target(table, model, None, None, name) for name in ("parameters", "forward_ms")} if table else {}
        cells |= {name: target(table, model, weighting, "test", name) for name in ACCURACIES} if table else {}
        rows[model] = {name: cell.stored if cell else np.nan for name, cell in cells.items()}
    columns = ["parameters", "forward_ms", *ACCURACIES]
    return _with_relative_time(pd.DataFrame.from_dict(rows, orient="index", columns=columns, dtype="float64"))


def _with_relative_time(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(relative_time=table["forward_ms"] / table["forward_ms"].get(REFERENCE_MODEL, np.nan))


def _draw_points(
    axes: Axes,
    ours: pd.DataFrame,
    theirs: pd.DataFrame | None,
    cost: str,
    accuracy: str,
    limits: Mapping[tuple[str, str], tuple[float, float]],
) -> None:
    at = _points(ours, cost, accuracy)
    there = {} if theirs is None else _points(theirs, cost, accuracy)
    both = [model for model in at if model in there]
    colours = [MODEL_STYLES[model].colour for model in both]
    axes.add_collection(
        LineCollection([[at[model], there[model]] for model in both], colors=colours, linewidths=0.7, alpha=0.45)
    )
    whiskers = [(at[model][0], *limits[model, accuracy]) for model in at if (model, accuracy) in limits]
    if whiskers:
        axes.vlines(*zip(*whiskers, strict=True), color=INK, linewidth=0.7, zorder=1.9)
    for model in paper_order(at):
        colour, marker = MODEL_STYLES[model]
        if model in there:
            axes.plot(
                *there[model], marker=marker, markersize=5.5, color=colour, markerfacecolor="white",
                markeredgewidth=1.1,
            )  # fmt: skip
        axes.plot(*at[model], marker=marker, markersize=6.5, color=colour, markeredgecolor=INK, markeredgewidth=0.4)


def _points(table: pd.DataFrame, cost: str, accuracy: str) -> dict[str, tuple[float, float]]:
    """Returns the coordinates of the models that have both."""
    known = table[[cost, accuracy]].dropna()
    return dict(zip(known.index, zip(known[cost], known[accuracy], strict=True), strict=True))
