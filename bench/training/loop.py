"""The training loop: SGD over resident tensors, pausing at every validation point."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.errors import DivergedError
from bench.training.loss import segmentation_loss
from bench.training.order import batches

READ_BACK_EVERY = 10  # iterations between two looks at the loss: each look makes a GPU wait


@dataclass(frozen=True)
class Progress:
    """Where a training stands: iteration of iterations, mean loss since the last report, images per second."""

    iteration: int
    iterations: int
    loss: float
    images_per_s: float


@dataclass(frozen=True)
class ValidationPoint:
    """A pause of the training; the model is as it stands after `iteration` steps.

    losses: the loss of every iteration so far; images_per_s: mean training speed since the last point.
    """

    iteration: int
    losses: list[float]
    images_per_s: float


def train(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    class_weights: Tensor,
    *,
    iterations: int,
    validate_every: int,
    batch_size: int,
    lr: float,
    momentum: float,
    weight_decay: float,
    order_seed: int,
    bf16: bool,
    report: Callable[[Progress], None],
) -> Iterator[ValidationPoint]:
    """Trains `model` in place and yields every `validate_every` iterations and at the end.

    Args:
        model: maps (N,3,H,W) to logits (N,K,H,W), on the device of `images`
        images: float32 (N,3,H,W), normalised, the whole training split, in the memory format to use
        labels: int64 or uint8 (N,H,W), 0..K-1 or 255
        class_weights: float32 (K,)
        iterations, validate_every: optimizer steps
        batch_size: images per step
        lr, momentum, weight_decay: of SGD; no decay on biases and batch-norm shifts
        order_seed: decides the order of the images
        bf16: forward and backward under bf16 autocast, weights and loss in fp32
        report: called every few iterations

    Raises:
        DivergedError: the loss, or a weight at a validation point, is NaN or infinite.

    Source: paper §3.2 (SGD, fixed rate 0.1, momentum 0.9, batches of 12); released solver (weight decay 5e-4).
    Deviation: the released files double the learning rate of biases; here only the classifier has one, at the
        common rate.
    """
    optimizer = torch.optim.SGD(parameter_groups(model, weight_decay), lr=lr, momentum=momentum)
    order = batches(len(images), batch_size, order_seed)
    losses: list[float] = []
    pending: list[Tensor] = []
    point_start = report_start = time.perf_counter()
    model.train()
    for iteration in range(1, iterations + 1):
        index = torch.from_numpy(next(order)).to(images.device)
        pending.append(training_step(model, optimizer, images[index], labels[index], class_weights, bf16))
        is_point = iteration % validate_every == 0 or iteration == iterations
        if is_point or iteration % READ_BACK_EVERY == 0:
            fresh = torch.stack(pending).tolist()
            pending.clear()
            losses += fresh
            check_finite(losses, len(fresh))
            now = time.perf_counter()
            rate = len(fresh) * batch_size / (now - report_start)
            report(Progress(iteration, iterations, sum(fresh) / len(fresh), rate))
            report_start = now
        if is_point:
            check_weights(model, iteration)
            steps = (iteration - 1) % validate_every + 1
            yield ValidationPoint(iteration, list(losses), steps * batch_size / (time.perf_counter() - point_start))
            model.train()
            point_start = report_start = time.perf_counter()


def training_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    class_weights: Tensor,
    bf16: bool,
) -> Tensor:
    """One SGD step on images (N,3,H,W) and labels (N,H,W); returns the detached loss, still on the device."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
        logits = model(images)
    loss = segmentation_loss(logits, labels.long(), class_weights)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.detach()


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Splits the parameters into decayed ones and biases and shifts, which are not decayed.

    Source: released prototxts (decay_mult 0 for biases and the shift of batch norm, 1 for its scale).
    """
    decayed = [parameter for name, parameter in model.named_parameters() if not name.endswith("bias")]
    biases = [parameter for name, parameter in model.named_parameters() if name.endswith("bias")]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": biases, "weight_decay": 0.0}]


def check_finite(losses: list[float], fresh: int) -> None:
    """Raises DivergedError at the first of the last `fresh` losses that is NaN or infinite."""
    for iteration in range(len(losses) - fresh + 1, len(losses) + 1):
        loss = losses[iteration - 1]
        if loss != loss or loss in (float("inf"), float("-inf")):
            raise DivergedError(f"the training loss became {loss} at iteration {iteration}")


def check_weights(model: nn.Module, iteration: int) -> None:
    """Raises DivergedError when the last update left a weight that is NaN or infinite."""
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise DivergedError(f"weight {name} is no longer finite after iteration {iteration}")
