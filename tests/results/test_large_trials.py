"""The largest training of the study, on SUN RGB-D at the paper's scale: its file is written, read back and reported."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from results_factory import ROOT, constants, selected, trials

from bench.cli import main
from bench.data.split import Split
from bench.data.sun_rgbd_classes import CLASS_NAMES
from bench.errors import ResultsError
from bench.evaluation.confusion import confusion_counts
from bench.results import trial_file, trial_table
from bench.results.store import load_results, outcome, path_of
from bench.results.trial_file import write_trial
from bench.results.trial_table import rows_in
from bench.running.most_rows import classes_in, most_image_rows, points_of
from bench.running.rows import TrialRows
from bench.scoring.stored import read_counts
from bench.study.trials import Trial

LARGEST = next(trial for trial in trials("paper", "indoor-scenes") if trial.refinement)
IMAGES = LARGEST.dataset_options["test"]
SIZE = 16, 24  # px; how many rows there are depends on the classes of a map, not on its size
MOST_MIB = 2048


def drawn(images: int) -> Split:
    """Labels of about ten classes of 37 in each image, as a drawn room has."""
    dice = np.random.default_rng(0)
    here = dice.integers(0, len(CLASS_NAMES), (images, 18))
    patches = here[np.arange(images)[:, None, None], dice.integers(0, 18, (images, 4, 6))]
    labels = np.ascontiguousarray(patches.repeat(4, axis=1).repeat(4, axis=2).astype(np.uint8))
    names = tuple(f"img-{number:06d}" for number in range(1, images + 1))
    return Split(np.zeros((*labels.shape, 3), np.uint8), labels, names, CLASS_NAMES, "digest")


def guessed(split: Split, seed: int) -> np.ndarray:
    """Predictions that are right in seven tenths of the patches, and else of another class of the image, or of any."""
    dice = np.random.default_rng(seed)
    patches = split.labels[:, ::4, ::4]
    shape = patches.shape
    others = np.take_along_axis(patches.reshape(len(patches), -1), dice.integers(0, 24, (len(patches), 24)), axis=1)
    wrong = np.where(dice.random(shape) < 0.1, dice.integers(0, 37, shape), others.reshape(shape))
    found = np.where(dice.random(shape) < 0.7, patches, wrong).astype(np.uint8)
    return np.ascontiguousarray(found.repeat(4, axis=1).repeat(4, axis=2))


def write(folder: Path, trial: Trial, split: Split) -> int:
    """Writes a training's file; returns its number of image rows."""
    rows = TrialRows({"test": split}, None)
    at = selected(trial)
    points = [*((iteration, None) for iteration in trial.budgets.values()), (at - 1, None), (at, None)]
    points.append((at, trial.refinement))
    assert len(points) == points_of(trial)
    for seed, (iteration, refinement) in enumerate(points):
        predictions = guessed(split, seed)
        rows.add_regions("test", iteration, predictions, refinement)
        rows.add_boundaries("test", iteration, predictions, refinement)
    loss = {"record": "curve", "metric": "loss", "value": 1.0, "unit": "nat"}
    losses = [loss | {"iteration": iteration} for iteration in range(1, trial.iterations + 1)]
    done = {"record": "outcome", "metric": "done", "value": 1.0, "unit": ""}
    write_trial(path_of(folder, trial), constants(trial), [done, *losses, *rows.rows])
    count = sum(rows_in(row) for row in rows.rows if "image" in row)
    bounds = classes_in(split.labels, len(CLASS_NAMES))
    most = most_image_rows(trial, bounds, len(CLASS_NAMES))
    assert 250 * points_of(trial) * len(split.names) < count < most < trial_file.MAX_IMAGE_ROWS
    assert path_of(folder, trial).stat().st_size < 4 * count
    return count


def read(folder: Path, trial: Trial, split: Split) -> None:
    """Reads scores and counts of a file back."""
    assert outcome(folder, trial).status == "done"
    found = load_results(folder)
    assert found.problems == []
    assert (found.rows["metric"] == "loss").sum() == trial.iterations
    counts = read_counts(path_of(folder, trial))
    reported = guessed(split, len(trial.budgets) + 1)
    np.testing.assert_array_equal(counts.confusion, confusion_counts(split.labels, reported, len(CLASS_NAMES)))


def bench(folder: Path, trial: Trial, command: str, *words: str) -> None:
    where = ["--suite", trial.suite, "--profile", trial.profile, "--results", str(folder), *words]
    said = CliRunner().invoke(main, ["--config", str(ROOT / "bench.yaml"), command, *where])
    assert said.exit_code == 0, said.output
    assert "cannot be read" not in said.output


def test_a_twentieth_of_the_largest_training_is_written_and_read(tmp_path, monkeypatch):
    """In several row groups, as all of it has."""
    monkeypatch.setattr(trial_table, "ROWS_AT_ONCE", 100_000)
    shorter, split = replace(LARGEST, iterations=5000), drawn(IMAGES // 20)
    assert write(tmp_path, shorter, split) > 3 * trial_table.ROWS_AT_ONCE
    read(tmp_path, shorter, split)
    bench(tmp_path, shorter, "rescore")


def peak_mib(folder: Path, step: str) -> float:
    """Runs a step in a process of its own; returns its peak memory."""
    measured = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    code = f"from test_large_trials import *; {step}; {measured}"
    places = os.pathsep.join(map(str, (ROOT, ROOT / "tests", Path(__file__).parent)))
    environment = os.environ | {"PYTHONPATH": places, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_largest_training_is_written_read_and_reported_in_two_gigabytes(tmp_path):
    results = "Path('results'), LARGEST"
    found = {
        step: peak_mib(tmp_path, step)
        for step in (
            f"write({results}, drawn(IMAGES))",
            f"read({results}, drawn(IMAGES))",
            f"bench({results}, 'rescore')",
            f"bench({results}, 'report', '--out', 'report')",
        )
    }
    print(found)
    assert max(found.values()) < MOST_MIB, found


def test_more_rows_than_are_read_are_not_written(tmp_path, monkeypatch):
    path = path_of(tmp_path, LARGEST)
    monkeypatch.setattr(trial_file, "MAX_IMAGE_ROWS", 1000)
    with pytest.raises(ResultsError, match="is not written, .*: .* rows of single images, at most 1000 are read"):
        write(tmp_path, replace(LARGEST, iterations=10), drawn(5))
    monkeypatch.setattr(trial_file, "MAX_ROWS", 1000)
    with pytest.raises(ResultsError, match="is not written, .*: .* rows, at most 1000 are read"):
        write(tmp_path, replace(LARGEST, iterations=1000), drawn(5))
    monkeypatch.undo()
    monkeypatch.setattr(trial_file, "MAX_FILE_BYTES", 1000)
    with pytest.raises(ResultsError, match="is not written, .*: .* bytes, at most"):
        write(tmp_path, replace(LARGEST, iterations=10), drawn(5))
    assert not path.exists()
