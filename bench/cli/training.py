"""`bench plan`, `status` and `doctor`: what will be computed, how far it is, and what this machine can do."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Literal

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
    study_of,
)
from bench.cli.run import JOBS, ONLY, THREADS, of_kind, settled


@click.command()
@options(SUITE, PROFILE, SELECTION, DEVICE, ONLY, THREADS, JOBS, RESULTS)
@click.pass_context
def plan(
    ctx: click.Context,
    suite: str,
    profile: str,
    models: tuple[str, ...],
    weightings: tuple[str, ...],
    seeds: tuple[int, ...],
    device: str,
    threads: int | None,
    only: str | None,
    jobs: int | Literal["auto"],
    results: Path,
) -> None:
    """Show the trials of a suite, which are done, and the time and memory of the others.

    What a training consists of (steps, evaluation, checkpoints, files) is timed once for each model on this machine,
    which takes some seconds a model, and multiplied by how often it happens. Reading data for the first time is not
    counted. With --jobs some seconds of so many trainings at once are timed as well.
    """
    begun = time.perf_counter()
    from bench.reporting.commands.console import print_plan
    from bench.results.store import outcome
    from bench.study.trials import plan_all

    trials = of_kind(plan_all(study_of(ctx), suite, profile, models, weightings, seeds), only)
    outcomes = [outcome(results, trial) for trial in trials]
    from bench.running import fork_server

    fork_server.start()  # as `bench run` does: it imports torch while we do
    import torch

    from bench.running.device import resolve_device
    from bench.running.estimate import estimate_missing, total
    from bench.running.parts import until_ready

    place, count = resolve_device(device), threads or torch.get_num_threads()
    until_ready()
    started_s = time.perf_counter() - begun
    to_run = [trial for trial, found in zip(trials, outcomes, strict=True) if found.status != "done"]
    number = settled(to_run, place.type, count, jobs)
    estimates = estimate_missing(trials, outcomes, place, count)
    print_plan(trials, outcomes, estimates, total(trials, estimates, place, count, number, started_s))


@click.command()
@options(ONE_SUITE, ONE_PROFILE, RESULTS)
@click.option("--why", is_flag=True, help="Say what has changed since each stale result was stored.")
@click.pass_context
def status(ctx: click.Context, suite: str | None, profile: str | None, results: Path, why: bool) -> None:
    """Show what is done, what is running, what failed and why, what is stale or interrupted, and what is missing.

    A result is stale when the settings, the source code or the protocols that its numbers come from have changed since.
    """
    from bench.reporting.commands.console import print_status
    from bench.reporting.commands.places import Places
    from bench.results.store import outcome, stored_before
    from bench.running.under_way import under_way

    study = study_of(ctx)
    for trials in planned(study, suite, profile, results):
        outcomes = list(under_way(results, trials, [outcome(results, trial) for trial in trials]))
        stale = [trial for trial, found in zip(trials, outcomes, strict=True) if found.stale] if why else []
        before = {trial.id: stored_before(results, trial) for trial in stale} if why else None
        optional = study.suites[trials[0].suite].optional_weightings
        print_status(trials, outcomes, Places(results, ctx.obj), before, optional)


@click.command()
@RESULTS
@click.pass_context
def doctor(ctx: click.Context, results: Path) -> None:
    """Check Python, torch, GPU, disk and data: what will work here and what will not."""
    from bench.reporting.commands.console import print_findings
    from bench.running.doctor import diagnose

    findings = list(diagnose(study_of(ctx), results))
    print_findings(findings)
    sys.exit(2 if any(finding.state == "no" for finding in findings) else 0)
