"""Clocks for work on a device: the wall clock, which waits until the device is idle, and the device's own.

A processor has only the wall clock. On a GPU the wall clock also sees what the host needs to launch the kernels; the
device's own clock, two CUDA events in its queue, sees the time between them on the device.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch


class Stopwatch(Protocol):
    """What a measurement needs to know of a device."""

    def synchronise(self) -> None:
        """Waits until the device has nothing left to do."""

    def mark(self) -> Any:
        """Puts a mark into the device's queue; None where it has no clock of its own."""

    def between_ms(self, first: Any, last: Any) -> float | None:
        """Returns the device's time from one mark to another, ms; None where it has no clock of its own.

        The device has to be idle.
        """


class ProcessorStopwatch:
    """A processor: an operation is over when it returns."""

    def synchronise(self) -> None:
        """Nothing to wait for."""

    def mark(self) -> None:
        """No clock of its own."""

    def between_ms(self, first: None, last: None) -> None:
        """No clock of its own."""


class CudaStopwatch:
    """A CUDA device: work is queued, and events in the queue carry the time."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def synchronise(self) -> None:
        """Waits for all streams of the device."""
        torch.cuda.synchronize(self.device)

    def mark(self) -> torch.cuda.Event:
        """Records an event in the current stream."""
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self.device))
        return event

    def between_ms(self, first: torch.cuda.Event, last: torch.cuda.Event) -> float:
        """Returns the time between two events, ms."""
        return float(first.elapsed_time(last))


def stopwatch_of(device: torch.device) -> Stopwatch:
    """Returns the clocks of a device."""
    return CudaStopwatch(device) if device.type == "cuda" else ProcessorStopwatch()
