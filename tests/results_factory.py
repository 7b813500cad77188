"""A small study, its trials and plausible results files, for tests of several rooms."""

from pathlib import Path

from bench.results.store import path_of, write_trial
from bench.study.config import load_study
from bench.study.trials import Trial, plan

ROOT = Path(__file__).parent.parent


def trials(profile="smoke", **selection) -> list[Trial]:
    return plan(load_study(ROOT / "bench.yaml"), "decoder-variants", profile, **selection)


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
        "schema_version": 1,
        "git_dirty": None,
        "duration_s": 12.5,
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
