"""The order in which training images are visited."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.study.trials import derive_seed


def batches(num_images: int, batch_size: int, seed: int) -> Iterator[np.ndarray]:
    """Yields index arrays (batch_size,), int64, without end: epoch after epoch, each image once per epoch.

    Each epoch has its own permutation, drawn from (seed, epoch) alone. A batch that reaches the end of an epoch goes on
    with the next one, so every batch is full and 1000 iterations of batch 12 over 367 images are 32.7 epochs.

    Source: paper §3.2 (shuffled before each epoch, each image used once).
    """
    assert batch_size > 0
    assert num_images > 0
    waiting = np.empty(0, dtype=np.int64)
    epoch = 0
    while True:
        while len(waiting) < batch_size:
            order = np.random.default_rng(derive_seed(seed, "order", epoch)).permutation(num_images)
            waiting = np.concatenate([waiting, order])
            epoch += 1
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]
