"""Each image once per epoch, another order each epoch, the same order for the same seed, no replay."""

import time

import numpy as np

from bench.training.order import batch_at


def test_every_image_comes_once_per_epoch_although_batches_straddle_epochs():
    stream = np.concatenate([batch_at(i, 7, 3, seed=1) for i in range(1, 8)])  # 21 indices, 3 epochs
    for epoch in range(3):
        assert sorted(stream[7 * epoch : 7 * epoch + 7]) == list(range(7))


def test_epochs_differ_and_seeds_decide():
    def first(seed):
        return [batch_at(i, 20, 20, seed).tolist() for i in (1, 2)]

    assert first(1)[0] != first(1)[1]
    assert first(1) == first(1)
    assert first(1) != first(2)


def test_a_batch_larger_than_the_set_repeats_images():
    assert len(batch_at(1, 2, 5, seed=0)) == 5


def test_a_late_iteration_is_found_without_going_through_the_ones_before():
    late = batch_at(10_000_000, 367, 12, seed=0)
    start = time.perf_counter()
    for iteration in range(20_000_000, 20_000_100):
        batch_at(iteration, 367, 12, seed=0)
    assert time.perf_counter() - start < 1  # a replay of 20 million iterations takes minutes
    assert late.tolist() == batch_at(10_000_000, 367, 12, seed=0).tolist()
