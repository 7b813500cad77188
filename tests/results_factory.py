"""A small study, its trials and plausible results files, for tests of several rooms.

`write` stores a trial as this version of the program does, with every column of its identity and the provenance that
says by which settings and source it came about. `outdated` is the same trial as it was planned under other source: what
is written for it is stale for the trial itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.results.provenance import source_columns
from bench.results.schema import CHECKERBOARD_METRICS, COST_METRICS, REFINEMENT_METRICS, SCHEMA_VERSION
from bench.results.store import path_of
from bench.results.trial_file import write_trial
from bench.study.config import load_study
from bench.study.trials import Trial, plan

ROOT = Path(__file__).parent.parent


def trials(profile="smoke", suite="decoder-variants", **selection) -> list[Trial]:
    return plan(load_study(ROOT / "bench.yaml"), suite, profile, **selection)


def outdated(trial: Trial, path="bench/training/loop.py") -> Trial:
    return replace(trial, sources=trial.sources | {path: "0" * 8})


def selected(trial: Trial) -> int:
    """The iteration whose checkpoint `write` reports: the first validation point after the last budget, or 100."""
    return max(trial.budgets.values()) + trial.validate_every if trial.budgets else 100


def otherwise_selected(trial: Trial) -> int:
    """The iteration that the other selection metric chooses, where `write` is given a value for it."""
    return selected(trial) + trial.validate_every


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
        "selected_iteration": selected(trial),
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


def write(
    folder: Path,
    trial: Trial,
    value=0.5,
    *,
    refined: float | None = None,
    other: float | None = None,
    classes: Sequence[str] = (),
    costs: Mapping[tuple[str, str], float] | None = None,
    **changes,
) -> Path:
    """Writes the results file of a trial; returns its path.

    Args:
        value: every score of train and test at the selected iteration; budget i of n has value · i / (n + 1).
        refined: every score of the refined predictions, of a trial that has some; None: `value`.
        other: every score of test where the other selection metric chooses, which is then another iteration; None: it
            is not stored, and neither is anything of the validation split.
        classes: names of classes, which then have every per-class score wherever there are scores; each `value` of that
            place.
        costs: values of a cost trial by metric and protocol; None: 1000 parameters.
        changes: columns that are the same in every row.
    """
    path = path_of(folder, trial)
    rows = [{"record": "outcome", "metric": "done", "value": 1.0, "unit": ""}]
    if trial.kind == "cost":
        for (metric, protocol), cost in (costs or {("parameters", "x"): 1000.0}).items():
            unit = COST_METRICS.get(metric, "ms")  # quartiles of times
            rows.append({"record": "cost", "metric": metric, "value": cost, "unit": unit, "protocol": protocol})
        write_trial(path, constants(trial, **{"selected_iteration": None, **changes}), rows)
        return path
    at = selected(trial)
    rows += [row for split in ("train", "test") for row in _scores(split, at, value, classes)]
    for number, iteration in enumerate(sorted(trial.budgets.values()), start=1):
        rows += _scores("test", iteration, value * number / (len(trial.budgets) + 1), classes)
    if other is not None:
        second = otherwise_selected(trial)
        rows += _scores("test", second, other, classes)
        rows += _validations(trial, at, second)
    if trial.refinement:
        made = {"refinement": trial.refinement}
        rows += [row | made for row in _scores("test", at, value if refined is None else refined, classes)]
        rows += [
            {"record": "refinement", "metric": metric, "value": number, "unit": unit, **made}
            for number, (metric, unit) in enumerate(REFINEMENT_METRICS.items(), start=1)
        ]
    if trial.checkerboard:
        rows += [
            {"record": "checkerboard", "metric": metric, "value": value / period, "unit": unit}
            | {"protocol": f"period {period}"}
            for period in (2, 4)
            for metric, unit in CHECKERBOARD_METRICS.items()
        ]
    rows.append({"record": "image_boundary", "metric": "label_pixels", "value": 7.0, "unit": "pixels", "image": "a"})
    write_trial(path, constants(trial, **changes), rows)
    return path


def _scores(split, iteration, value, classes):
    where = {"value": value, "split": split, "unit": "fraction", "iteration": iteration}
    score, of_class = {"record": "score", **where}, {"record": "class_score", **where}
    rows = [{"metric": metric, **score} for metric in ("global_accuracy", "class_average_accuracy", "mean_iou")]
    rows += [{"metric": metric, "class_name": name, **of_class} for metric in ("accuracy", "iou") for name in classes]
    if split == "test":
        rows.append({"metric": "boundary_f1", "protocol": "paper", **score})
        rows += [{"metric": "boundary_f1", "class_name": name, "protocol": "paper", **of_class} for name in classes]
    return rows


def _validations(trial, at, second):
    """Scores of the validation split by which the trial's selection metric chooses `at` and the other one `second`.

    Those at the budgets are the highest of all, which does not count.
    """
    points = dict.fromkeys(trial.budgets.values(), (0.9, 0.9)) | {at: (0.6, 0.4), second: (0.5, 0.5)}
    metrics = ("global_accuracy", "mean_iou")
    if trial.selection == "mean_iou":
        metrics = metrics[::-1]
    where = {"record": "score", "split": "val", "unit": "fraction"}
    return [
        {"metric": metric, "value": score, "iteration": iteration, **where}
        for iteration, scores in points.items()
        for metric, score in zip(metrics, scores, strict=True)
    ]
