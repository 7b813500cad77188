"""Refines the label maps of a trained network by a dense CRF, whose parameters are searched on its training images.

Source: paper §4.1 (DeepLab-LargeFOV-denseCRF: parameters by grid search on a subset of the training set); Chen et al.
    2015, section 4.1 (the grid).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.crf_search import Grid, SearchResult, search_parameters
from bench.evaluation.dense_crf import CrfParameters, dense_crf

SEARCH_IMAGES = 20
PUBLISHED_HEIGHT = 360  # px, at which the grid's distances are meant

LogProbabilities = Callable[[NDArray[np.int64]], Iterable[NDArray[np.float32]]]  # of the images at some positions


def choose_parameters(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], log_probabilities: LogProbabilities
) -> tuple[SearchResult, int]:
    """Searches the CRF's parameters on SEARCH_IMAGES evenly spaced training images, or all where there are fewer.

    Args:
        images: (N,H,W,3), of the training split
        labels: (N,H,W)
        log_probabilities: the network's, (K,H,W) an image

    Returns: what was found, and on how many images.

    Deviation: the paper does not say on how many images it searched; Chen et al. took 100.
    """
    chosen = np.unique(np.linspace(0, len(images) - 1, min(SEARCH_IMAGES, len(images))).round().astype(np.int64))
    unaries = [-values for values in log_probabilities(chosen)]
    found = search_parameters(list(images[chosen]), unaries, list(labels[chosen]), scaled_grid(images.shape[1]))
    return found, len(chosen)


def scaled_grid(height: int) -> Grid:
    """Returns the grid of Chen et al. for images of another height, px.

    Deviation: theta_alpha and theta_gamma are distances in pixels; at other heights than 360 px they shrink or grow
        with the image, so that they span as much of the scene.
    """
    scale = height / PUBLISHED_HEIGHT
    grid = Grid()
    return Grid(theta_alpha=tuple(scale * value for value in grid.theta_alpha), theta_gamma=scale * grid.theta_gamma)


def refine(
    images: NDArray[np.uint8],
    log_probabilities: Iterable[NDArray[np.float32]],
    parameters: CrfParameters,
    threads: int,
) -> NDArray[np.uint8]:
    """Returns label maps (N,H,W) of images (N,H,W,3) after the CRF.

    Args:
        images: RGB
        log_probabilities: the network's, (K,H,W) an image, in the order of the images
        parameters: of the CRF
        threads: images at once
    """
    pairs = zip(images, (-values for values in log_probabilities), strict=True)
    labels: list[NDArray[np.uint8]] = []
    with ThreadPoolExecutor(threads) as pool:
        while batch := list(islice(pairs, threads)):  # the pool alone would take all images at once, and the memory
            labels += pool.map(partial(_labels, parameters=parameters), batch)
    return np.stack(labels)


def _labels(pair: tuple[NDArray[np.uint8], NDArray[np.float32]], parameters: CrfParameters) -> NDArray[np.uint8]:
    return dense_crf(*pair, parameters).argmax(axis=0).astype(np.uint8)
