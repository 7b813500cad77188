"""Confusion matrix and mean IoU: ours beside numpy, torchmetrics, scikit-learn and torch.histc; one thread.

    python benchmarks/region_metrics.py

Set BENCH_CAMVID to the folder of CamVid for real labels; without it they are drawn.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read when the libraries below are imported

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pages
import torch
from command_line import run, script_arguments
from label_maps import Map, Maps, draw_maps, image_by_image
from machine import description
from rounds import Way, measure, optional

from bench.data import IGNORE_INDEX
from bench.evaluation.confusion import confusion_counts
from bench.evaluation.region_scores import region_scores

IMAGES = 40
BATCH = 10  # images that a metric of a split is given at once

sklearn_metrics = optional("sklearn.metrics")
torchmetrics = optional("torchmetrics.classification")


# ---- the confusion matrix of one image ---------------------------------------------------------------------


def ours(label: Map, prediction: Map, k: int) -> np.ndarray:
    """Ours, which checks shapes, types and values first."""
    return confusion_counts(label[None], prediction[None], k)[0]


def numpy_code(label: Map, prediction: Map, k: int) -> np.ndarray:
    """One 16-bit code a pixel, void included and cut off afterwards."""
    code = label.astype(np.uint16) * 256 + prediction
    return np.bincount(code.ravel(), minlength=65536).reshape(256, 256)[:k, :k]


def numpy_mask(label: Map, prediction: Map, k: int) -> np.ndarray:
    """The usual numpy lines: drop void, then count label * K + prediction."""
    kept = label < k
    return np.bincount(label[kept].astype(np.int64) * k + prediction[kept], minlength=k * k).reshape(k, k)


def sklearn_confusion(label: Map, prediction: Map, k: int) -> np.ndarray:
    """scikit-learn on the pixels that are not void."""
    kept = label < k
    return sklearn_metrics.confusion_matrix(label[kept], prediction[kept], labels=range(k))


def torch_histc(label: Map, prediction: Map, k: int) -> np.ndarray:
    """(3, K): histograms of the intersection and of both maps."""
    kept = torch.from_numpy(label) != IGNORE_INDEX
    target, guess = torch.from_numpy(label)[kept], torch.from_numpy(prediction)[kept]
    areas = [torch.histc(a.float(), bins=k, min=0, max=k - 1) for a in (guess[guess == target], guess, target)]
    return torch.stack(areas).long().numpy()


def torchmetrics_confusion(k: int, validate_args: bool) -> Callable[[Map, Map], np.ndarray]:
    """torchmetrics, which drops void by itself."""
    metric = torchmetrics.MulticlassConfusionMatrix(k, ignore_index=IGNORE_INDEX, validate_args=validate_args)

    def compute(label: Map, prediction: Map) -> np.ndarray:
        metric.reset()
        metric.update(torch.from_numpy(prediction), torch.from_numpy(label))
        return metric.confmat.numpy()

    return compute


def same_areas(counts: np.ndarray, areas: np.ndarray) -> bool:
    """Says whether (N, 3, K) are intersection, predicted and labelled pixels of (N, K, K) confusion matrices."""
    wanted = np.stack([np.diagonal(counts, axis1=1, axis2=2), counts.sum(axis=1), counts.sum(axis=2)], axis=1)
    return np.array_equal(wanted, areas)


def confusion_ways(maps: Maps) -> list[Way]:
    """Returns the ways to the confusion matrix of one image."""
    k = maps.num_classes

    def way(name: str, meaning: str, compute: Callable[..., np.ndarray], images: int, **more: Any) -> Way:
        return image_by_image(name, meaning, lambda *pair: compute(*pair, k), maps, images, **more)

    found = [
        way("ours", "`bench.evaluation.confusion.confusion_counts`, which checks its input", ours, 40),
        way("numpy, 16-bit code", "`bincount(label * 256 + prediction)`, void cut off afterwards", numpy_code, 40),
        way("numpy, mask", "`bincount(label[kept] * K + prediction[kept])` in int64, the usual lines", numpy_mask, 40),
    ]
    if torchmetrics:
        for name, validate in (("torchmetrics, unchecked", False), ("torchmetrics", True)):
            meaning = f"`MulticlassConfusionMatrix(ignore_index=255, validate_args={validate})`"
            compute = torchmetrics_confusion(k, validate)
            found.append(image_by_image(name, f"{meaning}{', as it comes' * validate}", compute, maps, 20))
    meaning = "histograms of the intersection and of both maps, as mmsegmentation does; no full matrix"
    found.append(way("torch.histc", meaning, torch_histc, 20, agrees=same_areas))
    if sklearn_metrics:
        found.append(way("scikit-learn", "`confusion_matrix` on the pixels that are not void", sklearn_confusion, 5))
    return found


# ---- mean IoU of a split -----------------------------------------------------------------------------------


def ours_mean_iou(maps: Maps) -> float:
    """Ours, by the rule of the others: mean over the classes that occur."""
    counts = [confusion_counts(*batch, maps.num_classes).sum(axis=0) for batch in batches(maps)]
    return region_scores(np.sum(counts, axis=0), average="present").mean_iou


def summed_mean_iou(matrix: Callable[[Map, Map, int], np.ndarray], maps: Maps) -> float:
    """Matrices of single images, added up, and the textbook line."""
    pairs = zip(maps.labels, maps.predictions, strict=True)
    counts = np.sum([matrix(*pair, maps.num_classes) for pair in pairs], axis=0)
    hits = np.diagonal(counts)
    return mean_of_present(hits, counts.sum(axis=0) + counts.sum(axis=1) - hits)


def histc_mean_iou(maps: Maps) -> float:
    """mmsegmentation's way: areas of single images, added up."""
    pairs = zip(maps.labels, maps.predictions, strict=True)
    both, predicted, labelled = np.sum([torch_histc(*pair, maps.num_classes) for pair in pairs], axis=0)
    return mean_of_present(both, predicted + labelled - both)


def mean_of_present(hits: np.ndarray, union: np.ndarray) -> float:
    """Mean over the classes that occur."""
    return float(np.mean(hits[union > 0] / union[union > 0]))


@cache
def jaccard(k: int) -> Any:
    """torchmetrics' metric, made once as users do."""
    return torchmetrics.MulticlassJaccardIndex(k, ignore_index=IGNORE_INDEX)


def torchmetrics_mean_iou(maps: Maps) -> float:
    """torchmetrics, updated batch by batch."""
    metric = jaccard(maps.num_classes)
    metric.reset()
    for labels, predictions in batches(maps):
        metric.update(torch.from_numpy(predictions), torch.from_numpy(labels))
    return float(metric.compute())


def batches(maps: Maps) -> list[tuple[np.ndarray, np.ndarray]]:
    """Labels and predictions in batches."""
    starts = range(0, len(maps.labels), BATCH)
    return [(maps.labels[start : start + BATCH], maps.predictions[start : start + BATCH]) for start in starts]


def close(expected: float, got: float) -> bool:
    """Says whether two scores agree as far as float32 reaches."""
    return abs(expected - got) < 1e-6


def mean_iou_ways(maps: Maps) -> list[Way]:
    """Returns the ways to the mean IoU of a split; each scores all images."""

    def way(name: str, meaning: str, compute: Callable[[Maps], float]) -> Way:
        return Way(name, meaning, lambda: compute(maps), len(maps.labels), lambda: compute(maps), close)

    def summed(matrix: Callable[[Map, Map, int], np.ndarray]) -> Callable[[Maps], float]:
        return lambda every: summed_mean_iou(matrix, every)

    found = [
        way("ours", "`confusion_counts` batch by batch, then `region_scores(average='present')`", ours_mean_iou),
        way("numpy, mask", "the usual `bincount` image by image, then the textbook line", summed(numpy_mask)),
        way("torch.histc", "mmsegmentation's way: areas image by image, added up", histc_mean_iou),
    ]
    if torchmetrics:
        meaning = "`MulticlassJaccardIndex(ignore_index=255)`, updated batch by batch"
        found.append(way("torchmetrics", meaning, torchmetrics_mean_iou))
    if sklearn_metrics:
        meaning = "`confusion_matrix` image by image, then the textbook line"
        found.append(way("scikit-learn", meaning, summed(sklearn_confusion)))
    return found


def main(arguments: list[str]) -> None:
    """Prints both tables."""
    options = script_arguments(str(__doc__).partition("\n")[0], rounds=5).parse_args(arguments)
    torch.set_num_threads(1)
    maps = draw_maps(2 if options.quick else IMAGES, quick=options.quick)
    rounds = 1 if options.quick else options.rounds
    height, width = maps.labels.shape[1:]
    pages.show(
        "## Region metrics",
        "" if options.section else description(),
        f"{maps.origin}: {len(maps.labels)} label maps of {height}×{width} and as many predictions, {maps.num_classes} "
        "classes, in memory as uint8; one thread. All ways give the same counts, or nothing is printed. "
        f"{pages.load()}",
        pages.left_out({"torchmetrics": torchmetrics, "scikit-learn": sklearn_metrics}),
    )
    for title, ways in (
        ("Confusion matrix of one image", confusion_ways(maps)),
        (f"Mean IoU of {len(maps.labels)} images, from label maps to one number", mean_iou_ways(maps)),
    ):
        measured = measure(ways, rounds, warm_up=False)
        pages.show(f"### {title}", pages.timing_table(measured, "image"))
        pages.show(pages.caption(rounds, measured.others_share), pages.meanings(ways))


if __name__ == "__main__":
    run(main)
