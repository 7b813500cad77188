"""The pictures of docs/metrics.md, drawn from tiny label maps by the functions that score real ones.

Nothing is painted by hand: which pixel is a boundary pixel or matched, and every number, comes from
`bench.evaluation`. Legible at 700 px; blue with squares or outlines is the labels, orange with dots the prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from bench.atomic import write_atomically
from bench.data.split import IGNORE_INDEX
from bench.reporting.definitions.average_pictures import draw_divisors, draw_region_rules
from bench.reporting.definitions.match_picture import draw_matches
from bench.reporting.definitions.picture_canvas import (
    BLUE,
    GREY,
    LINE,
    ORANGE,
    PALE_BLUE,
    PALE_GREY,
    RC,
    LabelMap,
    add_heading,
    boundary_mask,
    frame,
    new_picture,
)
from bench.reporting.figures import style

VOID = IGNORE_INDEX


def write_pictures(folder: Path) -> list[Path]:
    """Writes every picture into `folder` as PNG and returns their paths; equal matplotlib, equal bytes.

    Raises:
        UnwritableError: a file cannot be written.
    """
    paths = []
    for name, draw in PICTURES.items():
        path = folder / f"{name}.png"
        with mpl.rc_context(RC):
            _save(draw(), path)
        paths.append(path)
    return paths


def _save(figure: Figure, path: Path) -> None:
    metadata = {"Software": None}
    write_atomically(path, lambda to: figure.savefig(to, format="png", dpi=style.DPI, metadata=metadata))


def boundary_maps() -> dict[str, LabelMap]:
    """Returns the maps (7, 9) of the first picture: class 1 is B, 0 is A, 255 void."""
    middle = np.zeros((7, 9), np.uint8)
    middle[2:5, 3:7] = 1
    corner = np.zeros((7, 9), np.uint8)
    corner[3:, 5:] = 1
    void = middle.copy()
    void[:4, 5:] = VOID
    return {"middle": middle, "corner": corner, "void": void, "prediction": middle}


def draw_boundary_pixels() -> Figure:
    """What is a boundary pixel: the rule, the last row and column, the frame, void kept and masked."""
    maps = boundary_maps()
    void = maps["void"]
    middle, corner = maps["middle"], maps["corner"]
    panels = [
        ("The block rule", "the upper left pixel of a block is\nboundary if the block is not constant", middle, middle),
        ("The whole boundary of B", "on the left and above it lies\noutside B, else inside", middle, middle),
        ("Last row, last column, frame", "blocks there use what they have;\nthe frame is no boundary", corner, corner),
        ("Labels, void kept", "an edge against void is an edge\n(protocols paper, distance, davis)", void, void),
        ("Labels, void masked", "blocks that touch void are left out\n(protocols ...-void-masked)", void, void),
        ("A prediction, void masked", "what it says inside void\n(dashed) is never read", maps["prediction"], void),
    ]
    figure = new_picture(5.1)
    grid = figure.add_gridspec(2, 3, left=0.02, right=0.98, top=0.875, bottom=0.085, wspace=0.08, hspace=0.36)
    for number, (title, text, classes, labels) in enumerate(panels):
        axes = figure.add_subplot(grid[number // 3, number % 3])
        _draw_classes(axes, classes)
        found = boundary_mask(classes, labels, 1, 2, masked=title.endswith("masked"))
        if number == 0:
            _draw_blocks(axes, found, [(1, 2), (3, 4), (5, 1), (4, 6)])
        else:
            _draw_pixels(axes, found)
        if classes is not labels:
            _draw_void_outline(axes, labels)
        add_heading(axes, title, text)
    handles = [
        Patch(facecolor=PALE_BLUE, edgecolor=GREY, label="class B"),
        Patch(facecolor=PALE_GREY, edgecolor=GREY, label="class A"),
        Patch(facecolor="white", edgecolor=GREY, hatch="////", label="void"),
        Line2D([], [], marker="s", linestyle="", color=BLUE, markersize=8, label="boundary pixel of B"),
    ]
    figure.legend(handles=handles, loc="lower center", ncols=4, fontsize=9)
    return figure


def _draw_classes(axes: Axes, classes: LabelMap) -> None:
    height, width = classes.shape
    colours = {0: PALE_GREY, 1: PALE_BLUE, VOID: "white"}
    for y in range(height):
        for x in range(width):
            k = int(classes[y, x])
            hatch = "////" if k == VOID else None
            axes.add_patch(Rectangle((x, y), 1, 1, facecolor=colours[k], edgecolor=LINE, linewidth=0.6, hatch=hatch))
    frame(axes, 0, 0, width, height)


def _draw_pixels(axes: Axes, found: NDArray[np.bool_]) -> None:
    for y, x in np.argwhere(found):
        axes.add_patch(Rectangle((x + 0.22, y + 0.22), 0.56, 0.56, facecolor=BLUE, edgecolor="white", linewidth=0.5))


def _draw_blocks(axes: Axes, found: NDArray[np.bool_], corners: Sequence[tuple[int, int]]) -> None:
    """Outlines some blocks and says of the pixel that each decides whether it is boundary."""
    for y, x in corners:
        axes.add_patch(Rectangle((x + 0.06, y + 0.06), 1.88, 1.88, fill=False, edgecolor=style.INK, linewidth=1.6))
        if found[y, x]:
            axes.add_patch(
                Rectangle((x + 0.22, y + 0.22), 0.56, 0.56, facecolor=BLUE, edgecolor="white", linewidth=0.5)
            )
        word = "yes" if found[y, x] else "no"
        axes.text(x + 1.42, y + 1.45, word, fontsize=8, ha="center", va="center", color=style.INK, fontweight="bold")


def _draw_void_outline(axes: Axes, labels: LabelMap) -> None:
    ys, xs = np.nonzero(labels == VOID)
    width, height = xs.max() - xs.min() + 1, ys.max() - ys.min() + 1
    axes.add_patch(
        Rectangle(
            (xs.min(), ys.min()), width, height, fill=False, edgecolor=ORANGE, linewidth=1.8, linestyle=(0, (3, 2))
        )
    )


PICTURES: Mapping[str, Callable[[], Figure]] = {
    "boundary-pixels": draw_boundary_pixels,
    "boundary-matches": draw_matches,
    "boundary-divisors": draw_divisors,
    "region-rules": draw_region_rules,
}
