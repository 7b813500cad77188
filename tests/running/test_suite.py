"""A suite: what is run and what is left alone, what is found out before, and several runs at once."""

import io
import os
import re
import threading
import time
from dataclasses import replace

import pytest
from results_factory import write
from rich.console import Console
from test_trial import tiny
from tiny_suite import complete, finish, leftovers, start, undisturbed, values, wait_for, write_study

from bench.errors import ConfigError, DataError, DeviceError, ResultsError
from bench.results.store import checkpoints_path, load_results, outcome, path_of
from bench.running import suite
from bench.running.device import resolve_device
from bench.running.endings import Ending
from bench.running.isolation import run_isolated
from bench.running.lease import acquire
from bench.running.leftovers import leases_path, remove_leftovers
from bench.running.progress import ProgressDisplay
from bench.running.signals import Signals, Stopped
from bench.running.suite import ENDED_BADLY, Place, run_suite


def run(trials, results, *, threads=1, **options):
    console = Console(record=True, width=1000, force_terminal=False, file=io.StringIO())
    with ProgressDisplay(console) as display:
        summary = run_suite(trials, Place("cpu", threads, results), display, **options)
        return summary, console.export_text()


def retry(trials, results):
    return run(trials, results, wanted=ENDED_BADLY)


@pytest.fixture
def pretended(monkeypatch):
    """Trials are not run but written, or end as a dict says; returns the list of those that were "run"."""

    class Pretended(list):
        endings: dict = {}  # noqa: RUF012

    ran = Pretended()

    def pretend(trial, device, threads, results, report, **_):
        ran.append(trial)
        ending = ran.endings.get(trial, Ending("done"))
        if ending.status == "done" or ending.status in ENDED_BADLY:
            write(results, trial, status=ending.status, reason=ending.reason, device=device)
        return ending

    monkeypatch.setattr(suite, "run_isolated", pretend)
    return ran


ONE, TWO, THREE = (tiny(model=name) for name in ("fcn_basic", "segnet_basic", "bilinear_interpolation"))


def test_a_diverging_trial_is_recorded_and_the_rest_goes_on(tmp_path):
    good, bad = tiny(), tiny(lr=1e30, model="bilinear_interpolation")
    summary, text = run([bad, good], tmp_path)
    assert (summary.ran, summary.skipped, len(summary.failed)) == (2, 0, 1)
    assert outcome(tmp_path, good).status == "done"
    assert outcome(tmp_path, bad).status == "diverged"
    assert "the training loss became" in outcome(tmp_path, bad).reason
    assert "[1/2]" in text
    assert "diverged" in text
    rows = load_results(tmp_path).rows
    assert set(rows.loc[rows["status"] == "diverged", "record"]) == {"outcome"}
    done = rows[rows["status"] == "done"]
    assert set(done["device"]) == {"cpu"}
    assert set(done["threads"]) == {1}
    assert done["dataset_digest"].notna().all()


@pytest.mark.parametrize("status", ENDED_BADLY)
def test_what_ended_badly_is_left_alone_until_it_is_retried(tmp_path, pretended, status):
    pretended.endings = {TWO: Ending(status, "because")}
    summary, _ = run([ONE, TWO], tmp_path)
    assert [trial for trial, _ in summary.failed] == [TWO]
    pretended.clear()

    summary, _ = run([ONE, TWO, THREE], tmp_path)
    assert pretended == [THREE]
    assert (summary.ran, summary.skipped, summary.failed, summary.not_run) == (1, 1, [], 0)
    assert [(trial, found.status, found.reason) for trial, found in summary.failed_before] == [(TWO, status, "because")]
    pretended.clear()

    summary, _ = retry([ONE, TWO, THREE], tmp_path)
    assert pretended == [TWO]
    assert [trial for trial, _ in summary.failed] == [TWO]  # once more, and only once
    pretended.endings = {}
    summary, _ = retry([ONE, TWO, THREE], tmp_path)
    assert (summary.ran, summary.skipped, summary.failed, summary.failed_before) == (1, 2, [], [])


def test_retry_runs_nothing_that_was_never_run(tmp_path, pretended):
    summary, _ = retry([ONE, TWO], tmp_path)
    assert pretended == []
    assert summary.not_run == 2


def test_results_of_another_device_are_counted(tmp_path, pretended):
    write(tmp_path, ONE, device="cuda")
    write(tmp_path, TWO, device="cpu")
    summary, _ = run([ONE, TWO], tmp_path)
    assert (summary.ran, summary.skipped, summary.elsewhere) == (0, 2, 1)


def test_a_trial_is_leased_while_it_runs_and_free_afterwards(tmp_path, monkeypatch):
    holders = []

    def look(trial, *_, **__):
        holders.append(acquire(leases_path(tmp_path), f"{trial.id}-{trial.digest}"))
        raise ResultsError("the disk is full")

    monkeypatch.setattr(suite, "run_isolated", look)
    with pytest.raises(ResultsError, match="the disk is full"):
        run([ONE], tmp_path)
    assert holders[0].pid == os.getpid()
    assert leftovers(tmp_path) == []


def lease_of(trial, results):
    return acquire(leases_path(results), f"{trial.id}-{trial.digest}")


def test_what_another_one_is_running_comes_last_and_is_waited_for(tmp_path, pretended, monkeypatch):
    monkeypatch.setattr(suite, "LOOK_AGAIN_S", 0.1)
    lease = lease_of(ONE, tmp_path)

    def finish_elsewhere():
        while len(pretended) < 2:
            time.sleep(0.01)
        time.sleep(0.5)
        write(tmp_path, ONE)
        lease.release()

    other = threading.Thread(target=finish_elsewhere)
    other.start()
    summary, text = run([ONE, TWO, THREE], tmp_path)
    other.join()
    assert pretended == [TWO, THREE]
    assert (summary.ran, summary.skipped) == (2, 1)
    assert text.count("waiting for") == 1
    assert re.search(rf"waiting for process {os.getpid()} on \S+, which is running {ONE.id}\n", text)


def test_what_another_one_ends_just_before_it_is_leased_is_not_run_again(tmp_path, pretended, monkeypatch):
    def quicker(folder, name):
        write(tmp_path, ONE)
        return acquire(folder, name)

    monkeypatch.setattr(suite, "acquire", quicker)
    summary, _ = run([ONE], tmp_path)
    assert pretended == []
    assert (summary.ran, summary.skipped) == (0, 1)


def test_what_another_one_gave_up_is_taken_over(tmp_path, pretended, monkeypatch):
    monkeypatch.setattr(suite, "LOOK_AGAIN_S", 0.1)
    lease = lease_of(ONE, tmp_path)
    threading.Timer(0.5, lease.release).start()
    assert run([ONE], tmp_path)[0].ran == 1


def test_what_another_one_retries_is_not_retried_again(tmp_path, pretended, monkeypatch):
    monkeypatch.setattr(suite, "LOOK_AGAIN_S", 0.1)
    write(tmp_path, ONE, status="failed", reason="first")
    lease = lease_of(ONE, tmp_path)

    def fail_again():
        write(tmp_path, ONE, status="failed", reason="second")  # in the place of the first, in one step
        lease.release()

    threading.Timer(0.5, fail_again).start()
    summary, _ = retry([ONE], tmp_path)
    assert pretended == []
    assert [found.reason for _, found in summary.failed_before] == ["second"]


def test_a_trial_that_was_taken_over_is_waited_for(tmp_path, pretended, monkeypatch):
    monkeypatch.setattr(suite, "LOOK_AGAIN_S", 0.1)
    pretended.endings = {ONE: Ending("taken_over")}
    threading.Timer(0.5, write, (tmp_path, ONE)).start()
    summary, _ = run([ONE], tmp_path)
    assert (summary.ran, summary.skipped) == (0, 1)


def test_waiting_for_another_one_can_be_stopped(tmp_path, pretended):
    signals = Signals()
    lease = lease_of(ONE, tmp_path)
    threading.Timer(0.3, lambda: setattr(signals, "stop", 15)).start()
    start = time.monotonic()
    with pytest.raises(Stopped, match="stopped between two trials"):
        run([ONE], tmp_path, signals=signals)
    assert time.monotonic() - start < suite.LOOK_AGAIN_S
    lease.release()


def test_what_killed_processes_left_is_removed_by_whoever_is_alone(tmp_path):
    half = path_of(tmp_path, ONE).parent / "_image.png.0e3d61c0.tmp"
    half.parent.mkdir(parents=True)
    half.touch()
    others = [half.with_name("mine.tmp"), half.with_name("_mine.tmp"), tmp_path / "notes" / "_a.0e3d61c0.tmp"]
    others[-1].parent.mkdir()
    for path in others:
        path.touch()
    (half.parent / "_folder.0e3d61c0.tmp").mkdir()
    lease = lease_of(ONE, tmp_path)  # somebody is at work
    remove_leftovers(tmp_path, [ONE])
    assert half.exists()
    assert not lease.lost
    lease.release()
    dead = leases_path(tmp_path) / f"{ONE.id}-{ONE.digest}.000001.json"
    dead.write_text("{}")
    os.utime(dead, (0, 0))
    remove_leftovers(tmp_path, [ONE])
    assert not half.exists()
    assert not dead.exists()
    assert all(path.exists() for path in others)  # somebody else's


def test_checkpoints_of_a_trial_that_is_done_are_removed_and_others_stay(tmp_path):
    """It was killed between storing its results and removing them."""
    for trial in (ONE, TWO):
        path = checkpoints_path(tmp_path, trial) / "00000006.checkpoint"
        path.parent.mkdir(parents=True)
        path.touch()
    write(tmp_path, ONE)
    remove_leftovers(tmp_path, [ONE, TWO])
    assert leftovers(tmp_path) == [checkpoints_path(tmp_path, TWO) / "00000006.checkpoint"]


def test_two_runs_at_once_share_the_work(tmp_path):
    """One is a process of its own, the other this one."""
    study, results = write_study(tmp_path), tmp_path / "shared"
    other = start(study, results)
    assert wait_for(lambda: list(leases_path(results).glob("*.json")), other)  # it has begun its first trial
    summary, out = complete(study, results)
    code, other_out, errors = finish(other)
    assert (code, summary.failed) == (0, []), errors
    begun = [line for line in (out + other_out).splitlines() if re.match(r"\[\d/4\] [\w.]+$", line)]
    assert len(begun) == len({line.split()[1] for line in begun}) == 4
    assert 0 < summary.ran < 4  # neither did everything
    assert values(results) == undisturbed(study, tmp_path / "alone")
    assert leftovers(results) == []


def test_missing_data_is_found_before_the_first_training(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CAMVID", str(tmp_path / "nowhere"))
    counts = {"train": 1, "val": 1, "test": 1, "sha256": {}}
    with pytest.raises(DataError, match=r"bench data fetch camvid.*bench\s+data add camvid"):
        run([tiny(), replace(tiny(), dataset="camvid", dataset_options=counts)], tmp_path / "results")
    assert not list((tmp_path / "results").rglob("*.parquet"))


def stopped_at(trial, results, iteration):
    """Leaves a training that was stopped so far."""
    signals = Signals()

    class Display(ProgressDisplay):
        def trial_progress(self, number, total, progress):
            if progress.iteration >= iteration:
                signals.stop = 15

    with pytest.raises(Stopped, match=f"stopped at iteration [0-9]+ of {trial.iterations} of {trial.id}"):
        run_suite([trial], Place("cpu", 1, results), Display(Console(file=io.StringIO())), signals)


def test_a_checkpoint_that_may_not_go_on_here_is_found_before_the_first_training(tmp_path, pretended):
    trial = begun_with_one_thread(tmp_path)
    with pytest.raises(ConfigError, match="threads 1, now 2; strict determinism goes on only under the same ones"):
        run([ONE, trial], tmp_path, threads=2)
    assert pretended == []


def begun_with_one_thread(results):
    """Leaves a strict training at a checkpoint."""
    trial = tiny(iterations=400, validate_every=400, checkpoint_every=3, determinism="strict")
    with pytest.MonkeyPatch.context() as real:
        real.setattr(suite, "run_isolated", run_isolated)
        stopped_at(trial, results, 3)
    return trial


def test_what_another_one_is_running_may_be_running_under_other_conditions(tmp_path, pretended, monkeypatch):
    trial = begun_with_one_thread(tmp_path)
    monkeypatch.setattr(suite, "LOOK_AGAIN_S", 0.05)
    lease = lease_of(trial, tmp_path)
    threading.Timer(1, lease.release).start()  # it gives the trial up, so that it is free and may not go on here
    summary, text = run([ONE, trial], tmp_path, threads=2)
    assert pretended == [ONE]
    assert (summary.ran, summary.not_run, summary.failed) == (1, 1, [])
    assert "left alone: checkpoint" in text
    assert "threads 1, now 2" in text
    assert outcome(tmp_path, trial).status == "interrupted"


def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_is_used(tmp_path):
    trial = tiny(iterations=100, validate_every=100, checkpoint_every=3)
    stopped_at(trial, tmp_path, 10)
    path = max(checkpoints_path(tmp_path, trial).iterdir())
    path.write_bytes(path.read_bytes()[:-1])
    before = max(int(other.stem) for other in path.parent.iterdir() if other != path)
    summary, text = run([trial], tmp_path)
    assert (summary.ran, summary.failed) == (1, [])
    assert f"{path.name}' is damaged and left out" in text
    assert f"goes on from iteration {before} of 100" in text


def test_cuda_without_cuda_is_an_error_and_no_fallback(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(DeviceError, match="--device cuda: PyTorch .* finds no CUDA device; use --device cpu"):
        resolve_device("cuda")
    assert resolve_device("auto").type == "cpu"
