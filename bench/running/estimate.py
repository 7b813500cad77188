"""How long a trial will take here and how much memory it will need, from a few training steps of its model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from bench.evaluation.predict import predict
from bench.results.store import Outcome
from bench.running.device import use_arithmetic
from bench.running.inputs import build_model, input_layout, num_classes_of
from bench.study.trials import Trial
from bench.training.loop import parameter_groups, training_step

# Pixels in the measured batch: a mini batch whole, and one image at the paper's size, so that measuring takes seconds.
MEASURED_PIXELS = 12 * 90 * 120
REPEATS = 3


class Estimate(NamedTuple):
    """Expected wall time of a training trial, s, and memory for data, weights and one step, MiB."""

    seconds: float
    memory_mib: float


def estimate(trial: Trial, device: torch.device) -> Estimate:
    """Measures one step and one prediction of the trial's model and scales them to the whole training.

    Counted: all steps, batch-norm statistics and validation at every point, the final scores on train and test.
    Not counted: reading the data and boundary F1, seconds to a minute.
    """
    bf16 = use_arithmetic(trial.precision, trial.determinism)
    num_classes = num_classes_of(trial)
    batch = max(1, min(trial.batch_size, MEASURED_PIXELS // (trial.height * trial.width)))
    model = build_model(trial, num_classes, device)
    shape = (batch, 3, trial.height, trial.width)
    images = torch.randn(shape, device=device).to(memory_format=input_layout(trial))
    labels = torch.randint(0, num_classes, (batch, trial.height, trial.width), device=device)
    optimizer = torch.optim.SGD(parameter_groups(model, trial.weight_decay), lr=1e-3, momentum=trial.momentum)
    weights = torch.ones(num_classes, device=device)
    kept: dict[int, int] = {}

    def remember(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    model.train()
    with saved_tensors_hooks(remember, lambda tensor: tensor):
        training_step(model, optimizer, images, labels, weights, bf16)  # the warm-up, and what backward needs
    step_s = _seconds(lambda: training_step(model, optimizer, images, labels, weights, bf16), device) / batch
    image_s = _seconds(lambda: predict(model, images, batch_size=batch, bf16=bf16), device) / batch

    counts = trial.dataset_options
    points = -(-trial.iterations // trial.validate_every)
    predicted = points * (counts["train"] + counts["val"]) + counts["train"] + counts["test"]
    seconds = trial.iterations * trial.batch_size * step_s + predicted * image_s
    pixels = sum(counts[split] for split in ("train", "val", "test")) * trial.height * trial.width
    data = pixels * (3 * 4 + 3 + 1)  # normalised input as fp32, uint8 images and labels
    weights_bytes = 4 * sum(tensor.numel() for tensor in model.parameters()) * 3  # weights, gradients, momentum
    return Estimate(seconds, (data + weights_bytes + sum(kept.values()) / batch * trial.batch_size) / 2**20)


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Returns the wall time of one call, s, the best of REPEATS: what else the machine does only ever adds."""
    times = []
    for _ in range(REPEATS):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return min(times)


def estimate_missing(trials: Sequence[Trial], outcomes: Sequence[Outcome], device: torch.device) -> dict[str, Estimate]:
    """Returns an estimate by digest for every training that is not done.

    A model that has finished with another weighting or seed is expected to take as long again; the time of the
    others, and the memory of all, comes from one measurement per model.
    """
    took: dict[str, list[float]] = {}
    for trial, outcome in zip(trials, outcomes, strict=True):
        if trial.kind == "training" and outcome.status == "done" and outcome.duration_s is not None:
            took.setdefault(trial.model, []).append(outcome.duration_s)
    measured: dict[str, Estimate] = {}
    found = {}
    for trial, outcome in zip(trials, outcomes, strict=True):
        if trial.kind == "training" and outcome.status not in ("done", "damaged"):
            if trial.model not in measured:
                measured[trial.model] = estimate(trial, device)
            known = took.get(trial.model)
            seconds = sum(known) / len(known) if known else measured[trial.model].seconds
            found[trial.digest] = Estimate(seconds, measured[trial.model].memory_mib)
    return found
