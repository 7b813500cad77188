"""`bench compare`: did a change hurt?"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from bench.cli.options import options
from bench.cli.output import OUTPUT, put
from bench.reporting.commands.places import RESULTS_FOLDER


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--suite", "suites", multiple=True, metavar="NAME", help="Only this suite; may be repeated.")
@click.option("--profile", "profiles", multiple=True, metavar="NAME", help="Only this profile.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Only this model.")
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="Only this score or cost, e.g. mIoU or forward_ms."
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=RESULTS_FOLDER,
    show_default=True,
    metavar="DIR",
    help="Folder of results files in a commit, relative to the current directory.",
)
@click.option("--across-settings", is_flag=True, help="Compare also what ran under different settings.")
@click.option(
    "--fail-on", type=click.Choice(["worse"]), help="Exit code 1 where a value is worse, or a trial ends no more."
)
@options(OUTPUT)
def compare(
    a: str,
    b: str,
    suites: tuple[str, ...],
    profiles: tuple[str, ...],
    models: tuple[str, ...],
    metrics: tuple[str, ...],
    results: Path,
    across_settings: bool,
    fail_on: str | None,
    form: str,
    out: Path | None,
) -> None:
    """Compare two results, A before and B after: what got better or worse.

    A and B are results folders, or commits, branches or tags with a results folder in them. Trials of the same suite,
    profile, model, loss weighting and seed are compared, B minus A, and each value has a verdict: better, worse, no
    difference found, or single run, where one seed does not tell. Costs too; times only of the same device, precision
    and threads. Trials under different settings are refused, with the settings. Exit code: 0; 1 with --fail-on; 2 where
    there is nothing to compare.
    """
    from bench.results.committed import results_at
    from bench.scoring.comparing import Selection
    from bench.scoring.comparing import compare as compare_results
    from bench.scoring.comparing_tables import comparison_as, remarks, summary_of
    from bench.scoring.output import check_out

    check_out(out)
    with ExitStack() as stack:
        before, after = (stack.enter_context(results_at(name, results)) for name in (a, b))
        found = compare_results(before, after, Selection(suites, profiles, models, metrics), across_settings)
        for problem in found.problems:
            click.echo(f"warning: {problem}", err=True)
        if form == "csv":
            for remark in remarks(found):
                click.echo(remark, err=True)
        put(comparison_as(form, found), form, out, summary_of(found))
    sys.exit(1 if fail_on and found.got_worse else 0)
