"""Ctrl-C, SIGTERM and SIGUSR1: a checkpoint, one line, the right exit code, and the same values afterwards."""

import os
import re
import signal
import time

import pytest
from tiny_suite import checkpoints, complete, finish, leftovers, start, undisturbed, values, wait_for, write_study

from bench.running import signals as module
from bench.running.signals import Signals, Stopped

NEVER = 10_000  # iterations: checkpoints are written when they are asked for, and at the end


@pytest.fixture(autouse=True)
def handlers_as_before():
    before = {number: signal.getsignal(number) for number in module.HANDLED}
    yield
    assert before == {number: signal.getsignal(number) for number in module.HANDLED}


def send_to_us(number):
    os.kill(os.getpid(), number)


def test_while_a_trial_runs_requests_are_noted():
    with Signals() as signals:
        signals.loaded()
        with signals.noted():
            send_to_us(signal.SIGUSR1)
            assert (signals.checkpoints, signals.stop) == (1, None)
            send_to_us(signal.SIGTERM)
            send_to_us(signal.SIGTERM)  # as timeout(1) does: to the process, then to its group
            assert signals.stop == signal.SIGTERM


def test_a_second_request_to_stop_ends_at_once(monkeypatch):
    monkeypatch.setattr(module, "SECOND_AFTER_S", 0)
    with Signals() as signals, signals.noted():
        send_to_us(signal.SIGTERM)
        with pytest.raises(Stopped) as raised:
            send_to_us(signal.SIGINT)
    assert raised.value.exit_code == 130


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_while_a_run_is_prepared_a_request_to_stop_is_raised(number, code):
    with Signals() as signals:
        signals.loaded()
        with pytest.raises(Stopped, match="stopped before the first trial") as raised:
            send_to_us(number)
    assert raised.value.exit_code == code


def test_a_signal_that_was_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Signals() as signals:
            send_to_us(signal.SIGINT)
            assert signals.stop is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_signals_to_the_whole_group(tmp_path):
    """As a terminal and many schedulers send them: SIGUSR1 is for a checkpoint, SIGTERM for a last one."""
    study = write_study(tmp_path, ["fcn_basic"], iterations=100, validate_every=50, checkpoint_every=NEVER)
    results = tmp_path / "results"
    process = start(study, results)
    assert wait_for(lambda: list(results.rglob("*.log")), process)  # the trial's process is there
    os.killpg(process.pid, signal.SIGUSR1)
    assert wait_for(lambda: checkpoints(results), process)
    os.killpg(process.pid, signal.SIGTERM)
    code, out, errors = finish(process)
    assert code == 143, (out, errors)
    assert "Traceback" not in out + errors
    name = "fcn_basic.median_frequency.s0"
    line = rf"\nstopped at iteration (\d+) of 100 of \S+{name}; go on with: bench --config \S+ run --suite .*\n"
    match = re.fullmatch(line, errors)
    assert match, (out, errors)
    assert f"[1/2] {name} interrupted after" in out
    assert checkpoints(results)[-1] == f"{int(match[1]):08d}"

    summary, out = complete(study, results)
    assert summary.failed == [], out
    assert f"goes on from iteration {match[1]} of 100" in out
    assert values(results) == undisturbed(study, tmp_path / "undisturbed")
    assert leftovers(results) == []


@pytest.mark.parametrize(
    ("number", "delay_s"),
    [(signal.SIGINT, 0.8), (signal.SIGTERM, 1.2)]
    + [pytest.param(signal.SIGINT, 0.15 * number, marks=pytest.mark.slow) for number in range(2, 16)],
)
def test_a_very_early_request_to_stop_is_answered_too(tmp_path, number, delay_s):
    """While libraries load and before, in the middle of imports that may swallow exceptions."""
    process = start(write_study(tmp_path, iterations=NEVER, validate_every=NEVER), tmp_path / "results")
    time.sleep(delay_s)
    os.killpg(process.pid, number)
    begun = time.monotonic()
    code, _, errors = finish(process)
    assert code in (128 + number, -number)
    assert "Traceback" not in errors
    assert len(errors.strip().splitlines()) == (code > 0)  # below 0: it came before Python could answer
    assert time.monotonic() - begun < 30
