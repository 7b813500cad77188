"""What several commands share: options, the study that --config names, the trials that are meant."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bench.errors import ConfigError, UnknownNameError
from bench.reporting.commands.places import RESULTS_FOLDER, Places

if TYPE_CHECKING:
    from bench.study.config import Study
    from bench.study.trials import Trial

F = TypeVar("F", bound=Callable[..., Any])


class KnownCommands(click.Group):
    """A group of commands that answers an unknown one with those that there are, the nearest first."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Finds the command."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            what = f"{ctx.info_name} command" if ctx.parent else "command"
            raise UnknownNameError(what, args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Returns one decorator for several options."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


SUITE = click.option(
    "--suite", required=True, metavar="NAME", help="Suite or group of suites in bench.yaml, e.g. decoder-variants."
)
SINGLE_SUITE = click.option(
    "--suite", required=True, metavar="NAME", help="Suite in bench.yaml, e.g. decoder-variants; not a group."
)
PROFILE = click.option("--profile", default="smoke", show_default=True, metavar="NAME", help="smoke, mini or paper.")
ONE_SUITE = click.option(
    "--suite", metavar="NAME", help="Only this suite, or group of suites. Default: all in bench.yaml."
)
ONE_PROFILE = click.option("--profile", metavar="NAME", help="Only this profile. Default: those with results.")
RESULTS = click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=RESULTS_FOLDER,
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


def study_of(ctx: click.Context) -> Study:
    """Loads the study that --config names."""
    from bench.study.config import load_study

    return load_study(ctx.obj)


def planned(study: Study, suite: str | None, profile: str | None, results: Path) -> list[list[Trial]]:
    """Returns the trials of each suite and profile that is meant: named, or with a results folder.

    Trainings with an optional loss weighting are meant where they were run.
    """
    from bench.results.store import stored_ids
    from bench.study.catalog import resolve
    from bench.study.trials import plan_stored, suites_of

    suites = suites_of(study, suite) if suite else list(study.suites)
    scale = resolve("profile", profile, study.profiles) if profile else None
    found = []
    for name in suites:
        runs = study.suites[name].runs
        if scale:
            wanted = [scale] if suite or scale in runs else []
        else:
            wanted = [run for run in runs if stored_ids(results, name, run)]
        found += [plan_stored(study, name, run, stored_ids(results, name, run)) for run in wanted]
    if not found:
        raise ConfigError(f"no results in '{results}' yet; run `bench run --suite {suites[0]}` first")
    return found


def of_one_suite(
    study: Study,
    suite: str,
    profile: str,
    models: tuple[str, ...],
    weightings: tuple[str, ...],
    seeds: tuple[int, ...],
    results: Path,
) -> list[Trial]:
    """Returns the trials that a command means which takes one suite and no group.

    Trainings with an optional loss weighting are meant where they were run.
    """
    from bench.results.store import stored_ids
    from bench.study.catalog import resolve
    from bench.study.trials import plan, plan_stored

    try:
        group = resolve("group", suite, study.groups)
    except UnknownNameError:
        first = plan(study, suite, profile)[0]  # under the names of the study
        stored = stored_ids(results, first.suite, first.profile)
        return plan_stored(study, suite, profile, stored, models, weightings, seeds)
    raise ConfigError(
        f"'{group}' is a group of suites, and this command takes one of them: {', '.join(study.groups[group])}"
    )


def check_trains(trials: Sequence[Trial], why: str) -> None:
    """Raises ConfigError where no trial of a suite is a training, so that there are no predictions."""
    if not any(trial.kind == "training" for trial in trials):
        raise ConfigError(f"suite {trials[0].suite} trains nothing, so it has no predictions {why}")


def same_command(ctx: click.Context, name: str | None = None) -> str:
    """Returns the command as it was given, so that it can be repeated, or another one with the same options."""
    words = [*Places(config=ctx.obj).bench(), name or str(ctx.info_name)]
    for parameter in ctx.command.params:
        given = ctx.get_parameter_source(str(parameter.name)) is click.core.ParameterSource.COMMANDLINE
        value = ctx.params[str(parameter.name)] if given else ()
        for one in value if isinstance(value, tuple) else (value,):
            words += [parameter.opts[0], str(one)]
    return shlex.join(words)
