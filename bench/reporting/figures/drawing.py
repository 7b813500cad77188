"""Draws figures: several at a time, and only those whose inputs or drawing source have changed.

Beside the figures lies drawn.json: of each figure the digest of what it was drawn from and the digest of every file.
A figure is left as it is only where both agree, so that a file that is half written, edited or lost is drawn again.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl

from bench.errors import ResultsError
from bench.reporting.figures.inputs import InputDigests
from bench.reporting.figures.style import RC, SUFFIXES, save_figure
from bench.reporting.rendering import write_text

RECORD = "drawn.json"
FEWEST = 4  # figures for which a second process pays

Draw = partial[Any]  # of a function that returns a Figure, or None where its arguments cannot fill one
Job = tuple[Draw, Path, str]  # the last two are the folder and the name of the files
Files = Mapping[str, str] | None  # digest by name; None: the inputs cannot fill the figure


class Drawn(NamedTuple):
    """What one figure was drawn from, and what came out."""

    inputs: str  # digest
    files: Files


class Drawing:
    """Figures that are being drawn into a folder, each as SVG, PNG and PDF, while the caller goes on.

    Args:
        figures: by name, the functions that draw them with all that they draw from.
        folder: made where it does not exist and there is a figure.

    Raises:
        ResultsError: a file cannot be written; here or in `finished`.
    """

    def __init__(self, figures: Mapping[str, Draw], folder: Path) -> None:
        self._folder = folder
        self._before = _read_record(folder / RECORD)
        digests = InputDigests()
        inputs = {name: digests.of(draw) for name, draw in figures.items()}
        there = {name for name, drawn in self._before.items() if _is_there(drawn, inputs.get(name), folder, name)}
        self._now = {name: self._before[name] for name in figures if name in there}
        self._inputs = {name: digest for name, digest in inputs.items() if name not in there}
        with self._named_when_killed():
            self._files = _started([(figures[name], folder, name) for name in self._inputs])

    def finished(self) -> set[str]:
        """Waits for the figures and returns the names of those that are there; the others have nothing to show.

        Raises:
            ResultsError: a file cannot be written, or a process that draws was killed.
        """
        with self._named_when_killed():
            files = self._files()
        made = zip(self._inputs.items(), files, strict=True)
        now = self._now | {name: Drawn(inputs, of_figure) for (name, inputs), of_figure in made}
        drawn = {name for name, record in now.items() if record.files is not None}
        if drawn and self._before | now != self._before:
            _write_record(self._folder / RECORD, _read_record(self._folder / RECORD) | now)
        return drawn

    @contextmanager
    def _named_when_killed(self) -> Iterator[None]:
        try:
            yield
        except BrokenProcessPool:
            message = f"a process that draws figures into '{self._folder}' was killed; is memory short?"
            raise ResultsError(message) from None


def _started(jobs: list[Job]) -> Callable[[], list[Files]]:
    """Begins to draw; returns what waits for the files of each job."""
    processes = min(len(os.sched_getaffinity(0)), len(jobs) // 2) if sys.platform == "linux" else 1
    if len(jobs) < FEWEST or processes < 2:
        files = [_draw(*job) for job in jobs]
        return lambda: files
    # forked, not started anew: imports take longer than drawing, and functions need no pickling
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("fork"))
    _jobs[:] = jobs
    with warnings.catch_warnings():
        # Python warns of a fork beside threads; those that pandas and numpy keep are idle and hold no lock
        warnings.simplefilter("ignore", DeprecationWarning)
        futures = [pool.submit(_draw_job, number) for number in range(len(jobs))]
    _jobs.clear()

    def wait() -> list[Files]:
        with pool:
            return [future.result() for future in futures]

    return wait


_jobs: list[Job] = []  # what a forked process finds in its copy of the memory


def _draw_job(number: int) -> Files:
    return _draw(*_jobs[number])


def _draw(draw: Draw, folder: Path, name: str) -> Files:
    with mpl.rc_context(RC):
        figure = draw()
        return None if figure is None else {p.name: _file_digest(p) or "" for p in save_figure(figure, folder, name)}


def _is_there(before: Drawn, inputs: str | None, folder: Path, name: str) -> bool:
    """Whether a figure lies there as it was drawn, and would be drawn from the same now."""
    if before.inputs != inputs or before.files is None:
        return before.inputs == inputs
    expected = {f"{name}.{suffix}" for suffix in SUFFIXES}
    return before.files.keys() == expected and all(
        _file_digest(folder / file) == digest for file, digest in before.files.items()
    )


def _file_digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _read_record(path: Path) -> dict[str, Drawn]:
    """Returns what is known of the figures in a folder; nothing where the record is missing or damaged."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {name: Drawn(found["inputs"], found["files"] and dict(found["files"])) for name, found in stored.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _write_record(path: Path, record: Mapping[str, Drawn]) -> None:
    text = json.dumps({name: drawn._asdict() for name, drawn in record.items()}, indent=1)
    write_text(path, f"{text}\n")
