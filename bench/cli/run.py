"""`bench run` and `retry`: the trials of a suite, those that have not ended and those that ended badly."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import DEVICE, PROFILE, RESULTS, SELECTION, SUITE, options, same_command, study_of
from bench.errors import ConfigError

if TYPE_CHECKING:
    from bench.running.suite import Summary
    from bench.study.trials import Trial

RUN = options(
    SUITE,
    PROFILE,
    SELECTION,
    DEVICE,
    RESULTS,
    click.option("--threads", type=click.IntRange(1), metavar="N", help="Threads of torch. Default: torch's choice."),
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
    threads: int | None,
    time_limit: float | None,
) -> None:
    """Runs trials, prints what became of them and leaves with the exit code."""
    from bench.running import fork_server
    from bench.running.signals import Signals, Stopped

    if time_limit is not None and not math.isfinite(time_limit):
        raise ConfigError(f"--time-limit: must be a number of minutes, got {time_limit}")
    go_on = f"go on with: {same_command(ctx)}"
    try:
        with Signals(f"stopped before the first trial; {go_on}") as signals:
            from bench.study.trials import plan_all

            trials = plan_all(study_of(ctx), suite, profile, models, weightings, seeds)
            fork_server.start()  # it imports torch while we do
            import torch
            from rich.console import Console

            from bench.running.device import resolve_device
            from bench.running.progress import ProgressDisplay
            from bench.running.suite import ENDED_BADLY, NOT_ENDED, Place, run_suite

            signals.loaded()
            seconds = None if time_limit is None else 60 * time_limit
            place = Place(resolve_device(device).type, threads or torch.get_num_threads(), results, seconds)
            with ProgressDisplay(Console(soft_wrap=True)) as display:
                summary = run_suite(trials, place, display, signals, ENDED_BADLY if retry else NOT_ENDED)
    except Stopped as stopped:
        click.echo(f"\n{stopped}; {go_on}", err=True)
        sys.exit(stopped.exit_code)
    _say(ctx, summary, trials, results)
    left_alone = summary.not_run and not retry  # another configuration's or condition's checkpoint is in the way
    sys.exit(1 if summary.failed or summary.failed_before or left_alone else 0)


def _say(ctx: click.Context, summary: Summary, trials: Sequence[Trial], results: Path) -> None:
    """Prints what became of the trials, and the next command."""
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
        elsewhere = "" if results == Path("results") else f" --results {results}"
        click.echo(f"next: bench report --suite {ctx.params['suite']} --profile {trials[0].profile}{elsewhere}")
