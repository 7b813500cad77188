"""Each image once per epoch, another order each epoch, the same order for the same seed, no replay."""

import time

import numpy as np
import torch

from bench.training.order import BatchOrder


def order_of(num_images, batch_size, seed=1):
    return BatchOrder(num_images, batch_size, seed, torch.device("cpu"))


def test_every_image_comes_once_per_epoch_although_batches_straddle_epochs():
    order = order_of(7, 3)
    stream = np.concatenate([order.at(i).numpy() for i in range(1, 8)])  # 21 indices, 3 epochs
    for epoch in range(3):
        assert sorted(stream[7 * epoch : 7 * epoch + 7]) == list(range(7))


def test_epochs_differ_and_seeds_decide():
    def first(seed):
        return [order_of(20, 20, seed).at(i).tolist() for i in (1, 2)]

    assert first(1)[0] != first(1)[1]
    assert first(1) == first(1)
    assert first(1) != first(2)


def test_a_batch_larger_than_the_set_repeats_images():
    assert len(order_of(2, 5).at(1)) == 5


def test_a_batch_does_not_depend_on_those_asked_for_before():
    order = order_of(7, 5)
    forth = [order.at(i).tolist() for i in range(1, 9)]
    assert forth == [order_of(7, 5).at(i).tolist() for i in range(1, 9)]
    assert forth[::-1] == [order.at(i).tolist() for i in range(8, 0, -1)]


def test_a_late_iteration_is_found_without_going_through_the_ones_before():
    order = order_of(367, 12)
    late = order.at(10_000_000)
    start = time.perf_counter()
    for iteration in range(20_000_000, 20_000_100):
        order.at(iteration)
    assert time.perf_counter() - start < 1  # a replay of 20 million iterations takes minutes
    assert torch.equal(late, order.at(10_000_000))
