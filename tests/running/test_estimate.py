"""How long a suite takes: its parts are counted as they happen, and one of each is timed here."""

import re
import time
from dataclasses import replace

import pytest
import torch
from test_trial import tiny
from tiny_suite import bench, write_study

from bench.errors import BenchError
from bench.results.store import Outcome
from bench.running import throughput
from bench.running.estimate import Estimate, cost_seconds, estimate_missing, total, training_seconds
from bench.running.parts import Parts, _Timer, measure, time_parts

CPU = torch.device("cpu")
# 6 iterations of 2 images, validated and saved at 2, 4 and 6; 6 images to train on, 2 to validate, 3 to test
TRAINING = tiny(checkpoint_every=2, budgets={"early": 2})
COST = replace(TRAINING, kind="cost", weighting=None, seed=None)
MISSING, DONE = Outcome("missing", None, None), Outcome("done", None, 42.0, "cpu")


@pytest.mark.parametrize(
    ("part", "count"),
    [
        ("start_s", 1),
        ("step_s", 6 * 2),
        ("statistics_s", 3 * 6),
        ("predict_s", 3 * 2 + 6 + 3 * 3),  # of test at the budget, the selected point and the other one
        ("regions_s", 3 * 2 + 6 + 3 * 3),
        ("boundaries_s", 3 * 3),
        ("read_s", 6 + 2 + 3),
        ("picture_s", 2 * 3 + 3),  # two panels of image, labels and prediction; three label maps
        ("checkpoint_s", 3),
        ("store_s", 1),
        ("crf_s", 0),
        ("checkerboard_s", 0),
        ("checkerboard_image_s", 0),
        ("forward_s", 0),
    ],
)
def test_a_training_takes_so_many_of_each_part(part, count):
    assert training_seconds(TRAINING, Parts(**{part: 1.0}), 1) == count


@pytest.mark.parametrize(
    ("part", "count"), [("crf_s", 6 * 45 + 3 / 2), ("boundaries_s", 4 * 3), ("predict_s", 24), ("step_s", 12)]
)
def test_a_refined_training_searches_and_scores_test_once_more(part, count):
    trial = replace(TRAINING, refinement="dense_crf")
    assert training_seconds(trial, Parts(**{part: 1.0}), threads=2) == count


def test_a_checkerboard_is_one_constant_image_and_those_of_test():
    trial = replace(TRAINING, checkerboard=True)
    assert training_seconds(trial, Parts(checkerboard_s=10.0, checkerboard_image_s=1.0), 1) == 10 + 3


def test_parts_add_up():
    parts = Parts(*(float(number) for number in range(1, len(Parts._fields) + 1)))
    each = [training_seconds(TRAINING, Parts(**{name: value}), 1) for name, value in parts._asdict().items()]
    assert training_seconds(TRAINING, parts, 1) == sum(each)


def test_a_measurement_takes_a_process_a_turn_and_so_many_passes():
    trial = replace(COST, timing_rounds=3, timing_iterations=30, timing_paper="table-1")
    assert cost_seconds(trial, Parts(start_s=1.0)) == 4
    steps = 2 * 2 * 32 * 40 / (trial.timing_height * trial.timing_width)  # of memory: two, of two images
    assert cost_seconds(trial, Parts(backward_s=1.0)) == pytest.approx(3 * (30 + 9) + steps)
    assert cost_seconds(trial, Parts(forward_s=1.0)) == pytest.approx(3 * (30 + 9) + steps + 50 + 9)


def test_each_model_that_is_left_is_timed_once_whatever_another_trial_of_it_took():
    timed = []

    def time_parts(trial, device, threads):
        timed.append((trial.model, trial.kind, threads))
        return Parts(start_s=7.0)

    other = tiny(model="segnet_basic")
    trials = [TRAINING, replace(TRAINING, seed=1), other, replace(other, seed=1), COST]
    found = estimate_missing(trials, [DONE, MISSING, MISSING, DONE, MISSING], CPU, 2, time_parts)
    assert timed == [("fcn_basic", "training", 2), ("segnet_basic", "training", 2), ("fcn_basic", "cost", 2)]
    assert {digest: estimate.seconds for digest, estimate in found.items()} == {
        trials[1].digest: 7,
        other.digest: 7,
        COST.digest: 7 * (1 + COST.timing_rounds),
    }
    assert found[COST.digest].memory_mib == 0 < found[other.digest].memory_mib


def test_trainings_at_once_share_the_device_and_measurements_follow():
    trainings = [tiny(seed=seed) for seed in range(3)]
    estimates = {trial.digest: Estimate(10.0, 1.0) for trial in trainings} | {COST.digest: Estimate(4.0)}
    speeds = {1: 10.0, 2: 16.0}  # two at once are 1.6 times as fast

    def speed(trial, device, threads, jobs):
        return speeds[jobs]

    assert total([*trainings, COST], estimates, CPU, 2, 1, 1.0, speed) == (30 + 4 + 1, 1, 1.0)
    # two side by side take 20 / 1.6 s, and the third is taken to be no faster alone
    assert total([*trainings, COST], estimates, CPU, 2, 2, 1.0, speed) == (25 + 4 + 1, 2, 1.6)
    assert total(trainings[:1], estimates, CPU, 2, 2, 0.0, speed) == (10, 1, 1.0)
    assert total([], {}, CPU, 2, 2, 0.0, speed).seconds == 0


def test_every_part_that_a_trial_has_takes_time():
    training = time_parts(replace(TRAINING, height=64, width=80, refinement="dense_crf", checkerboard=True), CPU)
    assert {name for name, seconds in training._asdict().items() if seconds == 0} <= {
        "forward_s", "backward_s", "checkerboard_s", "checkerboard_image_s",
    }  # fmt: skip
    # of these two one is a difference of short times, so that either may come out as nothing on a busy machine
    assert training.checkerboard_s + training.checkerboard_image_s > 0
    measured = time_parts(COST, CPU)
    assert {name for name, seconds in measured._asdict().items() if seconds} == {"start_s", "forward_s", "backward_s"}


@pytest.mark.parametrize(("device", "step_s"), [("cuda", 0.011), ("cpu", 0.02)])
def test_steps_are_timed_without_a_wait_after_each_on_a_gpu(device, step_s, monkeypatch):
    clock, taken = [0.0], []

    def take():
        taken.append(1)
        clock[0] += 0.01 if len(taken) > 1 else 5.0  # what the first one takes longer

    def settle(device):
        clock[0] += 0.01  # of a wait, which comes before and after

    monkeypatch.setattr(throughput, "settle", settle)
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: clock[0])
    timer = _Timer(torch.device(device))
    assert timer(take, queued=True) == pytest.approx(step_s)
    assert timer.extra_s == pytest.approx(5.0, rel=0.01)


def test_a_training_that_cannot_be_timed_is_one_line():
    line = "the parts of a training of deconvnet cannot be measured: ValueError: DeconvNet cannot be trained on a batch"
    with pytest.raises(BenchError, match=line):
        measure(tiny(model="deconvnet", batch_size=1), CPU, 1)


@pytest.mark.slow
def test_a_plan_is_right_within_a_quarter(tmp_path):
    """On a machine that does nothing else: what others take after the plan no plan can know."""
    study = write_study(tmp_path, ["segnet_basic", "fcn_basic"], iterations=400, validate_every=100)
    words = ("--profile", "smoke", "--threads", "1")
    code, out, errors = bench(study, tmp_path / "results", *words, command="plan")
    assert code == 0, errors
    match = re.search(r"the rest takes about (?:(\d+) min )?(\d+) s", out)
    planned = 60 * int(match[1] or 0) + int(match[2])
    start = time.monotonic()
    code, _, errors = bench(study, tmp_path / "results", *words)
    took = time.monotonic() - start
    assert code == 0, errors
    assert planned == pytest.approx(took, rel=0.25)
