"""`bench explain`: what the numbers mean."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import KnownCommands
from bench.errors import ConfigError


@click.group(cls=KnownCommands)
def explain() -> None:
    """Say what the numbers mean."""


@explain.command()
@click.argument("name", required=False)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the pictures of docs/metrics.md into DIR instead.",
)
def metrics(name: str | None, pictures: Path | None) -> None:
    """Print the definition of every metric, rule and protocol with its source, or of the one called NAME."""
    from bench.reporting.definitions.explain import definition_of, print_all, print_definition

    if pictures is not None:
        if name:
            raise ConfigError(f"--pictures writes all pictures; leave out the name '{name}'")
        from bench.reporting.definitions.pictures import write_pictures

        for path in write_pictures(pictures):
            click.echo(f"picture: {path}")
    elif name:
        print_definition(definition_of(name))
    else:
        print_all()
