"""Chooses the parameters of the dense CRF by a coarse-to-fine grid search on images with labels.

Source: Chen et al. 2015 (DeepLab), section 4.1: w1, theta_alpha and theta_beta by cross-validation, from coarse to
    fine, on 100 images; w2 and theta_gamma stay at 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bench.data.split import IGNORE_INDEX
from bench.evaluation.confusion import confusion_counts
from bench.evaluation.dense_crf import (
    ITERATIONS,
    CrfParameters,
    Floats,
    Kernel,
    Normalisation,
    appearance_kernel,
    check_input,
    infer,
    smoothness_kernel,
)
from bench.evaluation.region_scores import region_scores

Point = tuple[int, int, int]  # index of w1, theta_alpha and theta_beta in their lists


@dataclass(frozen=True)
class Grid:
    """The values that each parameter may take, in order; theta_gamma has one."""

    w1: tuple[float, ...] = (5, 6, 7, 8, 9, 10)
    theta_alpha: tuple[float, ...] = (50, 60, 70, 80, 90, 100)
    theta_beta: tuple[float, ...] = (3, 4, 5, 6, 7, 8, 9, 10)
    theta_gamma: float = 3

    @property
    def axes(self) -> tuple[tuple[float, ...], ...]:
        """Returns the three lists."""
        return self.w1, self.theta_alpha, self.theta_beta


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        parameters: with the highest mean IoU; of several, the one that was tried first.
        mean_iou: theirs, 0 to 1.
        tried: every choice that was scored, with its mean IoU, in the order in which they were.
    """

    parameters: CrfParameters
    mean_iou: float
    tried: tuple[tuple[CrfParameters, float], ...]


def search_parameters(
    images: Sequence[NDArray[np.uint8]],
    unaries: Sequence[Floats],
    labels: Sequence[NDArray[np.uint8]],
    grid: Grid | None = None,
    iterations: int = ITERATIONS,
    normalisation: Normalisation = "pixel",
) -> SearchResult:
    """Returns the parameters with the highest mean IoU over all images together.

    First come the ends and the middle of each list, then the neighbours of the best choice at half the distance, and
    so on; the last step, to the next values, is repeated until the best choice stays. Nothing is drawn at random.

    Args:
        images: (H, W, 3) uint8, RGB, each.
        unaries: (K, H, W) float32 each, K the same for all.
        labels: (H, W) uint8 each, void is IGNORE_INDEX.
        grid: values to choose from; None: DeepLab's.
        iterations: of mean field.
        normalisation: of the kernels.

    Raises:
        ValueError: no images, lists of different lengths, or shapes that do not belong together.

    Source: the score is mIoU as in `region_scores`, from one confusion matrix over all images, averaged over the
        classes that occur, since a part of a training set may lack some.
    Deviation: DeepLab and the paper do not say by which steps the grid gets finer.
    """
    grid = grid or Grid()
    _check(images, unaries, labels)
    sizes = [len(axis) for axis in grid.axes]
    steps = [max(1, (size - 1) // 4) for size in sizes]
    todo = _points({0, (size - 1) // 2, size - 1} for size in sizes)
    scores: dict[Point, float] = {}
    while True:
        counts = np.zeros((len(todo), len(unaries[0]), len(unaries[0])), np.int64)
        for image, unary, label in zip(images, unaries, labels, strict=True):
            counts += _counts(todo, grid, image, unary, label, iterations, normalisation)
        scores |= {point: region_scores(counts[i], "present").mean_iou for i, point in enumerate(todo)}
        best = max(scores, key=lambda point: scores[point])  # the first of equals
        last_step = max(steps) == 1
        axes = zip(best, steps, sizes, strict=True)
        near = _points({max(0, index - step), index, min(size - 1, index + step)} for index, step, size in axes)
        todo = [point for point in near if point not in scores]
        if last_step and not todo:
            tried = tuple((_parameters(point, grid), score) for point, score in scores.items())
            return SearchResult(_parameters(best, grid), scores[best], tried)
        steps = [max(1, step // 2) for step in steps]


def _points(indices: Iterable[set[int]]) -> list[Point]:
    """Returns every combination of the indices of the three parameters, in order."""
    w1, theta_alpha, theta_beta = (sorted(choice) for choice in indices)
    return list(product(w1, theta_alpha, theta_beta))


def _counts(
    points: Sequence[Point],
    grid: Grid,
    image: NDArray[np.uint8],
    unary: Floats,
    label: NDArray[np.uint8],
    iterations: int,
    normalisation: Normalisation,
) -> NDArray[np.int64]:
    """Returns the confusion matrices (points, K, K) of one image; points that differ in w1 alone share kernels."""
    counts = np.zeros((len(points), len(unary), len(unary)), np.int64)
    kernels: dict[tuple[int, int], tuple[Kernel, Kernel]] = {}
    for i, point in enumerate(points):
        chosen = _parameters(point, grid)
        if point[1:] not in kernels:
            kernels[point[1:]] = (
                appearance_kernel(image, chosen.theta_alpha, chosen.theta_beta, normalisation),
                smoothness_kernel(image.shape[0], image.shape[1], chosen.theta_gamma, normalisation),
            )
        probabilities = infer(unary, kernels[point[1:]], (chosen.w1, chosen.w2), iterations)
        prediction = probabilities.argmax(axis=0).astype(np.uint8)
        counts[i] = confusion_counts(label[None], prediction[None], len(unary))[0]
    return counts


def _parameters(point: Point, grid: Grid) -> CrfParameters:
    """Returns the parameters at a point of the grid."""
    w1, theta_alpha, theta_beta = (axis[index] for axis, index in zip(grid.axes, point, strict=True))
    return CrfParameters(w1, theta_alpha, theta_beta, theta_gamma=grid.theta_gamma)


def _check(images: Sequence[NDArray[np.uint8]], unaries: Sequence[Floats], labels: Sequence[NDArray[np.uint8]]) -> None:
    """Raises ValueError unless there are images, and unaries and labels that belong to them."""
    if not len(images) or not len(images) == len(unaries) == len(labels):
        raise ValueError(
            "images, unaries and labels must be as many, and at least one, "
            f"got {len(images)}, {len(unaries)} and {len(labels)}"
        )
    if all((label == IGNORE_INDEX).all() for label in labels):
        raise ValueError("no pixel of any image has a label: there is nothing to choose by")
    for image, unary, label in zip(images, unaries, labels, strict=True):
        check_input(image, unary)
        if label.shape != image.shape[:2] or len(unary) != len(unaries[0]):
            raise ValueError(
                f"labels must be {image.shape[:2]} and unaries of {len(unaries[0])} classes, "
                f"got {label.shape} and {len(unary)}"
            )
