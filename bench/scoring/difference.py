"""One difference between two results, B minus A, and what it lets one say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bench.replication.statistics import Interval

Verdict = Literal["better", "worse", "no difference found", "single run", "not comparable"]


class Row(NamedTuple):
    """What was measured on both sides; weighting is "" for a cost."""

    suite: str
    profile: str
    weighting: str
    model: str
    metric: str
    protocol: str
    unit: str


@dataclass(frozen=True)
class Difference:
    """A value in A and in B.

    Attributes:
        a, b: means over the seeds that both have; in the unit of the row.
        spread: of b - a: the t interval over seeds, or of a time the quartiles of its passes; None: not known.
        images: of b - a: the bootstrap interval over the test images of the first seed; None: not known.
        probability: that a run of B has a higher score than one of A; NaN for a cost.
        n: seeds, or of a cost 1.
        note: what stands against comparing, or else is to be known.
        trials: "ID-DIGEST" of each trial of A, and of B.
    """

    row: Row
    a: float
    b: float
    verdict: Verdict
    n: int
    spread: Interval | None = None
    images: Interval | None = None
    probability: float = math.nan
    note: str = ""
    trials: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @property
    def difference(self) -> float:
        """B minus A."""
        return self.b - self.a

    @property
    def is_none(self) -> bool:
        """Whether A and B have the same value, of a score that of every seed, or neither has one."""
        same = self.a == self.b or (math.isnan(self.a) and math.isnan(self.b))
        return same and (not self.row.weighting or self.spread is None or self.spread == (0, 0))


def verdict_of_score(spread: Interval | None) -> Verdict:
    """Returns what the t interval of the differences b - a of a score over seeds says; more is better.

    Args:
        spread: None with one seed, where nothing is known of the spread.
    """
    return "single run" if spread is None else _away_from_zero(spread)


def verdict_without_value(lacking: Sequence[str]) -> Verdict:
    """Returns what is said of a score that A, B or both have no value of: to lose one is worse."""
    return "not comparable" if len(lacking) == 2 else "worse" if lacking == ["B"] else "better"


def verdict_of_cost(spread: Interval) -> Verdict:
    """Returns what an interval of the difference b - a of a cost says; less is better."""
    return _away_from_zero(Interval(-spread.high, -spread.low))


def _away_from_zero(gain: Interval) -> Verdict:
    if gain.low > 0:
        return "better"
    return "worse" if gain.high < 0 else "no difference found"
