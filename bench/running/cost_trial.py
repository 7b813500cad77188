"""A cost trial on one screen: what one model costs in parameters, memory, time and operations."""

from __future__ import annotations

import torch
from torch import nn

from bench.data import DATASETS
from bench.evaluation.predict import predict
from bench.profiling import cost
from bench.profiling.memory import peak_mib, resident_peak_mib
from bench.profiling.timing import forward_backward_times
from bench.running.device import use_arithmetic
from bench.running.inputs import build_model, input_layout
from bench.running.rows import TrialRows
from bench.study.trials import Trial
from bench.training.loop import parameter_groups, training_step
from models import MODELS


def run_cost(trial: Trial, device: torch.device) -> TrialRows:
    """Measures what one model costs, in a fresh process: counts, then memory from small to large, then time."""
    bf16 = use_arithmetic(trial.precision, trial.determinism)
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
