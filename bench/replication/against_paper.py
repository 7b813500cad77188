"""Our numbers beside the paper's: every printed number that a planned trial gives has one verdict.

A score is an interval over seeds, held against the printed number at the paper's scale only, or where bench.yaml gives
the profile a gap for its metric. Sizes repeat exactly and are points at any scale. Times and memory are those of the
authors' machine, and the length of a training is a setting: neither is compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import pandas as pd

from bench.errors import ConfigError
from bench.replication.bands import Bands, bands_of, check_reach, half_width
from bench.replication.check import Judgement, Place, Verdict, by_interval, by_point
from bench.replication.comparable import Measured, as_in_paper, is_cost, numbers, paper_machine
from bench.replication.paper import PaperTable, paper_table, paper_tables
from bench.replication.scale import at_paper_scale
from bench.replication.scores import DEFAULT_PROTOCOL, MACHINE_COSTS
from bench.replication.unfinished import Cell, State, cells_of
from bench.study.catalog import ROW_TITLES
from bench.study.config import Study
from bench.study.specs import GapSpec, ToleranceExceptionSpec
from bench.study.tolerances import CLASS_METRIC
from bench.study.trials import Trial

COMPARED = ("within", "outside", "inconclusive")  # verdicts that a gap decides
LENGTH = "max_iterations"  # of a training, in the tables with budgets


@cache
def printed_numbers(table: str) -> dict[Place, float]:
    """Returns the printed numbers of a table of the paper by place, in the units of our results.

    Rows of methods that are no model of ours are left out. The length of a training stands under the loss weighting of
    its row.

    Raises:
        UnknownNameError: there is no such table.
    """
    paper = paper_table(table)
    found = {}
    for address in paper.printed:
        target, model = paper.target(address), paper.rows[address.row].model
        if target is not None and model in ROW_TITLES:
            weighting = _weighting_of(paper, address.row) if address.metric == LENGTH else address.weighting
            protocol = DEFAULT_PROTOCOL if address.metric == "boundary_f1" else ""
            where = address._replace(weighting=weighting)._asdict()
            del where["row"]
            found[Place(model=model, protocol=protocol, **where)] = target.stored
    return found


def paper_verdicts(
    results: pd.DataFrame, trials: Sequence[Trial], study: Study, empty: dict[Cell, State]
) -> list[Verdict]:
    """Returns a verdict for every number that the paper prints of what `trials` give, in the order of the tables.

    Args:
        results: rows of one suite and profile in the stored columns.
        trials: as planned now; others do not count.
        study: for the suite's tables, the tolerances, and how many seeds a score needs.
        empty: the cells without a result.

    Raises:
        ConfigError: the suite replicates no table of the paper, or an exception of the tolerances matches no number.
        ResultsError: as `bench.replication.scores.scores`.
    """
    suite, profile = trials[0].suite, trials[0].profile
    tables = study.suites[suite].tables
    if not tables:
        raise ConfigError(f"suite {suite} belongs to no table of the paper; check it --against a baseline")
    check_reach(study, {table: list(printed_numbers(table)) for table in paper_tables()})
    comparison = _Comparison(results, trials, study, bands_of(study, "paper", suite, profile), empty)
    given = {cell for trial in trials for cell in cells_of(trial)}
    found: dict[Place, Verdict] = {}
    for table in tables:  # a number that two of them print is compared once
        for place, reference in printed_numbers(table).items():
            if (place.model, place.weighting) in given and place not in found:
                found[place] = comparison.verdict(place, reference, table)
    return list(found.values())


class _Comparison:
    """What all verdicts of a suite and profile are made from."""

    def __init__(
        self, results: pd.DataFrame, trials: Sequence[Trial], study: Study, bands: Bands, empty: dict[Cell, State]
    ) -> None:
        digests = {trial.digest for trial in trials}
        self.trials, self.bands, self.empty = trials, bands, empty
        self.results = results[results["digest"].isin(digests) & (results["status"] == "done")]
        self.found = numbers(results, digests, classes=True)
        self.least = study.tolerances.seeds
        self.at_scale = at_paper_scale(trials, study.suites[trials[0].suite].tables)

    def verdict(self, place: Place, reference: float, table: str) -> Verdict:
        """Returns the verdict on a printed number."""
        ours = self._ours(place, table)
        gap = self.bands.gap(place)
        std = math.nan if ours is None else ours.std
        tolerance = math.nan if gap is None else half_width(gap, reference, std)
        verdict, reason = self._judged(place, ours, reference, tolerance, table)
        return made(place, ours, reference, tolerance, Judgement(verdict, reason), gap)

    def _ours(self, place: Place, table: str) -> Measured | None:
        if place.metric == LENGTH:
            mine = [trial for trial in self.trials if (place.model, place.weighting) in cells_of(trial)]
            return Measured(float(mine[0].iterations), trials=tuple(trial.digest for trial in mine))
        if place.metric in MACHINE_COSTS:
            first = self.trials[0]
            return as_in_paper(self.found, place, table, (first.timing_height, first.timing_width))
        return self.found.get(place)

    def _judged(self, place: Place, ours: Measured | None, reference: float, tolerance: float, table: str) -> Judgement:
        if place.metric == LENGTH:
            return Judgement("not comparable", "the length of a training is a setting")
        if place.budget and all(place.budget not in trial.budgets for trial in self.trials):
            return Judgement("not comparable", f"profile {self.trials[0].profile} has no budget {place.budget}")
        if state := self.empty.get((place.model, place.weighting)):
            return Judgement(*state)
        if ours is None:
            return self._absent(place)
        if place.metric in MACHINE_COSTS:
            return Judgement("not comparable", paper_machine(ours, table))
        if self.bands.gap(place) is None:
            return Judgement("not comparable", self._without_gap(place))
        if is_cost(place):
            return by_point(ours.value, reference, tolerance)
        return by_interval(ours.value, ours.std, ours.interval, ours.n, reference, tolerance, self.least)

    def _without_gap(self, place: Place) -> str:
        profile = self.trials[0].profile
        if self.at_scale or is_cost(place):
            return f"tolerances.paper.{profile} in bench.yaml has no gap for {place.metric}"
        return f"profile {profile} is not at the paper's scale"

    def _absent(self, place: Place) -> Judgement:
        """Says why a trial that is done has no such number."""
        of_model = self.results[self.results["model"] == place.model]
        of_cell = of_model[of_model["weighting"].fillna("") == place.weighting]
        if place.metric == "boundary_f1":
            scored = of_cell[(of_cell["record"] == "score") & (of_cell["metric"] == place.metric)]
            if others := sorted(set(scored["protocol"].dropna())):
                return Judgement(
                    "not comparable", f"measured under protocol {', '.join(others)}, needed under {place.protocol}"
                )
        if place.metric == CLASS_METRIC and (of_cell["record"] == "class_score").any():
            return Judgement("not comparable", f"our data have no class {place.class_name}")
        return Judgement("missing", "its results hold no such number")


def made(
    place: Place,
    ours: Measured | None,
    reference: float,
    tolerance: float,
    judgement: Judgement,
    gap: GapSpec | None = None,
) -> Verdict:
    """Returns a verdict with the numbers it is about; one that was compared under an exception says so, and why."""
    why = ""
    if isinstance(gap, ToleranceExceptionSpec) and judgement.verdict in COMPARED:
        why = f"gap by exception: {gap.why}"
    return Verdict(
        place=place,
        ours=None if ours is None else ours.value,
        reference=reference,
        difference=None if ours is None else ours.value - reference,
        tolerance=tolerance,
        verdict=judgement.verdict,
        n=0 if ours is None else ours.n,
        interval=None if ours is None else ours.interval,
        reason="; ".join(part for part in (judgement.reason, why) if part),
        trials=() if ours is None else ours.trials,
    )


def _weighting_of(paper: PaperTable, row: str) -> str:
    """Returns the loss weighting of the scores in a row."""
    return next((address.weighting for address in paper.printed if address.row == row and address.weighting), "")
