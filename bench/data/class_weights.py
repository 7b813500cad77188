"""Class frequencies and the class weights of the loss.

Source: paper §3.2 (median frequency balancing, after Eigen & Fergus 2015).
"""

from __future__ import annotations

import numpy as np

from bench.data.split import Dataset
from bench.errors import ConfigError, UnknownNameError

WEIGHTINGS = ("median_frequency", "median_frequency_official", "natural_frequency")


def class_frequencies(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns how frequent each class is where it occurs.

    freq(c) = pixels labelled c / all pixels, void included, of the images that contain c

    Counting void in the divisor is what reproduces the weights known for the released CamVid labels
    (Pavement exactly 1, Pole 4.79); without void SignSymbol and the others shift by some percent.

    Args:
        labels: (N,H,W) uint8; values of num_classes and above are void.
        num_classes: K.

    Returns:
        (K,) float64 in 0..1; 0 for a class that never occurs.
    """
    pixels = np.stack([np.bincount(image.ravel(), minlength=256)[:num_classes] for image in labels])
    totals = (pixels > 0).sum(axis=0) * (labels.shape[1] * labels.shape[2])
    return pixels.sum(axis=0) / np.maximum(totals, 1)


def median_frequency_weights(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns weight(c) = median of the frequencies / freq(c).

    Args:
        labels: (N,H,W) uint8 of the training split.
        num_classes: K.

    Returns:
        (K,) float64.

    Edge cases:
        A class that never occurs gets weight 0 and takes no part in the median: no pixel could carry its
        weight, and a quotient by zero would put inf or NaN into the loss. No class at all: all weights 0.

    Source: paper §3.2; the median is over the K classes, not over K and void.
    Deviation: the eleven weights in the authors' files do not follow from the released labels by this formula; the
        nearest reading leaves SignSymbol at 3.85 where they have 9.64. The formula is followed; theirs can be chosen as
        `median_frequency_official`.
    """
    frequencies = class_frequencies(labels, num_classes)
    return weights_of_frequencies(frequencies)


def weights_of_frequencies(frequencies: np.ndarray) -> np.ndarray:
    """Returns median / frequency for frequencies (K,), and 0 where a frequency is 0."""
    occurs = frequencies > 0
    weights = np.zeros(frequencies.shape)
    if occurs.any():
        weights[occurs] = np.median(frequencies[occurs]) / frequencies[occurs]
    return weights


def weights_for(weighting: str, labels: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Returns the class weights of a named weighting.

    Args:
        weighting: one of WEIGHTINGS.
        labels: (N,H,W) uint8 of the training split.
        dataset: the data set that the labels are of.

    Returns:
        (K,) float64.

    Raises:
        UnknownNameError: the weighting is not known.
        ConfigError: the authors' own weights are asked for and this data set has none.
    """
    num_classes = len(dataset.class_names)
    if weighting == "natural_frequency":
        return np.ones(num_classes)
    if weighting == "median_frequency":
        return median_frequency_weights(labels, num_classes)
    if weighting != "median_frequency_official":
        raise UnknownNameError("weighting", weighting, WEIGHTINGS)
    if dataset.official_weights is None:
        raise ConfigError(
            f"weighting 'median_frequency_official': the authors published no weights for {dataset.title}; "
            "use median_frequency or natural_frequency"
        )
    return dataset.official_weights.copy()
