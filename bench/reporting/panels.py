"""The qualitative grid: test images, their labels and what every model predicts, in the data set's colours.

Panels lie in one folder per image: image.png (RGB), labels.png and <trial>-<digest>.png (one channel of class ids, 255
is void). They are enlarged by whole factors without smoothing, so that every pixel of a small image is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from bench.data.png import read_png
from bench.errors import DataError, ResultsError
from bench.reporting.style import DPI, MUTED, WIDTH_IN, add_notice, legend_size, notice_height_in
from bench.study.catalog import ROW_TITLES

VOID = 255
MARGIN_IN, GAP_IN = 0.06, 0.04
LEGEND_ENTRY_IN = 1.02


def panel_images(folder: Path) -> list[Path]:
    """Returns the folders of complete panels (image and labels), in order of name."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if (p / "image.png").is_file() and (p / "labels.png").is_file())


def qualitative_grid(
    images: Sequence[Path],
    trials: Mapping[str, str],
    palette: np.ndarray,
    class_names: Sequence[str],
    notice: str = "",
    upright: bool = False,
    titles: Mapping[str, str] = ROW_TITLES,
) -> Figure:
    """Draws a grid: one row per image; columns image, ground truth, every model. A missing panel stays empty.

    Args:
        images: folders from `panel_images`.
        trials: model to <trial>-<digest> of the trial whose predictions are drawn, in column order.
        palette: (K+1,3) uint8, RGB; the last row is void.
        class_names: K names.
        notice: says what scale the run has; empty at the paper's scale.
        upright: one column per image instead, as narrow as the other figures, for small screens.
        titles: names of the models.

    Raises:
        ResultsError: a panel is not a picture, has another size than its image or holds an unknown class id.
    """
    names = ["Image", "Ground truth", *(titles[model] for model in trials)]
    files = ["image.png", "labels.png", *(f"{trial}.png" for trial in trials.values())]
    height, width, _ = _read(images[0] / "image.png", None).shape
    shape = (height, width)
    layout = _Layout.of(len(names), len(images), shape, notice, upright, len(palette))
    figure = Figure(figsize=(layout.width_in, layout.height_in), dpi=DPI)
    FigureCanvasAgg(figure)
    if notice:
        add_notice(figure, notice)
    for place, (name, file) in enumerate(zip(names, files, strict=True)):
        for number, folder in enumerate(images):
            axes = figure.add_axes(layout.cell(place, number, upright))
            _draw_panel(axes, folder / file, palette, shape)
            if number == 0:
                shown = name if upright else _two_lines(name)
                axes.set_title(shown, fontsize=legend_size(names[2:]) - 0.3, fontweight="normal", pad=3)
    _class_legend(figure, palette, class_names, columns=layout.legend_columns)
    return figure


class _Layout(NamedTuple):
    """Where the cells lie; inches. Computed, not fitted, because the shape of every cell is known."""

    width_in: float
    height_in: float
    cell_width_in: float
    cell_height_in: float
    top_in: float  # from the upper edge of the figure to the first row's title
    title_in: float  # above the first row, or above every row when upright
    legend_columns: int

    @classmethod
    def of(cls, names: int, images: int, shape: tuple[int, ...], notice: str, upright: bool, colours: int) -> _Layout:
        columns, rows = (images, names) if upright else (names, images)
        width = WIDTH_IN if upright else 1.25 * columns
        cell_width = (width - 2 * MARGIN_IN - (columns - 1) * GAP_IN) / columns
        cell_height = cell_width * shape[0] / shape[1]
        top = MARGIN_IN + notice_height_in(notice, width)
        title = 0.2 if upright else 0.36
        legend_columns = min(colours, int(width / LEGEND_ENTRY_IN))
        legend = 0.2 + 0.16 * -(-colours // legend_columns)
        titles = title * rows if upright else title
        height = top + titles + rows * cell_height + (rows - 1) * GAP_IN + legend
        return cls(width, height, cell_width, cell_height, top, title, legend_columns)

    def cell(self, place: int, number: int, upright: bool) -> tuple[float, float, float, float]:
        """Returns left, bottom, width and height, in fractions of the figure, of name `place`, image `number`."""
        row, column = (place, number) if upright else (number, place)
        titles = (row + 1) * self.title_in if upright else self.title_in
        left = MARGIN_IN + column * (self.cell_width_in + GAP_IN)
        lower = self.top_in + titles + (row + 1) * self.cell_height_in + row * GAP_IN
        return (
            left / self.width_in,
            1 - lower / self.height_in,
            self.cell_width_in / self.width_in,
            self.cell_height_in / self.height_in,
        )


def colour_labels(labels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Returns (H,W,3) uint8 colours of (H,W) class ids; 255 takes the palette's last row."""
    return palette[np.where(labels == VOID, len(palette) - 1, labels)]


def _draw_panel(axes: Axes, file: Path, palette: np.ndarray, shape: tuple[int, int]) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    if not file.is_file():
        axes.set(xlim=(0, shape[1]), ylim=(0, shape[0]), facecolor="#f0f2f4")
        axes.text(0.5, 0.5, "missing", transform=axes.transAxes, ha="center", va="center", color=MUTED)
        return
    pixels = _read(file, shape)
    if pixels.ndim == 2:
        unknown = pixels[(pixels >= len(palette) - 1) & (pixels != VOID)]
        if unknown.size:
            allowed = f"0 to {len(palette) - 2} and {VOID}"
            raise ResultsError(f"{file}: class id {unknown[0]}; allowed are {allowed}; run its trial again")
        pixels = colour_labels(pixels, palette)
    axes.imshow(pixels, interpolation="none", aspect="auto")


def _read(file: Path, shape: tuple[int, int] | None) -> np.ndarray:
    """Returns (H,W) class ids or (H,W,3) colours."""
    try:
        return np.asarray(read_png(file, ("RGB",) if file.name == "image.png" else ("L",), shape))
    except DataError as error:
        raise ResultsError(f"{error}; run its trial again") from error


def _two_lines(name: str) -> str:
    """Breaks a long name at the hyphen or space nearest to its middle."""
    places = [place for place, letter in enumerate(name) if letter in "- "]
    if len(name) < 18 or not places:
        return name
    middle = min(places, key=lambda place: abs(place - len(name) / 2))
    return f"{name[: middle + 1].rstrip()}\n{name[middle + 1 :]}"


def _class_legend(figure: Figure, palette: np.ndarray, class_names: Sequence[str], columns: int) -> None:
    handles = [
        Patch(facecolor=(colour[0] / 255, colour[1] / 255, colour[2] / 255), edgecolor=MUTED, linewidth=0.4, label=name)
        for colour, name in zip(palette.tolist(), [*class_names, "void"], strict=True)
    ]
    figure.legend(
        handles=handles, loc="lower left", ncols=columns, handlelength=1.1, handleheight=1.0,
        columnspacing=1.2, handletextpad=0.5,
    )  # fmt: skip
