"""What is asked of a running trial from outside, and what it says besides its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bench.training.loop import Progress


@dataclass
class Control:
    """Requests to a running training; it looks at them after every iteration."""

    checkpoint: bool = False  # write one now and go on
    stop: bool = False  # write one now and end


class Notice(NamedTuple):
    """One line that a user should read while the trial goes on."""

    text: str


class Interrupted(Exception):  # noqa: N818 (no error: the training did what it was asked to)
    """The training was asked to stop; its checkpoint is written."""

    def __init__(self, iteration: int, iterations: int) -> None:
        super().__init__(f"stopped at iteration {iteration} of {iterations}; the same command goes on from there")
        self.iteration = iteration


Report = Callable[[Progress | Notice], None]
