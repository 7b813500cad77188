"""Verdicts on the paper's claims by our results.

A claim is a conjunction of comparisons (claim_comparisons.py), each with an interval:

    replicated     every interval lies on the right side of its threshold. Since all of them have to, no correction for
                   their number is needed: the chance of a false "replicated" is at most that of a single comparison.
    contradicted   one interval lies wholly on the wrong side. Since one of many is enough, intervals are widened for
                   this side after Bonferroni: with m comparisons in the claim, each has the confidence 1 − 0.05 / m.
    inconclusive   neither; or a time was disturbed, a value is not a number, or there is one seed only
    not tested     a number is missing or stale, two times or peaks of memory were measured on different machines, or
                   the claim needs the paper's scale: it names a level, or other methods' printed numbers

Where a claim counts cases, any of them may be among those counted: both sides are widened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.replication.claim_comparisons import (
    IN_SINGLE_RUN,
    SINGLE_FAILS,
    SINGLE_HOLDS,
    WORST_FIRST,
    ClaimOutcome,
    Confidences,
    Tested,
    tested_pair,
    tested_ranks,
)
from bench.replication.claim_form import Claim, Part
from bench.replication.claim_values import OurNumbers
from bench.replication.claim_words import closest_words
from bench.replication.claims import OnPaper, claims, on_paper
from bench.replication.statistics import CONFIDENCE
from bench.study.config import Study


@dataclass(frozen=True)
class ClaimPart:
    """A part of a claim by our numbers: where and what it asks, our numbers, what is needed, the verdict and why."""

    place: str
    text: str  # the place and the question
    ours: str
    needed: str
    verdict: ClaimOutcome
    reason: str
    trials: tuple[str, ...]  # digests behind our numbers


@dataclass(frozen=True)
class ClaimVerdict:
    """The verdict on a claim; `notice` says at what scale and on what, a line each, where it was not the paper's."""

    claim: Claim
    on_paper: OnPaper
    verdict: ClaimOutcome
    reason: str
    parts: tuple[ClaimPart, ...]
    notice: str


def claim_verdicts(
    results: pd.DataFrame,
    study: Study,
    profile: str,
    tables: Collection[str] | None = None,
    known: Mapping[str, Claim] | None = None,
) -> list[ClaimVerdict]:
    """Returns a verdict on every claim, in the order of the claims.

    Args:
        results: rows of all suites of one profile, in the stored columns.
        study: which suite replicates which table, and which trials are planned; others do not count.
        profile: its name.
        tables: only claims whose first table is one of these; None: all.
        known: the claims; None: those of the paper.

    Raises:
        UnknownNameError: the study has no such profile.
        ResultsError: as `bench.replication.scores.scores`.
    """
    ours = OurNumbers(results, study, profile)
    wanted = (known or claims()).values()
    return [_verdict(claim, ours) for claim in wanted if tables is None or claim.tables[0] in tables]


def _verdict(claim: Claim, ours: OurNumbers) -> ClaimVerdict:
    paper = on_paper(claim).outcome
    if claim.no_number:
        return ClaimVerdict(claim, paper, "not tested", claim.no_number, (), "")
    wrong = 1 - (1 - CONFIDENCE) / claim.comparisons
    parts = tuple(_part(part, ours, wrong) for part in claim.parts)
    verdict = min((part.verdict for part in parts), key=WORST_FIRST.index)
    tested = any(part.trials for part in parts)
    notice = ours.notice(claim.cells) if tested else ""
    return ClaimVerdict(claim, paper, verdict, _reason(verdict, parts), parts, notice)


def _reason(verdict: ClaimOutcome, parts: Sequence[ClaimPart]) -> str:
    """Returns why a claim has its verdict, from its parts."""
    deciding = [part for part in parts if part.verdict == verdict]
    first = deciding[0]
    if verdict == "replicated":
        return f"all {len(parts)} parts hold" if len(parts) > 1 else f"{first.place}: {first.ours}"
    which = ", the first of them" if len(deciding) > 1 else ""
    of = f"{len(deciding)} of {len(parts)} parts{which}: " if len(parts) > 1 else ""
    if {part.reason for part in deciding} <= {SINGLE_HOLDS, SINGLE_FAILS}:
        first = next((part for part in deciding if part.reason == SINGLE_FAILS), first)
        where = f": {first.place}: {first.ours}".replace(f" {IN_SINGLE_RUN}", "")
        return first.reason + (where if first.reason == SINGLE_FAILS else "")
    return of + (first.reason or f"{first.place}: {first.ours}")


def _part(part: Part, ours: OurNumbers, wrong: float) -> ClaimPart:
    """Returns the verdict on a part; `wrong` is the confidence of intervals that are to contradict."""
    if part.kind == "count":
        return _count(part, ours, wrong)
    confidences = Confidences(CONFIDENCE, wrong)
    if part.kind == "rank_correlation":
        tested = [tested_ranks(part, ours, confidences)]
    else:
        tested = [tested_pair(part, pair, ours, confidences) for pair in part.pairs]
    worst = min(tested, key=lambda one: one.badness)
    several = closest_words(part, worst.slack >= 0) if len(tested) > 1 and worst.numbers else ""
    return ClaimPart(
        part.place, part.question, worst.numbers + several, part.needed, worst.verdict, worst.reason, _trials(tested)
    )


def _count(part: Part, ours: OurNumbers, confidence: float) -> ClaimPart:
    """Returns the verdict on how many cases hold, of which each is decided with that confidence on either side."""
    both = Confidences(confidence, confidence)
    tested = [[tested_pair(part, pair, ours, both) for pair in case.pairs] for case in part.cases]
    worst = [min(pairs, key=lambda one: one.badness) for pairs in tested]
    sure = sum(one.verdict == "replicated" for one in worst)
    possible = sum(one.verdict != "contradicted" for one in worst)
    undecided = [one for one in worst if one.verdict in ("not tested", "inconclusive")]
    verdict, reason, example = _side_of_count(part, sure, possible), "", ""
    if verdict == "inconclusive":
        first = min(undecided, key=lambda one: one.badness)
        verdict, reason = first.verdict, first.reason
        example = f"{', the worst of them' * (len(undecided) > 1)}: {first.numbers}" if first.numbers else ""
        if reason in (SINGLE_HOLDS, SINGLE_FAILS):
            holding = sum(one.verdict == "replicated" or one.reason == SINGLE_HOLDS for one in worst)
            reason = SINGLE_HOLDS if part.allowed.holds(holding) else SINGLE_FAILS
    numbers = f"{part.asks}: {sure}, not in {len(worst) - possible}, undecided in {len(undecided)}{example}"
    trials = _trials([one for pairs in tested for one in pairs])
    return ClaimPart(part.place, part.question, numbers if trials else "", part.needed, verdict, reason, trials)


def _side_of_count(part: Part, sure: int, possible: int) -> ClaimOutcome:
    """Returns the verdict on a count that lies between two numbers, both possible."""
    if part.allowed.holds(sure) and part.allowed.holds(possible):
        return "replicated"
    return "contradicted" if part.allowed.excludes(sure, possible) else "inconclusive"


def _trials(tested: Iterable[Tested]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(digest for one in tested for digest in one.trials))
