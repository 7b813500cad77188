"""The training loop: SGD over resident tensors, which can pause, and go on elsewhere, after every iteration."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bench.errors import DivergedError
from bench.study.trials import derive_seed
from bench.training.loss import coarse_labels, labelled_pixels, segmentation_loss
from bench.training.order import BatchOrder
from bench.training.residency import Images

READ_BACK_EVERY_S = 1.0  # between two looks at the losses: each look makes a GPU wait


@dataclass(frozen=True)
class Progress:
    """Where a training stands: iteration of iterations, mean loss since the last report, images per second."""

    iteration: int
    iterations: int
    loss: float
    images_per_s: float


@dataclass(frozen=True)
class Pause:
    """A pause of the training, in which it may be evaluated or saved.

    iteration: steps that are done; losses: of every iteration so far; seconds: spent in training steps so far.
    """

    iteration: int
    losses: list[float]
    seconds: float


class TrainingState:
    """All that the next training step depends on, besides data and recipe.

    There is no random state and no sampler position in it: the images of a step and the seed of its dropout are
    functions of (trial seed, iteration), so going on at iteration 5000 costs as much as at iteration 1.

    Args:
        model: on its device, in its memory format
        lr, momentum, weight_decay: of SGD; no decay on biases and batch-norm shifts

    Source: paper §3.2 (SGD, fixed rate 0.1, momentum 0.9); released solver (weight decay 5e-4).
    Deviation: the released files double the learning rate of biases; here only the classifier has one, at the
        common rate.
    """

    def __init__(self, model: nn.Module, *, lr: float, momentum: float, weight_decay: float) -> None:
        self.model = model
        self.optimizer = torch.optim.SGD(parameter_groups(model, weight_decay), lr=lr, momentum=momentum)
        self.iteration = 0
        self.losses: list[float] = []
        self.seconds = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Returns everything as tensors, numbers, lists and dicts; the tensors are the live ones, not copies."""
        return {
            "iteration": self.iteration,
            "losses": self.losses,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes up what `state_dict` returned, in place."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.iteration = state["iteration"]
        self.losses = list(state["losses"])
        self.seconds = state["seconds"]


def train(
    state: TrainingState,
    images: Images,
    labels: Tensor,
    class_weights: Tensor,
    *,
    iterations: int,
    batch_size: int,
    order_seed: int,
    dropout_seed: int,
    bf16: bool,
    summed: bool = False,
    pause_at: Callable[[int], bool],
    report: Callable[[Progress], None],
) -> Iterator[Pause]:
    """Trains from `state.iteration` to `iterations` in place; yields where `pause_at(iteration)` says and at the end.

    Args:
        state: model, optimizer and how far they are; the model maps (N,3,H,W) to logits (N,K,H,W)
        images: the whole training split as network input (N,3,H,W), on the model's device
        labels: int64 or uint8 (N,H,W), 0..K-1 or 255
        class_weights: float32 (K,)
        iterations: optimizer steps in all
        batch_size: images per step
        order_seed, dropout_seed: decide, with the iteration, which images a step sees and what dropout drops
        bf16: forward and backward under bf16 autocast, weights and loss in fp32
        summed: see `training_step`
        pause_at: asked after every iteration
        report: called every few iterations

    Raises:
        DivergedError: the loss, or a weight at a pause, is NaN or infinite.

    Source: paper §3.2 (SGD, batches of 12).
    """
    order = BatchOrder(len(images), batch_size, order_seed, images.device)
    generator = default_generator(images.device)
    pending: list[Tensor] = []
    start = time.perf_counter()
    state.model.train()
    for iteration in range(state.iteration + 1, iterations + 1):
        generator.manual_seed(derive_seed(dropout_seed, iteration))
        index = order.at(iteration)
        batch = images[index], labels[index]
        pending.append(training_step(state.model, state.optimizer, *batch, class_weights, bf16, summed=summed))
        pauses = pause_at(iteration) or iteration == iterations
        if pauses or time.perf_counter() - start > READ_BACK_EVERY_S:
            fresh = torch.stack(pending).tolist()
            pending.clear()
            state.iteration = iteration
            state.losses += fresh
            check_finite(state.losses, len(fresh))
            now = time.perf_counter()
            report(Progress(iteration, iterations, sum(fresh) / len(fresh), len(fresh) * batch_size / (now - start)))
            state.seconds += now - start
            start = time.perf_counter()
        if pauses:
            check_weights(state.model, iteration)
            yield Pause(iteration, list(state.losses), state.seconds)
            state.model.train()
            start = time.perf_counter()


def training_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    class_weights: Tensor,
    bf16: bool,
    *,
    summed: bool = False,
) -> Tensor:
    """One SGD step on images (N,3,H,W) and labels (N,H,W); returns the detached loss, still on the device.

    A model with a LOSS_STRIDE is trained on its `coarse_logits` and every so many labels. With `summed` the gradient is
    that of the sum over the labelled pixels of the batch; what is returned is their average all the same.
    """
    stride = getattr(model, "LOSS_STRIDE", 1)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
        logits = model(images) if stride == 1 else model.coarse_logits(images)  # type: ignore[operator]
    labels = coarse_labels(labels, stride).long()
    loss = segmentation_loss(logits, labels, class_weights)
    optimizer.zero_grad(set_to_none=True)
    (loss * labelled_pixels(labels) if summed else loss).backward()
    optimizer.step()
    return loss.detach()


def default_generator(device: torch.device) -> torch.Generator:
    """Returns the generator that dropout draws from; `torch.manual_seed` seeds those of all devices, every time."""
    if device.type == "cuda":
        torch.cuda.init()
        return torch.cuda.default_generators[device.index or 0]
    return torch.default_generator


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
