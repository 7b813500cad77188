"""How many trainings to run at once: as many as memory holds, and as long as one more is worth it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from bench.errors import BenchError, ConfigError
from bench.running.memory import training_memory_mib
from bench.running.throughput import images_per_s
from bench.study.trials import Trial

CHOICES = (1, 2, 3, 4, 6, 8)
WORTH_IT = 1.10  # what a choice must gain in images per second over the one before
ROOM = 0.8  # share of the free memory that "auto" fills: an estimate leaves out workspaces

Measure = Callable[[Trial, torch.device, int, int], float]  # images per second, as throughput.images_per_s


class Jobs(NamedTuple):
    """How many trainings run at once, and a line that says what was measured; empty where nothing was."""

    number: int
    line: str = ""


def choose(
    trials: Sequence[Trial],
    device: torch.device,
    threads: int,
    free_mib: float | None,
    measure: Measure = images_per_s,
) -> Jobs:
    """Returns the largest of CHOICES that memory holds and that gains at least WORTH_IT over the one before.

    The training that needs most memory stands for all: smaller networks gain more from company.

    Args:
        trials: those that are to be run
        device: where
        threads: of torch, for all together; on a CPU there are no more jobs than that
        free_mib: memory, MiB; None where it is not known
        measure: how fast so many at once are

    Raises:
        BenchError: not even one can be measured.
    """
    trainings = [trial for trial in trials if trial.kind == "training"]
    if not trainings:
        return Jobs(1)
    largest, memory = largest_of(trainings, device)
    most = min(len(trainings), threads if device.type == "cpu" else CHOICES[-1])
    possible = [number for number in CHOICES if number <= most]
    fitting = [number for number in possible if number == 1 or free_mib is None or number * memory <= ROOM * free_mib]
    speeds: dict[int, float] = {}
    chosen, why = 1, ""
    for number in fitting if len(fitting) > 1 else ():
        try:
            speeds[number] = measure(largest, device, threads, number)
        except BenchError as error:
            if number == 1:
                raise BenchError(
                    f"--jobs auto: a training step of {largest.model} cannot be measured: {error}; give --jobs a number"
                ) from None
            why = f"; {number} at once failed: {error}"
            break
        if number > 1 and speeds[number] < WORTH_IT * speeds[chosen]:
            break
        chosen = number
    return Jobs(chosen, _said(chosen, largest, memory, free_mib, speeds, possible, fitting) + why)


def check_memory(trials: Sequence[Trial], jobs: int, device: torch.device, free_mib: float | None) -> None:
    """Finds out before any training whether so many at once have memory.

    Raises:
        ConfigError: what they need at least is more than there is.
    """
    trainings = [trial for trial in trials if trial.kind == "training"]
    if jobs == 1 or not trainings or free_mib is None:
        return
    largest, memory = largest_of(trainings, device)
    at_once = min(jobs, len(trainings))
    if at_once * memory > free_mib:
        fit = max(1, int(free_mib / memory))
        raise ConfigError(
            f"--jobs {jobs}: {at_once} trainings of {largest.model} at once need at least {at_once * memory:.0f} MiB, "
            f"but {free_mib:.0f} MiB are free; use --jobs {fit}"
        )


def largest_of(trainings: Sequence[Trial], device: torch.device) -> tuple[Trial, float]:
    """Returns the training that needs most memory, and how much, MiB."""
    by_shape = {(one.model, one.dataset, one.height, one.width, one.batch_size): one for one in reversed(trainings)}
    return max(((one, training_memory_mib(one, device)) for one in by_shape.values()), key=lambda found: found[1])


def _said(
    chosen: int,
    largest: Trial,
    memory: float,
    free_mib: float | None,
    speeds: dict[int, float],
    possible: Sequence[int],
    fitting: Sequence[int],
) -> str:
    """Says in a line what was measured and chosen."""
    if not speeds:
        if len(possible) == 1:
            return "--jobs auto: 1, there is one training or one thread"
        return f"--jobs auto: 1, {largest.model} needs {memory:.0f} MiB, and {free_mib or 0:.0f} MiB are free"
    found = ", ".join(f"{number}: {speed:.1f}" for number, speed in speeds.items())
    room = "" if free_mib is not None else "; how much memory is free is not known here"
    if len(fitting) < len(possible) and chosen == fitting[-1]:
        room = f"; no more fit into {free_mib or 0:.0f} MiB, one needs {memory:.0f}"
    return f"--jobs auto: {chosen}, images/s of {largest.model} by number at once: {found}{room}"
