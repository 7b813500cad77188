"""Differences of parameters, sizes, times and memory between two measurements of a model; less is better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from bench.replication.scores import MACHINE_COLUMNS, MACHINE_COSTS, costs
from bench.replication.statistics import Interval
from bench.results.schema import COST_METRICS, TIMES
from bench.scoring.difference import Difference, Row, Verdict, verdict_of_cost
from bench.scoring.latest import Cell, Matched, Place, Stored, both, key_of

COMPARED_COSTS = tuple(metric for metric in COST_METRICS if metric != "process_baseline_mib")  # part of the peaks


class Cost(NamedTuple):
    """A measured cost; quartiles are of a time's passes, `disturbance` what went on beside them."""

    value: float
    disturbance: str
    quartiles: Interval | None


Costs = dict[tuple[str, str], Cost]  # by metric and protocol


def costs_by_cell(rows: pd.DataFrame, digests: Mapping[Place, Mapping[str, Cell]]) -> dict[Cell, Costs]:
    """Returns the costs of some trials.

    Args:
        rows: with the records `cost` and `condition`.
        digests: of the trials that count, with the cell of each, by suite and profile.
    """
    found: dict[Cell, Costs] = {}
    for (suite, profile), known in digests.items():
        part = rows[(rows["suite"] == suite) & (rows["profile"] == profile)]
        stored = _quartiles(part[(part["record"] == "cost") & part["digest"].isin(list(known))])
        table = costs(part, known)[["metric", "protocol", "value", "disturbance", "trials"]]
        for metric, protocol, value, disturbance, (digest,) in table.itertuples(index=False):
            quartiles = stored.get((digest, metric, protocol)) if metric in TIMES else None
            found.setdefault(known[digest], {})[metric, protocol] = Cost(value, disturbance, quartiles)
    return found


def _quartiles(rows: pd.DataFrame) -> dict[tuple[str, str, str], Interval]:
    """Returns the quartiles of times by digest, metric and protocol."""
    ends = {
        (digest, metric, protocol): float(value)
        for digest, metric, protocol, value in rows[["digest", "metric", "protocol", "value"]].itertuples(index=False)
    }
    return {
        (digest, time, protocol): Interval(low, ends[digest, f"{time}_p75", protocol])
        for (digest, metric, protocol), low in ends.items()
        for time in TIMES
        if metric == f"{time}_p25" and (digest, f"{time}_p75", protocol) in ends
    }


def cost_differences(cell: Cell, matched: Matched, measured: tuple[Costs, Costs]) -> Iterator[Difference]:
    """Yields the difference of each cost, by metric and protocol, that both sides have.

    Parameters, sizes and FLOPs are exact. A time is compared where both were measured on the same processor or GPU by
    the same kernels, with as many threads, in the same precision, and undisturbed; it differs where the quartiles of
    its passes do not overlap. Memory and energy are measured once, so that nothing is known of their spread.

    Args:
        matched: the trial of A and of B.
        measured: of A and of B, from `costs_by_cell`.
    """
    (a,), (b,) = matched.a.values(), matched.b.values()
    machines = ", ".join(f"{name} {both(a[name], b[name])}" for name in MACHINE_COLUMNS if _other(a, b, name))
    for (metric, protocol), first in measured[0].items():
        second = measured[1].get((metric, protocol))
        if second is None or metric not in COMPARED_COSTS:
            continue
        row = Row(cell.suite, cell.profile, "", cell.model, metric, protocol, COST_METRICS[metric])
        verdict, spread, note = _judged(metric, first, second, machines)
        trials = (key_of(a),), (key_of(b),)
        yield Difference(row, first.value, second.value, verdict, 1, spread=spread, note=note, trials=trials)


def _judged(metric: str, a: Cost, b: Cost, machines: str) -> tuple[Verdict, Interval | None, str]:
    """Returns the verdict of a cost, the interval of b - a, and what stands against comparing."""
    if metric not in MACHINE_COSTS:
        return verdict_of_cost(Interval(b.value - a.value, b.value - a.value)), None, ""
    if machines:
        return "not comparable", None, f"measured on other or unknown machines: {machines}"
    if disturbed := [f"{cost.disturbance} in {side}" for side, cost in (("A", a), ("B", b)) if cost.disturbance]:
        return "not comparable", None, f"disturbed: {'; '.join(disturbed)}"
    if a.quartiles is None or b.quartiles is None:
        return "single run", None, "measured once, so that nothing is known of its spread"
    spread = Interval(b.quartiles.low - a.quartiles.high, b.quartiles.high - a.quartiles.low)
    return verdict_of_cost(spread), spread, ""


def _other(a: Stored, b: Stored, name: str) -> bool:
    """Whether a condition differs, or is not known."""
    values = ["" if pd.isna(one[name]) else one[name] for one in (a, b)]
    return bool(values[0] != values[1] or values[0] == "")
