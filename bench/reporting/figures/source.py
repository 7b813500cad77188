"""What the figures of a report are drawn from, and how they name and mark the models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.data import dataset_of
from bench.data.split import Dataset
from bench.replication.conditions import MARK as DISTURBED
from bench.replication.conditions import disturbances
from bench.replication.scores import MACHINE_COLUMNS, scores
from bench.reporting.staleness import FRESH, IN_FIGURES, Staleness
from bench.reporting.staleness import MARK as STALE
from bench.results.changes import json_object
from bench.study.catalog import WEIGHTING_TITLES
from bench.study.trials import Trial

# Those that figures are drawn from; the others would only make the digest of what a figure is drawn from slow.
DRAWN_COLUMNS = [
    "trial", "digest", "suite", "profile", "kind", "model", "weighting", "seed", "record", "metric", "split",
    "iteration", "protocol", "refinement", "class_name", "value", "status", "selected_iteration", "config",
    *MACHINE_COLUMNS,
]  # fmt: skip

# By "ID-DIGEST" of a training and what refined its predictions ("": nothing): the names of the K classes and the
# (K, K) pixels of the test split, `[label, prediction]`, at the reported checkpoint; None: it has stored none.
ReadConfusion = Callable[[str, str], tuple[Sequence[str], NDArray[np.int64]] | None]


@dataclass(frozen=True)
class FigureSource:
    """What the figures are drawn from.

    Attributes:
        results: rows of one suite and profile in the stored columns, one configuration of each trial.
        table: key of the paper's table; None where there is none.
        notice: says what scale the run has; empty at the paper's scale.
        panels_dir: folder with one folder of panels per image; None or a missing folder means no grid.
        stale: which of the results are to be marked as stale.
        planned: the trials of the suite, which decide what figures it can have.
        confusion: reads the confusion matrix of a training; None means no such figures.
    """

    results: pd.DataFrame
    table: str | None
    notice: str
    panels_dir: Path | None
    stale: Staleness = FRESH
    planned: Sequence[Trial] = ()
    confusion: ReadConfusion | None = None

    @property
    def trains(self) -> bool:
        """Whether the suite trains at all."""
        return any(trial.kind == "training" for trial in self.planned)

    @property
    def measures(self) -> bool:
        """Whether the suite measures what its models cost."""
        return any(trial.kind == "cost" for trial in self.planned)

    @property
    def budgets(self) -> dict[str, int]:
        """The fixed points of the trainings at which the test images are scored as well, by name; {} without."""
        return next((trial.budgets for trial in self.planned if trial.budgets), {})

    @cached_property
    def trainings(self) -> pd.DataFrame:
        """One row per finished training: trial, digest, dataset, model, weighting, seed, config."""
        done = (self.results["kind"] == "training") & (self.results["status"] == "done")
        columns = ["trial", "digest", "dataset", "model", "weighting", "seed", "config"]
        return self.results.loc[done, columns].drop_duplicates("trial").sort_values(["seed", "trial"])

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The reported scores (see `bench.replication.scores.scores`)."""
        return scores(self.drawn)

    @cached_property
    def drawn(self) -> pd.DataFrame:
        """The results in DRAWN_COLUMNS."""
        return self.results[DRAWN_COLUMNS]

    @property
    def weightings(self) -> list[str]:
        """The loss weightings that have a finished training."""
        return [w for w in WEIGHTING_TITLES if w in set(self.trainings["weighting"])]

    @property
    def dataset(self) -> Dataset:
        """The data set of the finished trainings; there has to be one."""
        first = self.trainings.iloc[0]
        return dataset_of(first["dataset"], (json_object(first["config"]) or {}).get("dataset_options", {}))

    def titles(self, weighting: str, costs: bool = False) -> dict[str, str]:
        """The names of the models, marked where their training with a weighting, or their cost, is stale.

        With costs, those are marked too whose time was disturbed.
        """
        runs = self._runs
        titles = self.stale.titles(runs[(runs["weighting"] == weighting) | (costs & (runs["kind"] == "cost"))])
        models = self._disturbed if costs else set()
        return {model: f"{title} {DISTURBED}" if model in models else title for model, title in titles.items()}

    @cached_property
    def _runs(self) -> pd.DataFrame:
        """One row per trial and what refined its predictions."""
        return self.results[["digest", "kind", "model", "weighting", "refinement"]].drop_duplicates()

    @cached_property
    def _disturbed(self) -> set[str]:
        """The models whose time was disturbed."""
        digests = {digest for digest, _ in disturbances(self.results)}
        return set(self._runs.loc[self._runs["digest"].isin(digests), "model"])

    def notice_for(self, titles: Mapping[str, str]) -> str:
        """The notice of a figure with these names in it, which explains their marks."""
        marks = {STALE: IN_FIGURES, DISTURBED: f"{DISTURBED} Something disturbed the measurement of its time."}
        meanings = [meaning for mark, meaning in marks.items() if marked(titles, mark)]
        return " ".join([self.notice, *meanings]).strip()


def marked(titles: Mapping[str, str], mark: str = STALE) -> bool:
    """Whether any of some names has a mark."""
    return any(mark in title for title in titles.values())
