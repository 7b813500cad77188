"""The loop: validation points, a golden loss curve, batch-norm statistics, divergence."""

import numpy as np
import pytest
import torch
from torch import nn

from bench.errors import DivergedError
from bench.training.bn_statistics import recompute_bn_statistics
from bench.training.loop import parameter_groups, train
from models import MODELS


def run(model, *, iterations=6, validate_every=4, lr=0.1, report=lambda _: None):
    generator = torch.Generator().manual_seed(3)
    images = torch.randn(5, 3, 16, 20, generator=generator)
    labels = (images.mean(1) > 0).to(torch.uint8)
    labels[:, 0] = 255
    return train(
        model,
        images,
        labels,
        torch.ones(2),
        iterations=iterations,
        validate_every=validate_every,
        batch_size=2,
        lr=lr,
        momentum=0.9,
        weight_decay=5e-4,
        order_seed=7,
        bf16=False,
        report=report,
    )


def model_of(seed=0, name="segnet_basic"):
    torch.manual_seed(seed)
    return MODELS[name](2)


def test_points_come_every_so_often_and_at_the_end():
    points = list(run(model_of()))
    assert [point.iteration for point in points] == [4, 6]
    assert [len(point.losses) for point in points] == [4, 6]
    assert all(point.images_per_s > 0 for point in points)


def test_the_loss_falls():
    losses = list(run(model_of(), iterations=30, validate_every=30, lr=0.05))[-1].losses
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_one_thread_and_one_seed_give_the_same_curve_twice():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        first, second = (list(run(model_of()))[-1].losses for _ in range(2))
    finally:
        torch.set_num_threads(threads)
    assert first == second


def test_golden_loss_curve():
    """Six steps of SegNet-Basic on the CPU in fp32; another build of PyTorch may round differently."""
    losses = list(run(model_of(), lr=0.01))[-1].losses
    assert losses == pytest.approx(GOLDEN, rel=5e-3)


GOLDEN = [1.103917, 1.131119, 0.918156, 0.855962, 0.723883, 0.616782]


def test_evaluating_between_points_does_not_change_the_training():
    undisturbed = list(run(model_of(), validate_every=6))[-1].losses
    model = model_of()
    for point in run(model, validate_every=2):
        recompute_bn_statistics(model, torch.randn(4, 3, 16, 20), batch_size=2, bf16=False)
        disturbed = point.losses
    assert disturbed == pytest.approx(undisturbed, rel=1e-5)


def test_an_infinite_loss_is_named_with_its_iteration():
    with pytest.raises(DivergedError, match=r"the training loss became (nan|inf) at iteration \d+"):
        list(run(model_of(), iterations=40, lr=1e30))


def test_weights_that_are_no_longer_finite_are_found_although_the_loss_was():
    model = model_of()

    def spoil(_):  # after the last update, before the validation point
        with torch.no_grad():
            model.classifier.bias[0] = float("inf")

    with pytest.raises(DivergedError, match=r"weight classifier\.bias is no longer finite after iteration 1"):
        list(run(model, iterations=1, validate_every=1, report=spoil))


def test_progress_reports_carry_iteration_and_speed():
    reports = []
    list(run(model_of(), iterations=12, validate_every=12, report=reports.append))
    assert [report.iteration for report in reports] == [10, 12]
    assert all(report.iterations == 12 and report.images_per_s > 0 for report in reports)


def test_biases_and_shifts_are_not_decayed():
    decayed, free = parameter_groups(MODELS["segnet_basic"](11), 5e-4)
    assert decayed["weight_decay"] == 5e-4
    assert free["weight_decay"] == 0
    assert len(free["params"]) == 8 + 1  # shifts of eight batch norms, the classifier's bias
    assert len(decayed["params"]) == 9 + 8  # nine convolutions, eight scales


def test_bn_statistics_are_the_plain_average_over_batches_with_unbiased_variance():
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(0.5)).train()
    images = torch.randn(6, 1, 2, 2) * 3 + 1
    recompute_bn_statistics(model, images, batch_size=2, bf16=False)
    batches = images.split(2)
    assert float(model[0].running_mean) == pytest.approx(
        float(torch.stack([b.mean() for b in batches]).mean()), abs=1e-5
    )
    assert float(model[0].running_var) == pytest.approx(float(torch.stack([b.var() for b in batches]).mean()), rel=1e-5)
    assert not any(module.training for module in model.modules())
