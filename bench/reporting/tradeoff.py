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
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.replication.paper import target
from bench.replication.scores import costs, scores
from bench.reporting.style import INK, MODEL_STYLES, MUTED, as_percent, model_legend, new_figure, paper_order
from bench.study.catalog import ROW_TITLES

REFERENCE_MODEL = "segnet_basic"  # every variant of Table 1 is a change to it
ACCURACIES = {"mean_iou": "mIoU, test (%)", "boundary_f1": "BF, test (%)"}


class CostAxis(NamedTuple):
    """One row of panels."""

    metric: str  # column of the table of costs
    label: str
    has_paper: bool


COST_AXES = (
    CostAxis("parameters", "Parameters (millions)", True),
    CostAxis("relative_time", "Forward time as a multiple of SegNet-Basic's", True),
    CostAxis("forward_ms", "Forward time, ours only (ms)", False),
    CostAxis("inference_peak_mib", "Peak memory of inference, ours only (MiB, {kind})", False),
)


def accuracy_against_cost(
    results: pd.DataFrame,
    weighting: str,
    table: str | None,
    notice: str = "",
    titles: Mapping[str, str] = ROW_TITLES,
) -> Figure | None:
    """Draws test mIoU (left) and BF (right) over parameters, relative time, time and memory.

    Ours is filled, the paper's is hollow, and a thin line joins the two points of a model. Seeds are averaged.
    A row without values is left out.

    Args:
        results: rows of one suite and profile in the stored columns, one configuration of each trial.
        weighting: the loss weighting of the accuracies.
        table: key of the paper's table; None draws ours only.
        notice: says what scale the run has; empty at the paper's scale.
        titles: names of the models.

    Returns:
        None where no model has both a cost and a score.
    """
    ours = _cost_table(results).join(_score_table(results, weighting), how="inner")
    rows = [axis for axis in COST_AXES if ours[axis.metric].notna().any()]
    if not rows:
        return None
    theirs = _paper_table(list(ours.index), weighting, table)
    models = paper_order(list(ours.index))

    figure = new_figure(1.75 * len(rows) + 1.55, notice)
    grid = figure.subplots(len(rows), 2, sharey="col", squeeze=False)
    for panels, cost in zip(grid, rows, strict=True):
        for axes, accuracy in zip(panels, ACCURACIES, strict=True):
            _draw_points(axes, ours, theirs if cost.has_paper else None, cost.metric, accuracy)
            as_percent(axes)
            if cost.metric == "parameters":
                axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1e6:g}")
            axes.margins(0.12)
        panels[0].set_xlabel(cost.label.format(kind=_kind_of_memory(results)), loc="left")
    for axes, title in zip(grid[0], ACCURACIES.values(), strict=True):
        axes.set_title(title)
    filled = Line2D([], [], linestyle="", marker="o", color=MUTED, markersize=5, label="Ours")
    hollow = Line2D([], [], linestyle="", marker="o", color=MUTED, markersize=5, markerfacecolor="white")
    hollow.set_label("Paper (hollow)")
    extra = [filled, hollow] if theirs.notna().any(axis=None) else []
    model_legend(figure, models, extra, lines=False, titles=titles)
    return figure


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


def _score_table(results: pd.DataFrame, weighting: str) -> pd.DataFrame:
    """Returns one row per model with test mIoU and BF at the reported checkpoint, mean of seeds."""
    rows = scores(results)
    rows = rows[(rows["weighting"] == weighting) & (rows["split"] == "test")]
    table = rows.pivot(index="model", columns="metric", values="value")
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


def _draw_points(axes: Axes, ours: pd.DataFrame, theirs: pd.DataFrame | None, cost: str, accuracy: str) -> None:
    at = _points(ours, cost, accuracy)
    there = {} if theirs is None else _points(theirs, cost, accuracy)
    for model in paper_order(at):
        colour, marker = MODEL_STYLES[model]
        x, y = at[model]
        if model in there:
            paper_x, paper_y = there[model]
            axes.plot([x, paper_x], [y, paper_y], color=colour, linewidth=0.7, alpha=0.45)
            axes.plot(
                paper_x, paper_y, marker=marker, markersize=5.5, color=colour, markerfacecolor="white",
                markeredgewidth=1.1,
            )  # fmt: skip
        axes.plot(x, y, marker=marker, markersize=6.5, color=colour, markeredgecolor=INK, markeredgewidth=0.4)


def _points(table: pd.DataFrame, cost: str, accuracy: str) -> dict[str, tuple[float, float]]:
    """Returns the coordinates of the models that have both."""
    known = table[[cost, accuracy]].dropna()
    return dict(zip(known.index, zip(known[cost], known[accuracy], strict=True), strict=True))
