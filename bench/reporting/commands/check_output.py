"""What `bench check` found, as data, JSON, and the words that all its formats share.

Scores are shown in percent, costs in their unit; in JSON every number is in the unit of the results, a fraction or that
of the cost.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.errors import one_line
from bench.replication.check import TRIAL, Outcome, Verdict, counts, exit_code
from bench.reporting.commands.places import Places
from bench.reporting.provenance.overview import TrialState, trial_counts
from bench.study.catalog import METRIC_TITLES, ROW_TITLES
from bench.study.tolerances import CLASS_METRIC, COST_METRIC_NAMES

if TYPE_CHECKING:
    from bench.replication.claim_verdicts import ClaimVerdict

JSON_VERSION = 1  # of the layout; raised when a key changes its meaning or goes
CLAIM_OUTCOMES = ("replicated", "contradicted", "inconclusive", "not tested")
DASH = "—"

# What is not as it should be, from the verdict that matters most to the one that matters least.
LISTED: tuple[Outcome, ...] = ("outside", "failed", "missing", "stale", "inconclusive")


@dataclass(frozen=True)
class SuiteCheck:
    """The verdicts on one suite in one profile.

    Attributes:
        verdicts: on numbers, and on trials without a result that no number speaks of.
        notice: at what scale it ran, "" at the paper's.
        trials: what came of every planned trial, counted as in the overview of a report.
    """

    suite: str
    profile: str
    verdicts: tuple[Verdict, ...]
    notice: str = ""
    trials: tuple[TrialState, ...] = ()

    @property
    def name(self) -> str:
        """The suite and its profile in one word: "decoder-variants.smoke"."""
        return f"{self.suite}.{self.profile}"


@dataclass(frozen=True)
class Check:
    """All that one call of `bench check` found.

    Attributes:
        against: "paper", "baseline" or a path.
        profile: of all suites.
        suites: those that were compared.
        claims: the verdicts on the paper's claims; empty where they were not asked for.
        left_out: suites without such a reference, each with the reason.
        problems: files that could not be read.
        allow_inconclusive: whether what is inconclusive passes.
        places: where it read, for the command that comes next.
    """

    against: str
    profile: str
    suites: tuple[SuiteCheck, ...]
    claims: tuple[ClaimVerdict, ...] = ()
    left_out: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    allow_inconclusive: bool = False
    places: Places = field(default_factory=Places)

    @property
    def verdicts(self) -> list[Verdict]:
        """The verdicts of all suites."""
        return [verdict for suite in self.suites for verdict in suite.verdicts]

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        claims = [claim.verdict for claim in self.claims]
        return exit_code(self.verdicts, claims, allow_inconclusive=self.allow_inconclusive)

    @property
    def summary(self) -> str:
        """One line: how many verdicts there are of each kind."""
        text = f"against {one_line(self.against)}: {counted(self.verdicts)}"
        text += f"; claims: {counted_claims(self.claims)}" if self.claims else ""
        return text + (f"; {counted_trials(self.suites)}" if any(suite.trials for suite in self.suites) else "")


def counted(verdicts: Iterable[Verdict]) -> str:
    """Returns "3 within, 0 outside, 2 missing": of those other than the first two only what there is."""
    found = counts(verdicts)
    return ", ".join(f"{n} {outcome}" for outcome, n in found.items() if n or outcome in ("within", "outside"))


def counted_claims(claims: Iterable[ClaimVerdict]) -> str:
    """Returns "3 replicated, 1 inconclusive"."""
    found: Counter[str] = Counter(claim.verdict for claim in claims)
    return ", ".join(f"{found[outcome]} {outcome}" for outcome in CLAIM_OUTCOMES if found[outcome])


def counted_trials(suites: Iterable[SuiteCheck]) -> str:
    """Returns "trials: 40 of 48 done, 8 missing", in which a trial counts once however many numbers it gives."""
    return f"trials: {', '.join(trial_counts([state for suite in suites for state in suite.trials]))}"


def uncompared(verdicts: Iterable[Verdict]) -> list[str]:
    """Returns how many numbers are not comparable, by reason: "51 numbers: profile mini is not at ..."."""
    found = Counter(verdict.reason for verdict in verdicts if verdict.verdict == "not comparable")
    return [f"{n} number{'s' * (n > 1)}: {reason}" for reason, n in found.most_common()]


def untested(claims: Iterable[ClaimVerdict]) -> list[str]:
    """Returns how many claims were not tested, by reason."""
    found = Counter(claim.reason for claim in claims if claim.verdict == "not tested")
    return [f"{n} claim{'s' * (n > 1)}: {reason}" for reason, n in found.most_common()]


def by_weight(suites: Iterable[SuiteCheck]) -> Iterator[tuple[SuiteCheck, Line]]:
    """Yields what is listed of all suites, the weightiest kind first."""
    found = list(suites)
    for outcome in LISTED:
        yield from ((suite, line) for suite in found for line in lines_of(suite.verdicts, (outcome,)))


@dataclass(frozen=True)
class Line:
    """A verdict as it is listed; `count` is how many numbers it stands for, of a cell that has none at all."""

    verdict: Verdict
    count: int = 1

    @property
    def model(self) -> str:
        """The name that the paper prints of the row."""
        return ROW_TITLES.get(self.verdict.model, self.verdict.model)

    @property
    def where(self) -> str:
        """What stands between model and metric; of a cost, which may be measured in several ways, its protocol."""
        place = self.verdict.place
        if self.count > 1:
            return place.weighting
        protocol = place.protocol if place.metric in COST_METRIC_NAMES else ""
        return one_line(" ".join(filter(None, (*place.where, protocol))))

    @property
    def metric(self) -> str:
        """The short name of the metric, or how many numbers there are."""
        return (
            METRIC_TITLES.get(self.verdict.metric, self.verdict.metric) if self.count == 1 else f"{self.count} numbers"
        )

    @property
    def name(self) -> str:
        """Where it stands, in the words of the paper."""
        return " ".join(part for part in (self.model, self.where, self.metric) if part)

    @property
    def numbers(self) -> tuple[str, str, str, str]:
        """Ours, the reference, the difference and the tolerance as they are shown."""
        one = self.verdict
        if self.count > 1 or one.metric == TRIAL:
            return ("", "", "", "")
        reference, difference, tolerance = (
            number(value, one.metric) for value in (one.reference, one.difference, one.tolerance)
        )
        return (ours_text(one), reference, difference, tolerance)


def lines_of(verdicts: Iterable[Verdict], wanted: Sequence[Outcome]) -> list[Line]:
    """Returns the verdicts of the wanted kinds; those on a training without a result are one line."""
    found: dict[Hashable, list[Verdict]] = {}
    for number, verdict in enumerate(verdicts):
        if verdict.verdict in wanted:
            empty = verdict.ours is None and verdict.metric != TRIAL
            key = (verdict.model, verdict.weighting, verdict.verdict, verdict.reason) if empty else number
            found.setdefault(key, []).append(verdict)
    return [Line(group[0], len(group)) for group in found.values()]


def number(value: float | None, metric: str) -> str:
    """Returns a score in percent, a cost in its unit; a dash where there is none."""
    if value is None or math.isnan(value):
        return DASH
    value *= 100 if metric in (*METRIC_TITLES, CLASS_METRIC) else 1
    text = f"{value:,.0f}" if abs(value) >= 1e3 else f"{value:.2f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def ours_text(verdict: Verdict) -> str:
    """Returns our value, with its interval where several seeds give one: "47.70 [46.90, 48.50]"."""
    text = number(verdict.ours, verdict.metric)
    if verdict.interval is None or verdict.ours is None:
        return text
    low, high = (number(end, verdict.metric) for end in verdict.interval)
    return f"{text} [{low}, {high}]"


def sentence(verdict: Verdict) -> str:
    """Returns what was found of one number, in one line: "41.00 [..], expected 47.70 ± 2.00 (n = 3): single run"."""
    if verdict.metric == TRIAL or verdict.ours is None:
        return verdict.reason or verdict.verdict
    text = f"{ours_text(verdict)}, expected {number(verdict.reference, verdict.metric)}"
    if not math.isnan(verdict.tolerance):
        text += f" ± {number(verdict.tolerance, verdict.metric)}"
    return f"{text} (n = {verdict.n})" + (f": {verdict.reason}" if verdict.reason else "")


def claim_sentence(claim: ClaimVerdict) -> str:
    """Returns what a claim says, and what was found of it, in one line."""
    return f"{claim.claim.statement.rstrip('.')}: {claim.reason or claim.verdict}"


def as_json(check: Check) -> str:
    """Returns JSON in the layout that docs/checking.md describes; a number that does not exist is null."""
    verdicts = check.verdicts
    content = {
        "version": JSON_VERSION,
        "against": check.against,
        "profile": check.profile,
        "exit_code": check.exit_code,
        "allow_inconclusive": check.allow_inconclusive,
        "counts": counts(verdicts),
        "trial_counts": dict(Counter(state.status for suite in check.suites for state in suite.trials)),
        "claim_counts": {
            outcome: sum(claim.verdict == outcome for claim in check.claims) for outcome in CLAIM_OUTCOMES
        },
        "suites": [
            {
                "suite": suite.suite,
                "profile": suite.profile,
                "notice": suite.notice,
                "numbers": [_number_as_data(verdict) for verdict in suite.verdicts],
            }
            for suite in check.suites
        ],
        "claims": [_claim_as_data(claim) for claim in check.claims],
        "left_out": list(check.left_out),
        "problems": list(check.problems),
    }
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)


def _number_as_data(verdict: Verdict) -> dict[str, Any]:
    ends = verdict.interval
    return {
        "cell": verdict.cell,
        **verdict.place._asdict(),
        "ours": _finite(verdict.ours),
        "reference": _finite(verdict.reference),
        "difference": _finite(verdict.difference),
        "tolerance": _finite(verdict.tolerance),
        "interval": None if ends is None else [_finite(ends.low), _finite(ends.high)],
        "n": verdict.n,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "trials": list(verdict.trials),
    }


def _claim_as_data(claim: ClaimVerdict) -> dict[str, Any]:
    of_claim = claim.claim
    return {
        "id": of_claim.id,
        "section": of_claim.section,
        "tables": list(of_claim.tables),
        "statement": of_claim.statement,
        "threshold": of_claim.threshold,
        "on_paper": claim.on_paper,
        "verdict": claim.verdict,
        "reason": claim.reason,
        "notice": claim.notice,
        "parts": [
            {
                "text": part.text,
                "ours": part.ours,
                "needed": part.needed,
                "verdict": part.verdict,
                "trials": list(part.trials),
            }
            for part in claim.parts
        ],
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
