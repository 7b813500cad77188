"""The stored panels: a few test images, their labels and what trainings predict of them.

Panels lie in one folder per image: image.png (RGB), labels.png and <trial>-<digest>.png (one channel of class ids, 255
is void), <trial>-<digest>-<refinement>.png for refined predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.data.png import read_png
from bench.errors import DataError, ResultsError
from bench.reporting.figures.source import FigureSource
from bench.reporting.figures.style import paper_order
from bench.study.catalog import refined

VOID = 255


class Panel(NamedTuple):
    """One image with what was predicted of it; all of one size."""

    name: str
    image: NDArray[np.uint8]  # (H,W,3) RGB
    labels: NDArray[np.uint8]  # (H,W) class ids, 255 is void
    predictions: Mapping[
        str, NDArray[np.uint8]
    ]  # (H,W) class ids, by <trial>-<digest> or <trial>-<digest>-<refinement>


def read_panels(folder: Path | None, trials: Iterable[str], classes: int) -> list[Panel]:
    """Returns the panels of a folder, in order of name; a folder without image or labels is none.

    Args:
        folder: has one folder an image; None, or where it is missing, there are no panels.
        trials: names of the predictions to read; those that an image lacks are left out.
        classes: K; ids are 0 to K - 1 and 255.

    Raises:
        ResultsError: a panel is not a picture, has another size than the first image or holds an unknown class id.
    """
    if folder is None or not folder.is_dir():
        return []
    found: list[Panel] = []
    wanted = list(trials)
    for place in sorted(p for p in folder.iterdir() if (p / "image.png").is_file() and (p / "labels.png").is_file()):
        image = _read(place / "image.png", found[0].image.shape[:2] if found else None)
        shape = image.shape[:2]
        files = {trial: place / f"{trial}.png" for trial in wanted}
        maps = {trial: _read_ids(file, shape, classes) for trial, file in files.items() if file.is_file()}
        found.append(Panel(place.name, image, _read_ids(place / "labels.png", shape, classes), maps))
    return found


def predictions_shown(source: FigureSource, weighting: str) -> dict[str, str]:
    """Returns the name of the predictions of each row of a table, in the paper's order: those of the first seed."""
    chosen = source.trainings[source.trainings["weighting"] == weighting].drop_duplicates("model")
    stems = dict(zip(chosen["model"], chosen["trial"] + "-" + chosen["digest"], strict=True))
    stems |= {
        row: f"{trial}-{digest}-{made}" for row, (trial, digest, made) in refinements(source.results, chosen).items()
    }
    return {model: stems[model] for model in paper_order(stems)}


def refinements(results: pd.DataFrame, chosen: pd.DataFrame) -> dict[str, tuple[str, str, str]]:
    """Returns trial, digest and refinement of each row of a table whose predictions are refined ones.

    Args:
        results: rows in the stored columns.
        chosen: trainings, with trial, digest and model.
    """
    scored = results[(results["record"] == "score") & results["refinement"].notna()]
    made = dict(zip(scored["digest"], scored["refinement"], strict=True))
    return {
        refined(model, made[digest]): (trial, digest, made[digest])
        for model, trial, digest in chosen[["model", "trial", "digest"]].itertuples(index=False)
        if digest in made
    }


def colour_labels(labels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns (H,W,3) uint8 colours of (H,W) class ids; 255 takes the palette's last row."""
    return palette[np.where(labels == VOID, len(palette) - 1, labels)]


def _read_ids(file: Path, shape: tuple[int, ...], classes: int) -> NDArray[np.uint8]:
    ids = _read(file, shape)
    unknown = ids[(ids >= classes) & (ids != VOID)]
    if unknown.size:
        allowed = f"0 to {classes - 1} and {VOID}"
        raise ResultsError(f"{file}: class id {unknown[0]}; allowed are {allowed}; run its trial again")
    return ids


def _read(file: Path, shape: tuple[int, ...] | None) -> NDArray[np.uint8]:
    """Returns (H,W) class ids or (H,W,3) colours."""
    size = (shape[0], shape[1]) if shape else None
    try:
        return np.asarray(read_png(file, ("RGB",) if file.name == "image.png" else ("L",), size))
    except DataError as error:
        raise ResultsError(f"{error}; run its trial again") from error
