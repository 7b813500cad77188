"""Trials stored without training: a small study, predictions that are right in part, rows as a trial writes them."""

from pathlib import Path

import numpy as np
import yaml
from results_factory import constants
from single_rows import single_rows

from bench.data import DATASETS, Split, load_split
from bench.results.store import path_of, predictions_path
from bench.results.trial_file import write_trial
from bench.running.rows import TrialRows
from bench.study.config import load_study
from bench.study.trials import Trial, plan

ROOT = Path(__file__).parent.parent.parent
VOID = 255


def write_study(folder: Path, seeds=(0, 1), weightings=("median_frequency", "natural_frequency")) -> Path:
    """Writes a study with one suite of two models on five drawn test images of 24x32 pixels."""
    study = yaml.safe_load((ROOT / "bench.yaml").read_text())
    study["datasets"]["road_scenes"] |= {"train": 6, "val": 2, "test": 5}
    study["profiles"]["smoke"] |= {"height": 24, "width": 32, "seeds": list(seeds)}
    suite = study["suites"]["decoder-variants"]
    suite |= {"models": ["bilinear_interpolation", "fcn_basic"], "weightings": list(weightings)}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    return path


def planned(study: Path, **selection) -> list[Trial]:
    """Returns the trainings of the study."""
    trials = plan(load_study(study), "decoder-variants", "smoke", **selection)
    return [trial for trial in trials if trial.kind == "training"]


def split_of(trial: Trial) -> Split:
    return load_split(trial.dataset, "test", trial.height, trial.width, trial.dataset_options)


def guessed(split: Split, seed: int, right=0.7) -> np.ndarray:
    """Returns predictions (N,H,W) that are right in a share of the pixels."""
    rng = np.random.default_rng(seed)
    guess = rng.integers(0, len(split.class_names), split.labels.shape, dtype=np.uint8)
    keep = (rng.random(split.labels.shape) < right) & (split.labels != VOID)
    return np.where(keep, split.labels, guess)


def store(
    folder: Path,
    trial: Trial,
    split: Split,
    predictions: np.ndarray,
    label_maps=True,
    drop=None,
    besides=(),
    **changes,
):
    """Writes a trial's file, and its label maps, as a training does.

    Args:
        drop: says which rows to leave out.
        besides: what else is scored: (iteration, predictions, refinement) of each.
    """
    rows = TrialRows({"test": split}, None)
    rows.add_regions("test", 50, predictions)  # at an iteration that is not selected
    rows.rows = [row for row in rows.rows if row["record"] != "image_confusion"]
    rows.add_regions("test", 100, predictions)
    rows.add_boundaries("test", 100, predictions)
    for iteration, others, refinement in besides:
        rows.add_regions("test", iteration, others, refinement)
        rows.add_boundaries("test", iteration, others, refinement)
    if label_maps:
        rows.keep_predictions("test", predictions)
        rows.write_predictions(predictions_path(folder, trial), DATASETS["road_scenes"].palette)
    kept = [row for row in single_rows(rows.rows) if drop is None or not drop(row)]
    path = path_of(folder, trial)
    write_trial(path, constants(trial, **changes), kept)
    return path
