"""Runs the trials of a suite, some of them at once, beside others that do the same; how each ended is stored.

Trainings come first, up to `Place.jobs` at a time; measurements of time and memory come last, one at a time, with
nothing of ours beside them. This thread hands out the trials and answers the user; each of `jobs` threads follows the
process of one trial.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
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
from bench.running.place import Place
from bench.running.signals import Signals, Stopped
from bench.study.trials import Trial
from bench.training.loop import Progress

NOT_ENDED = ("missing", "interrupted")  # what `bench run` takes
ENDED_BADLY = ("failed", "out_of_memory", "killed", "diverged", "timed_out")  # what `bench retry` takes
Stamp = tuple[int, int] | None  # of a results file; None where there is none
LOOK_AGAIN_S = 2.0  # between two looks at trials that others are running

Found = Ending | Holder | None  # what came of a trial: it was run here, another process has it, or it was ended already


class Watcher(Protocol):
    """What is told about a run while it goes on (see progress.py); one call at a time, from several threads."""

    def trial_started(self, number: int, total: int, trial: Trial) -> None:
        """A trial begins; `number` counts from 1."""

    def trial_progress(self, number: int, total: int, progress: Progress) -> None:
        """Some iterations of a trial later."""

    def trial_ended(self, number: int, total: int, trial: Trial, ending: Ending, seconds: float) -> None:
        """A trial is over."""

    def notice(self, text: str, trial: tuple[int, int] | None = None) -> None:
        """Something that the user should read; `trial` is its number and the total, where it is about one."""


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


def run_suite(
    trials: Sequence[Trial],
    place: Place,
    watcher: Watcher,
    signals: Signals | None = None,
    wanted: Sequence[str] = NOT_ENDED,
) -> Summary:
    """Runs every trial whose status is one of `wanted`; each in one process, however many runs do this at once.

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
    preflight.check(chosen, place.device, place.threads_of_training, place.results)
    remove_leftovers(place.results, trials)
    if line := place.shared(chosen):
        watcher.notice(line)
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
        # measurements last, also those of a group's first suite: they wait until nothing runs
        in_order = sorted(stored, key=lambda trial: trial.kind == "cost")
        self.trials = {trial: number for number, trial in enumerate(in_order, start=1)}
        self.place = place
        self.watcher = watcher
        self.telling = threading.Lock()
        self.signals = signals
        self.wanted = wanted
        self.here = decides_bits(torch.device(place.device), place.threads_of_training)
        self.stored = stored
        self.paused: dict[Trial, Lease] = {}  # theirs is ours until their last turn
        self.over = False  # whatever is still under way is ended at once, and left as it is

    def all(self) -> dict[Trial, Ending]:
        """Runs what is free, waits for what others are running; returns how those ended that were run here."""
        try:
            with ThreadPoolExecutor(self.place.jobs, "trial") as pool:
                try:
                    return self._all(pool)
                finally:
                    self.over = True
        finally:
            for lease in self.paused.values():
                lease.release()

    def _all(self, pool: ThreadPoolExecutor) -> dict[Trial, Ending]:
        ran: dict[Trial, Ending] = {}
        left, told = list(self.trials), set()
        while left:
            found = self._once(left, pool)
            if self.signals.stop:
                raise Stopped(self.signals.stop, self._where(found))
            ran |= {trial: end for trial, end in found.items() if isinstance(end, Ending) and end.status != "paused"}
            held = {trial: holder for trial, holder in found.items() if isinstance(holder, Holder)}
            if len(held) == len(left):
                for line in map(_waiting, held, held.values()):
                    if line not in told:
                        self._notice(line)
                        told.add(line)
                self._wait()
            left = [trial for trial in left if trial in held or trial in self.paused]
        return {trial: ran[trial] for trial in self.trials if trial in ran}

    def _once(self, trials: Iterable[Trial], pool: ThreadPoolExecutor) -> dict[Trial, Found]:
        """Gives every trial to a free thread, a measurement once nothing runs; returns what came of each, as it ended.

        Raises:
            Stopped: the user asked a second time to stop.
            Whatever ended one of the threads.
        """
        found: dict[Trial, Found] = {}
        running: dict[Future[Found], Trial] = {}

        def wait_until_at_most(count: int) -> None:
            while len(running) > count:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    found[running.pop(future)] = future.result()

        for trial in trials:
            wait_until_at_most(0 if trial.kind == "cost" else self.place.jobs - 1)
            if self.signals.stop:
                break
            running[pool.submit(self._one, trial)] = trial
        wait_until_at_most(0)
        return found

    def _one(self, trial: Trial) -> Found:
        """Runs `trial`, or its next turn, if it is free; None where somebody else has ended it, well or badly."""
        results, number, total = self.place.results, self.trials[trial], len(self.trials)
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
                self._notice(f"left alone: {reason}", number)
                return None
            with self.telling:
                self.watcher.trial_started(number, total, trial)
            start = time.perf_counter()
            ending = run_isolated(
                trial,
                self.place.device,
                self.place.threads_of(trial),
                results,
                partial(self._report, number),
                signals=self.signals,
                time_limit_s=self.place.time_limit_s,
                lost=lambda: lease.lost or self.over,
            )
            if self.over:
                return None
            if ending.status == "paused":
                ending = ending._replace(reason=stored_place(results, trial) or "")
                self.paused[trial] = lease
                until_done.pop_all()
            with self.telling:
                self.watcher.trial_ended(number, total, trial, ending, time.perf_counter() - start)
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

    def _report(self, number: int, message: Progress | Notice) -> None:
        if isinstance(message, Notice):
            self._notice(message.text, number)
            return
        with self.telling:
            self.watcher.trial_progress(number, len(self.trials), message)

    def _notice(self, text: str, number: int | None = None) -> None:
        with self.telling:
            self.watcher.notice(text, None if number is None else (number, len(self.trials)))

    def _where(self, found: Mapping[Trial, Found]) -> str:
        """Says how far the run was when it stopped, from what came of its last trials, as they ended."""
        endings = {trial: ending for trial, ending in found.items() if isinstance(ending, Ending)}
        cut_short = [trial for trial, ending in endings.items() if ending.status == "interrupted"]
        places = [self._place_of(trial, endings[trial]) for trial in cut_short or list(endings)[-1:]]
        return f"stopped {' and '.join(places) or 'between two trials'}"

    def _place_of(self, trial: Trial, ending: Ending) -> str:
        """Says how far a trial came."""
        if ending.status not in ("interrupted", "paused"):
            return f"after {trial.id}"
        where = stored_place(self.place.results, trial)
        return f"at {where} of {trial.id}" if where else f"in {trial.id}, which starts afresh"

    def _wait(self) -> None:
        """Waits a little, less when asked to stop."""
        until = time.monotonic() + LOOK_AGAIN_S
        while time.monotonic() < until and not self.signals.stop:
            time.sleep(0.1)


def _waiting(trial: Trial, holder: Holder) -> str:
    """Says whom a trial waits for."""
    who = "another process" if holder.pid is None else f"process {holder.pid} on {holder.host}"
    return f"waiting for {who}, which is running {trial.id}"


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
