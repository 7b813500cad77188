"""How long trials will take here, alone and some at once, and how much memory: counts of their parts times one of each.

Not counted: reading data for the first time, which fills a cache, and what other programs take from the machine after
the parts were timed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

from bench.data import SPLITS
from bench.evaluation.output_maps import IMAGES as CHECKERBOARD_IMAGES
from bench.evaluation.refinement import SEARCH_IMAGES
from bench.profiling.timing import PAPER_PROTOCOLS
from bench.results.store import Outcome
from bench.running.cost_trial import training_steps
from bench.running.jobs import largest_of
from bench.running.memory import training_memory_mib
from bench.running.parts import Parts, measure
from bench.running.throughput import images_per_s
from bench.study.trials import Trial

CRF_CHOICES = 45  # that a search scores: 27 at first, then the neighbours of the best until it stays
WARM_UP_PASSES = 9  # of a round, until passes no longer get faster; at least 6


class Estimate(NamedTuple):
    """Expected wall time of a trial alone, s, and memory of a training, MiB."""

    seconds: float
    memory_mib: float = 0.0


class Total(NamedTuple):
    """What all trials that are left take together.

    seconds: wall time; jobs: trainings at once; gain: images per second of so many at once, over those of one alone.
    """

    seconds: float
    jobs: int = 1
    gain: float = 1.0


def training_seconds(trial: Trial, parts: Parts, threads: int) -> float:
    """Returns the wall time of a training from the time of its parts.

    The test split is scored at every budget, at the selected point and at the one that the other score would select;
    where both select the same one, that is one too many.
    """
    count = trial.dataset_options
    points, saved = (trial.iterations // every for every in (trial.validate_every, trial.checkpoint_every))
    scored_s = parts.predict_s + parts.regions_s
    of_test_s = scored_s + parts.boundaries_s
    seconds = parts.start_s + parts.store_s
    seconds += sum(count[split] for split in SPLITS) * parts.read_s
    seconds += trial.iterations * trial.batch_size * parts.step_s
    seconds += points * (count["train"] * parts.statistics_s + count["val"] * scored_s)
    seconds += count["train"] * scored_s + (2 + len(trial.budgets)) * count["test"] * of_test_s
    seconds += saved * parts.checkpoint_s
    seconds += (3 * trial.panels + count["test"] * trial.store_predictions) * parts.picture_s
    if trial.refinement:
        searched = min(SEARCH_IMAGES, count["train"])
        seconds += (searched * CRF_CHOICES + count["test"] / threads) * parts.crf_s + count["test"] * of_test_s
    if trial.checkerboard:
        seconds += parts.checkerboard_s + min(CHECKERBOARD_IMAGES, count["test"]) * parts.checkerboard_image_s
    return seconds


def cost_seconds(trial: Trial, parts: Parts) -> float:
    """Returns the wall time of a measurement of time and memory, all its turns together, from that of its passes."""
    pass_s = parts.forward_s + parts.backward_s
    seconds = (1 + trial.timing_rounds) * parts.start_s  # each turn is a process
    seconds += trial.timing_rounds * (trial.timing_iterations + WARM_UP_PASSES) * pass_s
    if trial.timing_paper:
        paper = PAPER_PROTOCOLS[trial.timing_paper]
        seconds += (paper.passes + WARM_UP_PASSES) * (pass_s if paper.backward else parts.forward_s)
    timed = trial.timing_height * trial.timing_width
    return seconds + sum(2 * batch * height * width / timed * pass_s for batch, height, width in training_steps(trial))


def estimate_missing(
    trials: Sequence[Trial],
    outcomes: Sequence[Outcome],
    device: torch.device,
    threads: int,
    time_parts: Callable[[Trial, torch.device, int], Parts] = measure,
) -> dict[str, Estimate]:
    """Returns an estimate by digest for every trial that is not done, from one measurement per model.

    What a trial of the same model took is not asked: a stored duration may be that of another machine, of other
    threads, or of an hour in which other programs ran.

    Args:
        trials, outcomes: each with its other
        device: where they would run
        threads: of torch, of each
        time_parts: times the parts of a trial
    """
    measured: dict[tuple[str, ...], Estimate] = {}
    found = {}
    for trial, outcome in zip(trials, outcomes, strict=True):
        if outcome.status in ("done", "damaged"):
            continue
        alike = trial.suite, trial.profile, trial.kind, trial.model  # take equally long
        if alike not in measured:
            parts = time_parts(trial, device, threads)
            if trial.kind == "training":
                memory = training_memory_mib(trial, device)
                measured[alike] = Estimate(training_seconds(trial, parts, threads), memory)
            else:
                measured[alike] = Estimate(cost_seconds(trial, parts))
        found[trial.digest] = measured[alike]
    return found


def total(
    trials: Sequence[Trial],
    estimates: Mapping[str, Estimate],
    device: torch.device,
    threads: int,
    jobs: int = 1,
    started_s: float = 0.0,
    speed: Callable[[Trial, torch.device, int, int], float] = images_per_s,
) -> Total:
    """Returns how long all trials that have an estimate take: trainings at once, then measurements one at a time.

    Args:
        trials, estimates: of those that are not done, by digest
        device, threads, jobs: as for `bench run`
        started_s: until the first trial begins
        speed: images per second of so many trainings at once; what is gained is taken to hold for all they do
    """
    left = [trial for trial in trials if trial.digest in estimates]
    trainings = [trial for trial in left if trial.kind == "training"]
    alone_s = sum(estimates[trial.digest].seconds for trial in left if trial.kind == "cost") + started_s
    jobs = min(jobs, len(trainings)) or 1
    gain = 1.0
    if jobs > 1:
        largest, _ = largest_of(trainings, device)
        gain = speed(largest, device, threads, jobs) / speed(largest, device, threads, 1)
    slots = [0.0] * jobs  # when each of the trainings that run at once is over
    for trial in trainings:
        heapq.heapreplace(slots, slots[0] + estimates[trial.digest].seconds * jobs / gain)
    return Total(max(slots) + alone_s, jobs, gain)
