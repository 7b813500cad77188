"""Picture of what a match is: the same two label maps under three protocols, with the F1 of each.

Which pixels match is found here a second time, by hand-sized code; an assertion holds it against what is counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch, Rectangle
from numpy.typing import NDArray

from bench.evaluation.boundary import boundary_counts
from bench.evaluation.boundary_scores import PROTOCOLS, boundary_f1, boundary_tolerance_px
from bench.reporting.definitions.picture_canvas import (
    BLUE,
    ORANGE,
    PALE_BLUE,
    PALE_ORANGE,
    LabelMap,
    add_heading,
    boundary_mask,
    frame,
    new_picture,
)
from bench.reporting.figures import style

Pixel = tuple[int, int]
CROP = (slice(53, 65), slice(72, 87))  # rows and columns of the maps that are drawn


def match_maps() -> tuple[LabelMap, LabelMap]:
    """Returns labels and prediction (120, 160), where the tolerance is 1.5 px and davis makes it 2: one object each."""
    labels, prediction = np.zeros((2, 120, 160), np.uint8)
    labels[58:61, 75:82] = 1
    prediction[58:61, 77:84] = 1
    prediction[57:60, 84] = 1
    for y, x in ((57, 78), (57, 80), (56, 78), (61, 78), (61, 80)):
        prediction[y, x] = 1
    return labels, prediction


def match_radius(protocol: str, height: int, width: int) -> float:
    """Returns how far a match may lie under a protocol, px."""
    tolerance = boundary_tolerance_px(height, width)
    return float(np.ceil(tolerance)) if protocol == "davis" else tolerance


def near_pixels(found: NDArray[np.bool_], other: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """Returns which pixels of one boundary (H, W) have one of the other within the radius."""
    near = np.zeros_like(found)
    others = np.argwhere(other)
    for y, x in np.argwhere(found):
        near[y, x] = (((others - (y, x)) ** 2).sum(axis=1) <= radius**2).any()
    return near


def matched_pairs(
    predicted: NDArray[np.bool_], labelled: NDArray[np.bool_], radius: float
) -> list[tuple[Pixel, Pixel]]:
    """Returns the pairs (predicted, labelled) of a largest one-to-one matching, each as (row, column).

    Nearer pairs are tried first, so that the picture is easy to read; augmenting paths then find what is left.
    """
    lefts = [(int(y), int(x)) for y, x in np.argwhere(predicted)]
    rights = [(int(y), int(x)) for y, x in np.argwhere(labelled)]
    distance = {(a, b): (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 for a in lefts for b in rights}
    near = {a: sorted((b for b in rights if distance[a, b] <= radius**2), key=lambda b: distance[a, b]) for a in lefts}
    partner: dict[Pixel, Pixel] = {}  # of a labelled pixel
    for a, b in sorted((pair for pair in distance if distance[pair] <= radius**2), key=lambda pair: distance[pair]):
        if b not in partner and a not in partner.values():
            partner[b] = a

    def augment(a: Pixel, seen: set[Pixel]) -> bool:
        for b in near[a]:
            if b not in seen:
                seen.add(b)
                if b not in partner or augment(partner[b], seen):
                    partner[b] = a
                    return True
        return False

    for a in lefts:
        if a not in partner.values():
            augment(a, set())
    return [(a, b) for b, a in partner.items()]


def draw_matches() -> Figure:
    """What is a match under each protocol, and the F1 of the same two maps."""
    labels, prediction = match_maps()
    height, width = labels.shape
    label = boundary_mask(labels, labels, 1, 2, masked=False)
    predicted = boundary_mask(prediction, labels, 1, 2, masked=False)
    texts = ("one to one; lines join partners", "any within 1.5 px (disks)", "any within 2 px (disks)")
    figure = new_picture(3.45)
    grid = figure.add_gridspec(1, 3, left=0.015, right=0.985, top=0.9, bottom=0.25, wspace=0.05)
    for number, (protocol, text) in enumerate(zip(PROTOCOLS, texts, strict=True)):
        counts = boundary_counts(labels[None], prediction[None], 2, protocol)
        axes = figure.add_subplot(grid[number])
        radius = match_radius(protocol, height, width)
        if protocol == "paper":
            pairs = matched_pairs(predicted, label, radius)
            hits = (_mask_of([a for a, _ in pairs], label.shape), _mask_of([b for _, b in pairs], label.shape))
        else:
            pairs = []
            hits = (near_pixels(predicted, label, radius), near_pixels(label, predicted, radius))
        found = [int(mask.sum()) for mask in (predicted, label, *hits)]
        assert found == counts[0, 1].tolist(), f"the picture of {protocol} does not show what is counted"
        _draw_boundaries(axes, predicted, label, hits, pairs, radius if protocol != "paper" else 0)
        add_heading(axes, protocol, text)
        axes.text(0, -0.03, _match_caption(counts), transform=axes.transAxes, fontsize=8.5, va="top", linespacing=1.35)
    handles = [
        Line2D([], [], marker="s", linestyle="", markerfacecolor="none", color=BLUE, markersize=9, label="labelled"),
        Line2D([], [], marker="o", linestyle="", color=ORANGE, markersize=6, label="predicted"),
        Line2D([], [], marker="x", linestyle="", color=style.INK, markersize=7, mew=1.6, label="without a match"),
        Line2D([], [], color=style.INK, linewidth=1.4, label="partners"),
        Patch(facecolor=PALE_BLUE, label="within the tolerance of a labelled pixel"),
    ]
    figure.legend(handles=handles, loc="lower center", ncols=5, fontsize=8, columnspacing=1.0, handletextpad=0.4)
    return figure


def _match_caption(counts: NDArray[np.int64]) -> str:
    predicted, label, matched_predicted, matched_label = counts[0, 1]
    f1 = boundary_f1(counts).class_boundary_f1[1]
    return (
        f"P = {matched_predicted} of {predicted} predicted\nR = {matched_label} of {label} labelled\n"
        f"F1 = {100 * f1:.1f} %"
    )


def _mask_of(pixels: Sequence[Pixel], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    for pixel in pixels:
        mask[pixel] = True
    return mask


def _draw_boundaries(
    axes: Axes,
    predicted: NDArray[np.bool_],
    label: NDArray[np.bool_],
    hits: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    pairs: Sequence[tuple[Pixel, Pixel]],
    radius: float,
) -> None:
    """Draws both boundaries; radius 0 means no disks."""
    rows, columns = CROP
    for y in range(rows.start, rows.stop + 1):
        axes.plot([columns.start, columns.stop], [y, y], color="#e4e7eb", linewidth=0.5, zorder=0)
    for x in range(columns.start, columns.stop + 1):
        axes.plot([x, x], [rows.start, rows.stop], color="#e4e7eb", linewidth=0.5, zorder=0)
    for y, x in np.argwhere(label):
        if radius:
            axes.add_patch(Circle((x + 0.5, y + 0.5), radius, facecolor=PALE_BLUE, edgecolor="none", zorder=1))
        axes.add_patch(Rectangle((x + 0.1, y + 0.1), 0.8, 0.8, fill=False, edgecolor=BLUE, linewidth=1.4, zorder=3))
    for y, x in np.argwhere(predicted):
        face = ORANGE if hits[0][y, x] else PALE_ORANGE
        axes.add_patch(Circle((x + 0.5, y + 0.5), 0.24, facecolor=face, edgecolor=ORANGE, linewidth=0.5, zorder=4))
    for (ay, ax), (by, bx) in pairs:
        axes.plot([ax + 0.5, bx + 0.5], [ay + 0.5, by + 0.5], color=style.INK, linewidth=1.4, zorder=5)
    for mask, hit in zip((predicted, label), hits, strict=True):
        for y, x in np.argwhere(mask & ~hit):
            axes.plot(x + 0.5, y + 0.5, marker="x", color=style.INK, markersize=7, mew=1.2, zorder=6)
    frame(axes, columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
