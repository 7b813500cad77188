"""Verdicts: is each of our numbers as near to its reference as it has to be?

Scores are compared by their absolute difference (0.02 is two points), costs by their difference relative to
the reference. A number is compared with one of the same protocol only, where its protocol matters.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pandas as pd

from bench.replication.paper import paper_table
from bench.replication.scores import DEFAULT_PROTOCOL, KEYS, MACHINE_COSTS
from bench.results.schema import COST_METRICS
from bench.study.catalog import METRIC_TITLES, ROW_TITLES

Outcome = Literal["within", "outside", "missing"]

# The paper's parameter counts look rounded by hand: the layers it describes give 1.415 M where it prints
# 1.425 M, and 1.661 M where it prints 1.625 M.
PAPER_TOLERANCES = {"parameters": 0.03, "storage_multiplier": 0.0}
BASELINE_TOLERANCES = {"parameters": 0.0, "storage_multiplier": 0.0}

# Metrics that come out the same under whatever protocol they were recorded.
WITHOUT_PROTOCOL = {"parameters", "model_size_mb", "storage_multiplier"}

# What a number of the paper can be held against: `accuracy` is that of one class.
CLASS_ACCURACY = "accuracy"
COMPARABLE = {*METRIC_TITLES, CLASS_ACCURACY, *COST_METRICS} - set(MACHINE_COSTS)

# A gap that equals its tolerance is within it, in spite of binary fractions (0.52 - 0.5 > 0.02).
ROUNDING = 1e-9


@dataclass(frozen=True)
class Verdict:
    """The outcome of comparing one number; values in the units of `bench.replication.scores`."""

    cell: str  # "segnet_basic median_frequency test mean_iou", "segnet natural_frequency test 40K mean_iou"
    model: str  # key of the table's row
    weighting: str  # "" for a cost
    metric: str
    ours: float | None  # None when missing
    reference: float
    difference: float | None  # ours - reference
    tolerance: float  # the largest allowed |difference|, in the unit of the values
    verdict: Outcome
    n: int  # seeds behind our value
    reason: str = ""  # why it is missing or not a number


def against_paper(
    ours: pd.DataFrame,
    tolerances: Mapping[str, float],
    tables: Sequence[str] = ("T1",),
    models: Collection[str] | None = None,
    weightings: Collection[str] | None = None,
) -> list[Verdict]:
    """Compares with every number of some tables of the paper that has a tolerance.

    Args:
        ours: `reported` values of one suite and profile, and `class_scores` where accuracy has a tolerance.
        tolerances: metric -> allowed gap; PAPER_TOLERANCES apply as well unless they are overruled.
        tables: keys of tables of the paper; a number that several of them print is compared once.
        models: compare these rows only; None means all of the tables.
        weightings: compare these only; None means all of the tables.
    """
    targets = pd.concat([paper_targets(table) for table in tables]).drop_duplicates(list(KEYS))
    if models is not None:
        targets = targets[targets["model"].isin(list(models))]
    if weightings is not None:
        targets = targets[targets["weighting"].isin([*weightings, ""])]
    return compare(ours, targets, {**PAPER_TOLERANCES, **tolerances})


def against_baseline(ours: pd.DataFrame, baseline: pd.DataFrame, tolerances: Mapping[str, float]) -> list[Verdict]:
    """Compares with an earlier result of ours: a `Baseline.frame`, or `reported` values of another folder.

    Parameters and storage multiplier must be equal unless `tolerances` overrules it.
    """
    return compare(ours, baseline, {**BASELINE_TOLERANCES, **tolerances})


def paper_targets(table: str = "T1") -> pd.DataFrame:
    """Returns the printed numbers of a table as a frame with KEYS and value, in the units of our results.

    Not among them are the rows of methods that are no model of ours, times and memory of the authors' machine, and
    the lengths of the trainings, which are settings.
    """
    paper = paper_table(table)
    rows = []
    for address in paper.printed:
        target, model = paper.target(address), paper.rows[address.row].model
        if target is not None and model in ROW_TITLES and address.metric in COMPARABLE:
            protocol = DEFAULT_PROTOCOL if address.metric == "boundary_f1" else ""
            where = {name: part for name, part in address._asdict().items() if name != "row"}
            rows.append((*Place(model=model, protocol=protocol, **where), target.stored))
    return pd.DataFrame(rows, columns=[*KEYS, "value"])


def compare(ours: pd.DataFrame, targets: pd.DataFrame, tolerances: Mapping[str, float]) -> list[Verdict]:
    """Returns a verdict for every target whose metric has a tolerance, in the order of the targets.

    Args:
        ours: a frame with KEYS, value and n.
        targets: a frame with KEYS and value.
        tolerances: metric -> allowed gap, absolute for scores and relative to the target for costs.

    Edge cases:
        A NaN on either side is outside. Values of ours that have no target are not compared.
    """
    measured: dict[Place, tuple[float, int]] = {}
    for *key, value, n in ours[[*KEYS, "value", "n"]].itertuples(index=False, name=None):
        place = _place(*key)
        measured[place] = (float(value), int(n))
        if place.metric in COST_METRICS:  # the paper states no protocol in our words; any of ours may stand
            measured.setdefault(place._replace(protocol=""), measured[place])
    verdicts = []
    for *key, value in targets[[*KEYS, "value"]].itertuples(index=False, name=None):
        place = _place(*key)
        if (allowed := tolerances.get(place.metric)) is not None:
            verdicts.append(_verdict(place, measured, float(value), allowed))
    return verdicts


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """Returns 0 when all are within, 1 when any is outside, 2 when any is missing or there is none at all."""
    found = counts(verdicts)
    if found["outside"]:
        return 1
    return 2 if found["missing"] or not found["within"] else 0


def counts(verdicts: Iterable[Verdict]) -> dict[Outcome, int]:
    """Returns how many verdicts of each kind there are."""
    found = Counter(verdict.verdict for verdict in verdicts)
    return {"within": found["within"], "outside": found["outside"], "missing": found["missing"]}


class Place(NamedTuple):
    """Where a number stands: KEYS."""

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
        parts = (self.model, self.weighting, self.split, self.budget, self.class_name, self.metric)
        return " ".join(part for part in parts if part)


def _place(*key: str) -> Place:
    place = Place(*key)
    return place._replace(protocol="") if place.metric in WITHOUT_PROTOCOL else place


def _verdict(place: Place, measured: Mapping[Place, tuple[float, int]], reference: float, allowed: float) -> Verdict:
    tolerance = allowed * abs(reference) if place.metric in COST_METRICS else allowed
    where = (place.cell, place.model, place.weighting, place.metric)
    if place not in measured:
        reason = _reason_missing(place, measured)
        return Verdict(*where, None, reference, None, tolerance, "missing", 0, reason)
    ours, n = measured[place]
    difference = ours - reference
    # A comparison with NaN is False, so NaN is outside.
    within = abs(difference) <= tolerance + ROUNDING * max(1.0, abs(reference))
    reason = "not a number" if math.isnan(difference) else ""
    outcome: Outcome = "within" if within else "outside"
    return Verdict(*where, ours, reference, difference, tolerance, outcome, n, reason)


def _reason_missing(place: Place, measured: Mapping[Place, tuple[float, int]]) -> str:
    others = sorted(key.protocol for key in measured if key.protocol and key._replace(protocol=place.protocol) == place)
    if others:
        return f"measured under protocol {', '.join(others)}, needed under {place.protocol}"
    return "no finished trial" if place.weighting else "no finished cost trial"
