"""`bench run` and `retry`: the trials of a suite, those that have not ended and those that ended badly."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from bench.cli.options import DEVICE, PROFILE, RESULTS, SELECTION, SUITE, options, same_command, study_of
from bench.errors import ConfigError, ResultsError

if TYPE_CHECKING:
    from bench.running.suite import Summary
    from bench.study.trials import Trial


MOST = 1024  # threads, and trainings at once: more is a slip of the finger, which would fail late and not in one line


class JobsType(click.ParamType):
    """How many trainings at once: a whole number from 1 to MOST, or "auto"."""

    name = "jobs"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Literal["auto"]:
        """Returns the number, or "auto"; ends the command with one line for anything else."""
        if value == "auto":
            return "auto"
        try:
            number = int(value)
        except ValueError:
            number = 0
        if not 1 <= number <= MOST:
            self.fail(f"'{value}' is neither a whole number from 1 to {MOST} nor 'auto'.", param, ctx)
        return number


THREADS = click.option(
    "--threads",
    type=click.IntRange(1, MOST),
    metavar="N",
    help="Threads of torch, shared by trainings that run at once. Default: torch's choice.",
)
ONLY = click.option(
    "--only",
    type=click.Choice(["training", "cost"]),
    help="training: leave out the measurements of time and memory. cost: nothing else; they want a quiet machine.",
)
JOBS = click.option(
    "--jobs",
    type=JobsType(),
    default=1,
    show_default=True,
    metavar="N|auto",
    help="Trainings at once on one device; auto takes as many as memory holds and a short measurement finds worth it.",
)
RUN = options(
    SUITE,
    PROFILE,
    SELECTION,
    DEVICE,
    RESULTS,
    ONLY,
    THREADS,
    JOBS,
    click.option(
        "--time-limit",
        type=click.FloatRange(0, min_open=True),
        metavar="MINUTES",
        help="Stop a training, or a turn of a measurement, after that long; `bench retry` goes on from there.",
    ),
)


@click.command()
@RUN
@click.pass_context
def run(ctx: click.Context, **given: Any) -> None:
    """Train and measure the trials of a suite.

    Small networks leave a device idle: --jobs N trains N at once, each with an N-th of the threads, which decide the
    last bits of a result. Measurements of time and memory come after all trainings, one at a time.

    Trials that are done are skipped, so the same command goes on after an interruption, from the last checkpoint.
    Ctrl-C, SIGTERM and the closing of the terminal end it after one more checkpoint, a second Ctrl-C ends it at once;
    after SIGUSR1 and a checkpoint it goes on. Several runs, on several machines, may share a results folder. Trials
    that failed are left alone, see `bench retry`.

    Exit code: 0 all done, 1 some trial failed now or before or was left alone, 2 wrong usage, configuration, data or
    results folder, 130 stopped by Ctrl-C, 143 stopped by SIGTERM, 129 by the terminal.
    """
    execute(ctx, retry=False, **given)


@click.command()
@RUN
@click.pass_context
def retry(ctx: click.Context, **given: Any) -> None:
    """Run the trials of a suite again that failed, were killed, ran out of memory or time, or diverged.

    They go on from their last checkpoint, where there is one. Everything else is as with `bench run`.

    Exit code: 0 none of them is left, 1 some trial failed again, 2 wrong usage, configuration, data or results
    folder, 130 stopped by Ctrl-C, 143 stopped by SIGTERM, 129 by the terminal.
    """
    execute(ctx, retry=True, **given)


def execute(
    ctx: click.Context,
    *,
    retry: bool,
    suite: str,
    profile: str,
    models: tuple[str, ...],
    weightings: tuple[str, ...],
    seeds: tuple[int, ...],
    device: str,
    results: Path,
    only: str | None,
    threads: int | None,
    jobs: int | Literal["auto"],
    time_limit: float | None,
) -> None:
    """Runs trials, prints what became of them and leaves with the exit code."""
    from bench.running import fork_server
    from bench.running.signals import Signals, Stopped

    if time_limit is not None and not math.isfinite(time_limit):
        raise ConfigError(f"--time-limit: must be a number of minutes, got {time_limit}")
    if retry and not results.is_dir():
        raise ResultsError(f"no results folder '{results}', so there is nothing to try again; see `bench run`")
    go_on = f"go on with: {same_command(ctx)}"
    try:
        with Signals(f"stopped before the first trial; {go_on}") as signals:
            from bench.study.trials import plan_all

            trials = of_kind(plan_all(study_of(ctx), suite, profile, models, weightings, seeds), only)
            fork_server.start()  # it imports torch while we do
            import torch
            from rich.console import Console

            from bench.results.store import outcome
            from bench.running.device import resolve_device
            from bench.running.progress import ProgressDisplay
            from bench.running.suite import ENDED_BADLY, NOT_ENDED, Place, run_suite

            signals.loaded()
            seconds = None if time_limit is None else 60 * time_limit
            wanted = ENDED_BADLY if retry else NOT_ENDED
            place = Place(resolve_device(device).type, threads or torch.get_num_threads(), results, seconds)
            if jobs != 1:
                to_run = [trial for trial in trials if outcome(results, trial).status in wanted]
                place = place._replace(jobs=settled(to_run, place.device, place.threads, jobs))
                ctx.params["jobs"] = place.jobs  # which `go_on` names: another number would be other threads
                go_on = f"go on with: {same_command(ctx)}"
            with ProgressDisplay(Console(soft_wrap=True), place.jobs) as display:
                summary = run_suite(trials, place, display, signals, wanted)
    except Stopped as stopped:
        click.echo(f"\n{stopped}; {go_on}", err=True)
        sys.exit(stopped.exit_code)
    _say(ctx, summary, trials, results)
    left_alone = summary.not_run and not retry  # another configuration's or condition's checkpoint is in the way
    sys.exit(1 if summary.failed or summary.failed_before or left_alone else 0)


def of_kind(trials: Sequence[Trial], only: str | None) -> list[Trial]:
    """Returns the trainings, or the measurements of cost, among trials; all where `only` says neither.

    Raises:
        ConfigError: there are none.
    """
    found = [trial for trial in trials if only in (None, trial.kind)]
    if not found:
        what = "trains nothing" if only == "training" else "measures no costs"
        raise ConfigError(
            f"--only {only}: suite {trials[0].suite} {what}; leave the option out, or choose another suite"
        )
    return found


def settled(trials: Sequence[Trial], device: str, threads: int, jobs: int | Literal["auto"]) -> int:
    """Returns how many trainings to run at once, once memory is checked; says what "auto" measured.

    Args:
        trials: those that are to be run
        device: "cpu" or "cuda"
        threads: of torch, for all together
        jobs: as given

    Raises:
        ConfigError: so many do not fit into memory.
        BenchError: nothing could be measured.
    """
    if jobs == 1:
        return 1
    import torch

    from bench.running.jobs import check_memory, choose
    from bench.running.memory import free_memory_mib

    place = torch.device(device)
    free_mib = free_memory_mib(place)
    if jobs == "auto":
        chosen = choose(trials, place, threads, free_mib)
        if chosen.line:
            click.echo(chosen.line)
        return chosen.number
    check_memory(trials, jobs, place, free_mib)
    return jobs


def _say(ctx: click.Context, summary: Summary, trials: Sequence[Trial], results: Path) -> None:
    """Prints what became of the trials, and the next command."""
    from bench.reporting.commands.places import Places

    done = summary.ran - len(summary.failed)
    before = f", {len(summary.failed_before)} failed before" if summary.failed_before else ""
    not_run = f", {summary.not_run} not run yet" if summary.not_run else ""
    click.echo(f"{done} done, {summary.skipped} done before, {len(summary.failed)} failed{before}{not_run}")
    if summary.elsewhere:
        click.echo(f"note: {summary.elsewhere} of them on another device; --results DIR starts afresh", err=True)
    for trial, ending in summary.failed:
        click.echo(f"  {ending.status}: {trial.id}: {ending.reason}", err=True)
    for trial, outcome in summary.failed_before:
        click.echo(f"  {outcome.status} before: {trial.id}: {outcome.reason}", err=True)
    if summary.failed or summary.failed_before:
        click.echo(f"next: the reasons are above; to try them again: {same_command(ctx, 'retry')}")
    elif summary.not_run:
        click.echo(f"next: {same_command(ctx, 'run')}")
    else:
        places = Places(results, ctx.obj)
        click.echo(f"next: {places.command('report', ctx.params['suite'], trials[0].profile)}")
