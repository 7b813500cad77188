"""Pictures of what a mean divides by: the two divisors of BF in one image, and two region rules on one matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from bench.evaluation.boundary import boundary_counts
from bench.evaluation.boundary_scores import LABEL, MATCHED_LABEL, PREDICTED, boundary_f1
from bench.evaluation.region_scores import region_scores
from bench.reporting.definitions.picture_canvas import LINE, PALE_BLUE, PALE_GREY, WIDTH_IN, bare, new_picture
from bench.reporting.figures import style

SCENE_CLASSES = ("Tree", "Road", "Pole", "Car")
_SCENE_COLOURS = ("#7cc3ae", "#c9ccd1", "#E69F00", "#0072B2")

# Pixels labelled i (row) and predicted j: Car is predicted and never labelled, Sign occurs nowhere.
MATRIX_CLASSES = ("Road", "Tree", "Car", "Sign")
MATRIX = np.array([[80, 6, 4, 0], [10, 40, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], dtype=np.int64)


def scene_maps() -> NDArray[np.uint8]:
    """Returns labels and prediction (2, 120, 160): a pole that is not found, and a car that is not there."""
    labels, prediction = np.zeros((2, 120, 160), np.uint8)
    labels[60:] = 1
    labels[20:100, 40:44] = 2
    prediction[60:] = 1
    prediction[60:66, :60] = 0
    prediction[76:100, 100:136] = 3
    return np.stack([labels, prediction])


def draw_divisors() -> Figure:
    """Which classes the two divisors average over in one image."""
    labels, prediction = scene_maps()
    counts = boundary_counts(labels[None], prediction[None], len(SCENE_CLASSES))
    scores = (boundary_f1(counts, "union"), boundary_f1(counts, "gt"))
    figure = new_picture(3.1)
    page = _page(figure, 3.1)
    for top, title, classes in ((0.35, "Labels", labels), (1.8, "Prediction", prediction)):
        page.text(0.08, top - 0.07, title, fontsize=9, fontweight="bold")
        page.imshow(
            classes, ListedColormap(_SCENE_COLOURS), vmin=0, vmax=len(SCENE_CLASSES) - 1, interpolation="nearest",
            extent=(0.08, 1.64, top + 1.17, top), aspect="auto",
        )  # fmt: skip
        page.add_patch(Rectangle((0.08, top), 1.56, 1.17, fill=False, edgecolor=style.MUTED, linewidth=0.8))
    _restore(page, 3.1)

    columns = (2.1, 2.75, 4.4, 5.08, 5.72, 6.31, 6.92)
    heads = (
        "Class",
        "has a boundary in",
        "labelled\npixels",
        "predicted\npixels",
        "matched\npixels",
        "F1 (%),\nunion",
        "F1 (%),\ngt",
    )
    _write_row(page, 0.5, columns, heads, muted=True)
    page.plot([1.85, 6.92], [0.6, 0.6], color=LINE, linewidth=1)
    for k, (name, colour) in enumerate(zip(SCENE_CLASSES, _SCENE_COLOURS, strict=True)):
        y = 0.88 + 0.34 * k
        predicted, label, matched = (int(counts[0, k, column]) for column in (PREDICTED, LABEL, MATCHED_LABEL))
        where = "both maps" if label and predicted else "labels only" if label else "prediction only"
        texts = (
            name,
            where,
            str(label),
            str(predicted),
            str(matched),
            *(_percent(s.class_boundary_f1[k]) for s in scores),
        )
        page.add_patch(Rectangle((1.85, y - 0.13), 0.16, 0.16, facecolor=colour, edgecolor=style.MUTED, linewidth=0.5))
        _write_row(page, y, columns, texts)
    page.plot([1.85, 6.92], [2.12, 2.12], color=LINE, linewidth=1)
    counted = [int((~np.isnan(score.class_boundary_f1)).sum()) for score in scores]
    ends = (1.85, *columns[1:])
    _write_row(page, 2.4, ends, ("classes that are averaged", "", "", "", "", *map(str, counted)))
    means = [_percent(score.boundary_f1) for score in scores]
    _write_row(page, 2.74, ends, ("boundary F1 of the image (%)", "", "", "", "", *means), bold=True)
    return figure


def draw_region_rules() -> Figure:
    """G, C and mIoU of one confusion matrix, with sums divided by the fixed K and by the classes that are present."""
    rules = [("authors", region_scores(MATRIX, "fixed")), ("present", region_scores(MATRIX, "present"))]
    scores = rules[0][1]
    figure = new_picture(3.3)
    page = _page(figure, 3.3)
    cell, left, top = 0.62, 0.95, 0.62
    k = len(MATRIX_CLASSES)
    columns = (0.85, 4.3, 5.55, 6.8)  # right edges: class, labelled, accuracy, IoU
    page.text(left + k * cell / 2, 0.27, "pixels predicted as", ha="center", fontsize=8.5, color=style.MUTED)
    page.text(0.08, 0.52, "labelled as", fontsize=8.5, color=style.MUTED)
    for text, x in zip(("labelled\npixels", "accuracy (%)", "IoU (%)"), columns[1:], strict=True):
        page.text(x, 0.52, text, ha="right", va="bottom", fontsize=8.5, color=style.MUTED)
    for i, name in enumerate(MATRIX_CLASSES):
        y = top + i * 0.38
        page.text(left + (i + 0.5) * cell, 0.52, name, ha="center", fontsize=9)
        for j, count in enumerate(MATRIX[i]):
            face = PALE_BLUE if i == j else PALE_GREY
            page.add_patch(
                Rectangle((left + j * cell, y), cell, 0.38, facecolor=face, edgecolor="white", linewidth=1.5)
            )
            page.text(left + (j + 0.5) * cell, y + 0.245, str(count), ha="center", fontsize=9.5)
        values = (_percent(scores.class_accuracy[i]), _percent(scores.class_iou[i]))
        for text, x in zip((name, str(MATRIX[i].sum()), *values), columns, strict=True):
            page.text(x, y + 0.245, text, ha="right", fontsize=9.5)
    page.plot([0.08, 6.92], [2.28, 2.28], color=LINE, linewidth=1)
    shown = f"G = {np.trace(MATRIX)} of {MATRIX.sum()} = {_percent(scores.global_accuracy)} % under both rules"
    page.text(0.08, 2.58, shown, fontsize=9.5, fontweight="bold")
    for row, (name, found) in enumerate(rules):
        y = 2.58 + 0.36 * row
        how = (
            (k, k)
            if name == "authors"
            else tuple(int((~np.isnan(v)).sum()) for v in (found.class_accuracy, found.class_iou))
        )
        page.text(4.3, y, name, ha="right", fontsize=9.5, fontweight="bold")
        means = (("C", found.class_average_accuracy), ("mIoU", found.mean_iou))
        for (metric, value), classes, x in zip(means, how, columns[2:], strict=True):
            page.text(x, y, f"{metric} = {_percent(value)}", ha="right", fontsize=9.5, fontweight="bold")
            page.text(x, y + 0.15, f"sum / {classes}", ha="right", fontsize=8, color=style.MUTED)
    return figure


def _page(figure: Figure, height_in: float) -> Axes:
    """Returns axes over a whole figure whose units are inches, from the upper left."""
    page = figure.add_axes((0, 0, 1, 1))
    _restore(page, height_in)
    return page


def _restore(page: Axes, height_in: float) -> None:
    bare(page, (0, WIDTH_IN), (0, height_in))


def _write_row(
    page: Axes, y: float, columns: Sequence[float], texts: Sequence[str], *, muted: bool = False, bold: bool = False
) -> None:
    """Writes texts at y: the first two begin at their column, the others, which are numbers, end there."""
    for number, (x, text) in enumerate(zip(columns, texts, strict=True)):
        side = "left" if number < 2 else "right"
        page.text(
            x, y, text, ha=side, va="bottom" if muted else "baseline", fontsize=8.5 if muted else 9.5, linespacing=1.15,
            color=style.MUTED if muted else style.INK, fontweight="bold" if bold else "normal",
        )  # fmt: skip


def _percent(value: float) -> str:
    return "none" if np.isnan(value) else f"{100 * value:.1f}"
