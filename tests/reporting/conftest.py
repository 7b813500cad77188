"""Synthetic results with the shape of real ones: every number follows a simple rule and none was measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.data import dataset_of
from bench.results.provenance import source_columns
from bench.results.schema import COLUMNS, SCHEMA_VERSION
from bench.results.store import PANDAS_TYPES
from bench.study.catalog import MODEL_TITLES
from bench.study.config import Study, load_study
from bench.study.trials import Trial, plan

CLASSES = (
    "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian", "Bicyclist",
)  # fmt: skip
FREQUENCIES = np.array([0.165, 0.229, 0.0096, 0.32, 0.046, 0.109, 0.011, 0.0125, 0.072, 0.0062, 0.0046])
MACHINE = "AMD EPYC 9B45"
SUITE, PROFILE = "decoder-variants", "smoke"

Row = dict[str, Any]


def _provenance(trial: Trial, number: int) -> Row:
    identity = (
        "suite",
        "profile",
        "kind",
        "dataset",
        "model",
        "weighting",
        "seed",
        "precision",
        "channels_last",
        "determinism",
    )
    return {
        **{name: getattr(trial, name) for name in identity},
        "trial": trial.id,
        "digest": trial.digest,
        "config": json.dumps(trial.as_dict()),
        "status": "done",
        "selected_iteration": _selected(trial, number) if trial.kind == "training" else None,
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "git_dirty": False,
        **source_columns(trial),
        "dataset_digest": "d" * 16 if trial.kind == "training" else None,
        "device": "cpu",
        "device_name": MACHINE,
        "kernels": "AVX2",
        "threads": 2,
        "load_average": 0.4,
        "python": "3.11.2",
        "torch": "2.15.0",
        "torchvision": "0.29.0",
        "numpy": "2.3.4",
        "platform": "Linux x86_64",
        "bench_version": "0.1.0",
        "schema_version": SCHEMA_VERSION,
        "started_at": f"2026-01-02T{3 + number // 4:02d}:{15 * (number % 4):02d}:00+00:00",
        "duration_s": 431.0 + number,
    }


def _selected(trial: Trial, number: int) -> int:
    if trial.budgets:
        first = max(trial.budgets.values()) + trial.validate_every
        return max(first, trial.iterations - trial.validate_every * (number % 2))
    return 400 + 100 * (number % 3)


def _classes(trial: Trial) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of a trial's classes and how often each occurs."""
    names = tuple(dataset_of(trial.dataset, trial.dataset_options).class_names)
    return (names, FREQUENCIES) if names == CLASSES else (names, 0.3 * 0.86 ** np.arange(len(names)))


def _training_rows(trial: Trial, quality: float, selected: int, rng: np.random.Generator) -> list[Row]:
    """Scores rise as 1 − exp(−t), boundary F1 lies lower, train above val above test, budgets below the last point."""
    rows: list[Row] = []
    last, every = (trial.iterations, trial.validate_every) if trial.budgets else (600, 100)
    time = last / 600
    for iteration in range(1, last + 1):
        loss = 0.4 + 1.6 * np.exp(-iteration / 120 / time) - 0.3 * quality + rng.normal(0, 0.06)
        rows.append({"record": "curve", "metric": "loss", "iteration": iteration, "value": max(loss, 0.02)})
        if iteration % 10 == 0:
            rows.append({"record": "curve", "metric": "images_per_s", "iteration": iteration, "value": 18.0})
    for iteration in range(every, last + 1, every):
        for metric, level in (
            ("global_accuracy", 0.85),
            ("class_average_accuracy", 0.62),
            ("mean_iou", 0.48),
        ):
            value = level * (0.7 + 0.3 * quality) * (1 - np.exp(-iteration / 180 / time)) + rng.normal(0, 0.008)
            splits = (("val", 0.03), ("train", 0.05), ("test", 0.0)) if iteration == selected else (("val", 0.03),)
            splits = (("val", 0.03), ("test", 0.0)) if iteration in trial.budgets.values() else splits
            for split, lift in splits:
                row = {"record": "score", "metric": metric, "split": split, "iteration": iteration}
                rows.append({**row, "value": value + lift, "unit": "fraction"})
    for protocol, lift in (("paper", 0.0), ("distance", 0.08)):
        row = {"record": "score", "metric": "boundary_f1", "split": "test", "protocol": protocol, "unit": "fraction"}
        for iteration in (*trial.budgets.values(), selected):
            value = 0.2 + 0.25 * quality + lift - 0.1 * (1 - iteration / selected)
            rows.append({**row, "iteration": iteration, "value": value})
    for name, share in zip(*_classes(trial), strict=True):
        iou = float(np.clip(0.95 + 0.16 * np.log(share) * (1.3 - quality) + rng.normal(0, 0.03), 0, 1))
        for metric, value in (
            ("iou", iou),
            ("accuracy", min(1.0, iou * 1.15 + 0.05)),
            ("boundary_f1", iou * 0.6),
        ):
            row = {"record": "class_score", "metric": metric, "split": "test", "iteration": selected}
            rows.append({**row, "class_name": name, "value": value, "unit": "fraction"})
    if trial.refinement:
        test = [row for row in rows if row.get("split") == "test" and row["iteration"] == selected]
        rows += [row | {"refinement": trial.refinement, "value": row["value"] * 0.97} for row in test]
    return rows


def _class_rows(trial: Trial) -> list[Row]:
    rows: list[Row] = []
    classes, frequencies = _classes(trial)
    balanced = np.median(frequencies) / frequencies
    for split, tilt in (("train", 0.0), ("val", 0.25), ("test", -0.2)):
        shares = frequencies ** (1 + 0.1 * tilt)
        for name, share in zip(classes, shares / shares.sum(), strict=True):
            rows.append({"record": "class_frequency", "split": split, "class_name": name, "value": share})
    for name, weight in zip(classes, balanced, strict=True):
        value = weight if trial.weighting == "median_frequency" else 1.0
        rows.append({"record": "class_weight", "class_name": name, "value": value})
    return rows


def _cost_rows(number: int) -> list[Row]:
    parameters = [0.612e6, 1.415e6, 1.415e6, 0.625e6, 0.645e6, 0.643e6, 1.661e6, 1.661e6][number % 8]
    forward_ms = [19.0, 41.5, 42.2, 30.1, 20.2, 19.6, 35.0, 34.1][number % 8]
    values = {
        "parameters": (parameters, "count"),
        "model_size_mb": (parameters * 4e-6, "MB"),
        "storage_multiplier": ([0.0, 1.0, 64.0, 1.0, 11.0, 0.0, 64.0, 0.0][number % 8], "ratio"),
        "stored_encoder_mib": ([0.0, 0.04, 2.6, 0.04, 0.45, 0.0, 2.6, 0.0][number % 8], "MiB"),
        "forward_flops": (7.5e9, "FLOP"),
        "forward_ms": (forward_ms, "ms"),
        "forward_ms_p25": (forward_ms * 0.97, "ms"),
        "forward_ms_p75": (forward_ms * 1.06, "ms"),
        "forward_ms_n": (50.0, "count"),
        "backward_ms": (forward_ms * 2.1, "ms"),
        "inference_peak_mib": (310.0 + 9 * number, "MiB"),
        "training_peak_mib": (1200.0 + 70 * number, "MiB"),
    }
    protocol = "90x120 batch 1"
    return [
        {"record": "cost", "metric": m, "value": v, "unit": u, "protocol": protocol} for m, (v, u) in values.items()
    ]


def _table_6_rows(trial: Trial, number: int, kinds: Sequence[str]) -> list[Row]:
    """Time by the protocol of Table 6, and memory of some kinds; the other costs are those of `_cost_rows`."""
    height, width = trial.timing_height, trial.timing_width
    values = [
        ("forward_ms", 400.0 + 10 * number, "ms", "table-6"),
        ("forward_ms_n", 10.0, "count", "table-6"),
        ("backward_ms", 800.0 + 10 * number, "ms", "table-6"),
    ]
    for lift, kind in enumerate(kinds):
        peak = f"{kind}, batch {{}}, {height}x{width}".format
        values.append(("training_peak_mib", 6000.0 + 1000 * lift + number, "MiB", peak(4)))
        values.append(("inference_peak_mib", 1000.0 + 1000 * lift + number, "MiB", peak(1)))
    return [{"record": "cost", "metric": m, "value": v, "unit": u, "protocol": p} for m, v, u, p in values]


def make_results(
    trials: Sequence[Trial],
    failed: Sequence[str] = (),
    reason: str = "loss became nan",
    memory_kinds: Sequence[str] = ("resident_set",),
) -> pd.DataFrame:
    """Returns what `load_results` would for these trials; those with an id in `failed` have an outcome row only."""
    rng = np.random.default_rng(1511)
    rows: list[Row] = []
    for number, trial in enumerate(trials):
        common = _provenance(trial, number)
        place = list(MODEL_TITLES).index(trial.model)
        if trial.id in failed:
            common |= {"status": "diverged", "reason": reason, "selected_iteration": None}
            values: list[Row] = []
        elif trial.kind == "cost":
            values = _cost_rows(place)
            if trial.timing_paper == "table-6":
                values = [row for row in values if "peak" not in row["metric"]]
                values += _table_6_rows(trial, place, memory_kinds)
        else:
            quality = [0.1, 0.62, 0.7, 0.5, 0.66, 0.35, 0.8, 0.45][place % 8]
            values = _training_rows(trial, quality, common["selected_iteration"], rng) + _class_rows(trial)
        rows += [common | value for value in values]
        rows.append(common | {"record": "outcome", "metric": "done", "value": float(common["status"] == "done")})
    frame = pd.DataFrame(rows, columns=[column.name for column in COLUMNS])
    return frame.astype({column.name: PANDAS_TYPES[column.dtype] for column in COLUMNS})


def make_panels(folder: Path, trials: Sequence[Trial], images: int = 2, height: int = 90, width: int = 120) -> Path:
    """Writes panels of street-like blocks below `folder`; each prediction is the labels, shifted."""
    rng = np.random.default_rng(7)
    place = {model: number for number, model in enumerate(MODEL_TITLES)}
    for number in range(images):
        labels = np.full((height, width), 3, dtype=np.uint8)
        labels[: height // 3] = 0
        labels[height // 4 : height // 2, : width // 3] = 1
        labels[height // 5 : height // 2, 2 * width // 3 :] = 5
        labels[3 * height // 4 :, : width // 4] = 4
        labels[height // 3 : 3 * height // 4, 40 + 9 * number : 43 + 9 * number] = 2
        labels[height // 2 : 2 * height // 3, 60:88] = 8
        labels[height // 2 : 3 * height // 4, 96:101] = 9
        labels[-4:] = 255
        shades = rng.integers(60, 200, (256, 3))
        image = np.clip(shades[labels] + rng.normal(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)
        into = folder / trials[0].suite / trials[0].profile / f"frame_{number:02d}"
        into.mkdir(parents=True)
        Image.fromarray(image).save(into / "image.png")
        Image.fromarray(labels).save(into / "labels.png")
        for trial in (trial for trial in trials if trial.kind == "training"):
            shifted = np.roll(labels, 1 + place[trial.model] % 4, axis=place[trial.model] % 2)
            shifted[shifted == 255] = 3
            Image.fromarray(shifted).save(into / f"{trial.id}-{trial.digest}.png")
            if trial.refinement:
                Image.fromarray(labels).save(into / f"{trial.id}-{trial.digest}-{trial.refinement}.png")
    return folder


@pytest.fixture(scope="session", autouse=True)
def coarse_pictures() -> Iterator[None]:
    """Draws fewer pixels, which takes most of the time of a report."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.reporting.figures.style.DPI", 50)
        yield


@pytest.fixture(scope="session")
def study() -> Study:
    return load_study(Path(__file__).parents[2] / "bench.yaml")


@pytest.fixture(scope="session")
def trials(study: Study) -> list[Trial]:
    return plan(study, SUITE, PROFILE)


@pytest.fixture(scope="session")
def results(trials: list[Trial]) -> pd.DataFrame:
    return make_results(trials)


@pytest.fixture(scope="session")
def build_results() -> Callable[..., pd.DataFrame]:
    return make_results


@pytest.fixture(scope="session")
def panels_dir(tmp_path_factory: pytest.TempPathFactory, trials: list[Trial]) -> Path:
    """The folder `_panels` of a results folder that holds nothing else."""
    return make_panels(tmp_path_factory.mktemp("results") / "_panels", trials)
