"""The order in which training images are visited: a function of seed and iteration, so that nothing is replayed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bench.study.trials import derive_seed


def batch_at(iteration: int, num_images: int, batch_size: int, seed: int) -> np.ndarray:
    """Returns the images of one iteration: indices (batch_size,), int64.

    Epoch follows epoch, and each image is seen once per epoch. A batch that reaches the end of an epoch goes on
    with the next one, so every batch is full and 1000 iterations of batch 12 over 367 images are 32.7 epochs.

    Args:
        iteration: counts from 1
        num_images: size of the training split
        batch_size: images per iteration
        seed: with the epoch, it decides the permutation

    Source: paper §3.2 (shuffled before each epoch, each image used once).
    """
    assert iteration > 0
    assert batch_size > 0
    assert num_images > 0
    first = (iteration - 1) * batch_size
    epochs = range(first // num_images, (first + batch_size - 1) // num_images + 1)
    orders = np.concatenate([_permutation(num_images, seed, epoch) for epoch in epochs])
    start = first - epochs[0] * num_images
    return orders[start : start + batch_size]


@lru_cache(maxsize=4)
def _permutation(num_images: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng(derive_seed(seed, "order", epoch)).permutation(num_images)
