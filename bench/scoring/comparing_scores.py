"""Differences of G, C, mIoU and boundary F1 on the test split between two results, over seeds and over images."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from bench.errors import ResultsError, one_line
from bench.replication.scores import DEFAULT_PROTOCOL, scores
from bench.replication.statistics import Interval, paired, probability_of_improvement, t_interval
from bench.scoring.bootstrap import paired_image_intervals
from bench.scoring.difference import Difference, Row, verdict_of_score, verdict_without_value
from bench.scoring.latest import Cell, Matched, Place, key_of
from bench.scoring.stored import read_counts
from bench.study.catalog import METRIC_TITLES

Scores = dict[tuple[str, str], dict[int, float]]  # by seed, of a model (or its refined predictions) and metric


def scores_by_cell(rows: pd.DataFrame, digests: Mapping[Place, Mapping[str, Cell]]) -> dict[Cell, Scores]:
    """Returns the scores of the test split at the reported checkpoint.

    Args:
        rows: with the records `score`.
        digests: of the trials that count, with the cell of each, by suite and profile.
    """
    found: dict[Cell, Scores] = {}
    for (suite, profile), known in digests.items():
        part = rows[(rows["suite"] == suite) & (rows["profile"] == profile)]
        table = scores(part, known)
        table = table[table["split"] == "test"]
        for model, metric, trials, values in table[["model", "metric", "trials", "values"]].itertuples(index=False):
            found.setdefault(known[trials[0]], {})[model, metric] = values
    order = list(METRIC_TITLES)
    return {
        cell: dict(sorted(values.items(), key=lambda item: (item[0][0], order.index(item[0][1]))))
        for cell, values in found.items()
    }


def score_differences(
    cell: Cell, matched: Matched, scored: tuple[Scores, Scores], files: tuple[Mapping[str, Path], Mapping[str, Path]]
) -> Iterator[Difference]:
    """Yields the difference of each score of a cell that both sides have; those of refined predictions last.

    Args:
        matched: the trials of A and of B, of the same seeds.
        scored: of A and of B, from `scores_by_cell`.
        files: results files of A and of B by "ID-DIGEST"; the counts of the first seed are read.
    """
    trials = tuple(map(key_of, matched.a.values())), tuple(map(key_of, matched.b.values()))
    images, without = _image_intervals((trials[0][0], trials[1][0]), files)
    for (model, metric), first in scored[0].items():
        second = scored[1].get((model, metric))
        if second is None:
            continue
        protocol = DEFAULT_PROTOCOL if metric == "boundary_f1" else ""
        row = Row(cell.suite, cell.profile, cell.weighting, model, metric, protocol, "fraction")
        a, b = (float(np.mean(list(values.values()))) for values in (first, second))
        n = len(matched.a)
        if lacking := [name for name, value in zip("AB", (a, b), strict=True) if math.isnan(value)]:
            note = f"no value in {' and '.join(lacking)}"
            yield Difference(row, a, b, verdict_without_value(lacking), n, note=note, trials=trials)
            continue
        by_seed = paired(second, first)
        spread = t_interval(list(by_seed.values()))
        own = model == cell.model
        yield Difference(
            row,
            a,
            b,
            verdict_of_score(spread),
            n,
            spread=spread,
            images=images.get(metric) if own else None,
            probability=probability_of_improvement(list(second.values()), list(first.values())),
            note=without if own else "",
            trials=trials,
        )


def _image_intervals(
    keys: Collection[str], files: tuple[Mapping[str, Path], Mapping[str, Path]]
) -> tuple[dict[str, Interval], str]:
    """Returns the intervals of b - a over the images of two trials by metric, or why there are none."""
    counts = []
    for side, key, known in zip("AB", keys, files, strict=True):
        try:
            counts.append(read_counts(known[key], [DEFAULT_PROTOCOL]))
        except KeyError:
            return {}, f"no interval over images: no file of {side} is named {key}.parquet"
        except ResultsError as error:
            return {}, f"no interval over images: {one_line(error)} ({side})"
    try:
        found = paired_image_intervals(counts[1], counts[0])
    except ResultsError as error:
        return {}, f"no interval over images: {one_line(error)}"
    return {metric: interval for (metric, _), interval in found.items()}, ""
