"""`bench rescore` and `score`: other definitions, label maps made elsewhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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
from bench.cli.output import OUTPUT, counted, put
from bench.errors import ConfigError, ResultsError, one_line

if TYPE_CHECKING:
    from bench.data import Dataset
    from bench.scoring.definition import Definition
    from bench.scoring.rescoring import Rescored
    from bench.study.config import Study

MAX_BYTES = 8 << 30
BYTES_A_PIXEL = 5  # image, labels, predictions

DEFINITION = options(
    click.option(
        "--protocol",
        "protocols",
        multiple=True,
        metavar="NAME|all",
        help="Boundary F1 protocol, see `bench explain metrics`; may be repeated. Default: paper.",
    ),
    click.option(
        "--divisor",
        type=click.Choice(["union", "gt"]),
        default="union",
        show_default=True,
        help="Which classes count in an image's BF: in labels or prediction, or in labels only.",
    ),
    click.option(
        "--average",
        default="authors",
        show_default=True,
        metavar="RULE",
        help="Region rule of G, C and mIoU: authors, present, per-image or frequency-weighted.",
    ),
    click.option(
        "--classes",
        metavar="A,B,...",
        help="Only these classes; in G, C and mIoU pixels of others are treated as void.",
    ),
)


@click.command()
@options(SINGLE_SUITE, PROFILE, SELECTION, RESULTS, DEFINITION, OUTPUT)
@click.pass_context
def rescore(
    ctx: click.Context,
    suite: str,
    profile: str,
    models: tuple[str, ...],
    weightings: tuple[str, ...],
    seeds: tuple[int, ...],
    results: Path,
    form: str,
    out: Path | None,
    **given: Any,
) -> None:
    """Score stored results anew under another definition, without training.

    Every trial stores what its scores on the test split were counted from: at the reported checkpoint and at budgets,
    of the network's own predictions and of refined ones. Values are means over seeds, with their standard deviation.
    Trials that cannot be scored are named. Exit code: 0, or 2 where nothing can be scored.
    """
    from bench.data import dataset_of
    from bench.scoring.output import check_out
    from bench.scoring.rescoring import rescore_trials
    from bench.scoring.tables import rescored_as

    begun = time.perf_counter()
    check_out(out)
    trials = of_one_suite(study_of(ctx), suite, profile, models, weightings, seeds, results)
    check_trains(trials, "to score")
    suite, profile = trials[0].suite, trials[0].profile
    definition = _definition(dataset_of(trials[0].dataset, trials[0].dataset_options), **given)
    rescored = rescore_trials(results, trials, definition)
    for problem in rescored.problems:
        click.echo(f"warning: {problem}", err=True)
    _say_what_lacks(rescored, suite, profile)
    if not rescored.trials:
        raise ResultsError(
            f"nothing to score in '{results}'; "
            f"`bench status --suite {suite} --profile {profile} --results {results}` says what is done"
        )
    summary = f"{counted(rescored.trials, 'trial')}, {rescored.images} images, {time.perf_counter() - begun:.1f} s"
    if rescored.missing:
        summary += f"; not done yet: {counted(rescored.missing, 'training')}"
    put(rescored_as(form, rescored, definition, suite, profile), form, out, summary)


@click.command()
@click.option(
    "--predictions",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of label maps, one PNG with the name of its image (NAME.png).",
)
@click.option("--dataset", required=True, metavar="NAME", help="Data set in bench.yaml, e.g. camvid.")
@click.option("--split", default="test", show_default=True, metavar="NAME", help="test, val or train.")
@click.option("--profile", metavar="NAME", help="Score at the size of this profile.")
@click.option("--height", type=click.IntRange(1), metavar="PX", help="Score at this height; with --width.")
@click.option("--width", type=click.IntRange(1), metavar="PX", help="Score at this width; with --height.")
@click.option(
    "--encoding",
    type=click.Choice(["ids", "palette"]),
    default="ids",
    show_default=True,
    help="ids: a pixel is a class id (8-bit grey, or indexed). palette: it has the colour of its class (RGB).",
)
@click.option(
    "--first-id", type=click.Choice(["0", "1"]), default="0", show_default=True, help="The id of the first class."
)
@click.option("--resize", type=click.Choice(["nearest"]), help="Resize label maps of another size.")
@options(DEFINITION)
@click.option("--per-class", is_flag=True, help="Also show the scores of each class.")
@options(OUTPUT)
@click.pass_context
def score(
    ctx: click.Context,
    predictions: Path,
    dataset: str,
    split: str,
    profile: str | None,
    height: int | None,
    width: int | None,
    encoding: Literal["ids", "palette"],
    first_id: str,
    resize: str | None,
    per_class: bool,
    form: str,
    out: Path | None,
    **given: Any,
) -> None:
    """Score label maps that were made elsewhere: a folder of PNGs, one for each image of a split.

    They are scored at the size of the largest profile that uses the data set (camvid: 360x480), unless another is named
    with --profile, or --height and --width. Every pixel has to have a class; void in the labels counts nowhere.
    """
    from bench.data import dataset_of, load_split
    from bench.scoring.output import check_out
    from bench.scoring.predictions import Reading, read_predictions, shown
    from bench.scoring.scored_maps import score_maps
    from bench.scoring.tables import scores_as
    from bench.study.catalog import resolve

    begun = time.perf_counter()
    check_out(out)
    study = study_of(ctx)
    dataset = resolve("data set", dataset, study.datasets)
    entry = dataset_of(dataset, study.datasets[dataset].options)
    definition = _definition(entry, **given)
    if encoding == "palette" and first_id != "0":
        raise ConfigError("--first-id is about --encoding ids; a palette has no ids")
    size = _size(study, dataset, profile, height, width)
    _check_memory(study, dataset, split, size)
    labels = load_split(dataset, split, *size, study.datasets[dataset].options)
    reading = Reading(size, entry.class_names, entry.palette, encoding, int(first_id), resize is not None)
    maps, extra = read_predictions(predictions, labels.names, reading)
    if extra:
        click.echo(
            f"warning: {counted(len(extra), 'other file')} in '{one_line(predictions)}', not counted: {shown(extra)}",
            err=True,
        )
    scores = score_maps(definition, labels.class_names, labels.labels, maps)
    where = {"dataset": dataset, "split": split, "height": size[0], "width": size[1], "images": len(maps)}
    content = scores_as(form, where | {"predictions": one_line(predictions, 1000)}, definition, scores, per_class)
    put(content, form, out, f"{len(maps)} images, {time.perf_counter() - begun:.1f} s")


def _definition(
    dataset: Dataset, protocols: tuple[str, ...], divisor: Literal["union", "gt"], average: str, classes: str | None
) -> Definition:
    from bench.scoring.definition import definition_of

    return definition_of(protocols, divisor, average, classes, dataset.class_names)


def _size(study: Study, dataset: str, profile: str | None, height: int | None, width: int | None) -> tuple[int, int]:
    """Returns height and width that are asked for, or those of the largest profile that uses the data set."""
    from bench.study.catalog import resolve

    if (height is None) != (width is None):
        raise ConfigError("--height and --width go together")
    if height is not None and width is not None:
        if profile:
            raise ConfigError("--profile and --height, --width both say a size; leave one out")
        return height, width
    if profile:
        spec = study.profiles[resolve("profile", profile, study.profiles)]
        return spec.height, spec.width
    used = {name for suite in study.suites.values() for name, run in suite.runs.items() if run.dataset == dataset}
    if not used:
        raise ConfigError(f"no profile uses data set {dataset}; name a size with --height and --width")
    sizes = [(study.profiles[name].height, study.profiles[name].width) for name in used]
    return max(sizes, key=lambda size: (size[0] * size[1], size))


def _check_memory(study: Study, dataset: str, split: str, size: tuple[int, int]) -> None:
    """Refuses what would not fit into memory; an unknown split is refused where it is read."""
    images = getattr(study.datasets[dataset], split, 1) if split in ("train", "val", "test") else 1
    needed = images * size[0] * size[1] * BYTES_A_PIXEL
    if needed > MAX_BYTES:
        raise ConfigError(
            f"{images} images of {size[0]}x{size[1]} px take {needed / 2**30:.0f} GiB, at most {MAX_BYTES >> 30} GiB "
            "are used; choose a smaller size with --height and --width"
        )


def _say_what_lacks(rescored: Rescored, suite: str, profile: str) -> None:
    """Names finished trials that cannot be scored, or not in full."""
    for reason, names in rescored.without.items():
        click.echo(
            f"warning: {counted(len(names), 'trial')} not scored in full, {one_line(reason)}: {', '.join(names)}; "
            f"`bench run --suite {suite} --profile {profile} --results DIR` into another folder measures them anew",
            err=True,
        )
