"""`bench findings`: what replicated and what did not, as one page."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import RESULTS, options, study_of


@click.command()
@click.option("--profile", required=True, metavar="NAME", help="smoke, mini or paper.")
@options(RESULTS)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write them there, e.g. docs/findings.md. Default: print them.",
)
@click.pass_context
def findings(ctx: click.Context, profile: str, results: Path, out: Path | None) -> None:
    """Say what replicated and what did not, in one Markdown page made from the stored results.

    What was run and what its scale allows to say, scores with their intervals, a verdict on every claim of the paper,
    and what the recipe leaves open: ranking and choice of checkpoint by mIoU, class weights, the loss, memory for
    encoder information.
    """
    from bench.reporting.commands.places import Places
    from bench.reporting.pages.findings import findings as page
    from bench.reporting.pages.report_source import ReportSource
    from bench.reporting.rendering import made_folder, write_text
    from bench.results.store import load_results

    study = study_of(ctx)
    stored = load_results(results)
    for problem in stored.problems:
        click.echo(f"warning: {problem}", err=True)
    text = page(ReportSource(stored.rows, study, results, stored.problems), profile, Places(results, ctx.obj))
    if out is None:
        click.echo(text, nl=False)
    else:
        made_folder(out.parent)
        write_text(out, text)
        click.echo(f"findings: {out}")
