"""`bench open`: the report in the browser."""

from __future__ import annotations

import shlex
import webbrowser
from pathlib import Path

import click

from bench.cli.options import study_of
from bench.errors import ConfigError, ResultsError, one_line


@click.command(name="open")
@click.option("--suite", metavar="NAME", help="The page of this suite, or group of suites. Default: the overview.")
@click.option("--profile", metavar="NAME", help="The page of this profile. Default: the only one there is.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="reports",
    show_default=True,
    metavar="DIR",
    help="Folder of reports, as of `bench report`.",
)
@click.pass_context
def open_report(ctx: click.Context, suite: str | None, profile: str | None, out: Path) -> None:
    """Open the report in the browser, and print its path.

    The page is a file on disk. Where no browser can be started, the path is all there is, and the exit code is 0.
    """
    page = _page(ctx, suite, profile, out)
    click.echo(page)
    try:
        opened = webbrowser.open(page.resolve().as_uri())
    except webbrowser.Error:
        opened = False
    if not opened:
        click.echo("no browser could be started; open the page yourself", err=True)


def _page(ctx: click.Context, suite: str | None, profile: str | None, out: Path) -> Path:
    """Returns the page that is meant."""
    from bench.study.catalog import resolve

    report = ["bench", "report"]
    if suite is None:
        if profile:
            raise ConfigError("--profile goes with --suite; the overview shows all profiles")
        page = out / "index.html"
    else:
        study = study_of(ctx)
        suite = resolve("suite", suite, [*study.suites, *study.groups])
        report += ["--suite", suite]
        if profile:
            profile = resolve("profile", profile, study.profiles)
            report += ["--profile", profile]
        page = out / suite / (profile or _only_profile(out / suite)) / "index.html"
    if not page.is_file():
        report += [] if out == Path("reports") else ["--out", str(out)]
        raise ResultsError(f"there is no '{one_line(page)}'; `{one_line(shlex.join(report))}` writes it")
    return page


def _only_profile(folder: Path) -> str:
    """Returns the profile of which there is a page; a pattern where there is none, which no page has."""
    found = sorted(page.parent.name for page in folder.glob("*/index.html"))
    if len(found) > 1:
        raise ConfigError(
            f"there are reports of {folder.name} in several profiles; name one with --profile: {', '.join(found)}"
        )
    return found[0] if found else "*"
