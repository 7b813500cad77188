"""A metric that is broken on purpose makes `bench check` fail."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from results_factory import constants, selected, trials, write
from scoring.scored_trials import guessed, planned, split_of, store, write_study
from small_check import ROOT, bench

from bench.evaluation.region_scores import region_scores
from bench.replication.baseline import read_baseline
from bench.replication.check import Place
from bench.replication.comparable import Measured
from bench.replication.unfinished import rows_of
from bench.results.store import path_of
from bench.results.trial_file import write_trial
from bench.study.catalog import METRIC_TITLES
from bench.study.config import load_study
from bench.study.trials import Trial, plan


def test_a_metric_that_was_broken_makes_check_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials are scored by the program itself; then its class average takes predictions for labels."""
    study = write_study(tmp_path)
    found = plan(load_study(study), "decoder-variants", "smoke")
    split = split_of(found[0])

    def run() -> None:
        for number, trial in enumerate(planned(study)):
            store(tmp_path / "results", trial, split, guessed(split, number), label_maps=False)

    def check(*words):
        return bench(
            "--config", study, "check", "--suite", "decoder-variants", "--results", tmp_path / "results", *words
        )

    run()
    for trial in found:
        if trial.kind == "cost":
            write(tmp_path / "results", trial)
    assert check("--update-baseline", "--reason", "before the change").exit_code == 0
    run()
    done = check()
    assert done.exit_code == 0, done.output

    monkeypatch.setattr("bench.running.rows.region_scores", lambda counts: region_scores(counts.T.copy()))
    run()
    done = check("--format", "json")
    assert done.exit_code == 1
    outside = [number for number in json.loads(done.stdout)["suites"][0]["numbers"] if number["verdict"] == "outside"]
    assert len(outside) == 4  # two models under two loss weightings
    assert {number["metric"] for number in outside} == {"class_average_accuracy"}  # the others are symmetric


@pytest.mark.parametrize("suite", ["decoder-variants", "road-scenes"])
def test_a_committed_baseline_tells_a_broken_metric(tmp_path: Path, suite: str) -> None:
    """Results that are as they were pass; three points and a half off one score of one model do not."""
    shutil.copy(ROOT / "bench.yaml", tmp_path)
    (tmp_path / "results").mkdir()
    shutil.copytree(ROOT / "results/_baselines", tmp_path / "results/_baselines")
    found = trials(suite=suite)
    numbers = read_baseline(tmp_path / f"results/_baselines/{suite}-smoke.csv").numbers
    for trial in found:
        write_as_in(numbers, tmp_path / "results", trial)
    words = ("--config", tmp_path / "bench.yaml", "check", "--suite", suite, "--results", tmp_path / "results")
    done = bench(*words)
    assert done.exit_code == 0, done.output
    checked = [place for place in numbers if place.metric in (*METRIC_TITLES, "parameters", "storage_multiplier")]
    assert f"{len(checked)} within, 0 outside\n" in done.output

    broken = found[0]
    place = Place(broken.model, broken.weighting, "test", "mean_iou", "", "", "")
    worse = numbers | {place: numbers[place]._replace(value=numbers[place].value - 0.035)}
    write_as_in(worse, tmp_path / "results", broken)
    done = bench(*words, "--format", "json")
    assert done.exit_code == 1
    (of_suite,) = json.loads(done.stdout)["suites"]
    assert [one["cell"] for one in of_suite["numbers"] if one["verdict"] == "outside"] == [place.cell]


def write_as_in(numbers: Mapping[Place, Measured], folder: Path, trial: Trial) -> None:
    """Writes a trial with the numbers that a baseline has of it."""
    rows = [{"record": "outcome", "metric": "done", "value": 1.0}]
    for place, one in numbers.items():
        if place.weighting != (trial.weighting or "") or place.model not in rows_of(trial):
            continue
        row = {"record": "score" if trial.weighting else "cost", "metric": place.metric, "value": one.value}
        if trial.weighting:
            row |= {"split": place.split, "iteration": trial.budgets.get(place.budget, selected(trial))}
            row |= {"refinement": trial.refinement if place.model != trial.model else None}
        rows.append(row | {"protocol": place.protocol or None, "unit": ""})
    at = selected(trial) if trial.weighting else None
    write_trial(path_of(folder, trial), constants(trial, selected_iteration=at), rows)
