"""What the pictures of docs/metrics.md have in common: size, colours, headings. Legible at 700 px."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from bench.evaluation.boundary_pixels import boundary_bits, class_codes
from bench.reporting.figures import style

LabelMap = NDArray[np.uint8]
WIDTH_IN = 7.0  # 9 pt are 12.5 px where the picture is 700 px wide
# Told apart with any colour vision, and each has a shape of its own beside it.
BLUE, ORANGE = "#0072B2", "#D55E00"
GREY, LINE = "#8a929b", "#c3cad1"
PALE_BLUE, PALE_ORANGE, PALE_GREY = "#cfe3f1", "#fbe3d4", "#f0f2f4"
RC: dict[Any, Any] = {**style.RC, "axes.grid": False, "font.size": 9}


def new_picture(height_in: float) -> Figure:
    """Returns an empty figure of the common width."""
    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=style.DPI)
    FigureCanvasAgg(figure)
    return figure


def bare(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Gives axes without ticks and spines square units; the first row is on top."""
    axes.set(xlim=x, ylim=y[::-1], aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def add_heading(axes: Axes, title: str, text: str) -> None:
    """Writes a title above axes and what it means, in one or two lines, between the two."""
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom", "ha": "left"}
    lines = text.count("\n") + 1
    axes.annotate(text, (0, 1), (0, 4), fontsize=8, color=style.MUTED, linespacing=1.2, **above)
    axes.annotate(title, (0, 1), (0, 6 + 10.6 * lines), fontsize=9.5, fontweight="bold", **above)


def frame(axes: Axes, x: float, y: float, width: float, height: float) -> None:
    """Shows a part of a map, with a line around it."""
    bare(axes, (x - 0.1, x + width + 0.1), (y - 0.1, y + height + 0.1))
    axes.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=style.MUTED, linewidth=1))


def boundary_mask(classes: LabelMap, labels: LabelMap, k: int, num_classes: int, *, masked: bool) -> NDArray[np.bool_]:
    """Returns where a map (H, W) has a boundary of class k, as the metric sees it; (H, W) bool."""
    codes = class_codes(num_classes)
    bits = np.empty(classes.shape, codes.dtype)
    boundary_bits(classes, labels, codes, masked, bits)
    return (bits & codes[k]) != 0
