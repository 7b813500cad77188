"""Figures about classes: how often each one occurs, what it weighs in the loss, and how well it is found."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullLocator

from bench.replication.scores import class_scores
from bench.reporting.figures.number_map import draw_number_map
from bench.reporting.figures.spread import Spread, spread, spread_said
from bench.reporting.figures.style import INK, MODEL_STYLES, MUTED, as_percent, legend_size, new_figure, paper_order
from bench.study.catalog import ROW_TITLES, WEIGHTING_TITLES

MANY = 20  # classes
SPLIT_STYLES = {"train": ("#1b4965", "train"), "val": ("#6aa5c4", "val"), "test": ("#c9d6df", "test")}
WEIGHTING_STYLES = {
    "median_frequency": ("#D55E00", "o"),
    "median_frequency_official": ("#882255", "D"),
    "natural_frequency": ("#6E6E6E", "d"),
}


def class_frequencies(results: pd.DataFrame, notice: str = "") -> Figure | None:
    """Draws, per class, its frequency in each split (log bars) and its loss weight (log).

    Frequencies and weights depend on the data alone, so those of the first trial of a weighting stand for all.

    Returns:
        None where no trial stored frequencies of the training split.
    """
    shares = results[results["record"] == "class_frequency"]
    weights = results[results["record"] == "class_weight"]
    shares = shares.drop_duplicates(["split", "class_name"]).pivot(index="class_name", columns="split", values="value")
    weights = weights.drop_duplicates(["weighting", "class_name"]).pivot(
        index="class_name", columns="weighting", values="value"
    )
    if "train" not in shares:
        return None
    classes = list(shares.sort_values("train", ascending=False).index)
    rows = np.arange(len(classes))

    figure = new_figure((0.34 if len(classes) <= MANY else 0.21) * len(classes) + 1.3, notice)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.25, 1])
    splits = [split for split in SPLIT_STYLES if split in shares]
    thickness = 0.8 / len(splits)
    for place, split in enumerate(splits):
        offset = (place - (len(splits) - 1) / 2) * thickness
        left.barh(
            rows + offset, shares.loc[classes, split].astype("float64"), thickness * 0.92, left=1e-4,
            color=SPLIT_STYLES[split][0], edgecolor=MUTED, linewidth=0.3,
        )  # fmt: skip
    left.set_xscale("log")
    left.set_title("Frequency where present (%)")
    left.set_yticks(rows, classes)
    left.tick_params(axis="y", length=0, labelcolor=INK)
    _plain_log(left, 100.0)
    _draw_weights(right, weights.reindex(classes), rows)
    left.set_ylim(len(classes) - 0.4, -0.6)
    bars = [
        Patch(facecolor=SPLIT_STYLES[s][0], edgecolor=MUTED, linewidth=0.3, label=SPLIT_STYLES[s][1]) for s in splits
    ]
    # one below the other, since a weighting may have a long name beside them
    figure.legend(handles=bars, loc="outside lower left", handlelength=1.2, handletextpad=0.5)
    dots = [
        Line2D([], [], linestyle="", label=WEIGHTING_TITLES[w], color=colour, marker=marker, markersize=5)
        for w, (colour, marker) in WEIGHTING_STYLES.items()
        if w in weights
    ]
    if dots:
        figure.legend(handles=dots, loc="outside lower right", handletextpad=0.5)
    lowest = float(np.nanmin(shares.to_numpy(dtype="float64")))
    left.set_xlim(10 ** np.floor(np.log10(min(max(lowest, 1e-4), 0.5))), 1)
    return figure


def _draw_weights(axes: Axes, weights: pd.DataFrame, rows: np.ndarray) -> None:
    axes.axvline(1, color=MUTED, linewidth=0.7)
    for weighting in (w for w in WEIGHTING_STYLES if w in weights):
        colour, marker = WEIGHTING_STYLES[weighting]
        values = weights[weighting].astype("float64").to_numpy()
        axes.hlines(rows, 1, values, color=colour, linewidth=0.8, alpha=0.5)
        axes.plot(values, rows, linestyle="", marker=marker, color=colour, markersize=4.5)
    axes.set_xscale("log")
    axes.set_title("Weight in the loss")
    axes.tick_params(axis="y", length=0)
    _plain_log(axes, 1.0, minor="25")


def _plain_log(axes: Axes, factor: float, minor: str = "") -> None:
    """Prints plain numbers on a logarithmic x axis, times `factor`: powers of ten and the digits in `minor`."""
    axes.xaxis.set_major_formatter(lambda value, _: f"{factor * value:g}")
    axes.xaxis.set_minor_locator(LogLocator(subs=tuple(map(int, minor))) if minor else NullLocator())
    axes.xaxis.set_minor_formatter(lambda value, _: f"{factor * value:g}")
    axes.tick_params(axis="x", which="minor", labelsize=6.5)
    axes.grid(visible=False, axis="y")


def class_bars(
    results: pd.DataFrame, weighting: str, notice: str = "", titles: Mapping[str, str] = ROW_TITLES
) -> Figure | None:
    """Draws, per class, the IoU of every model as a bar and its accuracy (recall) as a dot, on the test images.

    Classes run from the most to the least frequent in training. Seeds are averaged, and a whisker on the bar has their
    `spread`. A class that never occurs has no bar. `titles` are the names of the models. Of more than MANY classes a
    map holds the IoU in numbers, since bars for all of them would take pages.

    Returns:
        None where no training with this weighting is done.
    """
    rows_of = class_scores(results)
    chosen = rows_of[(rows_of["weighting"] == weighting) & (rows_of["split"] == "test")]
    if chosen.empty:
        return None
    models = paper_order(chosen["model"].unique())
    classes = by_frequency(results, list(chosen["class_name"].unique()))
    seeds = {
        metric: dict(zip(zip(rows["model"], rows["class_name"], strict=True), rows["values"], strict=True))
        for metric, rows in chosen.groupby("metric")
    }
    iou = _per_class(seeds["iou"], models, classes)
    if len(classes) > MANY:
        return _class_map(iou, classes, [titles[model] for model in models], notice)
    accuracy = _per_class(seeds["accuracy"], models, classes)
    rows = np.arange(len(classes), dtype="float64")

    figure = new_figure((0.085 * len(models) + 0.14) * len(classes) + 1.9, notice)
    axes = figure.subplots()
    thickness = 0.84 / max(1, len(models))
    for place, model in enumerate(models):
        at = rows + (place - (len(models) - 1) / 2) * thickness
        colour = MODEL_STYLES[model].colour
        axes.barh(at, iou[model].mean, thickness * 0.9, color=colour, linewidth=0)
        if np.isfinite(iou[model].low).any():
            axes.hlines(at, iou[model].low, iou[model].high, color=INK, linewidth=0.7)
        axes.plot(accuracy[model].mean, at, linestyle="", marker="o", markersize=2.4, color=colour, markeredgewidth=0)
    for edge in rows[1:] - 0.5:
        axes.axhline(edge, color="#c9ced4", linewidth=0.5)
    axes.set_yticks(rows, classes)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_ylim(len(classes) - 0.5, -0.5)
    axes.set_xlim(0, 1.015)
    as_percent(axes, "x")
    axes.grid(visible=False, axis="y")
    axes.set_title("Test images: IoU (bars) and accuracy (dots), %")
    handles: list[Patch | Line2D] = [Patch(color=MODEL_STYLES[m].colour, label=titles[m]) for m in models]
    handles.append(Line2D([], [], linestyle="", marker="o", markersize=3, color=MUTED, label="Accuracy of the class"))
    counts = {len(values) for values in seeds["iou"].values()}
    handles.append(Line2D([], [], color=INK, linewidth=0.7 * (max(counts) > 1), label=spread_said(counts, "Whisker")))
    size = legend_size([titles[model] for model in models])
    figure.legend(handles=handles, loc="outside lower left", ncols=2, handlelength=1.2, labelspacing=0.4, fontsize=size)
    return figure


def _per_class(
    values: Mapping[tuple[str, str], Mapping[int, float]], models: list[str], classes: list[str]
) -> dict[str, Spread]:
    """Returns mean and limits of each model over its seeds, in the order of the classes."""
    found = {}
    for model in models:
        seeds = sorted({seed for (of, _), by_seed in values.items() if of == model for seed in by_seed})
        rows = [[values.get((model, name), {}).get(seed, np.nan) for name in classes] for seed in seeds]
        found[model] = spread(rows)
    return found


def _class_map(iou: Mapping[str, Spread], classes: list[str], names: list[str], notice: str) -> Figure:
    """Draws the IoU of classes (rows) and models (columns) as numbers in percent, the darker the higher."""
    figure = new_figure(0.19 * len(classes) + 1.9, notice)
    axes = figure.subplots()
    values = np.stack([of_model.mean for of_model in iou.values()], axis=1)
    colours = LinearSegmentedColormap.from_list("iou", ["#f0f1f2", "#5ba3d9"])  # light enough for dark numbers
    draw_number_map(axes, 100 * values, "{:.1f}", colours, (0, 100))
    axes.set_title("Test images: IoU (%)")
    axes.set_yticks(np.arange(len(classes)) + 0.5, classes)
    axes.set_xticks(np.arange(len(names)) + 0.5, names, rotation=40, ha="right", rotation_mode="anchor")
    return figure


def by_frequency(results: pd.DataFrame, classes: list[str]) -> list[str]:
    """Returns the classes from the most to the least frequent in training; unknown ones keep their order, last."""
    frequency = results[(results["record"] == "class_frequency") & (results["split"] == "train")]
    share = frequency.drop_duplicates("class_name").set_index("class_name")["value"].to_dict()
    return sorted(classes, key=lambda name: -share.get(name, 0.0))
