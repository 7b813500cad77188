"""The paper's tables with ours beside them: which function makes which.

Each gives a `Table`, which formats.py writes as Markdown and CSV, html.py as HTML, and latex.py as LaTeX.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.replication.scores import costs, scores
from bench.reporting.tables.beside_paper import TableSource
from bench.reporting.tables.by_budget import table_by_budget
from bench.reporting.tables.cells import Table
from bench.reporting.tables.deep_costs import table_costs
from bench.reporting.tables.notes import training_notes
from bench.reporting.tables.per_class import table_per_class
from bench.reporting.tables.variants import table_1


def side_by_side(source: TableSource) -> list[Table]:
    """Returns the tables of a suite, in its order."""
    return [MAKERS[key](key, source) for key in source.tables]


def _table_1(key: str, source: TableSource) -> Table:
    first = source.trials[0]
    return table_1(
        scores(source.results),
        costs(source.results),
        notice=source.notice,
        stale=source.stale,
        weightings=list(dict.fromkeys(trial.weighting for trial in source.trials if trial.weighting)),
        models=source.rows,
        timing_size=(first.timing_height, first.timing_width),
        notes=training_notes(source.results, source.trials, source.tables),
    )


MAKERS: dict[str, Callable[[str, TableSource], Table]] = {
    "T1": _table_1,
    "T2": table_per_class,
    "T3": table_by_budget,
    "T4": table_by_budget,
    "T5": table_per_class,
    "T6": table_costs,
}
