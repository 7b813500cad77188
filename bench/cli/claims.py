"""`bench claims`: what the paper says in words, whether its own tables bear it out, and whether ours do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import ONE_SUITE, RESULTS, options, study_of
from bench.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.replication.claim_form import Claim
    from bench.replication.claim_verdicts import ClaimVerdict


@click.command()
@click.option(
    "--on",
    "tested_on",
    type=click.Choice(["paper", "results"]),
    help="paper: test the claims on the numbers of the paper's own tables. results: test them on ours; with --profile.",
)
@click.option("--profile", metavar="NAME", help="smoke, mini or paper; with --on results.")
@options(RESULTS, ONE_SUITE)
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this claim, with all its parts; may be repeated.")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Claims of your own, in the form that docs/claims.md explains, instead of the paper's.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
    help="How to print them.",
)
@click.pass_context
def claims(
    ctx: click.Context,
    tested_on: str | None,
    profile: str | None,
    results: Path,
    suite: str | None,
    ids: tuple[str, ...],
    path: Path | None,
    form: str,
) -> None:
    """List what the paper says in words, and test it on the paper's own tables or on our results.

    A claim is a statement of the paper, in our words, with the comparisons of table cells that it comes to. The column
    "its own numbers" says whether the paper's tables bear it out. Verdicts on results: replicated, contradicted,
    inconclusive, not tested. Exit code: 0, whatever the verdicts; `bench check` turns them into one.
    """
    from bench.replication.claims import claims as read_claims
    from bench.reporting.commands import claim_text

    given = ctx.get_parameter_source("results") is click.core.ParameterSource.COMMANDLINE
    if tested_on == "results" and profile is None:
        raise ConfigError("--on results needs --profile NAME: smoke, mini or paper")
    if tested_on != "results" and (profile is not None or given):
        raise ConfigError(f"{'--results' if given else '--profile'} goes with --on results")
    known = read_claims(path) if path else read_claims()
    chosen = _chosen(ctx, known, ids, suite)
    if tested_on == "results":
        lines = claim_text.verdict_lines(_verdicts(ctx, chosen, str(profile), results))
    else:
        lines = (claim_text.audit_lines if tested_on else claim_text.list_lines)(chosen.values())
    if form == "table":
        claim_text.print_claims(lines, details=bool(ids))
    else:
        click.echo((claim_text.to_json if form == "json" else claim_text.to_markdown)(lines), nl=False)


def _chosen(ctx: click.Context, known: Mapping[str, Claim], ids: Sequence[str], suite: str | None) -> dict[str, Claim]:
    """Returns the claims that are meant, by id."""
    lowered = {key.lower(): key for key in known}
    for name in ids:
        if name.lower() not in lowered:
            near = did_you_mean(name.upper(), known)
            raise ConfigError(f"unknown claim '{name}'{near}; `bench claims` lists the {len(known)} that there are")
    wanted = {lowered[name.lower()] for name in ids} or set(known)
    tables = _tables_of(ctx, suite) if suite else None
    chosen = {
        key: claim for key, claim in known.items() if key in wanted and (tables is None or claim.tables[0] in tables)
    }
    if not chosen:
        raise ConfigError(f"none of the claims is about a table of suite {suite}")
    return chosen


def _tables_of(ctx: click.Context, suite: str) -> set[str]:
    """Returns the tables of the paper that a suite, or a group of suites, replicates."""
    from bench.study.trials import suites_of

    study = study_of(ctx)
    names = suites_of(study, suite)
    tables: set[str] = {table for name in names for table in study.suites[name].tables}
    if not tables:
        with_tables = [name for name, spec in study.suites.items() if spec.tables]
        raise ConfigError(
            f"suite {names[0]} belongs to no table of the paper, so no claim is about it; "
            f"suites with claims: {', '.join(with_tables)}"
        )
    return tables


def _verdicts(ctx: click.Context, chosen: Mapping[str, Claim], profile: str, results: Path) -> list[ClaimVerdict]:
    from bench.replication.claim_verdicts import claim_verdicts
    from bench.results.store import load_results
    from bench.study.catalog import resolve

    study = study_of(ctx)
    scale = resolve("profile", profile, study.profiles)
    found = load_results(results, profile=scale)
    for problem in found.problems:
        click.echo(f"warning: {problem}", err=True)
    return claim_verdicts(found.rows, study, scale, known=chosen)
