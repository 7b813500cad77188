"""`bench data`: list, verify, add and fetch data sets, and the weights that networks can start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import KnownCommands, study_of
from bench.errors import ConfigError
from bench.study.catalog import resolve

if TYPE_CHECKING:
    from bench.data import Dataset
    from bench.study.specs import DatasetSpec

# By reader: what says where its files are.
VARIABLES = {"camvid": "BENCH_CAMVID", "sun_rgbd": "BENCH_SUNRGBD", "pascal_voc": "BENCH_VOC"}


@click.group(cls=KnownCommands)
def data() -> None:
    """List, check and bring data sets."""


@data.command(name="list")
@click.pass_context
def data_list(ctx: click.Context) -> None:
    """Show each data set, its size and whether it is here."""
    from bench.data import dataset_of
    from bench.reporting.commands.console import print_datasets

    study = study_of(ctx)
    print_datasets(study, {name: dataset_of(name, spec.options) for name, spec in study.datasets.items()})


@data.command()
@click.argument("name")
@click.pass_context
def verify(ctx: click.Context, name: str) -> None:
    """Read every image of a data set, or a file of weights, and compare it with the known digests."""
    if weights := _weights(ctx, name):
        from bench.data.pretrained import verified, weights_path

        click.echo(f"'{verified(weights_path(weights), weights['sha256'])}': verified")
        return
    name, dataset, spec = _chosen(ctx, name)
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
    """Copy a data set (a folder or an archive), or weights, to where trials look for it, after checking it."""
    there = _in_place()
    if weights := _weights(ctx, name):
        from bench.data import pretrained

        file = pretrained.add(path, weights)
        _say_where_weights(weights, file)
        _say_not_read(path, file, there)
        return
    name, dataset, spec = _chosen(ctx, name)
    if dataset.locate is None:
        raise ConfigError(f"{dataset.title} is drawn on the fly; there is nothing to add")
    if dataset.add is None:
        raise ConfigError(
            f"{dataset.title}: its files stay where they are; name their folder as `folder` of data set {name} in "
            "bench.yaml, or in BENCH_LIST_FILES"
        )
    folder = dataset.add(path, spec.options)
    say_where(spec.reader or name, dataset, folder)
    _say_not_read(path, folder, there)


@data.command()
@click.argument("name")
@click.option("--url", metavar="URL", help="Another address than the one in bench.yaml.")
@click.pass_context
def fetch(ctx: click.Context, name: str, url: str | None) -> None:
    """Download a public data set, or weights, check it and put it where trials look for it."""
    from bench.reporting.commands.console import download_progress

    if weights := _weights(ctx, name):
        from bench.data import pretrained

        if not (url or weights["url"]):
            raise ConfigError(f"weights {weights['name']}: bench.yaml has no `url` for them; there is nothing to fetch")
        with download_progress() as progress:
            file = pretrained.fetch(url or weights["url"], weights, progress)
        _say_where_weights(weights, file)
        return
    name, dataset, spec = _chosen(ctx, name)
    if dataset.fetch is None or not (url or spec.url):
        raise ConfigError(f"{dataset.title} has no public archive; there is nothing to fetch")
    with download_progress() as progress:
        folder = dataset.fetch(url or spec.url, spec.options, progress)
    say_where(spec.reader or name, dataset, folder)


def say_where(reader: str, dataset: Dataset, folder: Path) -> None:
    """Says where a checked copy is, and when trials would look elsewhere."""
    click.echo(f"a checked copy of {dataset.title} is in '{folder}'")
    if dataset.locate is not None and (used := dataset.locate()) != folder:
        click.echo(f"note: {VARIABLES[reader]} is set, so trials use '{used}'; unset it to use this copy", err=True)


def _in_place() -> set[Path]:
    """Returns what lies where copies are put."""
    from bench.data.camvid import data_folder

    base = data_folder()
    return {*base.glob("*"), *base.glob("*/*")}


def _say_not_read(path: Path, copy: Path, there: set[Path]) -> None:
    """Says that a good copy was there before, so that what the user named was left alone."""
    if copy in there:
        click.echo(f"note: it was there before, so '{path}' was not read; remove it to add another", err=True)


def _say_where_weights(weights: dict[str, Any], path: Path) -> None:
    """Says where a checked copy of weights is, and when trainings would use another file."""
    click.echo(f"a checked copy of {weights['name']} is in '{path}'")
    if weights["file"]:
        note = f"note: bench.yaml names '{weights['file']}' as their `file`, so trainings use that; leave `file` out to"
        click.echo(f"{note} use this copy", err=True)


def _weights(ctx: click.Context, name: str) -> dict[str, Any] | None:
    """Returns what the study says about weights, with their name; None where the name is that of a data set."""
    study = study_of(ctx)
    key = resolve("data set", name, [*study.datasets, *study.pretrained])
    return None if key in study.datasets else {"name": key, **study.pretrained[key].model_dump()}


def _chosen(ctx: click.Context, name: str) -> tuple[str, Dataset, DatasetSpec]:
    """Returns the study's name of a data set, its entry and what the study says about it."""
    from bench.data import dataset_of

    study = study_of(ctx)
    name = resolve("data set", name, study.datasets)
    return name, dataset_of(name, study.datasets[name].options), study.datasets[name]
