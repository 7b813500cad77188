"""Scores the stored counts of a suite's trials under other definitions: one row per value, averaged over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.errors import ResultsError, UnknownNameError, one_line
from bench.replication.scores import choose
from bench.results.store import load_results
from bench.scoring.definition import Definition, Measure, Scores, score_counts
from bench.scoring.stored import counts_of, files_by_trial, read_table
from bench.study.trials import Trial


class StoredTrial(NamedTuple):
    """A finished trial that is to be scored: planned now, or the stale one that stands in for it."""

    trial: Trial
    digest: str
    stale: bool

    @property
    def key(self) -> str:
        """The name of its files and folders."""
        return f"{self.trial.id}-{self.digest}"


class Point(NamedTuple):
    """What a trial scored: its network at the end of a budget, at the reported checkpoint ("", None), or refined."""

    budget: str = ""
    iteration: int | None = None
    refinement: str = ""

    def __str__(self) -> str:
        return self.refinement or self.budget


@dataclass(frozen=True)
class Value:
    """A score of a model and loss weighting, over seeds; fractions.

    Attributes:
        model: a name in ROW_TITLES: that of what refined its predictions is part of it.
        budget: at which fixed point of the training; "" is the reported checkpoint.
        std: over seeds, divided by n - 1; NaN for n = 1.
        n: seeds.
        stale: whether the trials were stored under other settings or source than are planned now.
        trials: "ID-DIGEST" of each.
    """

    model: str
    weighting: str
    budget: str
    measure: Measure
    value: float
    std: float
    n: int
    stale: bool
    trials: tuple[str, ...]


@dataclass(frozen=True)
class Rescored:
    """Scores of a suite in a profile, in the order of the table, and what stands in the way of more.

    Attributes:
        values: one for each cell and measure that has counts.
        trials: the number of trials that were scored.
        images: the number of images that were scored, over all trials and all that they scored.
        without: by reason, the ids of finished trials, or of their protocols, that cannot be scored.
        missing: the number of planned trainings without a finished result.
        problems: a line for each file that could not be read.
    """

    values: tuple[Value, ...]
    trials: int
    images: int
    without: dict[str, list[str]]
    missing: int
    problems: list[str]


def finished_trials(results: Path, trials: Sequence[Trial]) -> tuple[list[StoredTrial], list[str]]:
    """Returns the finished trainings among some planned trials, and a line for each file that could not be read.

    A stale result stands in where nothing that is current stands in its cell, as in the reports.

    Raises:
        ResultsError: there is no results folder.
    """
    found = load_results(results, suite=trials[0].suite, profile=trials[0].profile)
    trainings = [trial for trial in trials if trial.kind == "training"]
    choice = choose(found.rows, trainings)
    done = choice.rows[choice.rows["status"] == "done"].drop_duplicates("digest")
    digests = dict(zip(done["trial"], done["digest"], strict=True))
    stored = [
        StoredTrial(trial, digests[trial.id], digests[trial.id] in choice.stale)
        for trial in trainings
        if trial.id in digests
    ]
    return stored, found.problems


def rescore_trials(results: Path, trials: Sequence[Trial], definition: Definition) -> Rescored:
    """Scores every finished training among some planned trials from its stored counts.

    Scored is all that the trial scored: the reported checkpoint, refined predictions, and the points at its budgets.

    Args:
        results: the results folder.
        trials: of one suite and profile.
        definition: what to score, and how.

    Raises:
        ResultsError: there is no results folder.
    """
    stored, problems = finished_trials(results, trials)
    files = files_by_trial(results)
    scored: list[tuple[StoredTrial, Point, Scores]] = []
    without: dict[str, list[str]] = {}
    images = 0
    for one in stored:
        try:
            if one.key not in files:
                raise ResultsError("its file has gone")
            table = read_table(files[one.key])
        except ResultsError as error:
            without.setdefault(one_line(error), []).append(one.trial.id)
            continue
        for point in _points(one.trial):
            name = f"{one.trial.id} ({point})" if str(point) else one.trial.id
            try:
                counts = counts_of(table, definition.protocols, point.refinement, point.iteration)
                scores = score_counts(definition, counts.class_names, counts.confusion, counts.boundary)
            except (ResultsError, UnknownNameError) as error:
                without.setdefault(one_line(error), []).append(name)
                continue
            images += len(counts.images)
            scored.append((one, point, scores))
            lacking = [protocol for protocol in definition.protocols if protocol not in counts.boundary]
            if lacking:
                without.setdefault(f"it stores no counts of {', '.join(lacking)}", []).append(name)
    missing = sum(trial.kind == "training" for trial in trials) - len(stored)
    number = len({one.key for one, *_ in scored})
    return Rescored(tuple(_over_seeds(scored, definition)), number, images, without, missing, problems)


def _points(trial: Trial) -> list[Point]:
    """Returns what a training scores on the test split, in the order of the tables."""
    budgets = [Point(name, iteration) for name, iteration in trial.budgets.items()]
    return [*budgets, Point(), *([Point(refinement=trial.refinement)] if trial.refinement else [])]


def _over_seeds(scored: Sequence[tuple[StoredTrial, Point, Scores]], definition: Definition) -> list[Value]:
    """Averages over seeds: by weighting, by budget, the reported checkpoint last, then by model as planned."""
    cells: dict[tuple[str, str, str], list[tuple[StoredTrial, Scores]]] = {}
    for one, point, scores in scored:
        model = f"{one.trial.model}_{point.refinement}" if point.refinement else one.trial.model
        cells.setdefault((one.trial.weighting or "", point.budget, model), []).append((one, scores))
    order = [list(dict.fromkeys(cell[part] for cell in cells)) for part in (0, 1)]
    found = []
    for (weighting, budget, model), members in sorted(
        cells.items(), key=lambda cell: (order[0].index(cell[0][0]), not cell[0][1], order[1].index(cell[0][1]))
    ):
        for measure in definition.measures:
            seeds = [(one, scores.values[measure]) for one, scores in members if measure in scores.values]
            if not seeds:
                continue
            values = [value for _, value in seeds]
            std = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
            stale = any(one.stale for one, _ in seeds)
            names = tuple(one.key for one, _ in seeds)
            mean = float(np.mean(values))
            found.append(Value(model, weighting, budget, measure, mean, std, len(values), stale, names))
    return found
