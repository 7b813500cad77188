"""Test scores of a suite as means with their intervals over seeds, in tables of text."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

import pandas as pd

from bench.replication.scores import budget_scores, scores
from bench.replication.statistics import t_interval
from bench.reporting.comparisons.comparison import DECIMALS
from bench.reporting.comparisons.suite_results import SuiteResults
from bench.reporting.tables.cells import MISSING
from bench.study.catalog import METRIC_TITLES, ROW_TITLES, WEIGHTING_TITLES


class IntervalRow(NamedTuple):
    """A network's scores, one text for each of METRIC_TITLES, and how many runs are behind them."""

    title: str
    cells: tuple[str, ...]
    runs: int


class IntervalTable(NamedTuple):
    """Rows of one loss weighting at one point of the trainings."""

    title: str
    rows: tuple[IntervalRow, ...]


def interval_tables(suite: SuiteResults) -> list[IntervalTable]:
    """Returns the test scores at each budget and at the reported checkpoint, a table a loss weighting; none stale.

    Means are in percent. Behind each stands the interval that holds the mean over all seeds with 95 % confidence
    (Student's t), where there are two seeds or more.
    """
    rows = suite.rows[~suite.rows["digest"].isin(list(suite.stale.digests))]
    parts = [part for part in (budget_scores(rows), scores(rows)) if len(part)]
    if not parts:
        return []
    found = pd.concat(parts, ignore_index=True)
    by_cell = dict(list(found[found["split"] == "test"].groupby(["model", "weighting", "budget"])))
    budgets = next((trial.budgets for trial in suite.trainings if trial.budgets), {})
    tables = []
    for weighting, budget in product(suite.weightings, (*budgets, "")):
        cells = {model: by_cell.get((model, weighting, budget)) for model in ROW_TITLES}
        listed = tuple(_row(model, cell) for model, cell in cells.items() if cell is not None)
        if listed:
            tables.append(IntervalTable(_title(weighting, budget, budgets), listed))
    return tables


def _title(weighting: str, budget: str, budgets: Mapping[str, int]) -> str:
    where = f", at {budget} (here {budgets[budget]} iterations)" if budget else ", at the end" * bool(budgets)
    return WEIGHTING_TITLES[weighting] + where


def _row(model: str, cell: pd.DataFrame) -> IntervalRow:
    values = dict(zip(cell["metric"], cell["values"], strict=True))
    texts = tuple(_score(values.get(metric, {}), DECIMALS.get(metric, 1)) for metric in METRIC_TITLES)
    return IntervalRow(ROW_TITLES[model], texts, max(len(seeds) for seeds in values.values()))


def _score(by_seed: Mapping[int, float], decimals: int) -> str:
    """Returns a mean in percent, and its interval where there are seeds enough for one."""
    if not by_seed:
        return MISSING
    values = [100 * value for value in by_seed.values()]
    mean = f"{sum(values) / len(values):.{decimals}f}"
    between = t_interval(values)
    return f"{mean} ({between.low:.{decimals}f} to {between.high:.{decimals}f})" if between else mean
