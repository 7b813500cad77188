"""A map of numbers: every cell of a table, coloured by its value and printed in it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from numpy.typing import NDArray

from bench.reporting.figures.style import INK


def draw_number_map(
    axes: Axes,
    values: NDArray[np.float64],
    form: str,
    colours: Colormap,
    limits: tuple[float, float],
) -> None:
    """Draws a map of numbers; cell (row, column) is centred at x = column + 0.5, y = row + 0.5, the first row on top.

    Args:
        axes: empty ones.
        values: (R, C); a cell of NaN has no colour and a dash.
        form: how a number is printed, such as "{:+.1f}".
        colours: of the least to the greatest value of `limits`.
        limits: values beyond keep the last colour.
    """
    import seaborn as sns  # here, because a report that draws nothing new does without its import

    missing = np.isnan(values)
    shown = np.array([[form.format(value).replace("-", "−") for value in row] for row in values])
    sns.heatmap(
        values, ax=axes, cmap=colours, vmin=limits[0], vmax=limits[1], cbar=False, linewidths=1.2, linecolor="white",
        annot=shown, fmt="", annot_kws={"fontsize": 7, "color": INK}, mask=missing,
        xticklabels=False, yticklabels=False,
    )  # fmt: skip
    for row, column in np.argwhere(missing):
        axes.text(column + 0.5, row + 0.5, "—", ha="center", va="center", fontsize=7, color=INK)
    axes.tick_params(length=0, labelcolor=INK)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
