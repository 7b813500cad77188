"""Scores of label maps: they are counted as an evaluation counts them, which takes compiled code, and scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.boundary import boundary_counts
from bench.evaluation.boundary_scores import STORED
from bench.evaluation.confusion import confusion_counts
from bench.scoring.definition import Definition, Scores, score_counts


def score_maps(
    definition: Definition, class_names: Sequence[str], labels: NDArray[np.uint8], predictions: NDArray[np.uint8]
) -> Scores:
    """Scores predictions (N, H, W) against labels (N, H, W), void 255, under a definition."""
    number = len(class_names)
    confusion = confusion_counts(labels, predictions, number)
    boundary = {name: boundary_counts(labels, predictions, number, *STORED[name]) for name in definition.protocols}
    return score_counts(definition, class_names, confusion, boundary)
