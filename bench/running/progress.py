"""Progress of a run: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from bench.running.endings import Ending
from bench.study.trials import Trial
from bench.training.loop import Progress as TrainingProgress

PLAIN_EVERY_S = 20.0  # seconds between two plain lines about the same trial


@dataclass
class _Shown:
    """A trial that runs: its bar, when it last had a plain line, where and when its first report came."""

    bar: TaskID
    last_line: float
    first: int | None = None  # iteration; it may have been taken up late
    first_at: float = 0.0


class ProgressDisplay:
    """Shows which trials of how many run, and of each its iteration, loss, images per second and the time left.

    Args:
        console: a terminal has a bar for each trial, anything else gets lines
        jobs: trials at once; where there are several, each line about one begins with its number
    """

    def __init__(self, console: Console, jobs: int = 1) -> None:
        self.console = console
        self.live = console.is_terminal
        self.jobs = jobs
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not self.live,
        )
        self.suite = self.bars.add_task("trials", state="", total=None)
        self.shown: dict[int, _Shown] = {}
        self.begun: set[int] = set()

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self.bars.stop()

    def trial_started(self, number: int, total: int, trial: Trial) -> None:
        """Adds the bar or says the line of a trial."""
        name = trial.id.removeprefix(f"{trial.suite}.{trial.profile}.")
        # those before it that do not run are over, whoever ended them
        self.bars.update(self.suite, total=total, completed=number - 1 - len(self.shown))
        length = trial.iterations if trial.kind == "training" else None
        self.shown[number] = _Shown(self.bars.add_task(name, total=length, state=""), time.monotonic())
        if not self.live and number not in self.begun:  # a measurement begins with its first turn
            self._line(f"[{number}/{total}] {name}")
        self.begun.add(number)

    def trial_progress(self, number: int, total: int, progress: TrainingProgress) -> None:
        """Moves a bar, or says a line when the trial's last one is some time ago."""
        shown, now = self.shown[number], time.monotonic()
        state = f"loss {progress.loss:.4f}  {progress.images_per_s:.1f} images/s"
        if shown.first is None:
            shown.first, shown.first_at = progress.iteration, now
            self.bars.reset(shown.bar, total=progress.iterations, completed=progress.iteration)
        self.bars.update(shown.bar, completed=progress.iteration, state=state)
        steps = progress.iteration - shown.first
        if not self.live and steps and now - shown.last_line > PLAIN_EVERY_S:
            shown.last_line = now
            left = (now - shown.first_at) / steps * (progress.iterations - progress.iteration)
            where = f"iteration {progress.iteration}/{progress.iterations}"
            self._line(f"{self._margin((number, total))}{where}  {state}  {left:.0f} s left")

    def trial_ended(self, number: int, total: int, trial: Trial, ending: Ending, seconds: float) -> None:
        """Removes the bar and leaves a line about the trial."""
        self.bars.remove_task(self.shown.pop(number).bar)
        self.bars.update(self.suite, total=total, completed=max(self.begun) - len(self.shown))
        name = trial.id.removeprefix(f"{trial.suite}.{trial.profile}.")
        if ending.status == "paused":
            line = f"[{number}/{total}] {name} {ending.reason} measured in {seconds:.0f} s"
        else:
            reason = f": {ending.reason}" if ending.reason else ""
            line = f"[{number}/{total}] {name} {ending.status} after {seconds:.0f} s{reason}"
        self._line(line)

    def notice(self, text: str, trial: tuple[int, int] | None = None) -> None:
        """Leaves a line, about the trial of a number and total where they are given."""
        self._line(f"{self._margin(trial)}{text}")

    def _margin(self, trial: tuple[int, int] | None) -> str:
        """Returns what a line about a trial begins with: of one alone it is clear which is meant."""
        return "    " if trial is None or self.jobs == 1 else f"[{trial[0]}/{trial[1]}] "

    def _line(self, text: str) -> None:
        # a full disk or a closed terminal behind the output is no reason to end a training
        with contextlib.suppress(OSError):
            self.console.print(text, markup=False, highlight=False)
