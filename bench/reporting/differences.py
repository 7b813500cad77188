"""Ours minus the paper's, every score of a table at one glance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bench.replication.paper import target
from bench.replication.scores import scores
from bench.reporting.style import INK, new_figure, notice_height_in, paper_order
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

    Returns: None where no model has a finished training with that weighting, or the suite has no table.
    """
    ours = scores(results)
    ours = ours[ours["weighting"] == weighting]
    if table is None or ours.empty:
        return None
    cells: dict[str, dict[str, float]] = {}
    for split in ("test", "train"):
        for metric, title in METRIC_TITLES.items():
            column = {}
            for model in paper_order(list(ours["model"].unique())):
                printed = target(table, model, weighting, split, metric)
                value = ours.query("model == @model and split == @split and metric == @metric")["value"]
                if printed is not None and len(value):
                    column[titles[model]] = 100 * (float(value.iloc[0]) - printed.stored)
            if column:
                cells[f"{split}\n{title}"] = column
    frame = pd.DataFrame(cells)
    figure = new_figure(ROW_IN * len(frame) + 0.9 + notice_height_in(notice, 4.8), notice)
    axes = figure.add_subplot()
    # orange and blue are told apart by every common kind of colour vision
    colours = sns.diverging_palette(40, 250, s=85, l=58, as_cmap=True)
    limits = {"vmin": -SCALE_POINTS, "vmax": SCALE_POINTS, "center": 0.0}
    signed = frame.map(lambda gap: "—" if np.isnan(gap) else f"{gap:+.1f}".replace("-", "−"))
    sns.heatmap(
        frame, ax=axes, cmap=colours, annot=signed, fmt="", cbar=False, linewidths=1.5, linecolor="white",
        annot_kws={"fontsize": 7, "color": INK}, **limits,
    )  # fmt: skip
    axes.set(xlabel="", ylabel="", title="Ours minus the paper's, points")
    axes.tick_params(length=0, labelrotation=0)
    axes.grid(visible=False)
    return figure
