"""Scores over the length of the training: at its fixed points and at the end, ours beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from bench.replication.checkpoints import at_selected, current_rows
from bench.replication.paper import Address, paper_table
from bench.replication.scores import budget_scores, scores
from bench.reporting.figures.spread import spread, spread_said
from bench.reporting.figures.style import INK, MODEL_STYLES, MUTED, as_percent, model_legend, new_figure, paper_order
from bench.study.catalog import METRIC_TITLES, ROW_TITLES

LENGTH = "max_iterations"  # a column of the paper's tables


class Point(NamedTuple):
    """A score of one row at one iteration, with that of each seed, where they are known."""

    iteration: float
    score: float
    values: tuple[float, ...] = ()


Points = dict[str, list[Point]]  # of each row, in order


def budget_curves(
    results: pd.DataFrame,
    weighting: str,
    table: str | None,
    budgets: Mapping[str, int],
    notice: str = "",
    titles: Mapping[str, str] = ROW_TITLES,
) -> Figure | None:
    """Draws test G, C, mIoU and BF, one below the other, over the iterations: ours left, the paper's right.

    The two have an axis of iterations each, since a run at a smaller scale has fewer, and share that of the scores.
    Seeds are averaged, the iterations of their reported checkpoints too, and a whisker has their `spread`. The paper
    does not say where its last point lies; it is drawn at the longest training of its model.

    Args:
        results: rows of one suite and profile in the stored columns.
        weighting: the loss weighting to draw.
        table: key of the paper's table; None draws ours only, and so does a table without this weighting.
        budgets: the fixed points by name, in our iterations.
        notice: says what scale the run has; empty at the paper's scale.
        titles: names of the rows.

    Returns:
        None where no training with this weighting is done.
    """
    ours = {metric: _ours(results, weighting, metric, budgets) for metric in METRIC_TITLES}
    models = paper_order({model for points in ours.values() for model in points})
    if not models:
        return None
    theirs = {metric: _papers(models, weighting, metric, table) for metric in METRIC_TITLES}
    columns = 2 if any(theirs.values()) else 1

    figure = new_figure(7.0 + 0.15 * len(models) / 2, notice)
    grid = figure.subplots(4, columns, sharex="col", sharey="row", squeeze=False)
    for panels, (metric, title) in zip(grid, METRIC_TITLES.items(), strict=True):
        sides = (("ours", ours[metric], "full"), ("paper", theirs[metric], "none"))
        for axes, (side, points, fill) in zip(panels, sides, strict=False):
            _draw(axes, points, models, fill)
            if side == "ours":
                _draw_whiskers(axes, points)
            axes.set_title(f"{title}, {side} (%)")
            as_percent(axes)
            axes.margins(0.08, 0.12)
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        last = max((point.iteration for points in ours[metric].values() for point in points), default=0)
        panels[0].set_xticks(sorted({*budgets.values(), round(last)} - {0}))
        for iteration in budgets.values():
            panels[0].axvline(iteration, color=MUTED, linewidth=0.7, linestyle=":", zorder=1)
    grid[-1, 0].set_xlabel("Our iterations")
    if columns == 2:
        grid[-1, 1].set_xlabel("The paper's iterations (thousands)")
    seeds = {len(point.values) for of_metric in ours.values() for points in of_metric.values() for point in points}
    whisker = Line2D([], [], linestyle="", marker="|", color=INK, markersize=7 * (max(seeds) > 1))
    whisker.set_label(spread_said(seeds, "Whisker"))
    model_legend(figure, models, (whisker,), lines=True, titles=titles)
    return figure


def _ours(results: pd.DataFrame, weighting: str, metric: str, budgets: Mapping[str, int]) -> Points:
    """Returns our points: the budgets, then the reported checkpoint."""
    found: Points = {}
    for frame in (budget_scores(results), scores(results)):
        rows = frame[(frame["weighting"] == weighting) & (frame["split"] == "test") & (frame["metric"] == metric)]
        at = _reported_at(results, weighting)
        for model, budget, value, values in rows[["model", "budget", "value", "values"]].itertuples(index=False):
            where = budgets.get(budget) if budget else at.get(model)
            if where is not None and np.isfinite(value):
                found.setdefault(model, []).append(Point(float(where), float(value), tuple(values.values())))
    return found


def _reported_at(results: pd.DataFrame, weighting: str) -> dict[str, float]:
    """Returns the iteration of the reported checkpoint by row, mean over seeds."""
    rows = at_selected(current_rows(results, None, "score"))
    rows = rows[rows["weighting"] == weighting].drop_duplicates(["digest", "model"])
    means = rows["selected_iteration"].astype("float64").groupby(rows["model"]).mean()
    return {str(model): float(iteration) for model, iteration in means.items()}


def _papers(models: list[str], weighting: str, metric: str, table: str | None) -> Points:
    """Returns the paper's points, in thousands of iterations; {} where it has none."""
    if table is None:
        return {}
    found: Points = {}
    paper = paper_table(table)
    for name, row in paper.rows.items():
        length = paper.target(Address(name, LENGTH))
        if row.model not in models or length is None:
            continue
        for budget in (*paper.budgets, ""):
            cell = paper.target(Address(name, metric, weighting, "test", budget))
            if cell:
                where = float(budget.removesuffix("K")) if budget else length.value
                found.setdefault(row.model, []).append(Point(where, cell.stored))
    return found


def _draw(axes: Axes, points: Points, models: list[str], fill: str) -> None:
    for model in models:
        if model in points:
            colour, marker = MODEL_STYLES[model]
            x, y, _ = zip(*points[model], strict=True)
            axes.plot(
                x, y, color=colour, marker=marker, markersize=5, linewidth=1.2,
                linestyle="-" if fill == "full" else "--",
                markerfacecolor=colour if fill == "full" else "white",
                markeredgecolor=INK if fill == "full" else colour,
                markeredgewidth=0.4 if fill == "full" else 1.1,
            )  # fmt: skip


def _draw_whiskers(axes: Axes, points: Points) -> None:
    """Draws the spread of the seeds of each point that has several."""
    several = [point for of_row in points.values() for point in of_row if len(point.values) > 1]
    if several:
        limits = [spread([[value] for value in point.values]) for point in several]
        low, high = ([float(of_point[side][0]) for of_point in limits] for side in (1, 2))
        axes.vlines([point.iteration for point in several], low, high, color=INK, linewidth=0.7, zorder=1.9)
