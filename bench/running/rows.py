"""Turns what a trial measured into the rows of its results file (see bench/results/schema.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.atomic import write_atomically
from bench.data import Split, class_frequencies
from bench.evaluation.boundary import boundary_counts
from bench.evaluation.boundary_scores import STORED, boundary_f1
from bench.evaluation.confusion import confusion_counts
from bench.evaluation.region_scores import RegionScores, region_scores
from bench.profiling.rounds import Round
from bench.profiling.timing import summary, times_by_clock
from bench.results.schema import (
    BOUNDARY_METRICS,
    CHECKERBOARD_METRICS,
    CONDITIONS,
    COST_METRICS,
    REFINEMENT_METRICS,
)
from bench.running.history import History
from bench.training.loop import Pause

PREDICTION = "prediction"  # stands for the trial's name until it is known

Row = dict[str, Any]


class TrialRows:
    """The rows of one trial as they come in, and the few predicted label maps that the report shows.

    A row of counts of single images stands for many (see results/trial_table.py). Its arrays are tensors, which
    checkpoints can hold.

    Args:
        splits: the splits by name; empty for a cost trial
        class_weights: (K,) weights of the loss; None for a cost trial
    """

    def __init__(self, splits: Mapping[str, Split], class_weights: np.ndarray | None) -> None:
        self.splits = splits
        self.rows: list[Row] = []
        self.history = History()
        self.selected_iteration: int | None = None
        self.panels: list[tuple[str, dict[str, np.ndarray]]] = []
        self.predictions: list[tuple[str, np.ndarray]] = []
        for split, data in splits.items():
            share = class_frequencies(data.labels, len(data.class_names))
            self._add_per_class("class_frequency", share, "fraction", split=split)
        if class_weights is not None:
            self._add_per_class("class_weight", class_weights, "weight")

    def add_curve(self, pause: Pause, batch_size: int) -> None:
        """Adds the mean training speed since the start, and the losses since the last validation."""
        known = sum(row["metric"] == "loss" for row in self.rows if row["record"] == "curve")
        for iteration in range(known + 1, pause.iteration + 1):
            self._add("curve", "loss", pause.losses[iteration - 1], "nat", iteration=iteration)
        speed = pause.iteration * batch_size / pause.seconds
        self._add("curve", "images_per_s", speed, "images/s", iteration=pause.iteration)

    def add_regions(
        self, split: str, iteration: int, predictions: np.ndarray, refinement: str | None = None
    ) -> RegionScores:
        """Adds G, C, mIoU and per-class scores of predictions (N,H,W) of a whole split; returns them.

        refinement: what was made of the network's predictions, if anything; here and below.
        """
        data = self.splits[split]
        counts = confusion_counts(data.labels, predictions, len(data.class_names))
        scores = region_scores(counts.sum(0))
        where: Row = {"split": split, "iteration": iteration, "refinement": refinement}
        for metric in ("global_accuracy", "class_average_accuracy", "mean_iou"):
            self._add("score", metric, getattr(scores, metric), "fraction", **where)
        self._add_per_class("class_score", scores.class_accuracy, "fraction", metric="accuracy", **where)
        self._add_per_class("class_score", scores.class_iou, "fraction", metric="iou", **where)
        if split == "test":
            axes = {"image": data.names, "class_name": data.class_names, "predicted_class": data.class_names}
            self._add_counts("image_confusion", counts, counts > 0, axes, where | {"metric": "pixels"})
        return scores

    def add_boundaries(
        self, split: str, iteration: int, predictions: np.ndarray, refinement: str | None = None
    ) -> None:
        """Adds boundary F1 of predictions (N,H,W) under every stored protocol, with the counts it is made of."""
        data = self.splits[split]
        for name, (protocol, void) in STORED.items():
            counts = _boundary_counts(data.labels, predictions, len(data.class_names), protocol, void)
            scores = boundary_f1(counts)
            where: Row = {"split": split, "iteration": iteration, "protocol": name, "refinement": refinement}
            self._add("score", "boundary_f1", scores.boundary_f1, "fraction", **where)
            self._add_per_class("class_score", scores.class_boundary_f1, "fraction", metric="boundary_f1", **where)
            kept = counts > 0
            kept[~kept.any(axis=(1, 2)), 0, 0] = True  # an image without any boundary counts in the mean: one row of 0
            axes = {"image": data.names, "class_name": data.class_names, "metric": BOUNDARY_METRICS}
            self._add_counts("image_boundary", counts, kept, axes, where)

    def add_refinement(self, refinement: str, parameters: Mapping[str, float]) -> None:
        """Adds the parameters of what refines the predictions, and how they were chosen."""
        for metric, value in parameters.items():
            self._add("refinement", metric, value, REFINEMENT_METRICS[metric], refinement=refinement)

    def add_checkerboard(self, period: int, measured: Mapping[str, float]) -> None:
        """Adds how much of the output repeats with a period in pixels."""
        for metric, value in measured.items():
            self._add("checkerboard", metric, value, CHECKERBOARD_METRICS[metric], protocol=f"period {period}")

    def add_cost(self, metric: str, value: float, protocol: str) -> None:
        """Adds one cost in the unit that the schema gives the metric."""
        self._add("cost", metric, value, COST_METRICS[metric], protocol=protocol)

    def add_round(self, protocol: str, number: int, measured: Round) -> None:
        """Adds the single passes of a round, numbered through all rounds of its protocol, and its conditions."""
        for kind, passes in measured.passes.items():
            for metric, values in times_by_clock(kind, passes).items():
                first = (number - 1) * len(passes) + 1
                for iteration, value in enumerate(values, start=first):
                    self._add("pass", metric, value, "ms", protocol=protocol, iteration=iteration)
            warm_up = measured.warm_ups[kind]
            self._add_condition(f"{kind}_warmup_passes", warm_up.passes, protocol, number)
            self._add_condition(f"{kind}_warmup_steady", warm_up.steady, protocol, number)
        for metric, value in measured.conditions.items():
            self._add_condition(metric, value, protocol, number)

    def add_times(self, protocol: str, statistic: Callable[..., np.floating]) -> None:
        """Adds what the passes of a protocol come to, in ms: centre, quartiles and number of passes."""
        passes: dict[str, list[float]] = {}
        for row in self.rows:
            if row["record"] == "pass" and row["protocol"] == protocol:
                passes.setdefault(row["metric"], []).append(row["value"])
        for metric, values in passes.items():
            times = summary(values, statistic)
            self._add("cost", metric, times.centre_ms, "ms", protocol=protocol)
            self._add("cost", f"{metric}_p25", times.p25_ms, "ms", protocol=protocol)
            self._add("cost", f"{metric}_p75", times.p75_ms, "ms", protocol=protocol)
            self._add("cost", f"{metric}_n", times.n, "count", protocol=protocol)

    def keep_panels(self, count: int, split: str, predictions: np.ndarray, refinement: str = "") -> None:
        """Keeps `count` evenly spaced images of a split with their predictions (N,H,W), for the report."""
        data = self.splits[split]
        suffix = f"-{refinement}" if refinement else ""
        for image in sorted({round((i + 0.5) * len(data.names) / count - 0.5) for i in range(count)}):
            pictures = {f"{PREDICTION}{suffix}": predictions[image]}
            if not refinement:
                pictures |= {"image": data.images[image], "labels": data.labels[image]}
            self.panels.append((data.names[image], pictures))

    def write_panels(self, folder: Path, prediction_name: str) -> None:
        """Writes the kept images below `folder`, one folder an image: image, labels, this trial's predictions."""
        for name, pictures in self.panels:
            for file, pixels in pictures.items():
                picture = Image.fromarray(np.ascontiguousarray(pixels))
                save = partial(picture.save, format="PNG", optimize=True)
                file_name = file.replace(PREDICTION, prediction_name)
                write_atomically(folder / Path(name).name / f"{file_name}.png", save)

    def keep_predictions(self, split: str, predictions: np.ndarray) -> None:
        """Keeps all predictions (N,H,W) of a split."""
        self.predictions = list(zip(self.splits[split].names, predictions, strict=True))

    def write_predictions(self, folder: Path, palette: np.ndarray) -> None:
        """Writes the kept label maps into `folder` as indexed PNGs named like their images; `palette` is (C,3) RGB."""
        for name, prediction in self.predictions:
            picture = Image.fromarray(np.ascontiguousarray(prediction)).convert("P")
            picture.putpalette(palette.tobytes())
            write_atomically(folder / f"{name}.png", partial(picture.save, format="PNG", optimize=True))

    def _add_counts(
        self, record: str, counts: np.ndarray, kept: np.ndarray, axes: Mapping[str, Sequence[str]], where: Row
    ) -> None:
        """Adds those of some counts (N,K,...) of pixels that are kept, as one row that stands for many.

        axes: the column of each axis of the counts, and what its places are called.
        """
        row = {"record": record, "value": torch.from_numpy(counts[kept].astype(np.int32)), "unit": "pixels", **where}
        for (column, texts), places in zip(axes.items(), np.nonzero(kept), strict=True):
            narrow = places.astype(np.uint8 if len(texts) <= 256 else np.int32)  # every checkpoint holds them
            row[column] = {"codes": torch.from_numpy(narrow), "texts": texts}
        self.rows.append(row)

    def _add_condition(self, metric: str, value: float, protocol: str, number: int) -> None:
        self._add("condition", metric, value, CONDITIONS[metric], protocol=protocol, iteration=number)

    def _add_per_class(self, record: str, values: Iterable[float], unit: str, **where: Any) -> None:
        names = next(iter(self.splits.values())).class_names
        metric = where.pop("metric", record)
        for name, value in zip(names, values, strict=True):
            self._add(record, metric, value, unit, class_name=name, **where)

    def _add(self, record: str, metric: str, value: float, unit: str, **where: Any) -> None:
        self.rows.append({"record": record, "metric": metric, "value": float(value), "unit": unit, **where})


def _boundary_counts(labels: np.ndarray, predictions: np.ndarray, *how: Any) -> np.ndarray:
    """Returns `boundary_counts` of a split, of whose images each thread of torch counts its share."""
    threads = torch.get_num_threads()
    shares = zip(np.array_split(labels, threads), np.array_split(predictions, threads), strict=True)
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(lambda share: boundary_counts(*share, *how), shares)))
