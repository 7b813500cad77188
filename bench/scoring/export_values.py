"""The stored values of finished trials, as other programs take them: rows, or a number by name and step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from bench.errors import ConfigError
from bench.replication.checkpoints import plain
from bench.replication.scores import choose
from bench.results.changes import json_object
from bench.results.schema import IDENTITY, PROVENANCE
from bench.results.store import load_results
from bench.scoring.latest import leaves
from bench.study.trials import Trial

# Not the counts of single images, single timed passes, and the machine's state meanwhile.
RECORDS = (
    "score", "class_score", "class_weight", "class_frequency", "curve", "cost", "refinement", "checkerboard",
)  # fmt: skip
NAMES = """\
Names of values, with "/" between their parts:

    train/loss, train/images_per_s                while training
    val/mean_iou, test/boundary_f1/paper          a score of a split at an iteration; boundary F1 with its protocol
    test/class_iou/Sky                            of one class
    test/dense_crf/mean_iou                       of refined predictions
    reported/mean_iou, reported/class_iou/Sky     of test at the reported checkpoint, the one of the tables
    class_weight/Sky, class_frequency/train/Sky   how the loss was weighted, and what that was computed from
    cost/forward_ms/interleaved                   a cost with its protocol
    refinement/..., checkerboard/...              what the predictions were refined with, repeats in the output
"""
NOT_READ = ("image_confusion", "image_boundary", "pass", "condition")
CONSTANT = [column.name for column in (*IDENTITY, *PROVENANCE)]


class TrialValues(NamedTuple):
    """A finished trial: its stored identity and provenance, and its rows of RECORDS, with "" for absent text."""

    stored: Mapping[str, Any]
    stale: bool
    rows: pd.DataFrame


class Finished(NamedTuple):
    """The finished trials in the order of the plan, ids of the others, and a line per file that cannot be read."""

    trials: tuple[TrialValues, ...]
    missing: tuple[str, ...]
    problems: tuple[str, ...]


def finished_values(results: Path, trials: Sequence[Trial]) -> Finished:
    """Returns the values of those of some planned trials that are done; a stale result stands in as in the reports.

    Args:
        results: the results folder.
        trials: of one suite and profile; costs as well as trainings.

    Raises:
        ResultsError: there is no results folder.
    """
    found = load_results(results, suite=trials[0].suite, profile=trials[0].profile, without=NOT_READ)
    choice = choose(found.rows, trials)
    rows = plain(choice.rows[choice.rows["status"] == "done"])
    by_trial = {str(trial): part for trial, part in rows.groupby("trial", sort=False)}
    done = [trial for trial in trials if trial.id in by_trial]
    values = []
    for trial in done:
        part = by_trial[trial.id]
        stored = {name: part[name].iloc[0] for name in CONSTANT}
        kept = part[part["record"].isin(RECORDS)]
        values.append(TrialValues(stored, stored["digest"] in choice.stale, kept))
    missing = tuple(trial.id for trial in trials if trial.id not in by_trial)
    return Finished(tuple(values), missing, tuple(found.problems))


def named_values(trial: TrialValues) -> Iterator[tuple[str, int, float]]:
    """Yields name (see NAMES), step and value of every row; a value without an iteration has step 0.

    Those of test at the reported checkpoint come a second time, under `reported`.
    """
    selected = trial.stored["selected_iteration"]
    columns = ["record", "metric", "split", "iteration", "protocol", "refinement", "class_name", "value"]
    for record, metric, split, iteration, protocol, refinement, class_name, value in trial.rows[columns].itertuples(
        index=False
    ):
        step = 0 if pd.isna(iteration) else int(iteration)
        parts = {
            "score": (split, refinement, metric, protocol),
            "class_score": (split, refinement, f"class_{metric}", protocol, class_name),
            "curve": ("train", metric),
            "class_weight": ("class_weight", class_name),
            "class_frequency": ("class_frequency", split, class_name),
        }.get(record, (record, metric, protocol))
        number = float("nan") if pd.isna(value) else float(value)
        yield "/".join(part for part in parts if part), step, number
        if record in ("score", "class_score") and split == "test" and not pd.isna(selected) and step == selected:
            yield "/".join(("reported", *(part for part in parts[1:] if part))), step, number


def settings_of(stored: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    """Returns the stored specification of a trial, with dots between the names of nested settings; nothing empty."""
    found = dict(leaves(json_object(stored["config"]) or {}, ""))
    return {
        name: value if isinstance(value, (str, int, float, bool)) else str(value)
        for name, value in found.items()
        if value is not None and value not in ({}, [], "")
    }


def not_installed(form: str, error: ImportError, install: str) -> ConfigError:
    """Returns the error that says what a format needs."""
    package = str(error.name).partition(".")[0]
    return ConfigError(f"--format {form} needs a package that is not installed ({package}); `{install}`")


def started_s(stored: Mapping[str, Any]) -> float:
    """Returns when a trial began, in seconds since 1970; 0 where that is not known."""
    try:
        return datetime.fromisoformat(str(stored["started_at"])).timestamp()
    except ValueError:
        return 0.0
