"""Runs the trials of a suite one after another, beside others that do the same; how each ended is stored."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import torch

from bench.errors import ConfigError, ResultsError
from bench.results.store import Outcome, outcome, path_of, stored_place
from bench.running import preflight
from bench.running.checkpoints import check_resumable
from bench.running.control import Notice
from bench.running.device import decides_bits
from bench.running.endings import Ending
from bench.running.isolation import run_isolated
from bench.running.lease import Holder, Lease, acquire
from bench.running.leftovers import leases_path, remove_leftovers
from bench.running.signals import Signals, Stopped
from bench.study.trials import Trial
from bench.training.loop import Progress

NOT_ENDED = ("missing", "interrupted")  # what `bench run` takes
ENDED_BADLY = ("failed", "out_of_memory", "killed", "diverged", "timed_out")  # what `bench retry` takes
Stamp = tuple[int, int] | None  # of a results file; None where there is none
LOOK_AGAIN_S = 2.0  # between two looks at trials that others are running


class Watcher(Protocol):
    """What is told about a run while it goes on (see progress.py)."""

    def trial_started(self, number: int, total: int, trial: Trial) -> None:
        """A trial begins; `number` counts from 1."""

    def trial_progress(self, progress: Progress) -> None:
        """Some iterations later."""

    def trial_ended(self, number: int, total: int, trial: Trial, ending: Ending, seconds: float) -> None:
        """A trial is over."""

    def notice(self, text: str) -> None:
        """Something that the user should read."""


class Summary(NamedTuple):
    """What a run leaves.

    ran: trials that were run; failed: those of them that did not end as done; failed_before: those that somebody else,
    or an earlier run, left so; not_run: those that nobody has run; skipped: done without us; elsewhere: those of them
    that were done on another device.
    """

    ran: int
    skipped: int
    elsewhere: int
    failed: list[tuple[Trial, Ending]]
    failed_before: list[tuple[Trial, Outcome]]
    not_run: int


class Place(NamedTuple):
    """Where trials run and their results go, and how long one may take."""

    device: str
    threads: int
    results: Path
    time_limit_s: float | None = None


def run_suite(
    trials: Sequence[Trial],
    place: Place,
    watcher: Watcher,
    signals: Signals | None = None,
    wanted: Sequence[str] = NOT_ENDED,
) -> Summary:
    """Runs every trial whose status is one of `wanted`; each by one process, however many do this at once.

    Returns: how they ended, once none is left that this process or another one is running.

    Raises:
        DataError, ConfigError: see preflight.py; found before the first training.
        ResultsError: a stored file is damaged or a folder cannot be written; what is finished is stored.
        Stopped: the user asked to stop; what was under way is saved.
    """
    signals = signals or Signals()
    # what is stored is noted now: another process may end a trial again while all is being checked
    stored = {trial: _stored(place.results, trial) for trial in trials}
    status = {trial: _outcome(place.results, trial, "; nothing was run").status for trial in trials}
    chosen = [trial for trial in trials if status[trial] in wanted]
    preflight.check(chosen, place.device, place.threads, place.results)
    remove_leftovers(place.results, trials)
    with signals.noted():
        ran = _Run({trial: stored[trial] for trial in chosen}, place, watcher, signals, wanted).all()
    remove_leftovers(place.results, trials)
    others = [(trial, _outcome(place.results, trial)) for trial in trials if trial not in ran]
    done = [found for _, found in others if found.status == "done"]
    return Summary(
        len(ran),
        len(done),
        sum(found.device != place.device for found in done),
        [(trial, ending) for trial, ending in ran.items() if ending.status != "done"],
        [(trial, found) for trial, found in others if found.status in ENDED_BADLY],
        sum(found.status in NOT_ENDED for _, found in others),
    )


class _Run:
    """One pass over the trials of a suite, until each is ended, here or by others; `stored` says what there was."""

    def __init__(
        self, stored: Mapping[Trial, Stamp], place: Place, watcher: Watcher, signals: Signals, wanted: Sequence[str]
    ) -> None:
        self.trials = {trial: number for number, trial in enumerate(stored, start=1)}
        self.place = place
        self.watcher = watcher
        self.signals = signals
        self.wanted = wanted
        self.here = decides_bits(torch.device(place.device), place.threads)
        self.stored = stored
        self.paused: dict[Trial, Lease] = {}  # theirs is ours until their last turn

    def all(self) -> dict[Trial, Ending]:
        """Runs what is free, waits for what others are running; returns how those ended that were run here."""
        try:
            return self._all()
        finally:
            for lease in self.paused.values():
                lease.release()

    def _all(self) -> dict[Trial, Ending]:
        ran: dict[Trial, Ending] = {}
        left, told = list(self.trials), set()
        while left:
            held: dict[Trial, Holder] = {}
            for trial in left:
                found = self._one(trial)
                if isinstance(found, Holder):
                    held[trial] = found
                elif found is not None and found.status != "paused":
                    ran[trial] = found
                if self.signals.stop:
                    raise Stopped(self.signals.stop, self._where(trial, found))
            for trial, holder in held.items() if len(held) == len(left) else ():
                who = "another process" if holder.pid is None else f"process {holder.pid} on {holder.host}"
                if (line := f"waiting for {who}, which is running {trial.id}") not in told:
                    self.watcher.notice(line)
                    told.add(line)
            if len(held) == len(left):
                self._wait()
            left = [trial for trial in left if trial in held or trial in self.paused]
        return ran

    def _one(self, trial: Trial) -> Ending | Holder | None:
        """Runs `trial`, or its next turn, if it is free; None where somebody else has ended it, well or badly."""
        results, total = self.place.results, len(self.trials)
        if trial not in self.paused and not self._is_open(trial):
            return None
        lease = self.paused.pop(trial, None) or acquire(leases_path(results), f"{trial.id}-{trial.digest}")
        if isinstance(lease, Holder):
            return lease
        with contextlib.ExitStack() as until_done:
            until_done.enter_context(lease)
            if not self._is_open(trial):  # it was ended before we held the lease
                return None
            if reason := self._not_here(trial):
                self.watcher.notice(f"left alone: {reason}")
                return None
            self.watcher.trial_started(self.trials[trial], total, trial)
            start = time.perf_counter()
            ending = run_isolated(
                trial,
                self.place.device,
                self.place.threads,
                results,
                self._report,
                signals=self.signals,
                time_limit_s=self.place.time_limit_s,
                lost=lambda: lease.lost,
            )
            if ending.status == "paused":
                ending = ending._replace(reason=stored_place(results, trial) or "")
                self.paused[trial] = lease
                until_done.pop_all()
            self.watcher.trial_ended(self.trials[trial], total, trial, ending, time.perf_counter() - start)
        return Holder(None, None, 0.0) if ending.status == "taken_over" else ending

    def _not_here(self, trial: Trial) -> str:
        """Says why `trial`, which another process has begun meanwhile, may not go on here; empty where it may."""
        if trial.kind == "training":
            try:
                check_resumable(self.place.results, trial, self.here)
            except (ConfigError, ResultsError) as error:
                return str(error)
        return ""

    def _is_open(self, trial: Trial) -> bool:
        """Says whether nobody has ended `trial` since this run began."""
        same = _stored(self.place.results, trial) == self.stored[trial]
        return same and _outcome(self.place.results, trial).status in self.wanted

    def _report(self, message: Progress | Notice) -> None:
        if isinstance(message, Notice):
            self.watcher.notice(message.text)
        else:
            self.watcher.trial_progress(message)

    def _where(self, trial: Trial, found: Ending | Holder | None) -> str:
        """Says how far the run was when it stopped at `trial`."""
        if not isinstance(found, Ending):
            return "stopped between two trials"
        if found.status not in ("interrupted", "paused"):
            return f"stopped after {trial.id}"
        where = stored_place(self.place.results, trial)
        return f"stopped at {where} of {trial.id}" if where else f"stopped in {trial.id}, which starts afresh"

    def _wait(self) -> None:
        """Waits a little, less when asked to stop."""
        until = time.monotonic() + LOOK_AGAIN_S
        while time.monotonic() < until and not self.signals.stop:
            time.sleep(0.1)


def _stored(results: Path, trial: Trial) -> Stamp:
    """Tells one results file of a trial from the next."""
    try:
        found = path_of(results, trial).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_mtime_ns, found.st_ino


def _outcome(results: Path, trial: Trial, consequence: str = "") -> Outcome:
    """Returns what is stored of `trial`; raises ResultsError, with the consequence, where that cannot be read."""
    found = outcome(results, trial)
    if found.status not in (*NOT_ENDED, *ENDED_BADLY, "done"):
        raise ResultsError(f"{found.reason}{consequence}")
    return found
