"""A cost trial on one screen: what one model costs in parameters, memory, time and operations.

It is measured in turns, each in a fresh process: first what is counted, memory and the paper's own timing protocol,
then rounds of timing. Between two turns of a model the other models of the suite have theirs (see suite.py). So
whatever drifts, a processor's clock or its load, meets all models alike, and what differs from process to process,
such as where memory lies, is part of the spread. The turns so far are kept like the checkpoint of a training.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from bench.errors import ConfigError
from bench.evaluation.predict import predict
from bench.profiling import cost
from bench.profiling.energy import energy_per_pass_j
from bench.profiling.memory import peak_mib, resident_peak_mib
from bench.profiling.rounds import measure_round
from bench.profiling.sensors import Sensors, sensors_of
from bench.profiling.stopwatch import stopwatch_of
from bench.profiling.timing import PAPER_PROTOCOLS, forward_operation
from bench.running.checkpoints import Checkpoints
from bench.running.control import Notice, Report
from bench.running.device import use_arithmetic
from bench.running.history import History
from bench.running.inputs import build_model, input_layout, num_classes_of
from bench.running.rows import TrialRows
from bench.study.trials import Trial
from bench.training.loop import parameter_groups, training_step
from models import MODELS

INTERLEAVED = "interleaved"
TABLE_6_BATCH = 4  # paper Table 6: training memory


def run_cost(
    trial: Trial, device: torch.device, report: Report, checkpoints: Checkpoints | None = None
) -> TrialRows | None:
    """Takes the next turn of the measurement; without checkpoints all that are left.

    Returns: the rows after the last turn; None while some are left.

    Source: paper §3.3 and Table 6 for what is measured.
    Deviation: the paper's protocols, the mean of passes in a row, are measured as well, but the suite's own tables and
        figures show the median of rounds that take turns. One slow pass moves a mean, and a slow minute one model.
    """
    bf16 = use_arithmetic(trial.precision, trial.determinism)
    sensors = sensors_of(device)
    rows = TrialRows({}, None)
    first = resume(checkpoints, rows, report)
    if first == 0 and device.type == "cpu":
        rows.add_cost("process_baseline_mib", resident_peak_mib(), "resident_set")
    model = build_model(trial, num_classes_of(trial), device)
    height, width, channels_last = trial.timing_height, trial.timing_width, trial.channels_last
    timed = partial(measure_round, model, height, width, bf16=bf16, channels_last=channels_last, sensors=sensors)
    for turn in range(first, trial.timing_rounds + 1):
        if turn == 0:
            add_memory(trial, model, bf16, sensors, rows)  # before anything else that takes memory
            add_counts(trial, model, rows)
            if trial.timing_paper:
                paper = PAPER_PROTOCOLS[trial.timing_paper]
                rows.add_round(trial.timing_paper, 1, timed(passes=paper.passes, backward=paper.backward))
                rows.add_times(trial.timing_paper, np.mean)
            if sensors:
                add_energy(trial, model, bf16, sensors, rows)
        else:
            rows.add_round(INTERLEAVED, turn, timed(passes=trial.timing_iterations, backward=True))
        if checkpoints and turn < trial.timing_rounds:
            history = rows.history
            state = {"rows": rows.rows, "started_at": history.started_at, "elapsed_s": history.elapsed_s}
            checkpoints.save(turn, state | {"turn": turn})
            return None
    rows.add_times(INTERLEAVED, np.median)
    return rows


def resume(checkpoints: Checkpoints | None, rows: TrialRows, report: Report) -> int:
    """Takes up the turns that are kept, and returns the next one; 0 where none were taken under present conditions."""
    if checkpoints is None:
        return 0
    try:
        found, problems = checkpoints.newest()
        changed = bool(found and found["conditions"])
    except ConfigError:
        found, problems, changed = None, [], True
    for problem in problems:
        report(Notice(problem))
    if changed:  # times of two machines have no common median
        report(Notice("the measurement starts afresh: it was begun on another machine or under other versions"))
    if found is None or changed:
        checkpoints.clear()
        return 0
    rows.rows = found["rows"]
    rows.history = History(found["started_at"], found["elapsed_s"])
    return int(found["turn"]) + 1


def add_counts(trial: Trial, model: nn.Module, rows: TrialRows) -> None:
    """Adds what is counted: parameters, size, encoder information, FLOPs."""
    height, width = trial.timing_height, trial.timing_width
    num_classes = num_classes_of(trial)
    kept = MODELS[trial.model].ENCODER_INFORMATION
    rows.add_cost("parameters", cost.parameter_count(model), "learnable")
    rows.add_cost("model_size_mb", cost.model_size_mb(model), "fp32")
    rows.add_cost("storage_multiplier", cost.storage_multiplier(kept, num_classes), "paper")
    stored = cost.stored_encoder_mib(kept, num_classes, height, width)
    rows.add_cost("stored_encoder_mib", stored, f"first stage, {height}x{width}")
    flops = cost.forward_flops(model, height, width)
    rows.add_cost("forward_flops", flops, f"multiply-add is 2, convolutions and matrix products, {height}x{width}")


def add_memory(trial: Trial, model: nn.Module, bf16: bool, sensors: Sensors | None, rows: TrialRows) -> None:
    """Adds peak memory, from small to large: inference, the suite's training step, the paper's training step."""
    device = next(model.parameters()).device
    height, width = trial.timing_height, trial.timing_width
    one = torch.zeros(1, 3, height, width, device=device).to(memory_format=input_layout(trial))
    work: list[tuple[str, str, Callable[[], object]]] = [
        ("inference_peak_mib", f"batch 1, {height}x{width}", partial(predict, model, one, batch_size=1, bf16=bf16))
    ]
    for shape in training_steps(trial):
        step = partial(train_two_steps, trial, model, shape, bf16)
        work.append(("training_peak_mib", f"batch {shape[0]}, {shape[1]}x{shape[2]}", step))
    for metric, what, operation in work:
        for kind, mib in peak_mib(operation, device, sensors).items():
            rows.add_cost(metric, mib, f"{kind}, {what}")


def training_steps(trial: Trial) -> list[tuple[int, int, int]]:
    """Returns the batches (N,H,W) of which a training step's memory is measured, the smallest first.

    A network that is built for one image size is built for the timed input, and trained on that alone.
    """
    timed = trial.timing_height, trial.timing_width
    built_for_size = getattr(MODELS[trial.model], "BUILT_FOR_SIZE", False)
    steps = {(trial.batch_size, *(timed if built_for_size else (trial.height, trial.width)))}
    if trial.timing_paper == "table-6":
        steps.add((TABLE_6_BATCH, *timed))
    return sorted(steps, key=lambda shape: shape[0] * shape[1] * shape[2])


def add_energy(trial: Trial, model: nn.Module, bf16: bool, sensors: Sensors, rows: TrialRows) -> None:
    """Adds the energy of a forward pass, where the GPU counts it."""
    size = trial.timing_height, trial.timing_width
    operation = forward_operation(model, *size, bf16=bf16, channels_last=trial.channels_last)
    joules = energy_per_pass_j(operation, stopwatch_of(next(model.parameters()).device), sensors)
    if joules is not None:
        rows.add_cost("forward_energy_j", joules, f"passes in a row, batch 1, {size[0]}x{size[1]}")


def train_two_steps(trial: Trial, model: nn.Module, shape: tuple[int, int, int], bf16: bool) -> None:
    """Runs two optimizer steps on noise of a shape (N,H,W): the second one has the optimizer's memory as well."""
    num_classes = num_classes_of(trial)
    device = next(model.parameters()).device
    batch, height, width = shape
    images = torch.randn(batch, 3, height, width, device=device).to(memory_format=input_layout(trial))
    labels = torch.randint(0, num_classes, shape, device=device)
    optimizer = torch.optim.SGD(parameter_groups(model, trial.weight_decay), lr=1e-3, momentum=trial.momentum)
    model.train()
    for _ in range(2):
        training_step(model, optimizer, images, labels, torch.ones(num_classes, device=device), bf16)
