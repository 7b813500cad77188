"""`bench check`: which numbers are compared with which reference, and under which tolerances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from bench.errors import ConfigError, ResultsError
from bench.replication.baseline import read_baseline, write_baseline
from bench.replication.check import (
    CLASS_ACCURACY,
    PAPER_TOLERANCES,
    Verdict,
    against_baseline,
    against_paper,
    paper_targets,
)
from bench.replication.scores import class_scores, reported, why_stale
from bench.results.changes import summary
from bench.results.store import load_results
from bench.study.catalog import refined
from bench.study.config import Study
from bench.study.trials import Trial

BASELINES = Path("results/_baselines")  # beside bench.yaml; the underscore keeps it out of the results


def baseline_path(trials: Sequence[Trial], home: Path) -> Path:
    """Returns where the stored baseline of a suite and profile lies; `home` is the folder of bench.yaml."""
    return home / BASELINES / f"{trials[0].suite}-{trials[0].profile}.csv"


def verdicts_of(rows: pd.DataFrame, trials: Sequence[Trial], study: Study, against: str, home: Path) -> list[Verdict]:
    """Compares the results of `trials` with a reference.

    Args:
        rows: results of one suite and profile
        trials: the trials of that suite and profile; stale results do not count, but are named as the reason
        study: for its tolerances
        against: "paper", "baseline", or the path of a baseline file or of a results folder
        home: the folder of bench.yaml

    Raises:
        ConfigError: there are no tolerances for the profile, no table for the suite, or no such reference.
        ResultsError: the reference cannot be read.
    """
    profile = trials[0].profile
    kind = "paper" if against == "paper" else "baseline"
    tolerances = getattr(study.tolerances, kind).get(profile)
    if tolerances is None:
        raise ConfigError(f"bench.yaml has no tolerances.{kind}.{profile}; add the allowed gap per metric")
    verdicts = compared(rows, trials, study, against, tolerances, home)
    stale = stale_reasons(rows, trials)
    of_cell = _of_cells(rows, trials, stale)
    verdicts = [
        replace(verdict, reason=of_cell.get(_cell(verdict, trials), verdict.reason))
        if verdict.verdict == "missing"
        else verdict
        for verdict in verdicts
    ]
    return verdicts + unfinished(rows, trials, verdicts, stale)


def stale_reasons(rows: pd.DataFrame, trials: Sequence[Trial]) -> dict[str, str]:
    """Returns "stale: what has changed" by id of the trials that have a stale result and none that counts."""
    return {name: f"stale: {summary(found)}" for name, found in why_stale(rows, trials).items()}


def _of_cells(rows: pd.DataFrame, trials: Sequence[Trial], reasons: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Returns the reasons by model and weighting ("" for costs), without those that have a result that counts."""
    done = set(rows.loc[rows["status"] == "done", "digest"])
    counting = {(trial.model, trial.weighting or "") for trial in trials if trial.digest in done}
    found = {(trial.model, trial.weighting or ""): reasons[trial.id] for trial in trials if trial.id in reasons}
    return {cell: reason for cell, reason in found.items() if cell not in counting}


def _cell(verdict: Verdict, trials: Sequence[Trial]) -> tuple[str, str]:
    """Returns model and weighting of the trials that a verdict is about; a cost has no weighting."""
    models = {row: trial.model for trial in trials for row in _rows_of(trial)}
    return models.get(verdict.model, verdict.model), verdict.weighting


def _rows_of(trial: Trial) -> tuple[str, ...]:
    """Returns the rows of a table that a trial gives: its model, and its refined predictions."""
    return tuple(dict.fromkeys((trial.model, refined(trial.model, trial.refinement or ""))))


def unfinished(
    rows: pd.DataFrame, trials: Sequence[Trial], verdicts: Sequence[Verdict], stale: Mapping[str, str]
) -> list[Verdict]:
    """Returns a missing verdict for every planned trial that is not done and that no missing cell speaks of yet.

    Without them a seed that failed would leave the mean unnoticed, and so would a model that a baseline has not.
    """
    done = set(rows.loc[rows["status"] == "done", "digest"])
    spoken_of = {_cell(verdict, trials) for verdict in verdicts if verdict.verdict == "missing"}
    ended = rows.drop_duplicates("digest").set_index("digest")["status"].to_dict()
    return [
        Verdict(
            cell=f"{trial.model} {trial.weighting} s{trial.seed} trial" if trial.weighting else f"{trial.model} cost",
            model=trial.model,
            weighting=trial.weighting or "",
            metric="trial",
            ours=None,
            reference=1.0,
            difference=None,
            tolerance=0.0,
            verdict="missing",
            n=0,
            reason=ended.get(trial.digest, stale.get(trial.id, "not run yet")),
        )
        for trial in trials
        if trial.digest not in done and (trial.model, trial.weighting or "") not in spoken_of
    ]


def compared(
    rows: pd.DataFrame, trials: Sequence[Trial], study: Study, against: str, tolerances: Mapping[str, float], home: Path
) -> list[Verdict]:
    """Returns the verdicts on single numbers; arguments and errors as for `verdicts_of`."""
    suite, profile = trials[0].suite, trials[0].profile
    if against == "paper":
        return _compared_with_paper(rows, trials, study.suites[suite].tables, tolerances)
    ours = reported(rows, {trial.digest for trial in trials})
    path = baseline_path(trials, home) if against == "baseline" else Path(against)
    if path.is_dir():
        found = load_results(path, suite=suite, profile=profile)
        if found.problems:
            raise ResultsError(f"reference --against {against}: {found.problems[0]}; repair or remove the file")
        theirs = reported(found.rows)
        if theirs.empty:
            raise ResultsError(f"'{path}' has no finished trial of suite {suite}, profile {profile}")
        return against_baseline(ours, theirs, tolerances)
    if not path.is_file():
        hint = (
            "write one with --update-baseline --reason TEXT"
            if against == "baseline"
            else "name paper, baseline, a file or a folder"
        )
        raise ConfigError(f"--against {against}: no such file or folder '{path}'; {hint}")
    baseline = read_baseline(path)
    for name, wanted in (("suite", suite), ("profile", profile)):
        if baseline.meta.get(name) != (wanted,):
            got = ", ".join(baseline.meta.get(name, ("nothing",)))
            raise ConfigError(f"{path} is a baseline of {name} {got}, not of {wanted}")
    return against_baseline(ours, baseline.frame, tolerances)


def _compared_with_paper(
    rows: pd.DataFrame, trials: Sequence[Trial], tables: Sequence[str], tolerances: Mapping[str, float]
) -> list[Verdict]:
    """Returns the verdicts on the numbers that the paper prints of what `trials` train and measure."""
    suite, profile = trials[0].suite, trials[0].profile
    if not tables:
        raise ConfigError(f"suite {suite} belongs to no table of the paper; check it --against a baseline")
    printed = set().union(*(paper_targets(table)["metric"] for table in tables))
    if printed.isdisjoint({*tolerances, *PAPER_TOLERANCES}):
        raise ConfigError(
            f"tolerances.paper.{profile} in bench.yaml names nothing that can be compared with {' and '.join(tables)}; "
            f"add the allowed gap of {' or '.join(sorted(printed))}"
        )
    digests = {trial.digest for trial in trials}
    ours = [reported(rows, digests)]
    if CLASS_ACCURACY in tolerances:
        classes = class_scores(rows, digests)
        ours.append(classes[(classes["metric"] == CLASS_ACCURACY) & (classes["split"] == "test")])
    return against_paper(
        pd.concat([frame for frame in ours if len(frame)] or ours),
        tolerances,
        tables,
        models={row for trial in trials for row in _rows_of(trial)},
        weightings={trial.weighting for trial in trials if trial.weighting},
    )


def save_baseline(rows: pd.DataFrame, trials: Sequence[Trial], home: Path, reason: str) -> Path:
    """Writes the reported values of `trials` as the baseline of their suite and profile; returns its path.

    Raises:
        ResultsError: a trial is not done, or the file cannot be written.
    """
    digests = {trial.digest for trial in trials}
    current = rows[rows["digest"].isin(digests) & (rows["status"] == "done")]
    stored = current.drop_duplicates("digest")
    if len(stored) < len(trials):
        raise ResultsError(
            f"no baseline written: {len(stored)} of {len(trials)} trials are done; "
            f"finish them first with `bench run --suite {trials[0].suite} --profile {trials[0].profile}`"
        )
    meta: dict[str, str | list[str]] = {"suite": trials[0].suite, "profile": trials[0].profile}
    meta |= {"reason": reason, "date": datetime.now(UTC).date().isoformat()}
    for name in ("git_commit", "torch", "numpy", "device_name", "threads"):
        meta[name] = sorted({str(value) for value in stored[name].dropna()})
    meta["trial"] = [f"{trial.id} {trial.digest}" for trial in trials]
    path = baseline_path(trials, home)
    write_baseline(path, reported(rows, digests), meta)
    return path
