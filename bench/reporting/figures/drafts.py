"""Groups of figures before they are drawn: what there could be, and what draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from bench.reporting.figures.drawing import Draw
from bench.reporting.figures.groups import FigureGroup, Picture
from bench.reporting.figures.source import FigureSource, marked
from bench.study.catalog import WEIGHTING_TITLES

NOT_FINISHED = "No training has finished."


class Draft(NamedTuple):
    """A group with all pictures that it could have, and what draws each of them."""

    group: FigureGroup
    draws: Mapping[str, Draw]  # by the picture's name


def by_weighting(
    source: FigureSource,
    group: FigureGroup,
    draw: Callable[[str, str, dict[str, str]], Draw],
    what: str,
    costs: bool = False,
) -> Draft:
    """Drafts one picture per loss weighting; `draw` takes it, the notice and the names of the models."""
    pictures: list[Picture] = []
    draws: dict[str, Draw] = {}
    for weighting in source.weightings:
        titles = source.titles(weighting, costs)
        best = _best_and_worst(source, weighting, titles)
        alt = f"{what} Trained with {WEIGHTING_TITLES[weighting]}. {best}".strip()
        name = f"{group.key}-{weighting}"
        pictures.append(Picture(name, WEIGHTING_TITLES[weighting], alt, stale=marked(titles)))
        draws[name] = draw(weighting, source.notice_for(titles), titles)
    return Draft(replace(group, pictures=tuple(pictures)), draws)


def _best_and_worst(source: FigureSource, weighting: str, titles: Mapping[str, str]) -> str:
    """Returns a sentence for those who cannot see the figure."""
    rows = source.scores
    rows = rows[(rows["weighting"] == weighting) & (rows["split"] == "test") & (rows["metric"] == "mean_iou")]
    rows = rows[np.isfinite(rows["value"].astype("float64"))].sort_values("value")
    if len(rows) < 2:
        return ""
    (low, low_value), (high, high_value) = ((rows["model"].iloc[i], rows["value"].iloc[i]) for i in (0, -1))
    return f"Highest test mIoU: {titles[high]}, {high_value:.1%}; lowest: {titles[low]}, {low_value:.1%}."
