"""How every figure looks, and how it is saved: same results, same bytes.

Figures are narrow (345 pt), so that their 8 pt text stays readable on a phone; the page sets two side by side
where there is room. A model keeps its colour and marker in every figure. Blues are the variants that keep
max-pooling indices, warm colours those that learn to upsample, grey is the fixed upsampling; the markers carry
the same information without colour.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from bench.atomic import write_atomically
from bench.reporting.figures.indexed_png import indexed
from bench.study.catalog import ROW_TITLES


class ModelStyle(NamedTuple):
    """Colour and marker of one model."""

    colour: str
    marker: str


MODEL_STYLES = {  # of every row of a table; different within each of our suites, not over all of them
    "bilinear_interpolation": ModelStyle("#6E6E6E", "X"),
    "segnet_basic": ModelStyle("#0072B2", "o"),
    "segnet_basic_encoder_addition": ModelStyle("#56B4E9", "s"),
    "segnet_basic_single_channel_decoder": ModelStyle("#332288", "^"),
    "fcn_basic": ModelStyle("#D55E00", "D"),
    "fcn_basic_no_addition": ModelStyle("#E69F00", "v"),
    "fcn_basic_no_dim_reduction": ModelStyle("#882255", "P"),
    "fcn_basic_no_addition_no_dim_reduction": ModelStyle("#CC79A7", "p"),
    "segnet": ModelStyle("#0072B2", "o"),
    "deeplab_largefov": ModelStyle("#009E73", "s"),
    "deeplab_largefov_dense_crf": ModelStyle("#117733", "X"),
    "fcn": ModelStyle("#D55E00", "D"),
    "fcn_learnt_deconv": ModelStyle("#E69F00", "v"),
    "deconvnet": ModelStyle("#882255", "P"),
    "deconvnet_no_fc": ModelStyle("#CC79A7", "p"),
    "fcn_32s": ModelStyle("#999933", "<"),
    "fcn_16s": ModelStyle("#AA4499", ">"),
    "fcn_8s": ModelStyle("#D55E00", "D"),
    "u_net": ModelStyle("#117733", "^"),
    "hypercolumns": ModelStyle("#44AA99", "h"),
    "deeplab_v3plus": ModelStyle("#332288", "X"),
    "upsampling_max_unpooling": ModelStyle("#0072B2", "o"),
    "upsampling_transposed_4": ModelStyle("#D55E00", "D"),
    "upsampling_transposed_3": ModelStyle("#E69F00", "v"),
    "upsampling_nearest": ModelStyle("#009E73", "s"),
    "upsampling_bilinear": ModelStyle("#56B4E9", "^"),
    "upsampling_sub_pixel": ModelStyle("#CC79A7", "p"),
}

INK, MUTED, GRID = "#1f2328", "#59636e", "#e4e7eb"
WIDTH_IN = 4.8
DPI = 300
SUFFIXES = ("svg", "png", "pdf")

NOTICE_STYLE: dict[str, Any] = {
    "fontsize": 7.2,
    "fontweight": "bold",
    "color": "#6b3d00",
    "linespacing": 1.25,
    "bbox": {"facecolor": "#fff1d6", "edgecolor": "#d9870b", "linewidth": 0.7, "boxstyle": "round,pad=0.4"},
}

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 5,
    "axes.labelsize": 8,
    "axes.edgecolor": "#b8bfc7",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "text.color": INK,
    "text.parse_math": False,  # names are text, whatever they hold
    "text.hinting": "none",  # a text is as wide on screen as in the layout, whatever the resolution
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "segnet-bench",
    "image.composite_image": False,
    "path.simplify": True,
}


def new_figure(height_in: float, notice: str, width_in: float = WIDTH_IN) -> Figure:
    """Returns an empty figure that lays itself out; `notice`, when not empty, stands in a strip along its top."""
    figure = Figure(figsize=(width_in, height_in), dpi=DPI)
    FigureCanvasAgg(figure)
    strip_in = add_notice(figure, notice) if notice else 0.0
    below = (0, 0, 1, 1 - strip_in / height_in)
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.05, rect=below))
    return figure


def canvas_in_inches(width_in: float, height_in: float, notice: str) -> tuple[Figure, Axes]:
    """Returns a figure whose only axes are inches from its upper left corner, for what lies where it was computed to.

    Many axes with a picture each take several times as long to draw as one with many pictures.
    """
    figure = Figure(figsize=(width_in, height_in), dpi=DPI)
    FigureCanvasAgg(figure)
    if notice:
        add_notice(figure, notice)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, width_in), ylim=(height_in, 0), autoscale_on=False)
    return figure, axes


def add_notice(figure: Figure, notice: str) -> float:
    """Writes the notice along the top of a figure; returns the height that it takes, inches."""
    width_in, height_in = figure.get_size_inches()
    at = (0.075 / width_in, 1 - 0.09 / height_in)
    figure.text(*at, wrap_notice(notice, width_in), ha="left", va="top", **NOTICE_STYLE)
    return notice_height_in(notice, width_in)


def notice_height_in(notice: str, width_in: float) -> float:
    """Returns the height of the strip that a notice takes on a figure of this width, inches."""
    return 0.13 * (wrap_notice(notice, width_in).count("\n") + 1) + 0.16 if notice else 0.0


def wrap_notice(notice: str, width_in: float) -> str:
    """Breaks a notice into lines that fit a figure of this width."""
    return textwrap.fill(notice, int(14.5 * width_in), break_long_words=False)


def model_legend(
    figure: Figure,
    models: Sequence[str],
    extra: Sequence[Artist],
    lines: bool,
    titles: Mapping[str, str] = ROW_TITLES,
) -> None:
    """Puts one entry per model, then `extra`, under the axes; `lines` where the figure joins its markers.

    `titles` are the names of the models, here and in every figure, with a mark on those whose results are stale.
    """
    entries = []
    for model in models:
        style = MODEL_STYLES[model]
        entry = Line2D([], [], color=style.colour, marker=style.marker, markersize=5, label=titles[model])
        entry.set_linestyle("-" if lines else "")
        entries.append(entry)
    figure.legend(
        handles=[*entries, *extra],
        loc="outside lower left",
        ncols=2,
        columnspacing=1.2,
        fontsize=legend_size([titles[model] for model in models]),
        handlelength=1.8 if lines else 1.0,
        handletextpad=0.6,
        labelspacing=0.4,
    )


def legend_size(titles: Iterable[str]) -> float:
    """Returns a font size, pt, at which two columns of names of models fit: less where a name has a mark."""
    return 7.5 if set(titles) <= set(ROW_TITLES.values()) else 7.0


def paper_order(models: Iterable[str]) -> list[str]:
    """Returns the models in the order of the paper's table."""
    known = set(models)
    return [model for model in ROW_TITLES if model in known]


def as_percent(axes: Axes, which: str = "y") -> None:
    """Labels an axis of fractions in percent."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(lambda value, _: f"{100 * value:g}")


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Writes folder/name.svg, .png and .pdf, each under a temporary name that is then renamed; returns their paths.

    No file holds a date or a version, so that equal figures are equal files.
    """
    with mpl.rc_context(RC):
        if engine := figure.get_layout_engine():
            engine.execute(figure)  # settles the layout once for all files
            figure.set_layout_engine("none")
        paths = [folder / f"{name}.{suffix}" for suffix in SUFFIXES]
        for path in paths:
            write_atomically(path, partial(_WRITERS[path.suffix], figure))
        return paths


def _write_svg(figure: Figure, path: Path) -> None:
    """Writes coordinates of paths to 0.01 pt, where matplotlib has 0.000001: a sixth of the bytes."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    shorter = _COORDINATES.sub(lambda line: _LONG.sub(lambda x: f"{float(x[0]):.2f}", line[0]), text.getvalue())
    path.write_text(shorter, encoding="utf-8", newline="\n")


def _write_pdf(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None})


def _write_png(figure: Figure, path: Path) -> None:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    indexed(np.asarray(canvas.buffer_rgba())).save(path, format="PNG", dpi=(DPI, DPI))


_COORDINATES = re.compile(r'(?:^|d=")[MLCQ] [^"\n]*', re.MULTILINE)  # a line of a path
_LONG = re.compile(r"-?\d+\.\d{3,}")
_WRITERS = {".svg": _write_svg, ".png": _write_png, ".pdf": _write_pdf}
