"""`bench report` and `check`: what came out, beside the paper or an earlier result."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import ONE_PROFILE, ONE_SUITE, PROFILE, RESULTS, SUITE, options, planned, study_of
from bench.errors import ConfigError, ResultsError

if TYPE_CHECKING:
    from bench.study.config import Study
    from bench.study.trials import Trial


@click.command()
@options(ONE_SUITE, ONE_PROFILE, RESULTS)
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
    """Write the report: the paper's table beside ours, figures, one HTML page; also Markdown, CSV and LaTeX.

    A group of suites has a page of its own beside those of its suites.
    """
    from bench.reporting.page import write_report
    from bench.results.store import load_results

    study = study_of(ctx)
    found = planned(study, suite, profile, results)
    for trials in found:
        name, scale = trials[0].suite, trials[0].profile
        mine = load_results(results, suite=name, profile=scale)
        # a suite that trains nothing sets its costs against what others have trained
        everything = None if study.suites[name].weightings else load_results(results, profile=scale).rows
        page = write_report(
            mine.rows,
            out,
            suite=name,
            profile=scale,
            study=study,
            panels_dir=results / "_panels",
            problems=mine.problems,
            everything=everything,
        )
        for problem in mine.problems:
            click.echo(f"warning: {problem}", err=True)
        click.echo(f"report: {page}")
    _report_groups(study, suite, [(trials[0].suite, trials[0].profile) for trials in found], results, out)


def _report_groups(
    study: Study, wanted: str | None, written: Sequence[tuple[str, str]], results: Path, out: Path
) -> None:
    """Writes the page of every group that is wanted, or that has a suite among those written, in their profiles."""
    from bench.reporting.group_page import write_group_report
    from bench.results.store import load_results
    from bench.scoring.stored import Counts, files_by_trial, read_counts
    from bench.study.trials import suites_of

    files = files_by_trial(results)

    def read(key: str) -> Counts | None:
        try:
            return read_counts(files[key])
        except (KeyError, ResultsError):
            return None  # without them a page has no scores of single drives

    for group, suites in study.groups.items():
        if wanted is not None and suites_of(study, wanted) != suites:
            continue
        for scale in dict.fromkeys(profile for suite, profile in written if suite in suites):
            found = load_results(results, profile=scale)
            page = write_group_report(
                found.rows,
                out,
                group=group,
                profile=scale,
                study=study,
                read=read,
                problems=found.problems,
            )
            click.echo(f"report: {page}")


@click.command()
@options(SUITE, PROFILE, RESULTS)
@click.option(
    "--against",
    default="baseline",
    show_default=True,
    metavar="paper|baseline|PATH",
    help="The paper's table, the baseline in results/_baselines beside bench.yaml, or a file or folder.",
)
@click.option("--exact", is_flag=True, help="Compare every value bit for bit with the results folder --against DIR.")
@click.option("--update-baseline", is_flag=True, help="Write the present values as the new baseline instead.")
@click.option("--reason", default="", metavar="TEXT", help="Why the baseline changes; kept in the file.")
@click.pass_context
def check(
    ctx: click.Context,
    suite: str,
    profile: str,
    results: Path,
    against: str,
    exact: bool,
    update_baseline: bool,
    reason: str,
) -> None:
    """Compare results with the paper or with an earlier result, within the tolerances of bench.yaml.

    Scores and their tolerances are shown in percent. Exit code: 0 all within, 1 some outside (whatever else is
    missing), 2 some missing and none outside, or wrong usage.

    With --exact every value has to be the same, bit for bit, speed and memory aside. Exit code: 0 identical, 1 a value
    differs or a trial is done on one side only, 2 refused, because the two ran under conditions that change bits, or a
    trial is done on neither side.
    """
    from bench.replication.check import exit_code
    from bench.replication.verdicts import save_baseline, verdicts_of
    from bench.reporting.console import print_verdicts
    from bench.results.store import load_results
    from bench.study.trials import plan as plan_trials
    from bench.study.trials import suites_of

    if exact and (update_baseline or reason):
        raise ConfigError("--exact only compares; leave out --update-baseline and --reason")
    if update_baseline and not reason:
        raise ConfigError("--update-baseline needs --reason TEXT, so that the file says why it changed")
    if reason and not update_baseline:
        raise ConfigError("--reason goes with --update-baseline")
    study = study_of(ctx)
    codes = []
    for trials in [plan_trials(study, name, profile) for name in suites_of(study, suite)]:
        if exact:
            codes.append(_check_exactly(trials, results, against))
            continue
        found = load_results(results, suite=trials[0].suite, profile=trials[0].profile)
        for problem in found.problems:
            click.echo(f"warning: {problem}", err=True)
        if update_baseline:
            click.echo(f"baseline: {save_baseline(found.rows, trials, ctx.obj.parent, reason)}")
            continue
        verdicts = verdicts_of(found.rows, trials, study, against, ctx.obj.parent)
        print_verdicts(verdicts, trials, against, study.suites[trials[0].suite].tables)
        codes.append(exit_code(verdicts))
    sys.exit(1 if 1 in codes else max(codes, default=0))


def _check_exactly(trials: Sequence[Trial], results: Path, against: str) -> int:
    """Prints what is not the same in two results folders; returns the exit code."""
    from bench.replication.exact import compare_exactly
    from bench.results.store import load_results

    if against in ("paper", "baseline") or not Path(against).is_dir():
        raise ConfigError(f"--exact compares two results folders, and '{against}' is none; name one with --against DIR")
    suite, profile = trials[0].suite, trials[0].profile
    both = [load_results(folder, suite=suite, profile=profile, without=()) for folder in (results, Path(against))]
    for problem in both[0].problems + both[1].problems:
        click.echo(f"warning: {problem}", err=True)
    found = compare_exactly(both[0].rows, both[1].rows, trials)
    for trial in found:
        if trial.state != "identical":
            click.echo(f"{trial.state}  {trial.trial}: {trial.detail}")
    count = Counter(trial.state for trial in found)
    values = sum(trial.values for trial in found if trial.state == "identical")
    click.echo(
        f"{count['identical']} trials identical bit for bit ({values} values), {count['differs']} different, "
        f"{count['missing']} done on one side only, {len(trials) - len(found)} on none"
    )
    if count["identical"] < len(found):
        return 1
    return 0 if len(found) == len(trials) else 2
