"""Pictures of which the reader compares any two with a slider: test images, their labels, and every prediction.

Each is a small indexed PNG of the panel's size, which the page enlarges. The wrong boundaries of a prediction
are a picture of their own, transparent elsewhere, to be laid over it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.atomic import write_atomically
from bench.errors import one_line
from bench.reporting.figures.boundary_errors import BoundaryErrors, boundary_errors
from bench.reporting.figures.panels import VOID, Panel, predictions_shown, read_panels
from bench.reporting.figures.source import FigureSource
from bench.study.catalog import WEIGHTING_TITLES

FOLDER = "panels"
# Told apart by every common kind of colour vision, and from each other by lightness too.
FALSE, MISSED, BOTH, UNLABELLED = "#ffb000", "#3f7cff", "#ffffff", "#000000"


class Choice(NamedTuple):
    """What the reader can choose for either side."""

    title: str
    group: str  # the loss weighting; "" of image and ground truth


class SliderPicture(NamedTuple):
    """One picture; `file` and `errors` are paths from the page."""

    choice: int
    file: str
    errors: str  # the overlay; "" where there is none
    said: str  # what is known of it, in words; may be empty


class SliderImage(NamedTuple):
    """One test image with all its pictures."""

    title: str
    width: int  # px of the panel
    height: int
    pictures: tuple[SliderPicture, ...]


class Slider(NamedTuple):
    """What the template slider.html shows."""

    images: tuple[SliderImage, ...]
    groups: tuple[tuple[str, tuple[tuple[int, Choice], ...]], ...]  # choices with their numbers, by group
    choices: tuple[Choice, ...]
    left: int  # the choices to begin with
    right: int
    classes: tuple[tuple[str, str], ...]  # name and colour, void last
    marks: tuple[tuple[str, str], ...]  # what the colours of the overlay mean: text and colour


def slider(source: FigureSource, folder: Path) -> Slider | None:
    """Writes the pictures into `folder`/panels and returns what the template shows; None without stored panels.

    Predictions are those of the first seed of every model and loss weighting.

    Args:
        source: what the figures are drawn from.
        folder: of the page.

    Raises:
        ResultsError: a panel cannot be read, or a picture not be written.
    """
    shown = [
        (weighting, row, stem)
        for weighting in source.weightings
        for row, stem in predictions_shown(source, weighting).items()
    ]
    if not shown:
        return None
    dataset = source.dataset
    panels = read_panels(source.panels_dir, [stem for _, _, stem in shown], len(dataset.class_names))
    if not panels:
        return None
    titles = {weighting: source.titles(weighting) for weighting in source.weightings}
    choices = [Choice("Image", ""), Choice("Ground truth", "")]
    choices += [Choice(titles[weighting][row], WEIGHTING_TITLES[weighting]) for weighting, row, _ in shown]
    stems = [stem for _, _, stem in shown]
    images = [_image(panel, number, stems, dataset.palette, folder) for number, panel in enumerate(panels, start=1)]
    colours = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in dataset.palette.tolist()]
    names = [*dataset.class_names, "void: neither trained nor scored"]
    return Slider(
        images=tuple(images),
        groups=_grouped(choices),
        choices=tuple(choices),
        left=1,
        right=2,
        classes=tuple(zip(names, colours, strict=True)),
        marks=(
            ("predicted boundary that is not in the labels", FALSE),
            ("boundary of the labels that is not predicted", MISSED),
            ("both, of different classes", BOTH),
            ("void in the labels", UNLABELLED),
        ),
    )


def _grouped(choices: Sequence[Choice]) -> tuple[tuple[str, tuple[tuple[int, Choice], ...]], ...]:
    groups: dict[str, list[tuple[int, Choice]]] = {}
    for number, choice in enumerate(choices):
        groups.setdefault(choice.group, []).append((number, choice))
    return tuple((group, tuple(members)) for group, members in groups.items())


def _image(panel: Panel, number: int, stems: Sequence[str], palette: NDArray[np.uint8], folder: Path) -> SliderImage:
    """Writes the pictures of one image, `number` in their names."""
    height, width = panel.labels.shape
    void = f"{np.mean(panel.labels == VOID):.1%} of it is void"
    pictures = [
        SliderPicture(0, _written(folder, f"{number}-image", Image.fromarray(panel.image).quantize(256)), "", ""),
        SliderPicture(1, _written(folder, f"{number}-labels", _coloured(panel.labels, palette)), "", void),
    ]
    for choice, stem in enumerate(stems, start=2):
        if stem in panel.predictions:
            prediction = panel.predictions[stem]
            errors = boundary_errors(panel.labels, prediction, len(palette) - 1)
            name = f"{number}-{choice - 1}"
            pictures.append(
                SliderPicture(
                    choice,
                    _written(folder, name, _coloured(prediction, palette)),
                    _written(folder, f"{name}-errors", _overlay(errors, panel.labels == VOID)),
                    _said(panel.labels, prediction, errors),
                )
            )
    return SliderImage(one_line(panel.name, 100), width, height, tuple(pictures))


def _said(labels: NDArray[np.uint8], prediction: NDArray[np.uint8], errors: BoundaryErrors) -> str:
    known = labels != VOID
    right = f"{np.mean(prediction[known] == labels[known]):.1%} of its labelled pixels are right" if known.any() else ""
    wrong = f"{errors.false.sum()} false and {errors.missed.sum()} missed boundary pixels"
    return "; ".join(part for part in (right, wrong) if part)


def _coloured(ids: NDArray[np.uint8], palette: NDArray[np.uint8]) -> Image.Image:
    picture = Image.fromarray(np.where(ids == VOID, len(palette) - 1, ids).astype(np.uint8))
    picture.putpalette(palette.tobytes())
    return picture


def _overlay(errors: BoundaryErrors, void: NDArray[np.bool_]) -> Image.Image:
    marks = errors.false + 2 * errors.missed.astype(np.uint8)
    picture = Image.fromarray(np.where((marks == 0) & void, 4, marks).astype(np.uint8))
    colours = ("#000000", FALSE, MISSED, BOTH, UNLABELLED)
    picture.putpalette(bytes.fromhex("".join(colour[1:] for colour in colours)))
    picture.info["transparency"] = 0
    return picture


def _written(folder: Path, name: str, picture: Image.Image) -> str:
    """Writes a picture unless it is there already; returns its path from the page."""
    content = io.BytesIO()
    picture.save(content, format="PNG", **_transparency(picture))
    path = folder / FOLDER / f"{name}.png"
    if not (path.is_file() and path.read_bytes() == content.getvalue()):
        write_atomically(path, partial(_write, content=content.getvalue()))
    return f"{FOLDER}/{name}.png"


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _transparency(picture: Image.Image) -> dict[str, int]:
    return {"transparency": picture.info["transparency"]} if "transparency" in picture.info else {}
