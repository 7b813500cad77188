"""Ours minus the paper's, every score of a table at one glance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from bench.replication.paper import target
from bench.replication.scores import scores
from bench.reporting.figures.number_map import draw_number_map
from bench.reporting.figures.style import new_figure, notice_height_in, paper_order
from bench.study.catalog import METRIC_TITLES, ROW_TITLES

ROW_IN = 0.3
SCALE_POINTS = 30.0  # where the colours end; larger differences keep the last colour, and every cell has its number


def difference_map(
    results: pd.DataFrame,
    weighting: str,
    table: str | None,
    notice: str = "",
    titles: Mapping[str, str] = ROW_TITLES,
) -> Figure | None:
    """Returns a map of the differences of all scores of a weighting, in percentage points.

    Args:
        results: rows of one suite and profile in the stored columns
        weighting: which half of the table
        table: key of the paper's table
        notice: says what scale the run has; empty at the paper's scale
        titles: names of the models

    Returns: None where no model has a finished training with that weighting, the suite has no table, or the table
        prints nothing for that weighting, such as the authors' own class weights.
    """
    ours = scores(results)
    ours = ours[ours["weighting"] == weighting]
    if table is None or ours.empty:
        return None
    value_of = dict(zip(zip(ours["model"], ours["split"], ours["metric"], strict=True), ours["value"], strict=True))
    cells: dict[str, dict[str, float]] = {}
    for split in ("test", "train"):
        for metric, title in METRIC_TITLES.items():
            column = {}
            for model in paper_order(ours["model"].unique()):
                printed = target(table, model, weighting, split, metric)
                value = value_of.get((model, split, metric))
                if printed is not None and value is not None:
                    column[titles[model]] = 100 * (value - printed.stored)
            if column:
                cells[f"{split}\n{title}"] = column
    if not cells:
        return None
    frame = pd.DataFrame(cells)
    figure = new_figure(ROW_IN * len(frame) + 0.9 + notice_height_in(notice, 4.8), notice)
    axes = figure.add_subplot()
    # orange and blue are told apart by every common kind of colour vision
    colours = LinearSegmentedColormap.from_list("differences", ["#c27b34", "#f1f1f2", "#3d8de4"])
    draw_number_map(axes, frame.to_numpy(dtype="float64"), "{:+.1f}", colours, (-SCALE_POINTS, SCALE_POINTS))
    axes.set_title("Ours minus the paper's, points")
    axes.set_yticks(np.arange(len(frame)) + 0.5, list(frame.index))
    axes.set_xticks(np.arange(len(frame.columns)) + 0.5, list(frame.columns))
    return figure
