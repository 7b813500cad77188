"""One round of timing: passes in a row after a warm-up, forward and backward apart, and the conditions meanwhile."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from bench.profiling.conditions import Watch
from bench.profiling.sensors import Sensors
from bench.profiling.stopwatch import stopwatch_of
from bench.profiling.timing import Pass, WarmUp, backward_operation, forward_operation, time_passes, warm_up

OPERATIONS = {"forward": forward_operation, "backward": backward_operation}  # in this order: backward keeps its graph


class Round(NamedTuple):
    """What one round gave, by "forward" and "backward"; conditions as of `Watch.read`."""

    passes: dict[str, list[Pass]]
    warm_ups: dict[str, WarmUp]
    conditions: dict[str, float]


def measure_round(
    model: nn.Module,
    height: int,
    width: int,
    *,
    bf16: bool,
    channels_last: bool,
    passes: int,
    backward: bool,
    sensors: Sensors | None,
) -> Round:
    """Times `passes` forward passes of one (3,height,width) image, and as many backward passes if asked to."""
    device: torch.device = next(model.parameters()).device
    stopwatch, watch = stopwatch_of(device), Watch(sensors)
    timed, warm_ups = {}, {}
    for kind in ("forward", "backward") if backward else ("forward",):
        operation = OPERATIONS[kind](model, height, width, bf16=bf16, channels_last=channels_last)
        warm_ups[kind] = warm_up(operation, stopwatch)
        timed[kind] = time_passes(operation, stopwatch, passes, watch.look)
    return Round(timed, warm_ups, watch.read())
