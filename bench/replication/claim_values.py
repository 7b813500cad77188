"""Our values of the quantities that claims compare, in printed units, or why there are none.

A score has a value for each seed. A cost has one value: of a count it is exact, a peak of memory is taken as measured,
and a time spreads over the quartiles of its passes. Numbers of methods that are no model of ours stay the printed ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import pandas as pd

from bench.replication.check import Place
from bench.replication.checkpoints import REPORTED_SPLITS, current_rows
from bench.replication.claim_form import Cell, Quantity
from bench.replication.claim_words import printed
from bench.replication.comparable import NVIDIA_SMI, PAPER_BATCHES, PAPER_MACHINES, Machine, Measured, numbers
from bench.replication.paper import STORED_PER_PRINTED, paper_table
from bench.replication.scale import at_paper_scale, scale_notice
from bench.replication.scores import DEFAULT_PROTOCOL, MACHINE_COSTS
from bench.replication.statistics import Interval
from bench.replication.unfinished import State, cells_of, empty_cells, states
from bench.results.schema import COST_METRICS, IDENTITY, TIMES, VALUES
from bench.study.catalog import ROW_TITLES, resolve
from bench.study.config import Study
from bench.study.tolerances import CLASS_METRIC
from bench.study.trials import Trial, plan

LENGTH = "max_iterations"
OF_CLASSES = {"T2", "T5"}  # tables with accuracies of single classes
# Rounds of all models take turns, so that whatever drifts meets all alike; the paper's own protocols time one model
# after the other.
TIMED = "interleaved"
# What the paper says of memory is about a GPU; nearest to what nvidia-smi shows comes first.
GPU_MEMORY = (NVIDIA_SMI, "cuda_reserved", "cuda_allocated")
NOT_OF_A_GPU = "memory was measured without a GPU, and the claim is about that of a GPU"
RECORDS = ("score", "class_score", "cost", "condition", "outcome")
# The columns that numbers come from; the others say where they come from.
NEEDED = (
    *(column.name for column in IDENTITY + VALUES), "status", "selected_iteration", "config", *Machine._fields,
)  # fmt: skip


class Value(NamedTuple):
    """A quantity of ours in the printed unit; `seeds` is empty where nothing was trained for it."""

    centre: float  # mean over seeds
    spread: Interval  # of a cost; the value itself where it is exact, or has seeds
    seeds: Mapping[int, float] = {}
    trials: tuple[str, ...] = ()
    machine: Machine | None = None  # of time and memory
    measured: str = ""  # how: which kind of memory
    disturbance: str = ""

    def scaled(self, unit: float) -> Value:
        """Returns it in a unit that is so many of the present ones."""
        return self._replace(
            centre=self.centre / unit,
            spread=Interval(self.spread.low / unit, self.spread.high / unit),
            seeds={seed: value / unit for seed, value in self.seeds.items()},
        )

    def plus(self, other: Value) -> Value:
        """Returns the sum of two numbers, seed by seed."""
        return self._replace(
            centre=self.centre + other.centre,
            spread=Interval(self.spread.low + other.spread.low, self.spread.high + other.spread.high),
            seeds={seed: value + other.seeds[seed] for seed, value in self.seeds.items() if seed in other.seeds},
            trials=tuple(dict.fromkeys((*self.trials, *other.trials))),
            disturbance=self.disturbance or other.disturbance,
        )


class Untested(NamedTuple):
    """Why there is no value."""

    reason: str


class OurNumbers:
    """Everything that claims ask of the results of one profile; suites are read when the first claim needs them."""

    def __init__(self, results: pd.DataFrame, study: Study, profile: str) -> None:
        self.study, self.profile = study, resolve("profile", profile, study.profiles)
        rows = results[results["record"].isin(RECORDS)]  # first of all: the per-image rows can be millions
        rows = rows[rows["profile"].isin([self.profile])]
        of_class, bf = rows["record"].isin(["class_score"]), rows["metric"].isin(["boundary_f1"])
        wanted = ~of_class | (rows["metric"].isin([CLASS_METRIC]) & rows["split"].isin(["test"]))
        wanted &= ~bf | rows["protocol"].isin([DEFAULT_PROTOCOL])
        wanted &= ~rows["record"].isin(["score"]) | rows["split"].isin(REPORTED_SPLITS)
        self.results = rows[wanted]
        self.suites: dict[str, SuiteNumbers] = {}
        self.values: dict[Quantity, Value | Untested] = {}

    def value(self, quantity: Quantity) -> Value | Untested:
        """Returns a quantity, or why there is none."""
        if quantity not in self.values:
            self.values[quantity] = self._value(quantity)
        return self.values[quantity]

    def of_table(self, table: str) -> SuiteNumbers | Untested:
        """Returns the numbers of the suite that replicates a table."""
        names = [name for name, spec in self.study.suites.items() if table in spec.tables]
        if not names:
            return Untested(f"no suite of the study replicates table {table}")
        name = next((name for name in names if self.profile in self.study.suites[name].runs), "")
        if not name:
            return Untested(f"suite {names[0]} has no profile {self.profile}")
        if name not in self.suites:
            self.suites[name] = SuiteNumbers(self.results, self.study, name, self.profile)
        return self.suites[name]

    def notice(self, cells: Sequence[Cell]) -> str:
        """Returns what to say of the scale and machine of some numbers, a line each; "" where they are the paper's."""
        suites = [(self.of_table(cell.table), cell) for cell in cells]
        found = [text for suite, cell in suites if not isinstance(suite, Untested) for text in suite.notice(cell)]
        return "\n".join(dict.fromkeys(filter(None, found)))

    def _value(self, quantity: Quantity) -> Value | Untested:
        total: Value | None = None
        for cell in quantity:
            suite = self.of_table(cell.table)
            value = suite if isinstance(suite, Untested) else suite.value(cell)
            if isinstance(value, Untested):
                return value
            total = value if total is None else total.plus(value)
        assert total is not None
        return total


class SuiteNumbers:
    """The numbers of one suite and profile; stale results do not count."""

    def __init__(self, results: pd.DataFrame, study: Study, suite: str, profile: str) -> None:
        self.tables = study.suites[suite].tables
        self.trials = _planned(study, suite, profile)
        self.digests = {trial.digest for trial in self.trials}
        self.results = results[results["suite"].isin([suite])]
        self.name = f"suite {suite}, profile {profile}"

    def value(self, cell: Cell) -> Value | Untested:
        """Returns our value beside a cell of the paper, or why there is none."""
        address, target = cell.address, printed(cell)
        model = paper_table(cell.table).rows[address.row].model
        if model not in ROW_TITLES:
            return Value(target.value, Interval(target.value, target.value))
        weighting = "" if address.metric in COST_METRICS else address.weighting or _weighting_of(cell)
        found = self._length(model, weighting) if address.metric == LENGTH else self._measured(model, cell)
        if found is None:
            return Untested(self._why_none(model, weighting, cell))
        return found if isinstance(found, Untested) else found.scaled(STORED_PER_PRINTED[target.unit])

    @property
    def at_scale(self) -> bool:
        """Whether it ran at the paper's scale."""
        return at_paper_scale(self.trials, self.tables)

    def notice(self, cell: Cell) -> list[str]:
        """Returns what to say of the scale and the machine of a number; the size of a network has none."""
        metric = cell.address.metric
        if metric not in MACHINE_COSTS:
            return [] if metric in COST_METRICS else [scale_notice(self.trials, self.tables)]
        measured = [found for place, found in self.numbers.items() if place.metric in MACHINE_COSTS]
        if not measured:
            return []
        devices = " and ".join(dict.fromkeys(found.machine.device_name or "an unnamed device" for found in measured))
        theirs = f"times and memory are measured on {devices}, the paper's on {PAPER_MACHINES[cell.table]}."
        size = scale_notice([trial for trial in self.trials if trial.kind == "cost"], ["T6"])
        return [size, f"ANOTHER MACHINE: {theirs}"]

    def _measured(self, model: str, cell: Cell) -> Value | Untested | None:
        metric, title = cell.address.metric, ROW_TITLES[model]
        where = {name: part for name, part in cell.address._asdict().items() if name != "row"}
        place = Place(model=model, protocol=self._protocol(model, metric), **where)
        found = self.numbers.get(place)
        if found is None:
            return Untested(f"{title}: {NOT_OF_A_GPU}") if place.protocol == NOT_OF_A_GPU else None
        if metric not in MACHINE_COSTS:
            return Value(found.value, Interval(found.value, found.value), found.values, found.trials)
        spread = Interval(found.value, found.value)
        if metric in TIMES:
            low, high = (self.quartiles.get((place, name)) for name in ("p25", "p75"))
            if low is None or high is None:
                return Untested(f"{title}: its results hold no quartiles of {metric}")
            spread = Interval(low, high)
        kind = place.protocol.partition(",")[0]
        return Value(found.value, spread, {}, found.trials, found.machine, kind, found.disturbance)

    def _protocol(self, model: str, metric: str) -> str:
        """Returns the protocol by which a number was measured; of memory the kind that is nearest to the paper's."""
        if metric in TIMES:
            return TIMED
        if metric not in PAPER_BATCHES:
            return DEFAULT_PROTOCOL if metric == "boundary_f1" else ""
        first = self.trials[0]
        batch = f", batch {PAPER_BATCHES[metric]}, {first.timing_height}x{first.timing_width}"
        found = [place.protocol for place in self.numbers if (place.model, place.metric) == (model, metric)]
        kinds = [protocol.removesuffix(batch) for protocol in found if protocol.endswith(batch)]
        return next((kind + batch for kind in GPU_MEMORY if kind in kinds), NOT_OF_A_GPU if kinds else "")

    def _length(self, model: str, weighting: str) -> Value | None:
        """Returns at which iteration the reported checkpoints of a model are."""
        found = {}
        for trial in self.trials:
            at = self.selected.get(trial.digest)
            if (model, weighting) in cells_of(trial) and trial.seed is not None and at is not None:
                found[trial.digest] = (trial.seed, float(at))
        if not found:
            return None
        seeds = dict(found.values())
        mean = sum(seeds.values()) / len(seeds)
        return Value(mean, Interval(mean, mean), seeds, tuple(found))

    def _why_none(self, model: str, weighting: str, cell: Cell) -> str:
        title, budget = ROW_TITLES[model], cell.address.budget
        if (model, weighting) not in {of_trial for trial in self.trials for of_trial in cells_of(trial)}:
            what = f"trains no {title} with {weighting.replace('_', ' ')}" if weighting else f"does not measure {title}"
            return f"{self.name} {what}"
        if budget and all(budget not in trial.budgets for trial in self.trials):
            return f"{self.name} has no budget {budget}"
        if state := self.empty.get((model, weighting)):
            return f"{title}: {state.reason if state.verdict == 'missing' else f'{state.verdict}, {state.reason}'}"
        return f"{title}: its results hold no {' '.join(filter(None, (cell.address.metric, cell.address.class_name)))}"

    @cached_property
    def numbers(self) -> dict[Place, Measured]:
        """All that was measured, by place."""
        return numbers(self.results[list(NEEDED)], self.digests, classes=not OF_CLASSES.isdisjoint(self.tables))

    @cached_property
    def empty(self) -> Mapping[tuple[str, str], State]:
        """Why rows of a table have no result, by row and loss weighting."""
        return empty_cells(self.trials, states(self.results, self.trials))

    @cached_property
    def quartiles(self) -> dict[tuple[Place, str], float]:
        """The quartiles of the passes behind each time, by the place of the time and "p25" or "p75"."""
        rows = current_rows(self.results, self.digests, "cost")
        rows = rows[rows["metric"].str.endswith(("_p25", "_p75"))]
        columns = (rows[name] for name in ("model", "metric", "protocol", "value"))
        return {
            (Place(model, "", "", metric[:-4], "", "", protocol), metric[-3:]): float(value)
            for model, metric, protocol, value in zip(*columns, strict=True)
        }

    @cached_property
    def selected(self) -> dict[str, int]:
        """The iteration of the reported checkpoint by digest of the training."""
        done = self.results[(self.results["status"] == "done") & self.results["digest"].isin(list(self.digests))]
        first = done.drop_duplicates("digest")
        pairs = zip(first["digest"], first["selected_iteration"], strict=True)
        return {digest: int(at) for digest, at in pairs if not pd.isna(at)}


def _planned(study: Study, suite: str, profile: str) -> list[Trial]:
    """Returns the trials of a suite, those of optional loss weightings that the paper's tables have included."""
    spec = study.suites[suite]
    usual = spec.runs[profile].weightings or spec.weightings
    in_paper = {address.weighting for table in spec.tables for address in paper_table(table).printed}
    more = [name for name in spec.optional_weightings if name in in_paper and name not in usual]
    return plan(study, suite, profile, weightings=[*usual, *more])


def _weighting_of(cell: Cell) -> str:
    """Returns the loss weighting of the scores in the row of a cell that has none itself."""
    printed_there = paper_table(cell.table).printed
    return next((other.weighting for other in printed_there if other.row == cell.address.row and other.weighting), "")
