"""What is shown of one suite where a page has several: its trials, their rows, and which of them are stale."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from bench.replication.checkpoints import at_selected, current_rows
from bench.replication.scale import scale_notice
from bench.replication.scores import DEFAULT_PROTOCOL, choose, why_stale
from bench.reporting.comparisons.comparison import Side, sides
from bench.reporting.staleness import Staleness
from bench.results.changes import Change
from bench.study.catalog import METRIC_TITLES
from bench.study.config import Study
from bench.study.trials import Trial, plan, plan_stored

FULL = "paper"  # the profile that stands for the paper's scale, where a suite has no table of it


class SuiteResults(NamedTuple):
    """A suite in a profile; `rows` are those that are shown, in the stored columns, `stored` all that there are."""

    suite: str
    profile: str
    title: str
    planned: tuple[Trial, ...]
    stored: pd.DataFrame
    rows: pd.DataFrame
    why: dict[str, tuple[Change, ...]]  # what has changed since the latest stale result, by trial
    stale: Staleness
    tables: tuple[str, ...]  # of the paper, that it replicates
    notice: str  # says at what scale it was run; "" where that is the paper's

    @property
    def trainings(self) -> list[Trial]:
        """The planned trainings."""
        return [trial for trial in self.planned if trial.kind == "training"]

    @property
    def missing(self) -> list[Trial]:
        """The planned trainings without a result."""
        done = set(self.rows.loc[self.rows["status"] == "done", "trial"])
        return [trial for trial in self.trainings if trial.id not in done]

    @property
    def models(self) -> list[str]:
        """The models that are trained, in the order of the suite."""
        return list(dict.fromkeys(trial.model for trial in self.trainings))

    @property
    def weightings(self) -> list[str]:
        """The loss weightings that are trained with, in the order of the suite."""
        return list(dict.fromkeys(str(trial.weighting) for trial in self.trainings))

    def scored(self) -> dict[tuple[str, str], Side]:
        """Returns the test scores at the reported checkpoint, by model and loss weighting."""
        rows = current_rows(self.rows, None, "score")
        rows = rows[rows["metric"].isin(list(METRIC_TITLES)) & (rows["refinement"] == "")]
        rows = at_selected(rows[(rows["metric"] != "boundary_f1") | (rows["protocol"] == DEFAULT_PROTOCOL)])
        return sides(rows[rows["split"] == "test"], self.stale.digests)


def suite_results(results: pd.DataFrame, study: Study, suite: str, profile: str) -> SuiteResults:
    """Returns what there is of a suite in a profile; stale results stand in where nothing current is.

    Trainings with an optional loss weighting count as planned where they have a result.

    Args:
        results: rows in the stored columns; those of other suites and profiles are ignored.
        study: from `load_study`.
        suite, profile: names.

    Raises:
        UnknownNameError: the study has no such suite, or the suite no such profile.
    """
    planned = plan_stored(study, suite, profile, set(results["trial"]))
    suite, profile = planned[0].suite, planned[0].profile
    stored = results[(results["suite"] == suite) & (results["profile"] == profile)]
    shown = choose(stored, planned)
    old = set(shown.rows.loc[shown.rows["digest"].isin(list(shown.stale)), "trial"])
    why = why_stale(stored, planned)
    stale = Staleness.of(shown.stale, {trial: changes for trial, changes in why.items() if trial in old})
    spec = study.suites[suite]
    notice = scale_notice(planned, spec.tables, plan(study, suite, FULL) if FULL in spec.runs else ())
    return SuiteResults(
        suite, profile, spec.title, tuple(planned), stored, shown.rows, why, stale, tuple(spec.tables), notice
    )


def legends(suites: Iterable[SuiteResults]) -> list[str]:
    """Returns what is to be said of the stale results among those of some suites."""
    return list(dict.fromkeys(suite.stale.legend for suite in suites if suite.stale.legend))
