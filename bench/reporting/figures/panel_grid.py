"""The qualitative grid: test images, their labels and what every model predicts, in the data set's colours.

Panels are enlarged by whole factors without smoothing, so that every pixel of a small image is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from bench.reporting.figures.panels import Panel, colour_labels
from bench.reporting.figures.style import MUTED, canvas_in_inches, legend_size, notice_height_in
from bench.study.catalog import ROW_TITLES

MARGIN_IN, GAP_IN = 0.06, 0.04
COLUMN_IN, TITLE_IN = 1.25, 0.36
LEGEND_ENTRY_IN = 1.02


def qualitative_grid(
    panels: Sequence[Panel],
    trials: Mapping[str, str],
    palette: NDArray[np.uint8],
    class_names: Sequence[str],
    notice: str = "",
    titles: Mapping[str, str] = ROW_TITLES,
) -> Figure:
    """Draws a grid: one row per image; columns image, ground truth, every model. A missing panel stays empty.

    Args:
        panels: of `read_panels`, at least one.
        trials: model to the name of its predictions, in column order.
        palette: (K+1,3) uint8, RGB; the last row is void.
        class_names: K names.
        notice: says what scale the run has; empty at the paper's scale.
        titles: names of the models.
    """
    names = ["Image", "Ground truth", *(titles[model] for model in trials)]
    layout = _Layout.of(len(names), len(panels), panels[0].labels.shape, notice, len(palette))
    figure, axes = canvas_in_inches(layout.width_in, layout.height_in, notice)
    for column, name in enumerate(names):
        left, _, top, _ = layout.cell(0, column)
        size = legend_size(names[2:]) - 0.3
        axes.text(left, top - 0.04, _two_lines(name), fontsize=size, va="bottom", linespacing=1.15)
    for row, panel in enumerate(panels):
        maps = [panel.labels, *(panel.predictions.get(trial) for trial in trials.values())]
        pictures = [panel.image, *(None if ids is None else colour_labels(ids, palette) for ids in maps)]
        for column, pixels in enumerate(pictures):
            _draw_panel(axes, pixels, layout.cell(row, column))
    _class_legend(figure, palette, class_names, columns=layout.legend_columns)
    return figure


class _Layout(NamedTuple):
    """Where the cells lie; inches. Computed, not fitted, because the shape of every cell is known."""

    width_in: float
    height_in: float
    cell_width_in: float
    cell_height_in: float
    top_in: float  # from the upper edge of the figure to that of the first row
    legend_columns: int

    @classmethod
    def of(cls, columns: int, rows: int, shape: tuple[int, ...], notice: str, colours: int) -> _Layout:
        width = COLUMN_IN * columns
        cell_width = (width - 2 * MARGIN_IN - (columns - 1) * GAP_IN) / columns
        cell_height = cell_width * shape[0] / shape[1]
        top = MARGIN_IN + notice_height_in(notice, width) + TITLE_IN
        legend_columns = min(colours, int(width / LEGEND_ENTRY_IN))
        legend = 0.2 + 0.16 * -(-colours // legend_columns)
        height = top + rows * cell_height + (rows - 1) * GAP_IN + legend
        return cls(width, height, cell_width, cell_height, top, legend_columns)

    def cell(self, row: int, column: int) -> tuple[float, float, float, float]:
        """Returns left, right, top and bottom, inches from the upper left corner of the figure."""
        left = MARGIN_IN + column * (self.cell_width_in + GAP_IN)
        top = self.top_in + row * (self.cell_height_in + GAP_IN)
        return left, left + self.cell_width_in, top, top + self.cell_height_in


def _draw_panel(axes: Axes, pixels: NDArray[np.uint8] | None, cell: tuple[float, float, float, float]) -> None:
    left, right, top, bottom = cell
    if pixels is None:
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, facecolor="#f0f2f4", linewidth=0))
        axes.text((left + right) / 2, (top + bottom) / 2, "missing", ha="center", va="center", color=MUTED)
        return
    axes.imshow(pixels, interpolation="none", aspect="auto", extent=(left, right, bottom, top))


def _two_lines(name: str) -> str:
    """Breaks a long name at the hyphen or space nearest to its middle."""
    places = [place for place, letter in enumerate(name) if letter in "- "]
    if len(name) < 18 or not places:
        return name
    middle = min(places, key=lambda place: abs(place - len(name) / 2))
    return f"{name[: middle + 1].rstrip()}\n{name[middle + 1 :]}"


def _class_legend(figure: Figure, palette: NDArray[np.uint8], class_names: Sequence[str], columns: int) -> None:
    handles = [
        Patch(facecolor=(colour[0] / 255, colour[1] / 255, colour[2] / 255), edgecolor=MUTED, linewidth=0.4, label=name)
        for colour, name in zip(palette.tolist(), [*class_names, "void"], strict=True)
    ]
    figure.legend(
        handles=handles, loc="lower left", ncols=columns, handlelength=1.1, handleheight=1.0,
        columnspacing=1.2, handletextpad=0.5,
    )  # fmt: skip
