"""Forward and backward time of one image, with warm-up and synchronisation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn


class Times(NamedTuple):
    """Median, quartiles and number of measurements; ms."""

    median_ms: float
    p25_ms: float
    p75_ms: float
    n: int


def measure(operation: Callable[[], object], *, synchronise: Callable[[], None], warmup: int, iterations: int) -> Times:
    """Times `operation`, waiting for the device before and after each call.

    Args:
        operation: what is timed
        synchronise: waits until the device is idle
        warmup: calls that are not counted (kernels are chosen and caches filled)
        iterations: calls that are counted, at least 1
    """
    assert iterations >= 1
    for _ in range(warmup):
        operation()
    samples = []
    for _ in range(iterations):
        synchronise()
        start = time.perf_counter()
        operation()
        synchronise()
        samples.append((time.perf_counter() - start) * 1e3)
    p25, median, p75 = np.percentile(samples, [25, 50, 75])
    return Times(float(median), float(p25), float(p75), iterations)


def forward_backward_times(
    model: nn.Module,
    height: int,
    width: int,
    *,
    bf16: bool,
    channels_last: bool,
    warmup: int,
    iterations: int,
) -> tuple[Times, Times]:
    """Returns the times of the forward and of the backward pass of one (3,height,width) image.

    The forward pass is timed in eval mode without gradients, as at test time; the backward pass in training mode on the
    sum of the logits, forward not included.

    Source: paper §3.3 (mean of 50 forward passes at 360x480), Table 6 (forward and backward, batch 1).
    Deviation: the median and the quartiles are reported instead of the mean, which one slow call can move.
    """
    device = next(model.parameters()).device
    layout = torch.channels_last if channels_last else torch.contiguous_format
    images = torch.randn(1, 3, height, width, device=device).to(memory_format=layout)

    def synchronise() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    @torch.no_grad()
    def forward() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            model(images)

    model.eval()
    forward_times = measure(forward, synchronise=synchronise, warmup=warmup, iterations=iterations)

    model.train()
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        logits = model(images)
    gradient = torch.ones_like(logits)
    parameters = list(model.parameters())

    def backward() -> None:
        torch.autograd.grad(logits, parameters, gradient, retain_graph=True)

    backward_times = measure(backward, synchronise=synchronise, warmup=warmup, iterations=iterations)
    return forward_times, backward_times
