"""What several seeds say about a number, and about the difference between two: intervals, not single values.

Trainings of the same seed have the same order of images, so that a difference between two models is taken seed by seed.
Intervals are those of Student's t, which assumes that the values over seeds scatter like a normal distribution; with
two or three seeds nothing weaker gives an interval at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95
MOST_SEEDS = 100  # beyond which nobody is told to train on


class Interval(NamedTuple):
    """Two ends, both part of it, in the unit of the values."""

    low: float
    high: float

    @property
    def half(self) -> float:
        """Half the width."""
        return (self.high - self.low) / 2

    def within(self, low: float, high: float) -> bool:
        """Whether all of it lies between two bounds, which are allowed themselves."""
        return low <= self.low and self.high <= high

    def beyond(self, low: float, high: float) -> bool:
        """Whether all of it lies outside two bounds, on one side of them."""
        return self.high < low or self.low > high


def t_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval | None:
    """Returns the interval in which the mean over all seeds lies, mean ± t · s / √n.

    Args:
        values: one a seed.
        confidence: how often such an interval holds the mean, between 0 and 1.

    Returns: None where fewer than two values, or one that is not finite, leave the spread unknown.
    """
    n = len(values)
    if n < 2 or not np.isfinite(values).all():
        return None
    mean = float(np.mean(values))
    half = _t(n, confidence) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Interval(mean - half, mean + half)


def paired(first: Mapping[int, float], second: Mapping[int, float]) -> dict[int, float]:
    """Returns first minus second by seed, of the seeds that both have, in the order of the first."""
    return {seed: value - second[seed] for seed, value in first.items() if seed in second}


def probability_of_improvement(first: Sequence[float], second: Sequence[float]) -> float:
    """Returns how probable it is that a run of the first is above one of the second; a tie counts as half.

    That is the share of all pairs of runs, one of each; NaN where one has no run.

    Source: Agarwal et al. 2021 (arXiv 2108.13264), §4.3, after Mann and Whitney.
    """
    if not first or not second:
        return math.nan
    differences = np.subtract.outer(np.asarray(first, dtype=float), np.asarray(second, dtype=float))
    if np.isnan(differences).any():
        return math.nan
    return float(((differences > 0) + 0.5 * (differences == 0)).mean())


def seeds_needed(gap: float, std: float, tolerance: float, confidence: float = CONFIDENCE) -> int | None:
    """Returns how many seeds would decide whether a number is within its tolerance, should mean and spread stay.

    Args:
        gap: |mean - reference|.
        std: over the present seeds, in the unit of the gap.
        tolerance: the largest allowed gap.

    Returns: the least n whose interval lies wholly on one side of the edge, None where MOST_SEEDS are too few.
    """
    distance = abs(tolerance - gap)
    for n in range(2, MOST_SEEDS + 1):
        if _t(n, confidence) * std / math.sqrt(n) <= distance:
            return n
    return None


@cache
def _t(n: int, confidence: float) -> float:
    """The two-sided quantile of Student's t with n - 1 degrees of freedom."""
    return float(stdtrit(n - 1, (1 + confidence) / 2))
