"""The order in which training images are visited: a function of seed and iteration, so that nothing is replayed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bench.study.trials import derive_seed


class BatchOrder:
    """The batches of a training, as indices on its device; the order of an epoch is sent there once.

    Epoch follows epoch, and each image is seen once per epoch. A batch that reaches the end of an epoch goes on
    with the next one, so every batch is full and 1000 iterations of batch 12 over 367 images are 32.7 epochs.

    Args:
        num_images: size of the training split
        batch_size: images per iteration
        seed: with the epoch, it decides the order
        device: where the indices are wanted

    Source: paper §3.2 (shuffled before each epoch, each image used once).
    """

    def __init__(self, num_images: int, batch_size: int, seed: int, device: torch.device) -> None:
        assert batch_size > 0
        assert num_images > 0
        self.num_images, self.batch_size, self.seed, self.device = num_images, batch_size, seed, device
        self._epochs: dict[int, Tensor] = {}  # those that the last batch was taken from

    def at(self, iteration: int) -> Tensor:
        """Returns the images of one iteration, which counts from 1: int64 (batch_size,)."""
        assert iteration > 0
        first = (iteration - 1) * self.batch_size
        epochs = range(first // self.num_images, (first + self.batch_size - 1) // self.num_images + 1)
        self._epochs = {epoch: self._epochs[epoch] if epoch in self._epochs else self._epoch(epoch) for epoch in epochs}
        orders = list(self._epochs.values())
        start = first - epochs[0] * self.num_images
        return (orders[0] if len(orders) == 1 else torch.cat(orders))[start : start + self.batch_size]

    def _epoch(self, epoch: int) -> Tensor:
        order = np.random.default_rng(derive_seed(self.seed, "order", epoch)).permutation(self.num_images)
        return torch.from_numpy(order).to(self.device)
