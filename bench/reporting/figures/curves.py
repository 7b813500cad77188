"""Training curves: loss, and validation G, C and mIoU, over the iterations of every model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator

from bench.reporting.figures.spread import Spread, spread, spread_said
from bench.reporting.figures.style import INK, MODEL_STYLES, MUTED, as_percent, model_legend, new_figure, paper_order
from bench.study.catalog import METRIC_TITLES, ROW_TITLES

VALIDATION_METRICS = ("global_accuracy", "class_average_accuracy", "mean_iou")
COLUMNS = ["trial", "model", "weighting", "metric", "iteration", "selected_iteration", "value"]  # few are quick to copy
SMOOTHING = 30  # the running mean spans this part of the training
POINTS = 160  # drawn per line; 10 000 iterations of eight models would make a file of megabytes
BAND = 0.2  # opacity


def training_curves(
    results: pd.DataFrame,
    weighting: str,
    notice: str = "",
    titles: Mapping[str, str] = ROW_TITLES,
    budgets: Sequence[int] = (),
) -> Figure | None:
    """Draws four panels over the iterations: loss (log scale), then validation G, C and mIoU in percent.

    The raw loss of the first seed is faint; the centred running mean over 1/30 of the training, averaged over
    seeds, is strong. Scores are the mean over seeds. Bands are those of `spread`. A ringed marker is a checkpoint that
    is reported. Axes span the values of every weighting, so that two figures compare.

    Args:
        results: rows of one suite and profile in the stored columns.
        weighting: the loss weighting to draw.
        notice: says what scale the run has; empty at the paper's scale.
        titles: names of the models.
        budgets: iterations to mark, at which the test images are scored as well.

    Returns:
        None where no training with this weighting has stored a loss.
    """
    losses = results.loc[(results["record"] == "curve") & (results["metric"] == "loss"), COLUMNS]
    scored = (results["record"] == "score") & (results["split"] == "val") & results["iteration"].notna()
    scores = results.loc[scored & results["metric"].isin(VALIDATION_METRICS), COLUMNS]
    models = paper_order(losses.loc[losses["weighting"] == weighting, "model"].unique())
    if not models:
        return None

    figure = new_figure(7.4 + 0.15 * len(models) / 2, notice)
    panels = figure.subplots(4, 1, sharex=True, height_ratios=[1.15, 1, 1, 1])
    _draw_losses(panels[0], losses, weighting)
    for axes, metric in zip(panels[1:], VALIDATION_METRICS, strict=True):
        _draw_scores(axes, scores[scores["metric"] == metric], weighting)
        axes.set_title(f"{METRIC_TITLES[metric]} on validation images (%)")
        axes.yaxis.set_major_locator(MaxNLocator(5))
    for axes in panels:
        for iteration in budgets:
            axes.axvline(iteration, color=MUTED, linewidth=0.7, linestyle=":", zorder=1)
    panels[-1].set_xlim(0, 1.02 * float(pd.concat([losses["iteration"], scores["iteration"]]).max()))
    panels[-1].set_xlabel("Iteration")
    ring = Line2D([], [], linestyle="", marker="o", markersize=8, color="white", markeredgecolor=INK)
    ring.set_label("Checkpoint that is reported")
    seeds = losses[losses["weighting"] == weighting].groupby("model")["trial"].nunique()
    band = Patch(color=MUTED, alpha=BAND if seeds.max() > 1 else 0, linewidth=0, label=spread_said(seeds, "Band"))
    model_legend(figure, models, extra=[ring, band], lines=True, titles=titles)
    return figure


def _draw_losses(axes: Axes, losses: pd.DataFrame, weighting: str) -> None:
    axes.set_title("Training loss (log scale)")
    axes.set_yscale("log")
    low, high = np.inf, 0.0
    for (model, of), lines in losses.groupby(["model", "weighting"], sort=False):
        raw = _by_trial(lines)
        smooth = spread(raw.rolling(max(1, len(raw) // SMOOTHING), center=True, min_periods=1).mean().to_numpy().T)
        low = min(low, float(np.nanquantile(raw, 0.01)))
        high = max(high, float(np.nanmax(smooth.mean[len(raw) // 20 :])))
        if of != weighting:
            continue
        colour = MODEL_STYLES[str(model)].colour
        keep = np.unique(np.linspace(0, len(raw) - 1, min(POINTS, len(raw))).astype(int))
        at = raw.index.to_numpy()[keep]
        first = raw.to_numpy()[keep, 0]  # all seeds would be a cloud, and a file of megabytes
        axes.plot(at, first, color=colour, alpha=0.16, linewidth=0.5)
        _draw_band(axes, at, Spread(*(values[keep] for values in smooth)), colour)
        axes.plot(at, smooth.mean[keep], color=colour, linewidth=1.2)
    if high > 0:
        axes.set_ylim(max(low / 1.1, high / 1e3), high * 1.15)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 3, 5)))
    axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}")
    axes.tick_params(axis="y", which="minor", labelsize=7)


def _draw_scores(axes: Axes, scores: pd.DataFrame, weighting: str) -> None:
    as_percent(axes)
    for model, lines in scores[scores["weighting"] == weighting].groupby("model", sort=False):
        colour, marker = MODEL_STYLES[str(model)]
        values = _by_trial(lines)
        at, over_seeds = values.index.to_numpy(), spread(values.to_numpy().T)
        _draw_band(axes, at, over_seeds, colour)
        axes.plot(at, over_seeds.mean, color=colour, marker=marker, markersize=3.2, linewidth=1.2, markeredgewidth=0)
        reported = lines[(lines["iteration"] == lines["selected_iteration"]).fillna(False).astype(bool)]
        axes.plot(
            reported["iteration"].astype("float64"), reported["value"], linestyle="", color=colour, marker=marker,
            markersize=7.5 if values.shape[1] == 1 else 5, markeredgecolor=INK, markeredgewidth=0.8, zorder=5,
            clip_on=False,
        )  # fmt: skip
    if len(scores):
        low, high = float(scores["value"].min()), float(scores["value"].max())
        margin = 0.06 * max(high - low, 0.02)
        axes.set_ylim(low - margin, high + margin)


def _draw_band(axes: Axes, at: np.ndarray, over_seeds: Spread, colour: str) -> None:
    if np.isfinite(over_seeds.low).any():
        axes.fill_between(at, over_seeds.low, over_seeds.high, color=colour, alpha=BAND, linewidth=0, zorder=1.5)


def _by_trial(lines: pd.DataFrame) -> pd.DataFrame:
    """Returns one column per trial (seed) and one row per iteration, in order."""
    return lines.astype({"iteration": "float64"}).pivot(index="iteration", columns="trial", values="value")
