"""`bench check`: a verdict on every number and claim, in the format that whoever reads it needs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import PROFILE, RESULTS, options, study_of
from bench.cli.options import planned as trials_of_suites
from bench.errors import ConfigError, ResultsError, one_line
from bench.reporting.commands.places import Places

if TYPE_CHECKING:
    from bench.replication.claim_verdicts import ClaimVerdict
    from bench.reporting.commands.check_output import Check
    from bench.study.config import Study
    from bench.study.trials import Trial

FORMATS = ("table", "json", "junit", "markdown", "github")
NOTHING_COMPARED = 4  # other commands end with 2 then, which here is a verdict


class CheckCommand(click.Command):
    """A command that has an exit code of its own for what stops it."""

    error_exit_code = NOTHING_COMPARED


@click.command(cls=CheckCommand)
@click.option(
    "--suite", metavar="NAME", help="Only this suite, or group of suites. Default: all with results in the profile."
)
@options(PROFILE, RESULTS)
@click.option(
    "--against",
    default="baseline",
    show_default=True,
    metavar="paper|baseline|PATH",
    help="The paper's tables and claims, the baseline in results/_baselines beside bench.yaml, or a file or folder.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="junit: XML for CI systems; markdown: a comment on a pull request; github: annotations and the job's summary.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write into FILE, do not print.")
@click.option("--allow-inconclusive", is_flag=True, help="Let numbers and claims pass that too few seeds decide.")
@click.option("--no-claims", is_flag=True, help="With --against paper: leave out the claims of its text.")
@click.option("--exact", is_flag=True, help="Compare every value bit for bit with the results folder --against DIR.")
@click.option("--update-baseline", is_flag=True, help="Write the present values as the new baseline instead.")
@click.option("--reason", default="", metavar="TEXT", help="Why the baseline changes; kept in the file.")
@click.pass_context
def check(
    ctx: click.Context,
    suite: str | None,
    profile: str,
    results: Path,
    against: str,
    form: str,
    out: Path | None,
    allow_inconclusive: bool,
    no_claims: bool,
    exact: bool,
    update_baseline: bool,
    reason: str,
) -> None:
    """Compare results with the paper or with an earlier result, within the tolerances of bench.yaml.

    Scores and their tolerances are shown in percent. Exit code: 0 all is as expected, 1 a number is outside or a claim
    contradicted, 3 a trial failed, 2 something is missing, stale or inconclusive or nothing can be compared, 4 nothing
    was compared: configuration, usage, or a file that cannot be read. 1 comes before 3, and 3 before 2.

    With --exact every value has to be the same, bit for bit, speed and memory aside. Exit code: 0 identical, 1 a value
    differs or a trial is done on one side only, 2 refused, because the two ran under conditions that change bits, or a
    trial is done on neither side, 4 as above.
    """
    from bench.scoring.output import check_out

    if not against.strip():
        raise ConfigError("--against is empty; name paper, baseline, a file or a folder")
    _check_options(suite, form, out, exact, update_baseline, reason)
    if no_claims and against != "paper":
        raise ConfigError("--no-claims goes with --against paper; claims are tested there alone")
    if allow_inconclusive and (exact or update_baseline):
        raise ConfigError("--allow-inconclusive goes with verdicts; --exact and --update-baseline give none")
    if update_baseline and against != "baseline":
        raise ConfigError("--update-baseline writes the results as the baseline; leave out --against")
    check_out(out)
    study = study_of(ctx)
    planned = _planned(study, suite, profile, results)
    if update_baseline:
        _update_baselines(study, planned, results, ctx.obj.parent, reason)
        return
    if exact:
        codes = [_check_exactly(trials, results, against) for trials in planned]
        sys.exit(1 if 1 in codes else max(codes))
    left_out: tuple[str, ...] = ()
    if suite is None or len(planned) > 1:
        planned, left_out = _with_reference(planned, study, against, ctx.obj.parent)
    places = Places(results, ctx.obj)
    found = _checked(study, planned, places, against, left_out, allow_inconclusive, not no_claims)
    _put(found, form, out)
    sys.exit(found.exit_code)


def _check_options(
    suite: str | None, form: str, out: Path | None, exact: bool, update_baseline: bool, reason: str
) -> None:
    """Refuses options that do not go together."""
    if exact and (update_baseline or reason):
        raise ConfigError("--exact only compares; leave out --update-baseline and --reason")
    if update_baseline and not reason:
        raise ConfigError("--update-baseline needs --reason TEXT, so that the file says why it changed")
    if reason and not update_baseline:
        raise ConfigError("--reason goes with --update-baseline")
    if update_baseline and suite is None:
        raise ConfigError("--update-baseline needs --suite NAME, so that no baseline changes by accident")
    if (exact or update_baseline) and (form != "table" or out is not None):
        raise ConfigError(
            f"--{'exact' if exact else 'update-baseline'} prints a few lines; leave out --format and --out"
        )


def _planned(study: Study, suite: str | None, profile: str, results: Path) -> list[list[Trial]]:
    """Returns the trials of each suite that is meant: named, or with results in the profile."""
    from bench.study.catalog import resolve

    scale = resolve("profile", profile, study.profiles)
    found = trials_of_suites(study, suite, scale, results)
    if suite is None:
        found = [trials for trials in found if any((results / trials[0].suite / scale).glob("*.parquet"))]
    if not found:
        raise ConfigError(
            f"no results of profile {scale} in '{one_line(results)}' yet; run `bench run --suite NAME` first"
        )
    return found


def _with_reference(
    planned: list[list[Trial]], study: Study, against: str, home: Path
) -> tuple[list[list[Trial]], tuple[str, ...]]:
    """Returns the suites that have something to be compared with, and why the others have not; all where none has."""
    why = {trials[0].suite: _without_reference(trials, study, against, home) for trials in planned}
    if all(why.values()):
        return planned, ()
    kept = [trials for trials in planned if not why[trials[0].suite]]
    return kept, tuple(f"{suite}: {reason}" for suite, reason in why.items() if reason)


def _without_reference(trials: Sequence[Trial], study: Study, against: str, home: Path) -> str:
    """Returns why a suite has nothing to be compared with; "" where it has."""
    from bench.replication.verdicts import baseline_path

    suite, profile = trials[0].suite, trials[0].profile
    if against == "paper":
        return "" if study.suites[suite].tables else "belongs to no table of the paper"
    if against == "baseline":
        return "" if baseline_path(trials, home).exists() else f"has no baseline of profile {profile}"
    path = Path(against)
    if path.is_file():
        raise ConfigError(f"--against '{one_line(path)}' is a file, which is of one suite; name it with --suite")
    return "" if any((path / suite / profile).glob("*.parquet")) else f"has no results in '{one_line(path)}'"


def _checked(
    study: Study,
    planned: Sequence[Sequence[Trial]],
    places: Places,
    against: str,
    left_out: tuple[str, ...],
    allow_inconclusive: bool,
    claims: bool,
) -> Check:
    """Compares each suite, and with the paper also its claims."""
    from bench.replication.scale import scale_notice
    from bench.replication.scores import why_stale
    from bench.replication.verdicts import verdicts_of
    from bench.reporting.commands.check_output import Check, SuiteCheck
    from bench.reporting.provenance.overview import trial_states
    from bench.results.store import load_results

    suites, problems = [], []
    for trials in planned:
        suite, profile = trials[0].suite, trials[0].profile
        found = load_results(places.results, suite=suite, profile=profile)
        problems += found.problems
        verdicts = verdicts_of(found.rows, trials, study, against, places.config.parent)
        notice = scale_notice(trials, study.suites[suite].tables) if against == "paper" else ""
        states = trial_states(found.rows, trials, why=why_stale(found.rows, trials))
        suites.append(SuiteCheck(suite, profile, tuple(verdicts), notice, tuple(states)))
    tested = _claims(study, planned, places.results) if claims and against == "paper" else ()
    for problem in problems:
        click.echo(f"warning: {problem}", err=True)
    return Check(
        against, suites[0].profile, tuple(suites), tested, left_out, tuple(problems), allow_inconclusive, places
    )


def _claims(study: Study, planned: Sequence[Sequence[Trial]], results: Path) -> tuple[ClaimVerdict, ...]:
    """Returns the verdicts on the claims about the tables of some suites; a claim may need other suites as well."""
    from bench.replication.claim_verdicts import claim_verdicts
    from bench.results.store import load_results

    profile = planned[0][0].profile
    tables = [table for trials in planned for table in study.suites[trials[0].suite].tables]
    return tuple(claim_verdicts(load_results(results, profile=profile).rows, study, profile, tables))


def _put(found: Check, form: str, out: Path | None) -> None:
    """Prints a check in a format, or writes it into a file and prints one line."""
    from bench.reporting.commands.check_markdown import as_markdown
    from bench.reporting.commands.check_output import as_json
    from bench.reporting.commands.check_table import as_text, print_check
    from bench.reporting.commands.github import annotations_of, write_summary
    from bench.reporting.commands.junit import as_junit
    from bench.scoring.output import write_text

    if form == "github":
        for annotation in annotations_of(found):
            click.echo(annotation)
        write_summary(found)
        if out is not None:
            write_text(out, as_markdown(found))
        return
    if form == "table" and out is None:
        print_check(found)
        return
    text = {"table": as_text, "json": as_json, "junit": as_junit, "markdown": as_markdown}[form](found)
    if out is None:
        click.echo(text)
    else:
        write_text(out, text)
    click.echo(found.summary + (f"; written to '{one_line(out)}'" if out is not None else ""), err=True)


def _update_baselines(study: Study, planned: Sequence[Sequence[Trial]], results: Path, home: Path, reason: str) -> None:
    """Writes the baseline of each suite."""
    from bench.replication.verdicts import save_baseline
    from bench.results.store import load_results

    for trials in planned:
        found = load_results(results, suite=trials[0].suite, profile=trials[0].profile)
        for problem in found.problems:
            click.echo(f"warning: {problem}", err=True)
        click.echo(f"baseline: {save_baseline(found.rows, trials, study, home, reason)}")


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
    try:
        found = compare_exactly(both[0].rows, both[1].rows, trials)
    except ResultsError as error:  # refused: a verdict, and no mistake of whoever asked
        click.echo(f"error: {one_line(error, 2000)}", err=True)
        return 2
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
