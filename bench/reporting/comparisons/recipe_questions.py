"""What the recipe leaves open, from pairs of trainings that differ in one thing: weights, loss, length, ranking.

Each function returns a table (comparison.py), or None where no two trainings of the kind have a result.
"""

from __future__ import annotations

from collections.abc import Mapping

from bench.replication.paper import target
from bench.reporting.comparisons.comparison import (
    Comparison,
    ComparisonRow,
    Pair,
    Side,
    runs_of,
    score_comparison,
    swaps,
)
from bench.reporting.comparisons.suite_results import SuiteResults
from bench.study.catalog import METRIC_TITLES, MODEL_TITLES, WEIGHTING_TITLES

COMPUTED, OFFICIAL = "median_frequency", "median_frequency_official"
BY_RANK = ("global_accuracy", "mean_iou")


def class_weights(suite: SuiteResults) -> Comparison | None:
    """Returns computed against official class weights, for each model that was trained with both."""
    found = suite.scored()
    pairs = {
        MODEL_TITLES[model]: (found[model, COMPUTED], found[model, OFFICIAL])
        for model in suite.models
        if {(model, COMPUTED), (model, OFFICIAL)} <= found.keys()
    }
    sides = (WEIGHTING_TITLES[COMPUTED], WEIGHTING_TITLES[OFFICIAL])
    return score_comparison(f"weights-{suite.suite}", f"Suite {suite.suite}", sides, pairs) if pairs else None


def losses(averaged: SuiteResults, summed: SuiteResults) -> Comparison | None:
    """Returns the averaged against the summed loss, for each model and weighting that was trained with both."""
    return _between("loss", "The loss", ("averaged", "summed"), averaged, summed)


def lengths(short: SuiteResults, long: SuiteResults) -> Comparison | None:
    """Returns the short against the long training, for each model and weighting that was trained with both."""
    sides = [f"{suite.planned[0].iterations:,} iterations".replace(",", " ") for suite in (short, long)]
    return _between("length", "The length of the training", (sides[0], sides[1]), short, long)


def _between(key: str, title: str, sides: tuple[str, str], one: SuiteResults, other: SuiteResults) -> Comparison | None:
    left, right = one.scored(), other.scored()
    pairs = {MODEL_TITLES[model]: (left[model, w], right[model, w]) for model, w in left if (model, w) in right}
    return score_comparison(key, title, sides, pairs) if pairs else None


def rankings(suite: SuiteResults) -> Comparison | None:
    """Returns each model's place by global accuracy and by mean IoU on the test images, in the paper and in ours."""
    rows, notes = [], []
    found = suite.scored()
    for weighting in suite.weightings:
        of_models = {model: found[model, weighting] for model in suite.models if (model, weighting) in found}
        ours = {model: side for model, side in of_models.items() if not side.stale}
        paper = _printed(suite.tables[0], ours, weighting) if suite.tables else {}
        if len(ours) < 2 or len(paper) < len(ours):
            continue
        places = [_places(sides, metric) for sides in (paper, ours) for metric in BY_RANK]
        rows += [
            ComparisonRow(
                MODEL_TITLES[model],
                (Pair(places[0][model], places[1][model]), Pair(places[2][model], places[3][model])),
                runs_of(ours[model]),
                WEIGHTING_TITLES[weighting],
            )
            for model in ours
        ]
        where = WEIGHTING_TITLES[weighting]
        whose = ((paper, "the paper's numbers"), (ours, "ours"))
        notes += [f"{where[:1].upper()}{where[1:]}, {name}: {_swapped(sides)}" for sides, name in whose]
        notes.append(f"{where[:1].upper()}{where[1:]}, from the paper to ours: {swaps(paper, ours, MODEL_TITLES)}")
    if not rows:
        return None
    by = tuple(METRIC_TITLES[metric] for metric in BY_RANK)
    key, title = f"ranking-{suite.suite}", f"Suite {suite.suite}"
    return Comparison(
        key, title, (f"place by {by[0]}", f"place by {by[1]}"), ("Paper", "Ours"), tuple(rows), tuple(notes)
    )


def _printed(table: str, models: Mapping[str, Side], weighting: str) -> dict[str, Side]:
    """Returns the paper's test scores of some models, as fractions."""
    printed = {
        model: {metric: target(table, model, weighting, "test", metric) for metric in METRIC_TITLES} for model in models
    }
    return {
        model: Side({metric: {0: float(cell.value)} for metric, cell in cells.items() if cell})
        for model, cells in printed.items()
        if all(cells[metric] for metric in BY_RANK)
    }


def _places(sides: Mapping[str, Side], metric: str) -> dict[str, str]:
    """Returns each model's place by a metric, from 1; models that are equal share the better one."""
    means = {model: side.mean(metric) for model, side in sides.items()}
    return {model: str(1 + sum(other > mean for other in means.values())) for model, mean in means.items()}


def _swapped(sides: Mapping[str, Side]) -> str:
    """Says which pairs of models the two metrics rank differently."""
    by_first, by_second = (
        {model: Side({"mean_iou": side.values[metric]}) for model, side in sides.items()} for metric in BY_RANK
    )
    text = swaps(by_first, by_second, MODEL_TITLES)
    return text.replace(" by mIoU,", "").replace(", by mIoU.", ".")
