"""Progress of a run: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.running.endings import Ending
from bench.study.trials import Trial
from bench.training.loop import Progress as TrainingProgress

PLAIN_EVERY_S = 20.0  # seconds between two plain lines about the same trial


class ProgressDisplay:
    """Shows which trial of how many runs, its iteration, loss, images per second and the time left."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live = console.is_terminal
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
        self.current = self.bars.add_task("", state="", visible=False, total=None)
        self.last_line = self.started = 0.0
        self.begun: set[int] = set()
        self.first: int | None = None  # the iteration of the trial's first report; it may have been taken up late

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self.bars.stop()

    def trial_started(self, number: int, total: int, trial: Trial) -> None:
        """Begins the bar or says the line of a trial."""
        name = trial.id.removeprefix(f"{trial.suite}.{trial.profile}.")
        self.bars.update(self.suite, total=total, completed=number - 1)
        length = trial.iterations if trial.kind == "training" else None
        self.bars.reset(self.current, total=length, description=name, visible=True, state="")
        if not self.live and number not in self.begun:  # a measurement begins with its first turn
            self._line(f"[{number}/{total}] {name}")
        self.begun.add(number)
        self.last_line = self.started = time.monotonic()
        self.first = None

    def trial_progress(self, progress: TrainingProgress) -> None:
        """Moves the bar, or says a line when the last one is some time ago."""
        state = f"loss {progress.loss:.4f}  {progress.images_per_s:.1f} images/s"
        if self.first is None:
            self.first, self.started = progress.iteration, time.monotonic()
            self.bars.reset(self.current, total=progress.iterations, completed=progress.iteration)
        self.bars.update(self.current, completed=progress.iteration, state=state)
        steps = progress.iteration - self.first
        if not self.live and steps and time.monotonic() - self.last_line > PLAIN_EVERY_S:
            self.last_line = time.monotonic()
            where = f"    iteration {progress.iteration}/{progress.iterations}"
            left = (self.last_line - self.started) / steps * (progress.iterations - progress.iteration)
            self._line(f"{where}  {state}  {left:.0f} s left")

    def trial_ended(self, number: int, total: int, trial: Trial, ending: Ending, seconds: float) -> None:
        """Completes the bar and leaves a line about the trial."""
        self.bars.update(self.suite, total=total, completed=number)
        self.bars.update(self.current, visible=False)
        name = trial.id.removeprefix(f"{trial.suite}.{trial.profile}.")
        if ending.status == "paused":
            line = f"[{number}/{total}] {name} {ending.reason} measured in {seconds:.0f} s"
        else:
            reason = f": {ending.reason}" if ending.reason else ""
            line = f"[{number}/{total}] {name} {ending.status} after {seconds:.0f} s{reason}"
        self._line(line)

    def notice(self, text: str) -> None:
        """Leaves a line."""
        self._line(f"    {text}")

    def _line(self, text: str) -> None:
        # a full disk or a closed terminal behind the output is no reason to end a training
        with contextlib.suppress(OSError):
            self.console.print(text, markup=False, highlight=False)
