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
from bench.scoring.stored import files_by_trial, read_counts
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


@dataclass(frozen=True)
class Value:
    """A score of a model and loss weighting, over seeds; fractions.

    Attributes:
        std: over seeds, divided by n - 1; NaN for n = 1.
        n: seeds.
        stale: whether the trials were stored under other settings or source than are planned now.
        trials: "ID-DIGEST" of each.
    """

    model: str
    weighting: str
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
        images: the number of images that were scored, over all trials.
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

    Args:
        results: the results folder.
        trials: of one suite and profile.
        definition: what to score, and how.

    Raises:
        ResultsError: there is no results folder.
    """
    stored, problems = finished_trials(results, trials)
    files = files_by_trial(results)
    scored: list[tuple[StoredTrial, Scores]] = []
    without: dict[str, list[str]] = {}
    images = 0
    for one in stored:
        try:
            if one.key not in files:
                raise ResultsError("its file has gone")
            counts = read_counts(files[one.key])
            scores = score_counts(definition, counts.class_names, counts.confusion, counts.boundary)
        except (ResultsError, UnknownNameError) as error:
            without.setdefault(one_line(error), []).append(one.trial.id)
            continue
        images += len(counts.images)
        scored.append((one, scores))
        lacking = [name for name in definition.protocols if name not in counts.boundary]
        if lacking:
            without.setdefault(f"it stores no counts of {', '.join(lacking)}", []).append(one.trial.id)
    missing = sum(trial.kind == "training" for trial in trials) - len(stored)
    return Rescored(tuple(_over_seeds(scored, definition)), len(scored), images, without, missing, problems)


def _over_seeds(scored: Sequence[tuple[StoredTrial, Scores]], definition: Definition) -> list[Value]:
    """Averages over seeds; weighting by weighting, then model by model, in the order of the plan."""
    cells: dict[tuple[str, str], list[tuple[StoredTrial, Scores]]] = {}
    for one, scores in scored:
        cells.setdefault((one.trial.weighting or "", one.trial.model), []).append((one, scores))
    order = {weighting: position for position, (weighting, _) in reversed(list(enumerate(cells)))}
    found = []
    for (weighting, model), members in sorted(cells.items(), key=lambda cell: order[cell[0][0]]):
        for measure in definition.measures:
            seeds = [(one, scores.values[measure]) for one, scores in members if measure in scores.values]
            if not seeds:
                continue
            values = [value for _, value in seeds]
            std = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
            stale = any(one.stale for one, _ in seeds)
            names = tuple(one.key for one, _ in seeds)
            found.append(Value(model, weighting, measure, float(np.mean(values)), std, len(values), stale, names))
    return found
