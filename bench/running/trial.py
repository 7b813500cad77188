"""One trial, from data to rows: the recipe of the replication on one screen."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from bench.data import DATASETS, SPLITS, Split, load_split, weights_for
from bench.evaluation.predict import predict
from bench.profiling import cost
from bench.profiling.memory import peak_mib, resident_peak_mib
from bench.profiling.timing import forward_backward_times
from bench.running.device import use_precision
from bench.running.rows import TrialRows
from bench.study.trials import Trial, derive_seed
from bench.training.bn_statistics import recompute_bn_statistics
from bench.training.loop import Progress, parameter_groups, train, training_step
from bench.training.normalisation import normalise
from models import MODELS

Report = Callable[[Progress], None]


def run_training(trial: Trial, device: torch.device, report: Report) -> TrialRows:
    """Trains one model, selects its checkpoint on the validation split and scores it on all splits.

    Source: paper §3.2, §3.3: fixed iterations, validation every so often with fresh batch-norm statistics, the
        iteration with the highest validation global accuracy is reported.
    Deviation: the paper trains until the training loss converges; the length is fixed here, at most the released
        solver's 10 000 iterations, so that every variant gets the same.
    """
    assert trial.weighting is not None
    assert trial.seed is not None
    bf16 = use_precision(trial.precision)
    splits = {split: load_trial_split(trial, split) for split in SPLITS}
    weights = weights_for(trial.weighting, splits["train"].labels, DATASETS[trial.dataset])
    images = {split: network_input(trial, splits[split], device) for split in SPLITS}
    model = build_model(trial, len(weights), device)
    rows = TrialRows(splits, weights)
    best: tuple[float, int, dict[str, torch.Tensor]] | None = None
    for point in train(
        model,
        images["train"],
        torch.from_numpy(splits["train"].labels.copy()).to(device),
        torch.from_numpy(weights).float().to(device),
        iterations=trial.iterations,
        validate_every=trial.validate_every,
        batch_size=trial.batch_size,
        lr=trial.lr,
        momentum=trial.momentum,
        weight_decay=trial.weight_decay,
        order_seed=derive_seed(trial.seed, "order"),
        bf16=bf16,
        report=report,
    ):
        rows.add_curve(point)
        recompute_bn_statistics(model, images["train"], batch_size=trial.batch_size, bf16=bf16)
        predictions = predict(model, images["val"], batch_size=trial.batch_size, bf16=bf16)
        score = getattr(rows.add_regions("val", point.iteration, predictions), trial.selection)
        if best is None or score > best[0]:
            best = (score, point.iteration, snapshot(model))
    assert best is not None
    _, rows.selected_iteration, state = best
    model.load_state_dict(state)
    for split in ("train", "test"):
        predictions = predict(model, images[split], batch_size=trial.batch_size, bf16=bf16)
        rows.add_regions(split, rows.selected_iteration, predictions)
    rows.add_boundaries("test", rows.selected_iteration, predictions)
    rows.keep_panels(trial.panels, "test", predictions)
    return rows


def run_cost(trial: Trial, device: torch.device) -> TrialRows:
    """Measures what one model costs, in a fresh process: counts, then memory from small to large, then time."""
    bf16 = use_precision(trial.precision)
    num_classes = len(DATASETS[trial.dataset].class_names)
    height, width = trial.timing_height, trial.timing_width
    rows = TrialRows({}, None)
    if device.type == "cpu":
        rows.add_cost("process_baseline_mib", resident_peak_mib(), "resident_set")
    model = build_model(trial, num_classes, device)
    kept = MODELS[trial.model].ENCODER_INFORMATION
    rows.add_cost("parameters", cost.parameter_count(model), "learnable")
    rows.add_cost("model_size_mb", cost.model_size_mb(model), "fp32")
    rows.add_cost("storage_multiplier", cost.storage_multiplier(kept, num_classes), "paper")
    rows.add_cost(
        "stored_encoder_mib",
        cost.stored_encoder_mib(kept, num_classes, height, width),
        f"first stage, {height}x{width}",
    )

    one = torch.zeros(1, 3, height, width, device=device).to(memory_format=input_layout(trial))
    for protocol, mib in peak_mib(lambda: predict(model, one, batch_size=1, bf16=bf16), device).items():
        rows.add_cost("inference_peak_mib", mib, f"{protocol}, batch 1, {height}x{width}")
    for protocol, mib in peak_mib(lambda: train_two_steps(trial, model, num_classes, bf16), device).items():
        shape = f"batch {trial.batch_size}, {trial.height}x{trial.width}"
        rows.add_cost("training_peak_mib", mib, f"{protocol}, {shape}")

    forward, backward = forward_backward_times(
        model,
        height,
        width,
        bf16=bf16,
        channels_last=trial.channels_last,
        warmup=trial.timing_warmup,
        iterations=trial.timing_iterations,
    )
    rows.add_times("forward_ms", forward, f"median, batch 1, {height}x{width}")
    rows.add_times("backward_ms", backward, f"median, batch 1, {height}x{width}")
    flops = cost.forward_flops(model, height, width)
    rows.add_cost("forward_flops", flops, f"multiply-add is 2, {height}x{width}")
    return rows


def load_trial_split(trial: Trial, split: str) -> Split:
    """Returns one split at the trial's size."""
    return load_split(trial.dataset, split, trial.height, trial.width, trial.dataset_options)


def network_input(trial: Trial, split: Split, device: torch.device) -> torch.Tensor:
    """Returns a split's images (N,3,H,W), normalised, on the device, in the trial's memory format."""
    # copied because the cached array may be read-only, which torch cannot express
    images = torch.from_numpy(split.images.copy()).to(device)
    return normalise(images, trial.input_normalisation, channels_last=trial.channels_last)


def build_model(trial: Trial, num_classes: int, device: torch.device) -> nn.Module:
    """Returns the trial's model, initialised from its own seed, whatever else has drawn random numbers."""
    torch.manual_seed(derive_seed(trial.seed or 0, "initialisation", trial.model))
    model = MODELS[trial.model](num_classes).to(device)
    return model.to(memory_format=torch.channels_last) if trial.channels_last else model


def input_layout(trial: Trial) -> torch.memory_format:
    """Returns the memory format of the trial's tensors."""
    return torch.channels_last if trial.channels_last else torch.contiguous_format


def snapshot(model: nn.Module) -> dict[str, torch.Tensor]:
    """Returns a copy of all weights and statistics that later training steps do not change."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def train_two_steps(trial: Trial, model: nn.Module, num_classes: int, bf16: bool) -> None:
    """Runs two optimizer steps on noise: the second one has the optimizer's memory as well."""
    device = next(model.parameters()).device
    shape = (trial.batch_size, 3, trial.height, trial.width)
    images = torch.randn(shape, device=device).to(memory_format=input_layout(trial))
    labels = torch.randint(0, num_classes, (trial.batch_size, trial.height, trial.width), device=device)
    optimizer = torch.optim.SGD(parameter_groups(model, trial.weight_decay), lr=1e-3, momentum=trial.momentum)
    model.train()
    for _ in range(2):
        training_step(model, optimizer, images, labels, torch.ones(num_classes, device=device), bf16)
