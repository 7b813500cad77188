"""Verdicts: is each of our numbers as near to its reference as it has to be?

A score over several seeds is an interval, that of Student's t: it is `within` when the whole interval lies inside the
tolerance around the reference, `outside` when the whole of it lies outside, and `inconclusive` when it crosses the edge
or too few seeds give none. A number that repeats exactly, such as a count of parameters, and one that is held against
an earlier run of the same seeds, is a point.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from bench.replication.statistics import MOST_SEEDS, Interval, seeds_needed

Outcome = Literal["within", "outside", "inconclusive", "missing", "stale", "failed", "not comparable"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

TRIAL = "trial"  # the metric of a verdict on a trial that has no result
NAN = "not a number"
SINGLE_RUN = "single run"

# A gap that equals its tolerance is within it, in spite of binary fractions (0.52 - 0.5 > 0.02).
ROUNDING = 1e-9


class Place(NamedTuple):
    """Where a number stands: KEYS of `bench.replication.scores`.

    Of a trial without a result the metric is "trial" and the split its seed, "s0", or "cost".
    """

    model: str
    weighting: str
    split: str
    metric: str
    budget: str
    class_name: str
    protocol: str

    @property
    def cell(self) -> str:
        """The place in words, the protocol aside: the model first, the metric last."""
        return " ".join(part for part in (self.model, *self.where, self.metric) if part)

    @property
    def where(self) -> tuple[str, ...]:
        """What stands between model and metric."""
        return tuple(part for part in (self.weighting, self.split, self.budget, self.class_name) if part)


@dataclass(frozen=True)
class Verdict:
    """The outcome of comparing one number; values in the units of `bench.replication.scores`."""

    place: Place
    ours: float | None  # mean over seeds; None where there is no result that counts
    reference: float  # NaN where it has no such number
    difference: float | None  # ours - reference
    tolerance: float  # half the width of the band around the reference; NaN where there is none
    verdict: Outcome
    n: int  # seeds behind our value
    interval: Interval | None = None  # over seeds; None of fewer than two, and of a cost
    reason: str = ""
    trials: tuple[str, ...] = ()  # digests behind our value

    @property
    def cell(self) -> str:
        """Where it stands, in words: "segnet_basic median_frequency test mean_iou"."""
        return self.place.cell

    @property
    def model(self) -> str:
        """Key of the table's row."""
        return self.place.model

    @property
    def weighting(self) -> str:
        """The loss weighting; "" of a cost."""
        return self.place.weighting

    @property
    def metric(self) -> str:
        """What was measured."""
        return self.place.metric


class Judgement(NamedTuple):
    """An outcome and why."""

    verdict: Outcome
    reason: str = ""


def by_point(ours: float, reference: float, tolerance: float) -> Judgement:
    """Compares two numbers as they are; NaN or infinity on either side is outside.

    Args:
        tolerance: the largest allowed difference, in the unit of the numbers.
    """
    if not math.isfinite(ours - reference):
        return Judgement("outside", NAN)
    near = abs(ours - reference) <= tolerance + _rounding(reference)
    return Judgement("within" if near else "outside")


def by_interval(
    ours: float, std: float, interval: Interval | None, n: int, reference: float, tolerance: float, least: int
) -> Judgement:
    """Compares the interval in which the mean over all seeds lies with the band around a reference.

    Args:
        ours, std, n: mean, standard deviation (NaN of a single run) and number of seeds.
        interval: of the mean; None where n is 1.
        reference: what to compare with.
        tolerance: half the width of the band, in the unit of the numbers; NaN where too few seeds leave it unknown.
        least: number of seeds below which nothing is decided.

    Edge cases:
        NaN or infinity on either side is outside. The edges belong to the band.
    """
    if not math.isfinite(ours - reference):
        return Judgement("outside", NAN)
    if interval is None or n < least or math.isnan(tolerance):
        return Judgement("inconclusive", _too_few(ours - reference, std, n, tolerance, least))
    half = tolerance + _rounding(reference)
    if interval.within(reference - half, reference + half):
        return Judgement("within")
    if interval.beyond(reference - half, reference + half):
        return Judgement("outside")
    return Judgement(
        "inconclusive", f"the interval crosses the edge; {_would_decide(ours - reference, std, tolerance, least)}"
    )


def exit_code(verdicts: Iterable[Verdict], claims: Iterable[str] = (), *, allow_inconclusive: bool = False) -> int:
    """Returns what a command ends with.

    Args:
        verdicts: on numbers.
        claims: verdicts on claims: replicated, contradicted, inconclusive or not tested.
        allow_inconclusive: let what is inconclusive pass.

    Returns: 1 when any number is outside or a claim contradicted; else 3 when a trial failed; else 2 when anything is
        missing, stale or inconclusive, or when nothing can be compared at all; else 0.
    """
    found, of_claims = counts(verdicts), Counter(claims)
    if found["outside"] or of_claims["contradicted"]:
        return 1
    if found["failed"]:
        return 3
    undecided = found["inconclusive"] + of_claims["inconclusive"]
    if found["missing"] or found["stale"] or (undecided and not allow_inconclusive):
        return 2
    return 0 if found["within"] or of_claims["replicated"] or undecided else 2


def counts(verdicts: Iterable[Verdict]) -> dict[Outcome, int]:
    """Returns how many verdicts of each kind there are, in the order of OUTCOMES."""
    found = Counter(verdict.verdict for verdict in verdicts)
    return {outcome: found[outcome] for outcome in OUTCOMES}


def _too_few(difference: float, std: float, n: int, tolerance: float, least: int) -> str:
    """Says how many seeds it takes, as far as those that are there tell."""
    have = SINGLE_RUN if n == 1 else f"{n} seeds"
    if n < 2 or math.isnan(tolerance):
        return f"{have}; it takes {least} seeds at least"
    return f"{have} of at least {least}; {_would_decide(difference, std, tolerance, least)}"


def _would_decide(difference: float, std: float, tolerance: float, least: int) -> str:
    needed = seeds_needed(abs(difference), std, tolerance)
    if needed is None:
        return f"not even {MOST_SEEDS} seeds would decide, should mean and spread stay"
    return f"{max(needed, least)} seeds would decide, should mean and spread stay"


def _rounding(reference: float) -> float:
    return ROUNDING * max(1.0, abs(reference))
