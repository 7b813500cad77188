"""Which class is taken for which: the confusion matrix of the test images of every model, as small multiples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bench.errors import ResultsError
from bench.reporting.figures.panels import refinements
from bench.reporting.figures.source import FigureSource
from bench.reporting.figures.style import MUTED, WIDTH_IN, canvas_in_inches, legend_size, notice_height_in, paper_order
from bench.study.catalog import ROW_TITLES

MANY = 20  # classes
TICKS = (0, 1, 5, 10, 25, 50, 100)  # percent
MARGIN_IN, GAP_IN = 0.08, 0.1
TITLE_IN, SCALE_IN = 0.22, 0.5
SCALE = PowerNorm(0.5, vmin=0, vmax=100)
SHADES = colormaps["Blues"].with_extremes(bad="#d9d4cc")


def confusion_matrices(
    counts: Mapping[str, NDArray[np.int64]],
    class_names: Sequence[str],
    notice: str = "",
    titles: Mapping[str, str] = ROW_TITLES,
) -> Figure | None:
    """Draws a matrix per model: rows are the labels, columns the predictions, each row adds up to 100 %.

    The colour scale is that of square roots, on which a confusion of one percent can be seen beside one of ninety. A
    row without pixels is grey.

    Args:
        counts: by model (K,K) pixels, `[label, prediction]`, classes in the order to draw.
        class_names: K names.
        notice: says what scale the run has; empty at the paper's scale.
        titles: names of the models.

    Returns:
        None where there is no model.
    """
    models = paper_order(counts)
    if not models:
        return None
    layout = _Layout.of(len(models), class_names, notice)
    figure, axes = canvas_in_inches(layout.width_in, layout.height_in, notice)
    size = legend_size([titles[model] for model in models])
    for place, model in enumerate(models):
        left, top = layout.corner(place)
        extent = (left, left + layout.side_in, top + layout.side_in, top)
        shares = _row_percent(counts[model])
        axes.imshow(shares, cmap=SHADES, norm=SCALE, interpolation="none", aspect="auto", extent=extent)
        axes.text(left, top - 0.05, titles[model], fontsize=size, va="bottom")
        _name_classes(axes, layout, place, class_names)
    _draw_scale(axes, layout)
    return figure


class _Layout(NamedTuple):
    """Where the matrices lie; inches. Computed, not fitted, because the shape of every matrix is known."""

    width_in: float
    height_in: float
    columns: int
    models: int
    side_in: float
    names_in: float  # left of the first column and below the last row
    top_in: float  # of the first row
    font_pt: float

    @classmethod
    def of(cls, models: int, class_names: Sequence[str], notice: str) -> _Layout:
        many = len(class_names) > MANY
        width, font = (2 * WIDTH_IN, 6.0) if many else (WIDTH_IN, 6.5)
        columns = min(models, 2)
        names = 0.1 + 0.0085 * font * max(len(name) for name in class_names)
        side = (width - names - MARGIN_IN - (columns - 1) * GAP_IN) / max(columns, 2)
        top = notice_height_in(notice, width) + SCALE_IN + TITLE_IN
        rows = -(-models // columns)
        return cls(width, top + rows * (side + TITLE_IN) + names, columns, models, side, names, top, font)

    def corner(self, place: int) -> tuple[float, float]:
        """Returns left and top of a matrix, inches from the upper left corner of the figure."""
        row, column = divmod(place, self.columns)
        return self.names_in + column * (self.side_in + GAP_IN), self.top_in + row * (self.side_in + TITLE_IN)


def _name_classes(axes: Axes, layout: _Layout, place: int, names: Sequence[str]) -> None:
    """Writes the names left of the first column, and below the last matrix of each column."""
    left, top = layout.corner(place)
    step = layout.side_in / len(names)
    for number, name in enumerate(names):
        along = (number + 0.5) * step
        if place % layout.columns == 0:
            axes.text(left - 0.04, top + along, name, fontsize=layout.font_pt, ha="right", va="center")
        if place + layout.columns >= layout.models:
            below = top + layout.side_in + 0.04
            axes.text(left + along, below, name, fontsize=layout.font_pt, ha="center", va="top", rotation=90)


def _draw_scale(axes: Axes, layout: _Layout) -> None:
    """Draws what the colours mean, above the matrices."""
    top = layout.top_in - TITLE_IN - SCALE_IN + 0.1
    left, right = layout.names_in, layout.width_in - MARGIN_IN - 0.1
    steps = np.linspace(0, 1, 256)[None]
    axes.text(left, top, "Row: label. Column: prediction. Colour: % of the row", va="top")
    axes.imshow(steps, cmap=SHADES, vmin=0, vmax=1, aspect="auto", extent=(left, right, top + 0.27, top + 0.18))
    for percent in TICKS:
        at = left + (right - left) * float(SCALE(percent))
        axes.text(at, top + 0.3, f"{percent}", fontsize=6.5, ha="center", va="top", color=MUTED)


def confusions_shown(source: FigureSource) -> tuple[list[str], dict[str, dict[str, NDArray[np.int64]]]]:
    """Returns the names of the classes, and the counts by loss weighting and row of a table: those of the first seed.

    Raises:
        ResultsError: the stored counts cannot be read, or those of two trainings are of different classes.
    """
    names: list[str] = []
    found: dict[str, dict[str, NDArray[np.int64]]] = {weighting: {} for weighting in source.weightings}
    for weighting, of_models in found.items():
        chosen = source.trainings[source.trainings["weighting"] == weighting].drop_duplicates("model")
        rows = {
            model: (trial, digest, "")
            for model, trial, digest in chosen[["model", "trial", "digest"]].itertuples(index=False)
        } | refinements(source.results, chosen)
        for model, (trial, digest, refinement) in rows.items():
            stored = source.confusion(f"{trial}-{digest}", refinement) if source.confusion else None
            if stored is not None:
                classes, of_models[model] = list(stored[0]), stored[1]
                names = names or classes
                if classes != names:
                    raise ResultsError(f"trial {trial} has other classes than the first of its suite; run it again")
    return names, found


def _row_percent(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    totals = counts.sum(axis=1, keepdims=True)
    return np.divide(100.0 * counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
