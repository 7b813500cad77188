"""The `bench` command: each command parses, calls one function and prints.

Nothing but click is imported before a command runs, so that `bench --help` answers at once; torch is imported by
`run`, `plan` and `doctor` alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bench.errors import BenchError, ConfigError

if TYPE_CHECKING:
    from bench.study.config import Study
    from bench.study.trials import Trial

F = TypeVar("F", bound=Callable[..., Any])


class ErrorsInOneLine(click.Group):
    """Prints what a user can cause as one line and leaves with its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except BenchError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(error.exit_code)


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Returns one decorator for several options."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


SUITE = click.option("--suite", required=True, metavar="NAME", help="Suite in bench.yaml, e.g. decoder-variants.")
PROFILE = click.option("--profile", default="smoke", show_default=True, metavar="NAME", help="smoke, mini or paper.")
ONE_SUITE = click.option("--suite", metavar="NAME", help="Only this suite. Default: all in bench.yaml.")
RESULTS = click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default="results",
    show_default=True,
    metavar="DIR",
    help="Folder of results files.",
)
SELECTION = options(
    click.option("--model", "models", multiple=True, metavar="NAME", help="Only this model; may be repeated."),
    click.option("--weighting", "weightings", multiple=True, metavar="NAME", help="Only this loss weighting."),
    click.option("--seed", "seeds", multiple=True, type=int, metavar="N", help="Only this seed."),
)
DEVICE = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to compute; auto takes a GPU where there is one.",
)


@click.group(cls=ErrorsInOneLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default="bench.yaml",
    show_default=True,
    metavar="FILE",
    help="The study.",
)
@click.version_option(package_name="segnet-bench", prog_name="bench")
@click.pass_context
def main(ctx: click.Context, config: Path) -> None:
    """Replicate the SegNet paper (arXiv 1511.00561v3): train, measure, report and check its tables.

    Start with `bench run --suite decoder-variants`, then `bench report`.
    """
    ctx.obj = config


def study_of(ctx: click.Context) -> Study:
    """Loads the study that --config names."""
    from bench.study.config import load_study

    return load_study(ctx.obj)


@main.command()
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
    again = f"bench run --suite {trials[0].suite} --profile {trials[0].profile}"
    try:
        with ProgressDisplay(Console(soft_wrap=True)) as display:
            summary = run_suite(trials, where, threads, results, display)
    except KeyboardInterrupt:
        click.echo(f"\ninterrupted: finished trials are in '{results}'. Go on with the same command: {again}", err=True)
        sys.exit(130)
    click.echo(
        f"{summary.ran - len(summary.failed)} done, {summary.skipped} were done before, {len(summary.failed)} not"
    )
    for trial, ending in summary.failed:
        click.echo(f"  {ending.status}: {trial.id}: {ending.reason}", err=True)
    if summary.failed:
        click.echo(
            f"next: `bench status --suite {trials[0].suite}` says what failed; run the same command to try again"
        )
        sys.exit(1)
    elsewhere = "" if results == Path("results") else f" --results {results}"
    click.echo(f"next: bench report --suite {trials[0].suite} --profile {trials[0].profile}{elsewhere}")


@main.command()
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

    Two training steps of each model are measured on this machine and scaled up, which takes some seconds.
    """
    from bench.reporting.console import print_plan
    from bench.results.store import outcome
    from bench.study.trials import plan as plan_trials

    trials = plan_trials(study_of(ctx), suite, profile, models, weightings, seeds)
    outcomes = [outcome(results, trial) for trial in trials]
    from bench.running.device import resolve_device
    from bench.running.estimate import estimate_missing

    print_plan(trials, outcomes, estimate_missing(trials, outcomes, resolve_device(device)))


@main.command()
@options(ONE_SUITE, RESULTS)
@click.option("--profile", metavar="NAME", help="Only this profile. Default: those with results.")
@click.pass_context
def status(ctx: click.Context, suite: str | None, profile: str | None, results: Path) -> None:
    """Show what is done, what failed and why, and what is missing."""
    from bench.reporting.console import print_status
    from bench.results.store import outcome

    for trials in planned(study_of(ctx), suite, profile, results):
        print_status(trials, [outcome(results, trial) for trial in trials])


@main.command()
@options(ONE_SUITE, RESULTS)
@click.option("--profile", metavar="NAME", help="Only this profile. Default: those with results.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="reports",
    show_default=True,
    metavar="DIR",
    help="Folder of reports; each suite and profile has its own below it.",
)
@click.pass_context
def report(ctx: click.Context, suite: str | None, profile: str | None, results: Path, out: Path) -> None:
    """Write the report: the paper's table beside ours, figures, one HTML page; also Markdown, CSV and LaTeX."""
    from bench.reporting.page import write_report
    from bench.results.store import load_results

    study = study_of(ctx)
    for trials in planned(study, suite, profile, results):
        name, scale = trials[0].suite, trials[0].profile
        found = load_results(results, suite=name, profile=scale)
        page = write_report(
            found.rows,
            out,
            suite=name,
            profile=scale,
            study=study,
            panels_dir=results / "_panels",
            problems=found.problems,
        )
        for problem in found.problems:
            click.echo(f"warning: {problem}", err=True)
        click.echo(f"report: {page}")


@main.command()
@options(SUITE, PROFILE, RESULTS)
@click.option(
    "--against",
    default="baseline",
    show_default=True,
    metavar="paper|baseline|PATH",
    help="The paper's table, the stored baseline, or a baseline file or results folder.",
)
@click.option("--update-baseline", is_flag=True, help="Write the present values as the new baseline instead.")
@click.option("--reason", default="", metavar="TEXT", help="Why the baseline changes; kept in the file.")
@click.pass_context
def check(
    ctx: click.Context, suite: str, profile: str, results: Path, against: str, update_baseline: bool, reason: str
) -> None:
    """Compare results with the paper or with an earlier result, within the tolerances of bench.yaml.

    Exit code: 0 all within, 1 some outside, 2 some missing (or wrong usage).
    """
    from bench.replication.check import exit_code
    from bench.replication.verdicts import save_baseline, verdicts_of
    from bench.reporting.console import print_verdicts
    from bench.results.store import load_results
    from bench.study.trials import plan as plan_trials

    study = study_of(ctx)
    trials = plan_trials(study, suite, profile)
    found = load_results(results, suite=trials[0].suite, profile=trials[0].profile)
    for problem in found.problems:
        click.echo(f"warning: {problem}", err=True)
    if update_baseline:
        if not reason:
            raise ConfigError("--update-baseline needs --reason TEXT, so that the file says why it changed")
        click.echo(f"baseline: {save_baseline(found.rows, trials, ctx.obj.parent, reason)}")
        return
    verdicts = verdicts_of(found.rows, trials, study, against, ctx.obj.parent)
    print_verdicts(verdicts, trials, against)
    sys.exit(exit_code(verdicts))


@main.command(name="list")
@click.option("--schema", is_flag=True, help="Print the JSON schema of bench.yaml instead.")
@click.option("--columns", is_flag=True, help="Print the columns of results files instead.")
@click.pass_context
def list_command(ctx: click.Context, schema: bool, columns: bool) -> None:
    """List suites, profiles, models, data sets and loss weightings."""
    from bench.reporting.console import print_columns, print_names

    if schema:
        import json

        from bench.study.config import json_schema

        click.echo(json.dumps(json_schema(), indent=2))
    elif columns:
        print_columns()
    else:
        print_names(study_of(ctx))


@main.command()
@RESULTS
@click.pass_context
def doctor(ctx: click.Context, results: Path) -> None:
    """Check Python, torch, GPU, disk and data: what will work here and what will not."""
    from bench.reporting.console import print_findings
    from bench.running.doctor import diagnose

    findings = list(diagnose(study_of(ctx), results))
    print_findings(findings)
    sys.exit(2 if any(finding.state == "no" for finding in findings) else 0)


@main.group()
def data() -> None:
    """List, check and bring data sets."""


@data.command(name="list")
@click.pass_context
def data_list(ctx: click.Context) -> None:
    """Show each data set, its size and whether it is here."""
    from bench.data import DATASETS
    from bench.reporting.console import print_datasets

    print_datasets(study_of(ctx), DATASETS)


@data.command()
@click.argument("name")
@click.pass_context
def verify(ctx: click.Context, name: str) -> None:
    """Read every image of a data set and compare it with the known digests."""
    dataset, spec = dataset_of(ctx, name)
    if dataset.verify is None:
        click.echo(f"{dataset.title} is drawn on the fly; there is nothing to verify")
        return
    reports = dataset.verify(spec.options)
    for found in reports:
        state = found.problem or "verified"
        click.echo(f"{found.split}: {found.images} of {found.expected} images, {state}")
    sys.exit(2 if any(found.problem for found in reports) else 0)


@data.command()
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.pass_context
def add(ctx: click.Context, name: str, path: Path) -> None:
    """Copy a data set that you have (a folder or an archive) to where trials look for it, after checking it."""
    dataset, spec = dataset_of(ctx, name)
    if dataset.add is None:
        raise ConfigError(f"{dataset.title} is drawn on the fly; there is nothing to add")
    click.echo(f"{dataset.title} is in '{dataset.add(path, spec.options)}'")


@data.command()
@click.argument("name")
@click.option("--url", metavar="URL", help="Another archive than the one in bench.yaml.")
@click.pass_context
def fetch(ctx: click.Context, name: str, url: str | None) -> None:
    """Download a public data set, check it and put it where trials look for it."""
    from bench.reporting.console import download_progress

    dataset, spec = dataset_of(ctx, name)
    if dataset.fetch is None or not (url or spec.url):
        raise ConfigError(f"{dataset.title} has no public archive; there is nothing to fetch")
    with download_progress() as progress:
        folder = dataset.fetch(url or spec.url, spec.options, progress)
    click.echo(f"{dataset.title} is in '{folder}'")


def dataset_of(ctx: click.Context, name: str) -> tuple[Any, Any]:
    """Returns the entry of DATASETS and the spec in the study for a data set's name."""
    from bench.data import DATASETS
    from bench.study.catalog import resolve

    study = study_of(ctx)
    key = resolve("data set", name, study.datasets)
    return DATASETS[key], study.datasets[key]


def planned(study: Study, suite: str | None, profile: str | None, results: Path) -> list[list[Trial]]:
    """Returns the trials of each suite and profile that is meant: named, or with a results folder."""
    from bench.study.catalog import resolve
    from bench.study.trials import plan as plan_trials

    suites = [resolve("suite", suite, study.suites)] if suite else list(study.suites)
    found = []
    for name in suites:
        if profile:
            found.append(plan_trials(study, name, profile))
        else:
            found += [plan_trials(study, name, p) for p in study.suites[name].runs if (results / name / p).is_dir()]
    if not found:
        raise ConfigError(f"no results in '{results}' yet; run `bench run --suite {suites[0]}` first")
    return found
