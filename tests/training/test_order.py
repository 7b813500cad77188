"""Each image once per epoch, another order each epoch, the same order for the same seed."""

from itertools import islice

import numpy as np

from bench.training.order import batches


def test_every_image_comes_once_per_epoch_although_batches_straddle_epochs():
    stream = np.concatenate(list(islice(batches(7, 3, seed=1), 7)))  # 21 indices, 3 epochs
    for epoch in range(3):
        assert sorted(stream[7 * epoch : 7 * epoch + 7]) == list(range(7))


def test_epochs_differ_and_seeds_decide():
    def first(seed):
        return [batch.tolist() for batch in islice(batches(20, 20, seed), 2)]

    assert first(1)[0] != first(1)[1]
    assert first(1) == first(1)
    assert first(1) != first(2)


def test_a_batch_larger_than_the_set_repeats_images():
    assert len(next(batches(2, 5, seed=0))) == 5
