"""The loop: validation points, a golden loss curve, batch-norm statistics, divergence."""

import io

import numpy as np
import pytest
import torch
from torch import nn

from bench.errors import DivergedError
from bench.training import loop
from bench.training.bn_statistics import recompute_bn_statistics
from bench.training.loop import TrainingState, parameter_groups, train
from models import MODELS


def run(model, *, iterations=6, pause_every=4, lr=0.1, report=lambda _: None):
    return go_on(TrainingState(model, lr=lr, momentum=0.9, weight_decay=5e-4), iterations, pause_every, report)


def go_on(state, iterations, pause_every=4, report=lambda _: None, dropout_seed=8):
    generator = torch.Generator().manual_seed(3)
    images = torch.randn(5, 3, 16, 20, generator=generator)
    labels = (images.mean(1) > 0).to(torch.uint8)
    labels[:, 0] = 255
    return train(
        state,
        images,
        labels,
        torch.ones(2),
        iterations=iterations,
        batch_size=2,
        order_seed=7,
        dropout_seed=dropout_seed,
        bf16=False,
        pause_at=lambda iteration: iteration % pause_every == 0,
        report=report,
    )


def model_of(seed=0, name="segnet_basic"):
    torch.manual_seed(seed)
    return MODELS[name](2)


def test_points_come_every_so_often_and_at_the_end():
    points = list(run(model_of()))
    assert [point.iteration for point in points] == [4, 6]
    assert [len(point.losses) for point in points] == [4, 6]
    assert 0 < points[0].seconds < points[1].seconds


def test_the_loss_falls():
    losses = list(run(model_of(), iterations=30, pause_every=30, lr=0.05))[-1].losses
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
    undisturbed = list(run(model_of(), pause_every=6))[-1].losses
    model = model_of()
    for point in run(model, pause_every=2):
        recompute_bn_statistics(model, torch.randn(4, 3, 16, 20), batch_size=2, bf16=False)
        disturbed = point.losses
    assert disturbed == undisturbed


class Dropping(nn.Module):
    """A network with dropout, the only layer that draws random numbers while it trains."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Dropout(0.5), nn.Conv2d(8, 2, 1))

    def forward(self, images):
        return self.layers(images)


def bits(state):
    weights = [tensor.numpy().tobytes() for tensor in state.model.state_dict().values()]
    moments = [entry["momentum_buffer"].numpy().tobytes() for entry in state.optimizer.state_dict()["state"].values()]
    return weights, moments, state.losses


def fresh_state(build, seed):
    torch.manual_seed(seed)
    return TrainingState(build(), lr=0.05, momentum=0.9, weight_decay=5e-4)


def rebuilt(name):
    return Dropping if name == "dropout" else lambda: MODELS[name](2)


@pytest.mark.parametrize("name", ["segnet_basic", "fcn_basic", "dropout"])  # unpooling, transposed convolution, dropout
@pytest.mark.parametrize("stop", [1, 5, 8])
def test_a_training_that_is_saved_and_taken_up_by_another_model_ends_with_the_same_bits(name, stop):
    undisturbed = fresh_state(rebuilt(name), seed=0)
    list(go_on(undisturbed, 12))
    first = fresh_state(rebuilt(name), seed=0)
    next(go_on(first, 12, pause_every=stop))
    saved = io.BytesIO()
    torch.save(first.state_dict(), saved)
    saved.seek(0)
    second = fresh_state(rebuilt(name), seed=99)
    second.load_state_dict(torch.load(saved, weights_only=True))
    torch.rand(17)  # whatever else draws random numbers meanwhile
    list(go_on(second, 12))
    assert second.iteration == undisturbed.iteration == 12
    assert bits(second) == bits(undisturbed)


def test_dropout_follows_its_own_seed():
    def losses(seed):
        return list(go_on(fresh_state(Dropping, 0), 6, dropout_seed=seed))[-1].losses

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)


def test_an_infinite_loss_is_named_with_its_iteration():
    with pytest.raises(DivergedError, match=r"the training loss became (nan|inf) at iteration \d+"):
        list(run(model_of(), iterations=40, lr=1e30))


def test_weights_that_are_no_longer_finite_are_found_although_the_loss_was():
    model = model_of()

    def spoil(_):  # after the last update, before the validation point
        with torch.no_grad():
            model.classifier.bias[0] = float("inf")

    with pytest.raises(DivergedError, match=r"weight classifier\.bias is no longer finite after iteration 1"):
        list(run(model, iterations=1, pause_every=1, report=spoil))


@pytest.mark.parametrize(("seconds", "iterations"), [(0, [1, 2, 3, 4]), (600, [2, 4])])
def test_losses_are_looked_at_every_so_often_and_at_pauses(monkeypatch, seconds, iterations):
    monkeypatch.setattr(loop, "READ_BACK_EVERY_S", seconds)
    reports = []
    pauses = list(run(model_of(), iterations=4, pause_every=2, report=reports.append))
    assert [report.iteration for report in reports] == iterations
    assert all(report.iterations == 4 and report.images_per_s > 0 for report in reports)
    assert [len(pause.losses) for pause in pauses] == [2, 4]


def test_the_summed_loss_moves_weights_by_the_number_of_labelled_pixels_times_as_much():
    def first_step(summed):
        torch.manual_seed(0)
        model = nn.Conv2d(3, 2, 1)
        before = model.weight.detach().clone()
        images, labels = torch.randn(2, 3, 4, 5), torch.zeros(2, 4, 5, dtype=torch.uint8)
        labels[:, 0] = 255  # 2 x 3 x 5 labelled pixels are left
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
        loss = loop.training_step(model, optimizer, images, labels, torch.ones(2), False, summed=summed)
        return float(loss), model.weight.detach() - before

    (averaged_loss, averaged), (summed_loss, summed) = first_step(False), first_step(True)
    assert summed_loss == averaged_loss  # what is reported is the average all the same
    assert torch.allclose(summed, 30 * averaged, rtol=1e-3, atol=1e-6)


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
    assert model[0].momentum == 0.1  # training goes on as one that was never evaluated
