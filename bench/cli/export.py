"""`bench export`: stored results for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import (
    PROFILE,
    RESULTS,
    SELECTION,
    SINGLE_SUITE,
    check_trains,
    of_one_suite,
    options,
    study_of,
)
from bench.cli.output import counted
from bench.errors import ResultsError

if TYPE_CHECKING:
    from bench.study.trials import Trial


@click.command()
@options(SINGLE_SUITE, PROFILE, SELECTION, RESULTS)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder that is made; must not be there yet, be empty, or hold an unchanged earlier export of the format.",
)
@click.option(
    "--format",
    "form",
    required=True,
    type=click.Choice(["csv", "mlflow", "tensorboard", "matlab"]),
    help="csv: all values in one file, trials in another. mlflow, tensorboard: a run a trial; each needs its package. "
    "matlab: label maps as the scripts of the authors' SegNet-Tutorial read them.",
)
@click.pass_context
def export(
    ctx: click.Context,
    suite: str,
    profile: str,
    models: tuple[str, ...],
    weightings: tuple[str, ...],
    seeds: tuple[int, ...],
    results: Path,
    out: Path,
    form: str,
) -> None:
    """Write finished results for other programs.

    The folder has a README.txt that says what is in it. Trials that are not done are left out, and counted. For matlab,
    only results with stored label maps can be exported; others are named.
    """
    from bench.scoring.export_folder import check_free

    check_free(out, form)
    trials = of_one_suite(study_of(ctx), suite, profile, models, weightings, seeds, results)
    number = _label_maps(trials, results, out) if form == "matlab" else _values(trials, results, out, form)
    click.echo(f"export: {counted(number, 'trial')} in '{out}'; read {out / 'README.txt'}")


def _values(trials: Sequence[Trial], results: Path, out: Path, form: str) -> int:
    """Exports the values of finished trials; returns how many trials."""
    from bench.scoring import export_csv, export_mlflow, export_tensorboard
    from bench.scoring.export_values import finished_values

    found = finished_values(results, trials)
    _warn(found.problems)
    if not found.trials:
        raise _nothing(trials, results, "trial")
    if found.missing:
        click.echo(f"not done yet, and left out: {counted(len(found.missing), 'trial')}", err=True)
    write = {module.FORMAT: module.export for module in (export_csv, export_mlflow, export_tensorboard)}[form]
    write(found.trials, out)
    return len(found.trials)


def _label_maps(trials: Sequence[Trial], results: Path, out: Path) -> int:
    """Exports the label maps of finished trainings for MATLAB; returns how many trials."""
    from bench.scoring import matlab
    from bench.scoring.rescoring import finished_trials

    check_trains(trials, "to export; --format csv writes what it measured")
    stored, problems = finished_trials(results, trials)
    _warn(problems)
    if not stored:
        raise _nothing(trials, results, "training")
    exported = matlab.export(results, stored, out)
    if exported.without:
        names = ", ".join(exported.without)
        click.echo(f"warning: {counted(len(exported.without), 'trial')} without stored label maps: {names}", err=True)
    return len(exported.trials)


def _warn(problems: Sequence[str]) -> None:
    for problem in problems:
        click.echo(f"warning: {problem}", err=True)


def _nothing(trials: Sequence[Trial], results: Path, what: str) -> ResultsError:
    where = f"suite {trials[0].suite} in profile {trials[0].profile}"
    return ResultsError(
        f"no {what} of {where} is done in '{results}'; "
        f"`bench run --suite {trials[0].suite} --profile {trials[0].profile} --results {results}` first"
    )
