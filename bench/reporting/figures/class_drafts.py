"""The groups of figures about classes: how often each occurs, how well it is found, and what it is taken for."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from bench.reporting.figures.classes import by_frequency, class_bars, class_frequencies
from bench.reporting.figures.confusion import MANY, confusion_matrices, confusions_shown
from bench.reporting.figures.drafts import NOT_FINISHED, Draft, by_weighting
from bench.reporting.figures.groups import FigureGroup, Picture
from bench.reporting.figures.source import FigureSource


def frequency_draft(source: FigureSource) -> Draft:
    """Drafts the figure of class frequencies and loss weights."""
    frequencies = source.results[source.results["record"] == "class_frequency"]
    train = frequencies[frequencies["split"] == "train"].drop_duplicates("class_name").sort_values("value")
    alt = "Bar chart of the frequency of every class in train, val and test, and of its loss weight."
    if len(train):
        rare, common = train.iloc[0], train.iloc[-1]
        alt += f" Most frequent: {common['class_name']}, {common['value']:.1%}; "
        alt += f"rarest: {rare['class_name']}, {rare['value']:.2%}."
    weights = source.results[source.results["record"] == "class_weight"]
    drawn = [frequencies.drop_duplicates("split"), weights.drop_duplicates("weighting")]
    sentence = source.stale.sentence(set(pd.concat(drawn)["digest"]))
    group = FigureGroup(
        key="class-frequencies",
        title="Class frequencies and loss weights",
        caption=(
            "Left: a class's pixels over all pixels, void included, of the images that contain it, on a logarithmic "
            "axis. Right: what a pixel of the class weighs in the loss. Median frequency balancing weighs a class by "
            f"the median of the training frequencies over its own, so that rare classes count more. {sentence}"
        ).strip(),
        pictures=(Picture("class-frequencies", "", alt),),
        missing="No training has stored class frequencies.",
    )
    notice = f"{source.notice} {sentence}".strip()
    return Draft(group, {"class-frequencies": partial(class_frequencies, source.drawn, notice)})


def class_bars_draft(source: FigureSource) -> Draft:
    """Drafts the scores of every class, a figure a loss weighting."""
    group = FigureGroup(
        key="per-class",
        title="Per class",
        caption=(
            "IoU and accuracy, the share of the class's pixels that are found, on the test images, in bars and dots; "
            "where there are many classes, IoU in a map of numbers. Classes run from the most to the least frequent in "
            "training. An accuracy far above the IoU means that the class is also predicted where it is not."
        ),
        pictures=(),
        missing=NOT_FINISHED,
    )
    return by_weighting(
        source,
        group,
        lambda weighting, notice, titles: partial(class_bars, source.drawn, weighting, notice, titles),
        "Bar chart of the test IoU and accuracy of every class and model.",
    )


def confusion_draft(source: FigureSource) -> Draft:
    """Drafts the confusion matrices, a figure a loss weighting.

    Raises:
        ResultsError: as `confusions_shown`.
    """
    names, matrices = confusions_shown(source)
    group = FigureGroup(
        key="confusion",
        title="Which class is taken for which",
        caption=(
            "Confusion matrices of the test images at the reported checkpoint (first seed): of the pixels with a "
            "label, the share that is predicted as each class. The diagonal is the accuracy of a class. Void is left "
            "out; a row without pixels is grey. Colours follow square roots, so that small shares are seen."
        ),
        pictures=(),
        missing="No training has stored the counts of single images.",
        wide=len(names) > MANY,
    )
    order = by_frequency(source.results, list(names))
    places = np.array([names.index(name) for name in order], dtype=np.intp)
    return by_weighting(
        source,
        group,
        lambda weighting, notice, titles: partial(
            confusion_matrices,
            {model: counts[np.ix_(places, places)] for model, counts in matrices[weighting].items()},
            order,
            notice,
            titles,
        ),
        "Heat maps of labelled against predicted classes, one a model; the diagonal is also in the table per class.",
    )
