"""One comparison of a claim by our numbers: its interval, and on which side of the threshold that lies.

Of two scores the difference is taken seed by seed, over the seeds that both have, and its mean has a t interval. A time
stands for the quartiles of its passes, and a difference, ratio or sum of times for all that comes out between their
ends. Sizes are exact; memory is taken as measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Literal, NamedTuple

from bench.replication.claim_form import SINGLE_RUN, Allowed, Kind, Pair, Part, compare, rank_correlation
from bench.replication.claim_values import LENGTH, OurNumbers, Untested, Value
from bench.replication.claim_words import comparison, rank_words, result_text
from bench.replication.paper import paper_table
from bench.replication.scores import MACHINE_COSTS
from bench.replication.statistics import CONFIDENCE, Interval, t_interval
from bench.results.schema import COST_METRICS
from bench.study.catalog import ROW_TITLES

ClaimOutcome = Literal["replicated", "contradicted", "inconclusive", "not tested"]
WORST_FIRST: tuple[ClaimOutcome, ...] = ("contradicted", "not tested", "inconclusive", "replicated")
SINGLE_HOLDS = f"{SINGLE_RUN}, whose values hold"
SINGLE_FAILS = f"{SINGLE_RUN}, whose values do not hold"
IN_SINGLE_RUN = "in a single run"
DECIMALS = 9  # binary fractions are to neither pass nor fail at equality


class Tested(NamedTuple):
    """A comparison by our numbers, in words, with its verdict and why; the mean is `slack` from the nearest bound."""

    verdict: ClaimOutcome
    numbers: str = ""
    reason: str = ""
    trials: tuple[str, ...] = ()
    slack: float = math.inf

    @property
    def badness(self) -> tuple[int, float]:
        """Orders comparisons, the worst first."""
        return WORST_FIRST.index(self.verdict), self.slack


class Confidences(NamedTuple):
    """Those of intervals that are to lie on the right side, and of those that are to lie on the wrong one."""

    right: float
    wrong: float


def tested_pair(part: Part, pair: Pair, ours: OurNumbers, confidences: Confidences) -> Tested:
    """Returns the verdict on one comparison of a part."""
    found = [ours.value(quantity) for quantity in pair if quantity]
    values = [value for value in found if not isinstance(value, Untested)]
    if len(values) < len(found):
        return Tested("not tested", reason=next(one.reason for one in found if isinstance(one, Untested)))
    trials = _trials(values)
    if obstacle := _needs_scale(part.kind, pair, ours) or _apart(values):
        return Tested("not tested", reason=obstacle, trials=trials)
    over, under = values[0], values[1] if len(values) > 1 else None

    def said(sides: Sequence[float], result: float, interval: str) -> str:
        return comparison(part.kind, pair, sides, result, interval)

    if not any(value.seeds for value in values):
        return _by_spread(part, pair, over, under, said)
    seeds = _common_seeds(values)
    if not seeds:
        return Tested("not tested", reason="no seed that both have", trials=trials)
    sides = [[value.seeds[seed] if value.seeds else value.centre for seed in seeds] for value in values]
    results = [float(compare(part.kind, *numbers)) for numbers in zip(*sides, strict=True)]
    means = [math.fsum(side) / len(seeds) for side in sides]

    def end(value: float) -> str:
        return result_text(part.kind, pair, value)

    return _by_seeds(part.of_pairs, results, confidences, trials, lambda mean, span: said(means, mean, span), end)


def tested_ranks(part: Part, ours: OurNumbers, confidences: Confidences) -> Tested:
    """Returns the verdict on a rank correlation, which has a value for each seed that all its numbers have."""
    found = [ours.value(quantity) for pair in part.pairs for quantity in pair]
    values = [value for value in found if not isinstance(value, Untested)]
    if len(values) < len(found):
        return Tested("not tested", reason=next(one.reason for one in found if isinstance(one, Untested)))
    trials = _trials(values)
    seeds = _common_seeds(values)
    if not seeds:
        return Tested("not tested", reason="no seed that all of them have", trials=trials)
    numbers = [[value.seeds[seed] if value.seeds else value.centre for value in values] for seed in seeds]
    results = [rank_correlation(of_seed[::2], of_seed[1::2]) for of_seed in numbers]

    def said(mean: float, span: str) -> str:
        return f"{part.asks}: {rank_words(mean, len(part.cases))} {span}"

    def end(value: float) -> str:
        return f"{max(-1.0, min(value, 1.0)):.2f}".replace("-", "−")  # a t interval does not know where ρ ends

    return _by_seeds(part.of_pairs, results, confidences, trials, said, end)


def _by_seeds(
    allowed: Allowed,
    results: Sequence[float],
    confidences: Confidences,
    trials: tuple[str, ...],
    said: Callable[[float, str], str],
    end: Callable[[float], str],
) -> Tested:
    """Returns the verdict on results by seed; `said` puts their mean and interval in words, `end` an interval's end."""
    n, mean = len(results), math.fsum(results) / len(results)
    if math.isnan(mean):
        return Tested("inconclusive", said(mean, f"over {n} seeds"), "a value is not a number", trials, -math.inf)
    slack = float(allowed.slack(_rounded(mean)))
    if n == 1:
        reason = SINGLE_HOLDS if allowed.holds(_rounded(mean)) else SINGLE_FAILS
        return Tested("inconclusive", said(mean, IN_SINGLE_RUN), reason, trials, slack)
    right, wrong, shown = (_interval(results, confidence) for confidence in (*confidences, CONFIDENCE))
    verdict, span = _side(allowed, right, wrong), f"[{end(shown.low)}, {end(shown.high)}] over {n} seeds"
    if verdict == "inconclusive" and _side(allowed, shown, shown) != "inconclusive":
        comparisons = round((1 - CONFIDENCE) / (1 - confidences.wrong))
        span += f", widened for {comparisons} comparisons [{end(wrong.low)}, {end(wrong.high)}]"
    return Tested(verdict, said(mean, span), "", trials, slack)


def _by_spread(
    part: Part, pair: Pair, over: Value, under: Value | None, said: Callable[[Sequence[float], float, str], str]
) -> Tested:
    """Returns the verdict on numbers that have no seeds."""
    sides = [value for value in (over, under) if value]
    trials, kind = _trials(sides), part.kind
    numbers_of = [(value.centre, *value.spread) for value in sides]
    if math.isnan(sum(map(sum, numbers_of))) or (kind == "ratio" and under and under.spread.low <= 0):
        return Tested("inconclusive", "", "a value is not a number, or divides by 0", trials, -math.inf)
    ends = [float(compare(kind, *numbers)) for numbers in product(*(value.spread for value in sides))]
    span = Interval(_rounded(min(ends)), _rounded(max(ends)))
    result = _rounded(float(compare(kind, over.centre, under.centre if under else None)))
    text = [result_text(kind, pair, value) for value in span]
    interval = f"[{', '.join(text)}] between quartiles" if span.low < span.high else ""
    numbers = said([value.centre for value in sides], result, interval)
    slack = float(part.of_pairs.slack(result))
    if disturbance := next((value.disturbance for value in sides if value.disturbance), ""):
        return Tested("inconclusive", numbers, f"disturbed: {disturbance}", trials, slack)
    return Tested(_side(part.of_pairs, span, span), numbers, "", trials, slack)


def _side(allowed: Allowed, right: Interval, wrong: Interval) -> ClaimOutcome:
    """Returns where intervals lie: one that has to be wholly allowed, and one that has to be wholly forbidden."""
    if allowed.holds(right.low) and allowed.holds(right.high):
        return "replicated"
    return "contradicted" if allowed.excludes(wrong.low, wrong.high) else "inconclusive"


def _needs_scale(kind: Kind, pair: Pair, ours: OurNumbers) -> str:
    """Returns why a comparison says nothing at the scale of our run; "" where it does."""
    for cell in (*pair.over, *pair.under):
        suite, row = ours.of_table(cell.table), paper_table(cell.table).rows[cell.address.row]
        if row.model not in ROW_TITLES:
            what = f"it compares with the printed numbers of {row.title}"
        elif cell.address.metric == LENGTH:
            what = "the lengths of trainings are settings of the study"
        elif kind == "range" and cell.address.metric in MACHINE_COSTS:
            return "a level of time or memory is that of one machine"
        elif kind == "range" and cell.address.metric not in COST_METRICS:
            what = "it names a level"
        else:
            continue
        if isinstance(suite, Untested) or not suite.at_scale:
            return f"{what}, so that it takes a run at the paper's scale"
    return ""


def _apart(values: Sequence[Value]) -> str:
    """Returns why times or memory cannot be compared: they were measured on two machines, or in two ways."""
    first, last = values[0], values[-1]
    if first.measured != last.measured:
        return f"measured as {first.measured} and as {last.measured}"
    if first.machine is None or last.machine is None or first.machine == last.machine:
        return ""
    parts = zip(first.machine._fields, first.machine, last.machine, strict=True)
    differing = [f"{name} {a or 'unknown'} and {b or 'unknown'}" for name, a, b in parts if a != b]
    return f"measured under different conditions: {', '.join(differing)}"


def _common_seeds(values: Sequence[Value]) -> list[int]:
    """Returns the seeds of all values that have any."""
    seeded: list[Mapping[int, float]] = [value.seeds for value in values if value.seeds]
    return [seed for seed in seeded[0] if all(seed in seeds for seeds in seeded)] if seeded else []


def _interval(results: Sequence[float], confidence: float) -> Interval:
    found = t_interval(results, confidence)
    assert found is not None
    return Interval(_rounded(found.low), _rounded(found.high))


def _trials(values: Iterable[Value]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(digest for value in values for digest in value.trials))


def _rounded(value: float) -> float:
    return round(value, DECIMALS)
