"""The spread of several seeds in a figure: what a band or a whisker spans, and how the figure says so.

Two values have no standard deviation worth drawing, so that of two seeds is the least and the greatest. From three on
it is the mean with one standard deviation on either side. A single run has none, and is said to be one.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LINE = 40  # characters


class Spread(NamedTuple):
    """Mean and limits over seeds, each (M,); the limits are NaN where a seed has no value, or there is one seed."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def spread(values: ArrayLike) -> Spread:
    """Returns mean and limits over seeds.

    Args:
        values: (S, M) values of S seeds at M places; NaN where a seed has none.

    Edge cases: the mean is over those seeds that have a value, NaN where none has.
    """
    found = np.atleast_2d(np.asarray(values, dtype=np.float64))
    known = np.isfinite(found)
    sums = np.where(known, found, 0.0).sum(axis=0)
    mean = np.divide(sums, known.sum(axis=0), out=np.full(found.shape[1], np.nan), where=known.any(axis=0))
    if len(found) == 1:
        return Spread(mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan))
    if len(found) == 2:
        return Spread(mean, found.min(axis=0), found.max(axis=0))
    deviation = found.std(axis=0, ddof=1)
    return Spread(mean, mean - deviation, mean + deviation)


def spread_said(counts: Iterable[int], what: str) -> str:
    """Says what the bands or whiskers of a figure span.

    Args:
        counts: how many seeds each of what is drawn has.
        what: "Band" or "Whisker".

    Returns: lines that fit a column of a legend.
    """
    known = set(counts)
    parts = []
    if 2 in known:
        parts.append("least to greatest of 2 seeds")
    if more := sorted(count for count in known if count > 2):
        parts.append(f"mean ± standard deviation of {_joined(more)} seeds")
    if not parts:
        return "Single runs"
    text = f"{what}: {', '.join(parts)}" + ("; without: single run" if 1 in known else "")
    return textwrap.fill(text, LINE)


def _joined(counts: list[int]) -> str:
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
