"""What the commands print on a terminal: tables of trials, names and findings."""

from __future__ import annotations

import inspect
import textwrap
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from bench.errors import BenchError
from bench.reporting.commands.places import Places
from bench.reporting.provenance.overview import as_duration
from bench.results import schema
from bench.results.changes import Change, changes
from bench.results.schema import COLUMNS
from bench.results.store import Outcome
from bench.study.catalog import MODEL_TITLES, WEIGHTING_TITLES
from bench.study.config import Study
from bench.study.specs import RunSpec
from bench.study.trials import Trial

_GREEN, _YELLOW = ("done", "ok", "running"), ("missing", "interrupted", "stale", "note")
COLOURS = dict.fromkeys(_GREEN, "green") | dict.fromkeys(_YELLOW, "yellow")


def print_plan(trials: Sequence[Trial], outcomes: Sequence[Outcome], estimates: Mapping[str, Any], total: Any) -> None:
    """Prints every trial with its state and its time: as measured where it is done, else as estimated.

    Trials of several suites, those of a group, have a table for each suite and one sum.

    Args:
        trials, outcomes: each with its other
        estimates: of those that are not done, by digest
        total: of all of them, with seconds, jobs and gain
    """
    console = Console(soft_wrap=True)
    pairs = list(zip(trials, outcomes, strict=True))
    for suite in dict.fromkeys(trial.suite for trial in trials):
        of_suite = [(trial, outcome) for trial, outcome in pairs if trial.suite == suite]
        points = [f"{name} = {at}" for name, at in next((t.budgets for t, _ in of_suite if t.budgets), {}).items()]
        budgets = f"; budgets {', '.join(points)} iterations" if points else ""
        console.print(f"suite {suite}, profile {trials[0].profile}{budgets}", highlight=False)
        table = _table("trial", "state", "time", "memory", narrow=(1, 2, 3))
        for trial, outcome in of_suite:
            table.add_row(_short(trial), _coloured(outcome.status), *_expected(outcome, estimates.get(trial.digest)))
        console.print(table)
    waiting = [(trial, estimates.get(trial.digest)) for trial, outcome in pairs if outcome.status != "done"]
    known = [expected for _, expected in waiting if expected is not None]
    memory = total.jobs * max((expected.memory_mib for expected in known), default=0.0)
    at_once = f", {total.jobs} trainings at once, {total.gain:.1f} times as fast as one" if total.jobs > 1 else ""
    needed = f"{as_duration(total.seconds)}{f' and {memory:.0f} MiB' if memory else ''}"  # costs need no estimate
    rest = f"; the rest takes about {needed} here{at_once}" if waiting else ""
    console.print(f"{len(trials) - len(waiting)} of {len(trials)} done{rest}")


def _expected(outcome: Outcome, expected: Any) -> tuple[str, str]:
    """Returns time and memory of a trial: as measured where it is done, else as estimated, if it can be."""
    if outcome.status == "done":
        return as_duration(outcome.duration_s or 0), ""
    if expected is None:
        return ("—" if outcome.status == "damaged" else "not estimated"), ""
    memory = f"≈ {expected.memory_mib:.0f} MiB" if expected.memory_mib else ""
    return f"≈ {as_duration(expected.seconds)}", memory


def print_status(
    trials: Sequence[Trial],
    outcomes: Sequence[Outcome],
    places: Places,
    before: Mapping[str, Mapping[str, Any] | None] | None = None,
    optional: Collection[str] = (),
) -> None:
    """Prints how many trials are done, and each of the others with the reason.

    Args:
        trials, outcomes: each with its other
        places: where they are, for the command that comes next
        before: by id of the stale trials, the provenance of their latest result, from `stored_before`; None leaves out
            what has changed since
        optional: loss weightings that a command takes only where it is told to
    """
    console = Console(soft_wrap=True)
    found = Counter(_state(outcome) for outcome in outcomes)
    summary = ", ".join(f"{number} {status}" for status, number in found.items())
    console.print(f"suite {trials[0].suite}, profile {trials[0].profile}: {summary}, of {len(trials)}")
    for trial, outcome in zip(trials, outcomes, strict=True):
        explained_below = before is not None and _state(outcome) == "stale"
        if outcome.status != "done" and not explained_below:
            reason = f": {escape(outcome.reason)}" if outcome.reason else ""
            console.print(f"  {_coloured(_state(outcome))}  {trial.id}{reason}", highlight=False)
    for names, stored, found_changes in _grouped_changes(trials, before or {}):
        console.print(f"  {_coloured('stale')}  {len(names)} trial{'s' * (len(names) > 1)}{stored}", highlight=False)
        for line in textwrap.wrap(", ".join(names), 110):
            console.print(f"    {line}", highlight=False)
        for change in found_changes:
            console.print(f"      {change}", highlight=False, markup=False)
    if found["damaged"]:
        console.print("next: move the damaged files away; nothing is overwritten", highlight=False)
        return
    suite, profile = trials[0].suite, trials[0].profile
    if found["stale"] and before is None:
        why = places.command("status", suite, profile, "--why")
        console.print(f"what has changed: {why}", highlight=False, markup=False)
    left: dict[str | None, set[str]] = {}  # by the loss weighting that has to be named
    for trial, outcome in zip(trials, outcomes, strict=True):
        if _state(outcome) not in ("done", "running"):
            named = trial.weighting if trial.weighting in optional else None
            left.setdefault(named, set()).add(_state(outcome))
    for named, states in left.items():
        todo = "run" if states & {"missing", "stale", "interrupted"} else "retry"
        command = places.command(todo, suite, profile, *(["--weighting", named] if named else []))
        console.print(f"next: {command}", highlight=False, markup=False)


def _state(outcome: Outcome) -> str:
    return "stale" if outcome.status == "missing" and outcome.stale else outcome.status


def _grouped_changes(
    trials: Sequence[Trial], before: Mapping[str, Mapping[str, Any] | None]
) -> Iterator[tuple[list[str], str, tuple[Change | str, ...]]]:
    """Yields trials that are stale for equal reasons: their short names, when and by which commits, and the reasons."""
    groups: dict[tuple[Change | str, ...], list[Trial]] = {}
    for trial in trials:
        if trial.id in before:
            stored = before[trial.id]
            reasons: tuple[Change | str, ...] = changes(stored, trial) if stored else ("no file of it can be read",)
            groups.setdefault(reasons, []).append(trial)
    for given, group in groups.items():
        rows = [stored for trial in group if (stored := before[trial.id])]
        dates = sorted({str(row["started_at"])[:10] for row in rows if row["started_at"]})
        commits = sorted({str(row["git_commit"])[:8] for row in rows if row["git_commit"]})
        stored_when = f", stored {' to '.join(dict.fromkeys((dates[0], dates[-1])))}" if dates else ""
        stored_by = f" by commit{'s' * (len(commits) > 1)} {', '.join(commits)}" if commits else ""
        yield [_short(trial) for trial in group], escape(stored_when + stored_by), given


def print_names(study: Study) -> None:
    """Prints the suites with their models, weightings and profiles, and the data sets."""
    console = Console(soft_wrap=True)
    for name, suite in study.suites.items():
        console.print(f"[bold]suite {escape(name)}[/]: {escape(suite.title)}")
        for model in suite.models:
            console.print(f"  model      {model:42} {MODEL_TITLES.get(model, '')}", highlight=False)
        for weighting in [*suite.weightings, *suite.optional_weightings]:
            optional = " (only with --weighting)" if weighting in suite.optional_weightings else ""
            title = f"{WEIGHTING_TITLES.get(weighting, '')}{optional}"
            console.print(f"  weighting  {weighting:42} {title}", highlight=False)
        for profile, spec in suite.runs.items():
            console.print(f"  profile    {profile:42} {_scale(study, profile, spec)}", highlight=False)
    for group, suites in study.groups.items():
        console.print(f"[bold]group {escape(group)}[/]: suites {', '.join(suites)}", highlight=False)
    console.print(f"[bold]data sets[/]: {', '.join(study.datasets)} (see `bench data list`)")


def _scale(study: Study, profile: str, run: RunSpec) -> str:
    """Returns what a suite does in a profile, in one line."""
    if run.iterations is None:
        timing = run.timing or study.profiles[profile].timing
        return f"nothing is trained; measured at {timing.height}x{timing.width}, with the classes of {run.dataset}"
    size = f"{study.profiles[profile].height}x{study.profiles[profile].width}"
    lengths = [run.iterations, *run.iterations_of.values()]
    length = f"{min(lengths)}" if len(set(lengths)) == 1 else f"{min(lengths)} to {max(lengths)}"
    points = ", ".join(f"{name} = {iteration}" for name, iteration in run.budgets.items())
    budgets = f"; budgets {points}" if points else ""
    return f"{run.dataset} at {size}, {length} iterations of batch {run.batch_size}{budgets}"


def print_columns() -> None:
    """Prints what the rows of a results file are, and its columns."""
    Console(soft_wrap=True).print(inspect.cleandoc(schema.__doc__ or ""), highlight=False, markup=False)
    table = _table("column", "type", "unit or values", "meaning")
    for column in COLUMNS:
        table.add_row(column.name, column.dtype, escape(column.unit), escape(column.meaning))
    Console().print(table)


def print_findings(findings: Sequence[Any]) -> None:
    """Prints the findings of `bench doctor`."""
    table = _table("what", "state", "found", narrow=(0, 1))
    for finding in findings:
        advice = f"; {finding.advice}" if finding.advice and finding.state != "ok" else ""
        table.add_row(finding.what, _coloured(finding.state), escape(finding.found + advice))
    Console().print(table)


def print_datasets(study: Study, datasets: Mapping[str, Any]) -> None:
    """Prints each data set of the study, the images of its splits and where it is."""
    table = _table("data set", "train / val / test", "where")
    for name, spec in study.datasets.items():
        locate = datasets[name].locate
        try:
            where = str(locate()) if locate else "drawn on the fly"
        except BenchError as error:
            where = str(error)
        table.add_row(name, f"{spec.train} / {spec.val} / {spec.test}", escape(where))
    Console().print(table)


@contextmanager
def download_progress() -> Iterator[Callable[[int, int | None], None]]:
    """Shows a bar and yields what is told the bytes so far and in all."""
    columns = (TextColumn("downloading"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("download", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _short(trial: Trial) -> str:
    return trial.id.removeprefix(f"{trial.suite}.{trial.profile}.")


def _coloured(state: str) -> str:
    return f"[{COLOURS.get(state, 'red')}]{state}[/]"


def _table(*columns: str, narrow: Collection[int] = ()) -> Table:
    """Returns a table; columns in `narrow` keep their text on one line, the others give way."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number in narrow)
    return table
