"""A small study, its trials and plausible results files, for tests of several rooms.

`write` stores a trial as this version of the program does, with every column of its identity and the provenance that
says by which settings and source it came about. `outdated` is the same trial as it was planned under other source: what
is written for it is stale for the trial itself.
"""

import json
from dataclasses import replace
from pathlib import Path

from bench.results.provenance import source_columns
from bench.results.schema import SCHEMA_VERSION
from bench.results.store import path_of, write_trial
from bench.study.config import load_study
from bench.study.trials import Trial, plan

ROOT = Path(__file__).parent.parent


def trials(profile="smoke", **selection) -> list[Trial]:
    return plan(load_study(ROOT / "bench.yaml"), "decoder-variants", profile, **selection)


def outdated(trial: Trial, path="bench/training/loop.py") -> Trial:
    return replace(trial, sources=trial.sources | {path: "0" * 8})


def constants(trial: Trial, **changes):
    return {
        "trial": trial.id,
        "digest": trial.digest,
        "suite": trial.suite,
        "profile": trial.profile,
        "kind": trial.kind,
        "dataset": trial.dataset,
        "model": trial.model,
        "weighting": trial.weighting,
        "seed": trial.seed,
        "status": "done",
        "selected_iteration": 100,
        "schema_version": SCHEMA_VERSION,
        "config": json.dumps(trial.as_dict(), sort_keys=True),
        "determinism": trial.determinism,
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "git_dirty": None,
        "started_at": "2026-01-02T03:04:05+00:00",
        "duration_s": 12.5,
        **source_columns(trial),
        **changes,
    }


def write(folder: Path, trial: Trial, value=0.5, **changes) -> Path:
    path = path_of(folder, trial)
    rows = [{"record": "outcome", "metric": "done", "value": 1.0, "unit": ""}]
    if trial.kind == "cost":
        rows.append({"record": "cost", "metric": "parameters", "value": 1000.0, "unit": "count", "protocol": "x"})
        write_trial(path, constants(trial, selected_iteration=None, **changes), rows)
        return path
    where = {"record": "score", "unit": "fraction", "iteration": 100}
    for split in ("train", "test"):
        for metric in ("global_accuracy", "class_average_accuracy", "mean_iou"):
            rows.append({"metric": metric, "value": value, "split": split, **where})
    rows.append({"metric": "boundary_f1", "value": value, "split": "test", "protocol": "paper", **where})
    rows.append({"record": "image_boundary", "metric": "label_pixels", "value": 7.0, "unit": "pixels", "image": "a"})
    write_trial(path, constants(trial, **changes), rows)
    return path
