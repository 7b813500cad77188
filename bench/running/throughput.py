"""Measures how much faster several trainings at once are than one: training steps in as many processes, for seconds."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

import torch

from bench.errors import BenchError, one_line
from bench.running import fork_server
from bench.running.device import use_arithmetic
from bench.running.inputs import build_model, input_layout, num_classes_of
from bench.study.trials import Trial
from bench.training.compilation import compile_network
from bench.training.loop import parameter_groups, training_step

CONTEXT = multiprocessing.get_context("forkserver")
MEASURED_S = 3.0  # of training steps, at least
WARM_UP_STEPS = 2
WINDOW_S = 0.2  # of steps that a GPU is given before it is waited for: a wait after each would make it idle
READY_WITHIN_S = 300.0  # for libraries to load, and the first steps
# Pixels in a measured batch on a CPU: a mini batch whole, and one image at the paper's size, so that it takes seconds.
MEASURED_PIXELS = 12 * 90 * 120


class Step(NamedTuple):
    """A training's model, ready for steps on noise."""

    take: Callable[[], object]
    images: int


def step_of(trial: Trial, device: torch.device) -> Step:
    """Returns a training step of `trial` on noise: its whole batch on a GPU, as much as takes seconds on a CPU."""
    bf16 = use_arithmetic(trial.precision, trial.determinism)
    num_classes, size = num_classes_of(trial), (trial.height, trial.width)
    batch = trial.batch_size if device.type == "cuda" else measured_batch(trial)
    model = build_model(trial, num_classes, device).train()
    images = torch.randn(batch, 3, *size, device=device).to(memory_format=input_layout(trial))
    labels = torch.randint(0, num_classes, (batch, *size), device=device)
    if trial.compile == "on":
        compile_network(model)
    optimizer = torch.optim.SGD(parameter_groups(model, trial.weight_decay), lr=1e-3, momentum=trial.momentum)
    weights = torch.ones(num_classes, device=device)
    summed = trial.loss == "summed"
    return Step(lambda: training_step(model, optimizer, images, labels, weights, bf16, summed=summed), batch)


def measured_batch(trial: Trial) -> int:
    """Returns the number of images in a measured batch on a CPU."""
    smallest = min(2, trial.batch_size)  # of one image some networks' batch norm has no variance
    return max(smallest, min(trial.batch_size, MEASURED_PIXELS // (trial.height * trial.width)))


def images_per_s(trial: Trial, device: torch.device, threads: int, jobs: int) -> float:
    """Returns the images per second of `jobs` trainings at once, each in a process of its own, together.

    Args:
        trial: which training
        device: of all of them
        threads: of torch, for all together
        jobs: how many

    Raises:
        BenchError: one of them failed; with the reason.
    """
    fork_server.start()
    with contextlib.ExitStack() as until_done:
        pipes = [_started(trial, device.type, max(1, threads // jobs), until_done) for _ in range(jobs)]
        for pipe in pipes:  # all are ready before any begins
            _heard(pipe)
        for pipe in pipes:
            pipe.send(MEASURED_S)
        return float(sum(_heard(pipe) for pipe in pipes))


def _started(trial: Trial, device: str, threads: int, until_done: contextlib.ExitStack) -> Connection:
    """Starts a process that trains when it is told to; returns the pipe to it."""
    pipe, other_end = CONTEXT.Pipe()
    until_done.callback(pipe.close)
    process = CONTEXT.Process(target=_train, args=(trial, device, threads, other_end), daemon=True)
    process.start()
    until_done.callback(process.join)
    until_done.callback(process.kill)
    other_end.close()
    return pipe


def _heard(pipe: Connection) -> float:
    """Returns what a process says next."""
    reason = "it was killed"
    with contextlib.suppress(EOFError, OSError):
        if not wait([pipe], READY_WITHIN_S):
            raise BenchError(f"it said nothing for {READY_WITHIN_S:.0f} s")
        said = pipe.recv()
        if not isinstance(said, str):
            return float(said)
        reason = said
    raise BenchError(reason)


def _train(trial: Trial, device: str, threads: int, pipe: Connection) -> None:
    """The body of a process: gets ready, waits for the others, trains and says how many images it saw in a second."""
    try:
        torch.set_num_threads(threads)
        place = torch.device(device)
        step = step_of(trial, place)
        for _ in range(WARM_UP_STEPS):
            step_s = timed(step.take, place)
        pipe.send(0.0)
        seconds, steps = pipe.recv(), 0
        start = now = time.perf_counter()
        while now - start < seconds:
            together = steps_in_a_window(step_s, place)  # anew: beside others a step takes longer
            step_s = timed(step.take, place, together)
            steps += together
            now = time.perf_counter()
        pipe.send(steps * step.images / (now - start))
    except (EOFError, OSError):
        pass  # the process that wanted to know is gone
    except Exception as error:  # noqa: BLE001 (it is said, and the process ends)
        pipe.send(one_line(f"{type(error).__name__}: {error}".partition("\n")[0]))


def steps_in_a_window(step_s: float, device: torch.device) -> int:
    """Returns how many steps of `step_s` seconds fill a window; on a CPU, which is given one at a time, 1."""
    return 1 if device.type == "cpu" else max(1, round(WINDOW_S / step_s))


def timed(work: Callable[[], object], device: torch.device, repeats: int = 1) -> float:
    """Returns the wall time of `work`, s, the mean of so many in a row; the device is waited for before and after."""
    settle(device)
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    settle(device)
    return (time.perf_counter() - start) / repeats


def settle(device: torch.device) -> None:
    """Waits until a device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
