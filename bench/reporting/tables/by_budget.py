"""Tables 3 and 4: the scores of the deep networks at fixed points of one training, and at the best point after them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bench.replication.paper import PaperTable, paper_table
from bench.replication.scores import DEFAULT_PROTOCOL, budget_scores, scores
from bench.reporting.tables.beside_paper import (
    NOT_IN_PAPER,
    Measured,
    RowKey,
    TableSource,
    by_place,
    cell_at,
    decimals_of,
    row_of,
    spaced,
    weighting_of,
)
from bench.reporting.tables.cells import Cell, Column, Place, Row, Table, with_best
from bench.reporting.tables.notes import BEST, protocol_note, runs_notes, stale_notes, training_notes
from bench.study.catalog import METRIC_TITLES, REFINED_TITLES, ROW_TITLES, WEIGHTING_TITLES, refined
from bench.study.trials import Trial

LENGTH = "max_iterations"  # a column of the paper's table
WEIGHTING = "natural_frequency"  # of the paper's rows, but one
BALANCED = "with class balancing"
_PER_K = 1000


def table_by_budget(key: str, source: TableSource) -> Table:
    """Returns Table 3 or 4: G, C, mIoU and BF on test after each fixed length and at the end, the paper's beside ours.

    Args:
        key: "T3" or "T4".
        source: what there is of ours; its trials say how long each fixed length is here.
    """
    paper = paper_table(key)
    frames = (budget_scores(source.results), scores(source.results))
    measured: dict[Place, Measured] = {}
    for frame in frames:
        measured |= by_place(frame[frame["split"] == "test"], source.stale)
    columns = _columns(paper, source.trials)
    keys = _keys(paper, source.rows, measured)
    rows = [_row(paper, key, columns, measured, source.trials) for key in keys]
    notes = (
        *stale_notes(rows, source.stale),
        *training_notes(source.results, source.trials, source.tables),
        *_budget_notes(paper, source.trials, keys),
        BEST,
        *runs_notes(rows),
        protocol_note(DEFAULT_PROTOCOL),
    )
    title = f"The paper's Table {key.removeprefix('T')}: {paper.title}"
    return Table(key, title, tuple(columns), with_best(rows, columns), source.notice, notes)


def budgets_of(trials: Iterable[Trial]) -> dict[str, int]:
    """Returns the fixed points of the trainings, in their order; all trainings of a suite have the same."""
    return next((trial.budgets for trial in trials if trial.kind == "training"), {})


def _columns(paper: PaperTable, trials: Sequence[Trial]) -> list[Column]:
    ours = budgets_of(trials)
    points = dict.fromkeys([*paper.budgets, *ours])
    after = max(ours.values(), default=0)
    sections = {name: _heading(name, ours.get(name)) for name in points}
    sections[""] = f"> {list(points)[-1]}: best point" + (f" after {spaced(after)} iterations here" if after else "")
    columns = [
        Column(
            section, "", title, metric, "percent", WEIGHTING, "test", budget=name,
            protocol=DEFAULT_PROTOCOL if metric == "boundary_f1" else "",
        )
        for name, section in sections.items()
        for metric, title in METRIC_TITLES.items()
    ]  # fmt: skip
    return [*columns, Column("Length", "", "Max. iterations (K)", LENGTH, paper.units[LENGTH])]


def _heading(name: str, iterations: int | None) -> str:
    if iterations is None:
        return f"{name}: not planned here"
    return f"{name} iterations" if _in_paper(name) == iterations else f"{name}: {spaced(iterations)} iterations here"


def _in_paper(name: str) -> int | None:
    """Returns the number of iterations that a name such as 40K stands for."""
    number = name.removesuffix("K")
    return int(number) * _PER_K if number.isdigit() and name.endswith("K") else None


def _keys(paper: PaperTable, planned: Sequence[str], measured: Mapping[Place, Measured]) -> list[RowKey]:
    """Returns the paper's rows of what is planned or was run, in its order, then what it has not."""
    run = dict.fromkeys((place.model, place.weighting) for place in measured)
    found = {}
    for name, row in paper.rows.items():
        weighting = weighting_of(paper, name) or WEIGHTING
        where = (row.model, weighting)
        if where in run or (weighting == WEIGHTING and row.model in planned):
            group = paper.groups[row.group] if weighting == WEIGHTING else BALANCED
            found[where] = RowKey(name, row.model, row.title, group, weighting)
    for model, weighting in [*((model, WEIGHTING) for model in planned), *run]:
        title = ROW_TITLES[model] + ("" if weighting == WEIGHTING else f", {WEIGHTING_TITLES[weighting]}")
        found.setdefault((model, weighting), RowKey("", model, title, NOT_IN_PAPER, weighting))
    return list(found.values())


def _row(
    paper: PaperTable,
    key: RowKey,
    columns: Sequence[Column],
    measured: Mapping[Place, Measured],
    trials: Sequence[Trial],
) -> Row:
    cells = [
        _length(paper, key, column, trials)
        if column.metric == LENGTH
        else cell_at(paper, key, column, measured, decimals_of(paper, column.metric))
        for column in columns
    ]
    return row_of(key, cells, WEIGHTING)


def _length(paper: PaperTable, key: RowKey, column: Column, trials: Sequence[Trial]) -> Cell:
    """Returns the paper's longest training and ours, which is a setting; they are not subtracted."""
    cell = cell_at(paper, key, column, {})
    for trial in trials:
        if trial.kind == "training" and key.model in (trial.model, refined(trial.model, trial.refinement or "")):
            thousands = trial.iterations / _PER_K
            decimals = max(0, len(f"{thousands:g}".partition(".")[2]))
            return Cell(cell.paper, thousands, decimals=decimals, printed=cell.printed, comparable=False)
    return cell


def _budget_notes(paper: PaperTable, trials: Sequence[Trial], keys: Sequence[RowKey]) -> list[str]:
    """Returns what the fixed points and the last point are, in the paper and here."""
    ours = budgets_of(trials)
    notes = [f"Budgets: {paper.notes['budget']}."]
    if ours:
        here = ", ".join(f"{name} is {spaced(iterations)}" for name, iterations in ours.items())
        last = list(ours)[-1]
        selection = {METRIC_TITLES[trial.selection] for trial in trials if trial.kind == "training"}
        notes.append(
            f"Here, in iterations: {here}, read off one training on its way. > {last} is the checkpoint with the "
            f"highest {' or '.join(sorted(selection))} on the validation images of those after the budget {last} and "
            "up to the maximum, the first of equals."
        )
    if any(key.model in REFINED_TITLES for key in keys):
        notes.append("A dense CRF refines the predictions of the reported checkpoint alone, so its row has no others.")
    return notes
