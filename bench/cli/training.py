"""`bench run`, `plan`, `status` and `doctor`: what is computed, where, and how far it is."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bench.cli.options import (
    DEVICE,
    ONE_PROFILE,
    ONE_SUITE,
    PROFILE,
    RESULTS,
    SELECTION,
    SUITE,
    options,
    planned,
    same_command,
    study_of,
)


@click.command()
@options(SUITE, PROFILE, SELECTION, DEVICE, RESULTS)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Threads of torch. Default: torch's own choice.")
@click.pass_context
def run(
    ctx: click.Context,
    suite: str,
    profile: str,
    models: tuple[str, ...],
    weightings: tuple[str, ...],
    seeds: tuple[int, ...],
    device: str,
    results: Path,
    threads: int | None,
) -> None:
    """Train and measure the trials of a suite.

    Finished trials are skipped, so the same command goes on after an interruption. Exit code: 0 all done,
    1 some trial failed or diverged, 2 wrong usage, configuration or data, 130 interrupted.
    """
    from bench.study.trials import plan as plan_trials

    trials = plan_trials(study_of(ctx), suite, profile, models, weightings, seeds)
    import torch
    from rich.console import Console

    from bench.running.device import resolve_device
    from bench.running.progress import ProgressDisplay
    from bench.running.suite import run_suite

    where = resolve_device(device).type
    threads = threads or torch.get_num_threads()
    try:
        with ProgressDisplay(Console(soft_wrap=True)) as display:
            summary = run_suite(trials, where, threads, results, display)
    except KeyboardInterrupt:
        click.echo(f"\ninterrupted: finished trials are in '{results}'; go on with: {same_command(ctx)}", err=True)
        sys.exit(130)
    click.echo(f"{summary.ran - len(summary.failed)} done, {summary.skipped} done before, {len(summary.failed)} failed")
    if summary.elsewhere:
        click.echo(f"note: {summary.elsewhere} of them on another device; --results DIR starts afresh", err=True)
    for trial, ending in summary.failed:
        click.echo(f"  {ending.status}: {trial.id}: {ending.reason}", err=True)
    if summary.failed:
        click.echo(f"next: the reasons are above; to try them again: {same_command(ctx)}")
        sys.exit(1)
    elsewhere = "" if results == Path("results") else f" --results {results}"
    click.echo(f"next: bench report --suite {trials[0].suite} --profile {trials[0].profile}{elsewhere}")


@click.command()
@options(SUITE, PROFILE, SELECTION, DEVICE, RESULTS)
@click.pass_context
def plan(
    ctx: click.Context,
    suite: str,
    profile: str,
    models: tuple[str, ...],
    weightings: tuple[str, ...],
    seeds: tuple[int, ...],
    device: str,
    results: Path,
) -> None:
    """Show the trials of a suite, which are done, and the time and memory of the others.

    A few training steps of each model are measured on this machine and scaled up, which takes some seconds.
    """
    from bench.reporting.console import print_plan
    from bench.results.store import outcome
    from bench.study.trials import plan as plan_trials

    trials = plan_trials(study_of(ctx), suite, profile, models, weightings, seeds)
    outcomes = [outcome(results, trial) for trial in trials]
    from bench.running.device import resolve_device
    from bench.running.estimate import estimate_missing

    print_plan(trials, outcomes, estimate_missing(trials, outcomes, resolve_device(device)))


@click.command()
@options(ONE_SUITE, ONE_PROFILE, RESULTS)
@click.pass_context
def status(ctx: click.Context, suite: str | None, profile: str | None, results: Path) -> None:
    """Show what is done, what failed and why, and what is missing."""
    from bench.reporting.console import print_status
    from bench.results.store import outcome

    for trials in planned(study_of(ctx), suite, profile, results):
        print_status(trials, [outcome(results, trial) for trial in trials], results)


@click.command()
@RESULTS
@click.pass_context
def doctor(ctx: click.Context, results: Path) -> None:
    """Check Python, torch, GPU, disk and data: what will work here and what will not."""
    from bench.reporting.console import print_findings
    from bench.running.doctor import diagnose

    findings = list(diagnose(study_of(ctx), results))
    print_findings(findings)
    sys.exit(2 if any(finding.state == "no" for finding in findings) else 0)
