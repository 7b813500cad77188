"""Forward and backward time of one image, pass by pass.

The protocols are put together in running/cost_trial.py; `PAPER_PROTOCOLS` has those of the paper. What a pass is:

- forward: the logits of one image in eval mode, without gradients, as at test time;
- backward: the gradients of the sum of the logits with respect to all weights in training mode, forward not included.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from bench.profiling.stopwatch import Stopwatch

WINDOW = 3  # passes in a window of the warm-up
STEADY = 0.97  # a window that takes at least this share of the one before: the passes no longer get faster
MAX_WINDOWS = 20


class Pass(NamedTuple):
    """One timed pass; ms. `device_ms` is None where the device has no clock of its own."""

    wall_ms: float
    device_ms: float | None


class WarmUp(NamedTuple):
    """Passes before the measurement, and whether they stopped getting faster."""

    passes: int
    steady: bool


class Times(NamedTuple):
    """A centre (median or mean), quartiles and number of measurements; ms."""

    centre_ms: float
    p25_ms: float
    p75_ms: float
    n: int


class PaperProtocol(NamedTuple):
    """How the paper measured: the mean of so many passes in a row, in one process."""

    passes: int
    backward: bool


PAPER_PROTOCOLS = {
    "table-1": PaperProtocol(50, backward=False),  # paper §3.3
    "table-6": PaperProtocol(10, backward=True),  # paper §4.3, `caffe time`
}


def warm_up(operation: Callable[[], object], stopwatch: Stopwatch) -> WarmUp:
    """Repeats `operation` until it no longer gets faster: kernels are chosen, caches filled, clocks raised.

    After each WINDOW of passes their median is compared with that of the window before.
    """
    before = _median(time_passes(operation, stopwatch, WINDOW))
    for windows in range(2, MAX_WINDOWS + 1):
        now = _median(time_passes(operation, stopwatch, WINDOW))
        if now >= STEADY * before:
            return WarmUp(windows * WINDOW, True)
        before = now
    return WarmUp(MAX_WINDOWS * WINDOW, False)


def time_passes(
    operation: Callable[[], object],
    stopwatch: Stopwatch,
    passes: int,
    between: Callable[[], object] = lambda: None,
) -> list[Pass]:
    """Times every single call of `operation`.

    The device is waited for once before the first pass and once after each, so that a pass begins on an idle device
    and nothing but its own work is in its time.

    Args:
        operation: what is timed
        stopwatch: of the device it works on
        passes: how often, at least 1
        between: called after each pass, outside its time
    """
    assert passes >= 1
    found = []
    stopwatch.synchronise()
    for _ in range(passes):
        start = time.perf_counter()
        first = stopwatch.mark()
        operation()
        last = stopwatch.mark()
        stopwatch.synchronise()
        wall_ms = (time.perf_counter() - start) * 1e3
        found.append(Pass(wall_ms, stopwatch.between_ms(first, last)))
        between()
    return found


def times_by_clock(kind: str, passes: Sequence[Pass]) -> dict[str, list[float]]:
    """Returns the times of passes, ms, by metric: forward_ms by the wall clock, forward_device_ms by the device's."""
    device = [one.device_ms for one in passes if one.device_ms is not None]
    found = {f"{kind}_ms": [one.wall_ms for one in passes]}
    return found | ({f"{kind}_device_ms": device} if device else {})


def summary(samples_ms: Sequence[float], statistic: Callable[..., np.floating] = np.median) -> Times:
    """Returns what is reported of the times of single passes, ms; `statistic` is np.median or np.mean."""
    p25, p75 = np.percentile(samples_ms, [25, 75])
    return Times(float(statistic(samples_ms)), float(p25), float(p75), len(samples_ms))


def forward_operation(
    model: nn.Module, height: int, width: int, *, bf16: bool, channels_last: bool
) -> Callable[[], object]:
    """Returns the forward pass of one (3,height,width) image; puts the model into eval mode.

    Source: paper §3.3 (360x480), Table 6 (batch 1).
    """
    images = _one_image(model, height, width, channels_last)
    model.eval()

    @torch.no_grad()
    def forward() -> object:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
            return model(images)

    return forward


def backward_operation(
    model: nn.Module, height: int, width: int, *, bf16: bool, channels_last: bool
) -> Callable[[], object]:
    """Returns the backward pass of one (3,height,width) image; puts the model into training mode.

    The graph that it runs through is built here and kept, so that the forward pass is not part of its time.

    Source: paper Table 6 (batch 1).
    Deviation: a network that batch norm cannot train on a single image, as DeconvNet with its 1x1 bottleneck, stays in
        evaluation mode, where batch norm uses stored statistics and dropout does nothing.
    """
    images = _one_image(model, height, width, channels_last)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.train(getattr(model, "TRAINS_ON_ONE_IMAGE", True))
    with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
        logits = model(images)
    gradient = torch.ones_like(logits)

    def backward() -> object:
        return torch.autograd.grad(logits, parameters, gradient, retain_graph=True)

    return backward


def _one_image(model: nn.Module, height: int, width: int, channels_last: bool) -> torch.Tensor:
    layout = torch.channels_last if channels_last else torch.contiguous_format
    device = next(model.parameters()).device
    return torch.randn(1, 3, height, width, device=device).to(memory_format=layout)


def _median(passes: Sequence[Pass]) -> float:
    return float(np.median([one.wall_ms for one in passes]))
