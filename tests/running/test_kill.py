"""Killed at any moment and started again: what is stored in the end is what an undisturbed run stores."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from tiny_suite import checkpoints, complete, half_written, leftovers, start, undisturbed, values, wait_for, write_study

from bench.results.store import load_results
from bench.running.suite import ENDED_BADLY

# Whole process groups, single processes and their children are found in /proc.
pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")

ITERATIONS = 60
MOMENTS = ("start-up", "training", "writing", "evaluation")
VICTIMS = ("parent", "group", "trial")


def children(pid) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def trial_of(pid) -> int | None:
    """Returns the process of the running trial: the child of the fork server."""
    return next((trial for server in children(pid) for trial in children(server)), None)


def wait_until(moment, process, results, chance) -> bool:
    """Waits for a moment of that kind; False when the process has ended before."""
    before = set(results.rglob("*.checkpoint"))
    delay, skipped = chance.uniform(0, 0.3), chance.randrange(6)
    if moment == "start-up":
        delay = chance.uniform(0, 3)
    elif moment == "training":
        if not wait_for(lambda: set(results.rglob("*.checkpoint")) - before, process):
            return False
    elif moment == "evaluation":
        if not wait_for(lambda: any(int(stem) == ITERATIONS for stem in checkpoints(results)), process):
            return False
    else:
        seen, delay = set(), 0
        if not wait_for(lambda: seen.update(half_written(results)) or len(seen) > skipped, process):
            return False
    time.sleep(delay)
    return process.poll() is None


def is_gone(pid) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def kill(victim, process) -> str:
    """Kills with SIGKILL; returns what was killed: where no trial runs yet, the parent."""
    trial = trial_of(process.pid)
    if victim == "trial" and trial is not None:
        os.kill(trial, signal.SIGKILL)
        return "trial"
    if victim == "group":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    assert trial is None or wait_for(lambda: is_gone(trial), seconds=20)  # it does not outlive its parent
    return victim


def killed_over_and_over(study, results, chance, moments, expected):
    """Kills and restarts a suite at each of `moments`; begins anew in another folder where it was quicker than that.

    Returns: the folder of the last one, whose suite need not be complete.
    """
    todo, victims, folder, process = list(moments), 0, results / "0", None
    while todo:
        if process is None:
            bad = folder.is_dir() and (load_results(folder).rows["status"] != "done").any()
            process = start(study, folder, command=chance.choice(["run", "retry"]) if bad else "run")
        if wait_until(todo[0], process, folder, chance):
            killed = kill(VICTIMS[victims % len(VICTIMS)], process)
            victims, todo = victims + 1, todo[1:]
            if killed == "trial":
                continue  # the suite goes on
        process.communicate(timeout=60)
        if process.returncode == 0 and len(values(folder)) == len(expected):
            assert values(folder) == expected
            folder = results / str(int(folder.name) + 1)
        process = None
    if process is not None:
        process.kill()
        process.communicate(timeout=60)
    return folder


def check_kills(folder, models, chance, moments):
    """Whatever is killed at these moments, the suite ends with the values of an undisturbed run and nothing else."""
    study = write_study(folder, models, iterations=ITERATIONS, validate_every=20, checkpoint_every=5)
    expected = undisturbed(study, folder / "undisturbed")
    results = killed_over_and_over(study, folder, chance, moments, expected)
    summary, out = complete(study, results)
    assert summary.failed == [], out
    assert {found.status for _, found in summary.failed_before} <= {"killed"}
    summary, out = complete(study, results, ENDED_BADLY)
    assert (summary.failed, summary.not_run) == ([], 0), out
    rows = load_results(results).rows
    assert set(rows["status"]) == {"done"}
    assert len(list(results.rglob("decoder-variants.*.parquet"))) == len(expected) == 2 * len(models)
    assert values(results) == expected
    assert leftovers(results) == []
    assert load_results(folder).rows["resumptions"].notna().any()  # in one of the folders


def test_a_suite_that_is_killed_and_restarted_stores_the_same_values(tmp_path):
    check_kills(tmp_path, ["bilinear_interpolation"], random.Random(4), MOMENTS)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_thirty_kills_at_random_moments(tmp_path):
    chance = random.Random(30)
    moments = [MOMENTS[number % len(MOMENTS)] for number in range(30)]
    chance.shuffle(moments)
    check_kills(tmp_path, ["bilinear_interpolation", "fcn_basic"], chance, moments)
