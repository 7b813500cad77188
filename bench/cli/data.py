"""`bench data`: list, verify, add and fetch data sets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bench.cli.options import study_of
from bench.errors import ConfigError
from bench.study.catalog import resolve

VARIABLES = {"camvid": "BENCH_CAMVID", "sun_rgbd": "BENCH_SUNRGBD", "pascal_voc": "BENCH_VOC"}


@click.group()
def data() -> None:
    """List, check and bring data sets."""


@data.command(name="list")
@click.pass_context
def data_list(ctx: click.Context) -> None:
    """Show each data set, its size and whether it is here."""
    from bench.data import DATASETS
    from bench.reporting.console import print_datasets

    print_datasets(study_of(ctx), DATASETS)


@data.command()
@click.argument("name")
@click.pass_context
def verify(ctx: click.Context, name: str) -> None:
    """Read every image of a data set and compare it with the known digests."""
    dataset, spec = dataset_of(ctx, name)
    if dataset.verify is None:
        click.echo(f"{dataset.title} is drawn on the fly; there is nothing to verify")
        return
    reports = dataset.verify(spec.options)
    for found in reports:
        state = found.problem or "verified"
        click.echo(f"{found.split}: {found.images} of {found.expected} images, {state}")
    sys.exit(2 if any(found.problem for found in reports) else 0)


@data.command()
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_context
def add(ctx: click.Context, name: str, path: Path) -> None:
    """Copy a data set that you have (a folder or an archive) to where trials look for it, after checking it."""
    dataset, spec = dataset_of(ctx, name)
    if dataset.add is None:
        raise ConfigError(f"{dataset.title} is drawn on the fly; there is nothing to add")
    say_where(name, dataset, dataset.add(path, spec.options))


@data.command()
@click.argument("name")
@click.option("--url", metavar="URL", help="Another archive than the one in bench.yaml.")
@click.pass_context
def fetch(ctx: click.Context, name: str, url: str | None) -> None:
    """Download a public data set, check it and put it where trials look for it."""
    from bench.reporting.console import download_progress

    dataset, spec = dataset_of(ctx, name)
    if dataset.fetch is None or not (url or spec.url):
        raise ConfigError(f"{dataset.title} has no public archive; there is nothing to fetch")
    with download_progress() as progress:
        folder = dataset.fetch(url or spec.url, spec.options, progress)
    say_where(name, dataset, folder)


def say_where(name: str, dataset: Any, folder: Path) -> None:
    """Says where a checked copy is, and when trials would look elsewhere."""
    click.echo(f"a checked copy of {dataset.title} is in '{folder}'")
    if dataset.locate is not None and (used := dataset.locate()) != folder:
        variable = VARIABLES[resolve("data set", name, VARIABLES)]
        click.echo(f"note: {variable} is set, so trials use '{used}'; unset it to use this copy", err=True)


def dataset_of(ctx: click.Context, name: str) -> tuple[Any, Any]:
    """Returns the entry of DATASETS and the spec in the study for a data set's name."""
    from bench.data import DATASETS

    study = study_of(ctx)
    key = resolve("data set", name, study.datasets)
    return DATASETS[key], study.datasets[key]
