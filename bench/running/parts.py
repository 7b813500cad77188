"""What trials are made of, each part timed once or twice on this machine in a fresh process, as a trial is one.

A fresh process also shows what every first time costs: kernels are chosen, compiled code is read from its cache, a GPU
is woken up. These extras are summed up in `start_s`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bench.data import IGNORE_INDEX, SPLITS, Split, dataset_of
from bench.data.road_scenes import draw_scene
from bench.errors import BenchError, DataError, one_line
from bench.evaluation.crf_search import Grid, search_parameters
from bench.evaluation.output_maps import checkerboards
from bench.evaluation.predict import images_at_once, log_probabilities, predict
from bench.evaluation.refinement import scaled_grid
from bench.profiling.timing import backward_operation, forward_operation
from bench.results.provenance import environment
from bench.results.trial_file import write_trial
from bench.running import fork_server
from bench.running.checkpoints import Checkpoints
from bench.running.device import use_arithmetic
from bench.running.inputs import build_model, load_trial_split, network_input
from bench.running.record import identity, machine
from bench.running.rows import TrialRows
from bench.running.throughput import step_of, steps_in_a_window, timed
from bench.study.trials import Trial
from bench.training.bn_statistics import recompute_bn_statistics

CONTEXT = multiprocessing.get_context("forkserver")
REPEATS = 3
IMAGES = 4  # drawn ones, that are read, scored and written
STORED = 200  # scored images, whose rows are written at most


class Parts(NamedTuple):
    """Wall time of one of each, s; of those that a trial does not have, 0."""

    start_s: float = 0.0  # of a process, and what every first time takes longer
    step_s: float = 0.0  # a training step, per image
    statistics_s: float = 0.0  # of batch norm, per image
    predict_s: float = 0.0  # per image
    regions_s: float = 0.0  # scores of regions, per image
    boundaries_s: float = 0.0  # boundary F1 under every stored protocol, per image
    read_s: float = 0.0  # an image from the cache, and its normalisation
    picture_s: float = 0.0  # a label map as a file
    checkpoint_s: float = 0.0
    store_s: float = 0.0  # the file of results
    crf_s: float = 0.0  # the dense CRF of one image under one choice of parameters
    checkerboard_s: float = 0.0  # of a constant image
    checkerboard_image_s: float = 0.0  # of one image
    forward_s: float = 0.0  # a pass of one image of a measurement
    backward_s: float = 0.0  # likewise, without the forward pass


def measure(trial: Trial, device: torch.device, threads: int) -> Parts:
    """Times the parts of a training in a fresh process.

    Raises:
        BenchError: it failed, with the reason.
    """
    fork_server.start()
    pipe, other_end = CONTEXT.Pipe()
    begun = time.perf_counter()
    process = CONTEXT.Process(target=_measure, args=(trial, device.type, threads, other_end), daemon=True)
    process.start()
    other_end.close()
    said: object = "its process was killed"
    with contextlib.suppress(EOFError):
        pipe.recv()
        waited = time.perf_counter() - begun
        said = pipe.recv()
    process.join()
    if not isinstance(said, Parts):
        raise BenchError(f"the parts of a training of {trial.model} cannot be measured: {said}")
    return said._replace(start_s=said.start_s + waited)


def _measure(trial: Trial, device: str, threads: int, pipe: Connection) -> None:
    """The body of the process."""
    pipe.send("begun")
    try:
        torch.set_num_threads(threads)
        pipe.send(time_parts(trial, torch.device(device)))
    except OSError:
        pass  # the process that wanted to know is gone
    except Exception as error:  # noqa: BLE001 (it is said, and the process ends)
        pipe.send(one_line(f"{type(error).__name__}: {error}".partition("\n")[0]))


class _Timer:
    """Times work, and sums up by how much every first time took longer; what is already warm is said to be so."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.extra_s = 0.0

    def __call__(
        self, work: Callable[[], object], per: int = 1, repeats: int = REPEATS, *, queued: bool = False
    ) -> float:
        """Returns the wall time of `work`, s, divided by `per`.

        queued: whether one follows the other without a wait, as training steps do on a GPU
        """
        first, *others = (self.once(work) for _ in range(1 + repeats))
        usual = min(others)  # what else the machine does only ever adds
        if queued and (together := steps_in_a_window(usual, self.device)) > 1:
            usual = min(timed(work, self.device, together) for _ in range(repeats))
        self.extra_s += max(0.0, first - usual)
        return usual / per

    def once(self, work: Callable[[], object]) -> float:
        return timed(work, self.device)


def time_parts(trial: Trial, device: torch.device) -> Parts:
    """Times the parts of a training, or of a measurement, in this process."""
    timer = _Timer(device)
    timer.extra_s += timer.once(environment) + timer.once(lambda: torch.zeros(1, device=device))
    bf16 = use_arithmetic(trial.precision, trial.determinism)
    if trial.kind == "cost":
        return _passes(trial, device, timer, bf16)
    drawn = _drawn(trial)
    classes = len(drawn.class_names)
    model = build_model(trial, classes, device)
    step = step_of(trial, device)
    count = step.images
    step_s = timer(step.take, count, queued=True)
    images = network_input(trial, drawn, device)
    wanted = torch.arange(count, device=device) % IMAGES
    batch = images[wanted]
    at_once = min(count, images_at_once(device, trial.height, trial.width))
    rows = TrialRows(dict.fromkeys(SPLITS, drawn), None)
    wrong = np.roll(np.where(drawn.labels < classes, drawn.labels, 0), 1, axis=0)  # what belongs to another image
    rows.selected_iteration = 0
    statistics_s = timer(lambda: recompute_bn_statistics(model, batch, batch_size=count, bf16=bf16), count)
    predict_s = timer(lambda: predict(model, batch, batch_size=at_once, bf16=bf16), count)
    regions_s = timer(lambda: rows.add_regions("test", 0, wrong), IMAGES)
    boundaries_s = timer(lambda: rows.add_boundaries("test", 0, wrong), IMAGES)
    read_s = timer(lambda: network_input(trial, drawn, device), IMAGES) + _from_cache_s(trial, timer)
    with tempfile.TemporaryDirectory(prefix="bench-plan-") as name:
        folder = Path(name)
        rows.keep_predictions("test", wrong)
        palette = dataset_of(trial.dataset, trial.dataset_options).palette
        picture_s = timer(lambda: rows.write_predictions(folder, palette), IMAGES, repeats=1)
        state = {"model": model.state_dict(), "momentum": model.state_dict(), "best": model.state_dict()}
        kept = Checkpoints(folder, trial, {})
        checkpoint_s = timer(lambda: kept.save(1, state), repeats=1)
        scored = trial.dataset_options["test"] * (2 + len(trial.budgets))
        stored = min(scored, STORED)
        constants = identity(trial) | environment() | machine(trial, device.type, torch.get_num_threads())
        some = rows.rows * -(-stored // ((1 + REPEATS) * IMAGES))  # `rows` has those of every time it was timed
        store_s = timer.once(lambda: write_trial(folder / "all.parquet", constants, some)) * scored / stored
    crf_s = _crf_s(trial, drawn, model, batch, bf16, timer) if trial.refinement else 0.0
    constant_s, image_s = _checkerboard_s(model, batch[:1], drawn, timer) if trial.checkerboard else (0.0, 0.0)
    return Parts(timer.extra_s, step_s, statistics_s, predict_s, regions_s, boundaries_s, read_s, picture_s,
                 checkpoint_s, store_s, crf_s, constant_s, image_s)  # fmt: skip


def _passes(trial: Trial, device: torch.device, timer: _Timer, bf16: bool) -> Parts:
    """Times the passes of a measurement of time and memory."""
    classes = len(dataset_of(trial.dataset, trial.dataset_options).class_names)
    model = build_model(trial, classes, device)
    how = {"bf16": bf16, "channels_last": trial.channels_last}
    forward, backward = (
        timer(operation(model, trial.timing_height, trial.timing_width, **how))
        for operation in (forward_operation, backward_operation)
    )
    return Parts(timer.extra_s, forward_s=forward, backward_s=backward)


def _drawn(trial: Trial) -> Split:
    """Returns IMAGES drawn streets at the trial's size, under the names of its classes."""
    scenes = [draw_scene(0, "test", index, trial.height, trial.width) for index in range(IMAGES)]
    images, labels = (np.stack(arrays) for arrays in zip(*scenes, strict=True))
    names = dataset_of(trial.dataset, trial.dataset_options).class_names
    labels = np.where(labels == IGNORE_INDEX, IGNORE_INDEX, labels % len(names)).astype(np.uint8)
    return Split(images, labels, tuple(f"image-{index}" for index in range(IMAGES)), names, "")


def _from_cache_s(trial: Trial, timer: _Timer) -> float:
    """Times reading an image from the cache; 0 where the data is not here."""
    try:
        load_trial_split(trial, "val")  # which fills the cache
        return timer.once(lambda: load_trial_split(trial, "val")) / trial.dataset_options["val"]
    except DataError:
        return 0.0


def _crf_s(trial: Trial, drawn: Split, model: nn.Module, batch: Tensor, bf16: bool, timer: _Timer) -> float:
    """Times the dense CRF of one image under one choice of parameters, three of which share their kernels."""
    unaries = [-values for values in log_probabilities(model, batch[:1], batch_size=1, bf16=bf16)]
    whole = scaled_grid(trial.height)
    grid = Grid(whole.w1[:3], whole.theta_alpha[:1], whole.theta_beta[:1], whole.theta_gamma)
    images, labels = list(drawn.images[:1]), list(drawn.labels[:1])
    return timer(lambda: search_parameters(images, unaries, labels, grid), len(grid.w1), repeats=1)


def _checkerboard_s(model: nn.Module, image: Tensor, drawn: Split, timer: _Timer) -> tuple[float, float]:
    """Times the checkerboard of a constant image, and what each other image adds to it."""
    classes, two = len(drawn.class_names), torch.cat([image, image])
    one_s = timer(lambda: checkerboards(model, image, drawn.labels[:1], classes), repeats=1)
    two_s = timer(lambda: checkerboards(model, two, drawn.labels[:2], classes), repeats=1)
    image_s = max(0.0, two_s - one_s)
    return max(0.0, one_s - image_s), image_s


def until_ready() -> None:
    """Starts a process that does nothing: the first one waits until libraries are loaded."""
    fork_server.start()
    process = CONTEXT.Process(target=int)
    process.start()
    process.join()
