"""Cost against accuracy over all models of a profile: which costs and scores of several suites belong together.

A model is drawn where it has a finished cost trial in any suite and a finished training, under natural frequency, in a
suite on the data set of the figure. One figure a data set, since scores on two do not compare. The paper's points are
those of which its tables print both coordinates. bench/reporting/figures/all_models.py draws them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from bench.replication.conditions import MARK as DISTURBED
from bench.replication.paper import target
from bench.replication.scale import NOT_AT_SCALE
from bench.replication.scores import MACHINE_COLUMNS, costs
from bench.reporting.comparisons.comparison import Side
from bench.reporting.comparisons.suite_results import SuiteResults
from bench.reporting.staleness import IN_FIGURES, MARK
from bench.reporting.tables.deep_costs import NVIDIA_SMI
from bench.study.catalog import DATASET_TITLES, MODEL_TITLES

WEIGHTING = "natural_frequency"  # the one that the paper's Tables 3 and 4 have, and every suite of such networks
COST_TABLE = "T6"
FEWEST = 3  # models in a figure: the splits of the open questions train two
ACCURACIES = {"mean_iou": "mIoU, test (%)", "boundary_f1": "BF, test (%)"}

NOTICE = f"{NOT_AT_SCALE.upper()}: the page of each suite says at which it trained."
MEANINGS = {MARK: IN_FIGURES, DISTURBED: f"{DISTURBED} Something disturbed the measurement of its time."}


class CostAxis(NamedTuple):
    """One row of panels; `unit` is that of the stored metric."""

    metric: str
    title: str
    unit: str
    relative: bool  # drawn as a multiple of the reference's


MEMORY = "inference_peak_mib"
AXES = (
    CostAxis("forward_ms", "Forward time", "ms", True),
    CostAxis(MEMORY, "Peak memory of inference", "MiB", True),
    CostAxis("model_size_mb", "Model size", "MB", False),
)


class Point(NamedTuple):
    """A model as one suite has trained it: costs by metric, test scores by metric, ours or the paper's."""

    model: str
    suite: str
    cost: Mapping[str, float]
    score: Mapping[str, float]
    marks: str = ""  # of what is stale or was disturbed


class AllModels(NamedTuple):
    """What is drawn of one data set, and what could not be."""

    dataset: str
    title: str  # of the data set
    ours: tuple[Point, ...]
    paper: tuple[Point, ...]
    without_cost: tuple[str, ...]  # names of models that are trained on it
    without_training: tuple[str, ...]  # names of models whose costs are known
    elsewhere: tuple[str, ...]  # names of models whose costs were measured on another machine
    memory: str  # which kind of memory was measured; "" where there are several, or none
    notice: str  # says that some were not trained at the paper's scale; else ""

    @property
    def legend(self) -> str:
        """Says what the marks of names mean; "" where no name has one."""
        marks = {mark for point in self.ours for mark in point.marks}
        return " ".join(meaning for mark, meaning in MEANINGS.items() if mark in marks)

    @property
    def left_out(self) -> str:
        """Says which models are not in the figure, and why; "" where all are."""
        parts = (
            ("it has no finished cost trial", self.without_cost),
            (f"it has no finished training on {self.title}", self.without_training),
            ("device, kernels, threads or precision of its cost are not the others'", self.elsewhere),
        )
        return " ".join(f"Not drawn, since {why}: {'; '.join(names)}." for why, names in parts if names)


def all_models(suites: Sequence[SuiteResults], first: str) -> list[AllModels]:
    """Returns what there is to draw, one entry a data set that FEWEST models of known costs are trained on.

    Args:
        suites: all of one profile, in the order of the study.
        first: the suite whose costs come before those of others, where several have measured a model.
    """
    in_order = sorted(suites, key=lambda suite: suite.suite != first)
    known, marks, memory, elsewhere = _costs(in_order)
    datasets: dict[str, list[Point]] = {}
    titles = {suite.planned[0].dataset: _title(suite) for suite in suites}
    for suite in suites:
        for (model, weighting), side in suite.scored().items() if suite.trainings else ():
            if weighting == WEIGHTING:
                found_marks = {MARK} if side.stale else set()
                text = "".join(sorted(found_marks | marks.get(model, set())))
                point = Point(model, suite.suite, known.get(model, {}), _means(side), text)
                datasets.setdefault(suite.planned[0].dataset, []).append(point)
    found = []
    for dataset, points in datasets.items():
        drawn = tuple(sorted((p for p in points if p.cost), key=lambda p: list(MODEL_TITLES).index(p.model)))
        if len({point.model for point in drawn}) >= FEWEST:
            trained = {point.model for point in points}
            found.append(
                AllModels(
                    dataset,
                    titles[dataset],
                    drawn,
                    _paper(drawn, suites),
                    _names(trained - known.keys() - elsewhere),
                    _names(known.keys() - trained),
                    _names(trained & elsewhere),
                    memory,
                    NOTICE if any(suite.notice for suite in suites if suite.suite in {p.suite for p in drawn}) else "",
                )
            )
    return found


def all_models_caption(data: AllModels) -> str:
    """Says what is not in the figure of a data set, and what the marks in it mean; "" where there is nothing to say."""
    said = [text for text in (data.left_out, data.legend) if text]
    return f"{data.title}: {' '.join(said)}" if said else ""


class _Costs(NamedTuple):
    """Costs by model and metric, their marks, the kind of memory, and the models that were measured elsewhere."""

    values: dict[str, dict[str, float]]
    marks: dict[str, set[str]]
    memory: str
    elsewhere: set[str]


def _costs(suites: Sequence[SuiteResults]) -> _Costs:
    """Returns the costs of each model, of the first suite that has them and measured images of the first one's size.

    Multiples of one network's time mean something on one machine only: the device, kernels, threads and precision by
    which most models of the first suite that has costs were measured.
    """
    found: dict[str, dict[str, float]] = {}
    places: dict[str, tuple[str, ...]] = {}
    usual: tuple[str, ...] | None = None
    marks: dict[str, set[str]] = {}
    kinds: set[str] = set()
    size = _timing_size(suites[0])
    for suite in (suite for suite in suites if _timing_size(suite) == size):
        rows: pd.DataFrame = costs(suite.rows)
        kind = rows["protocol"].str.split(",").str[0]
        rows = rows.assign(kind=kind).iloc[(kind != NVIDIA_SMI).to_numpy().argsort(kind="stable")]
        rows = rows.drop_duplicates(["model", "metric"])
        new = rows[rows["metric"].isin([axis.metric for axis in AXES]) & ~rows["model"].isin(list(found))]
        kinds |= set(new.loc[new["metric"] == MEMORY, "kind"])
        columns = ["model", "metric", "value", "trials", "disturbance", *MACHINE_COLUMNS]
        for model, metric, value, trials, why, *machine in new[columns].itertuples(index=False, name=None):
            found.setdefault(model, {})[metric] = float(value)
            places[model] = tuple(map(str, machine))  # not all of it may be known
            marks.setdefault(model, set()).update(
                {MARK} if suite.stale.holds(trials) else (), {DISTURBED} if why else ()
            )
        usual = usual or max(places.values(), key=list(places.values()).count, default=None)
    elsewhere = {model for model, place in places.items() if place != usual}
    known = {model: cost for model, cost in found.items() if model not in elsewhere}
    return _Costs(known, marks, kinds.pop() if len(kinds) == 1 else "", elsewhere)


def _title(suite: SuiteResults) -> str:
    """Returns the name of a suite's data set; one of the study's own is named with what reads it."""
    trial = suite.planned[0]
    if trial.dataset in DATASET_TITLES:
        return DATASET_TITLES[trial.dataset]
    reader = trial.dataset_options.get("reader")
    return f"{DATASET_TITLES.get(reader, reader)}, {trial.dataset}" if reader else trial.dataset


def _timing_size(suite: SuiteResults) -> tuple[int, int]:
    return suite.planned[0].timing_height, suite.planned[0].timing_width


def _means(side: Side) -> dict[str, float]:
    return {metric: side.mean(metric) for metric in ACCURACIES}


def _paper(drawn: Sequence[Point], suites: Sequence[SuiteResults]) -> tuple[Point, ...]:
    """Returns the paper's points of the models that are drawn, where a table of the suite prints their scores."""
    tables = {suite.suite: suite.tables for suite in suites}
    found: dict[str, Point] = {}
    for point in drawn:
        for table in tables[point.suite]:
            score = {m: target(table, point.model, WEIGHTING, "test", m) for m in ACCURACIES}
            cost = {axis.metric: target(COST_TABLE, point.model, None, None, axis.metric) for axis in AXES}
            if any(score.values()) and any(cost.values()):
                x, y = ({name: cell.stored for name, cell in cells.items() if cell} for cells in (cost, score))
                found.setdefault(point.model, Point(point.model, point.suite, x, y))
    return tuple(found.values())


def _names(models: set[str]) -> tuple[str, ...]:
    return tuple(title for model, title in MODEL_TITLES.items() if model in models)
