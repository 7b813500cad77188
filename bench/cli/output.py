"""What the commands that print tables share: the options --format and --out, and where the answer goes."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import options

OUTPUT = options(
    click.option(
        "--format",
        "form",
        type=click.Choice(["table", "markdown", "csv", "json"]),
        default="table",
        show_default=True,
        help="table and markdown are in percent, csv and json in fractions.",
    ),
    click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write into FILE, do not print."),
)


def counted(number: int, what: str) -> str:
    """Returns "1 trial" or "2 trials"."""
    return f"{number} {what}{'s' * (number != 1)}"


def put(content: str, form: str, out: Path | None, summary: str) -> None:
    """Prints or writes the content; the summary goes where it disturbs no program that reads."""
    from bench.scoring.output import write_text

    if out is not None:
        write_text(out, content)
        click.echo(f"{summary}; written: {out}")
        return
    click.echo(content)
    click.echo(("\n" if form == "table" else "") + summary, err=form != "table")
