"""What the other rule of choosing a checkpoint would have changed: mean IoU instead of global accuracy.

The paper reports the iteration with the highest global accuracy on the validation images (§3.3); its readers ask why
not mean IoU. Every training is scored on the test images at both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from bench.replication.checkpoints import OTHER_SELECTION, at_other_selection, at_selected, current_rows
from bench.replication.scores import DEFAULT_PROTOCOL
from bench.reporting.comparisons.comparison import (
    NOTHING,
    SINGLE_RUN,
    Comparison,
    ComparisonRow,
    Pair,
    Side,
    runs_of,
    score_pairs,
    sides,
    swaps,
)
from bench.reporting.staleness import FRESH, Staleness
from bench.study.catalog import METRIC_TITLES, MODEL_TITLES, WEIGHTING_TITLES
from bench.study.trials import Trial

KEY = "checkpoint-choice"


class Choices(NamedTuple):
    """The trainings of a suite at both checkpoints: by model and loss weighting, scores and iterations by seed."""

    chosen: dict[tuple[str, str], Side]
    other: dict[tuple[str, str], Side]
    iterations: dict[tuple[str, str], list[tuple[int, int]]]
    stale: frozenset[str]  # digests of those that are

    @property
    def cells(self) -> list[tuple[str, str]]:
        """The models and weightings that both checkpoints are known of, weighting by weighting."""
        order = [(model, weighting) for weighting in WEIGHTING_TITLES for model in MODEL_TITLES]
        return [cell for cell in order if cell in self.other]


def checkpoint_choices(results: pd.DataFrame, stale: Staleness = FRESH, protocol: str = DEFAULT_PROTOCOL) -> Choices:
    """Returns what `results`, rows of one suite and profile, say of both checkpoints."""
    rows = current_rows(results, None, "score")
    rows = rows[rows["metric"].isin(list(METRIC_TITLES)) & (rows["refinement"] == "")]
    rows = rows[(rows["metric"] != "boundary_f1") | (rows["protocol"] == protocol)]
    chosen = at_selected(rows)
    chosen = chosen[chosen["split"] == "test"]
    other = at_other_selection(rows)
    iterations: dict[tuple[str, str], list[tuple[int, int]]] = {}
    of_trials = other.drop_duplicates("digest").sort_values("seed")
    columns = ["model", "weighting", "selected_iteration", "iteration"]
    for model, weighting, first, second in of_trials[columns].itertuples(index=False, name=None):
        iterations.setdefault((model, weighting), []).append((int(first), int(second)))
    shown = frozenset(stale.digests & set(other["digest"]))
    return Choices(sides(chosen, stale.digests), sides(other, stale.digests), iterations, shown)


def checkpoint_table(choices: Choices, trials: Sequence[Trial], stale: Staleness = FRESH) -> Comparison | None:
    """Returns test scores and iterations at both checkpoints, and which models change places.

    Args:
        choices: of the trainings of one suite and profile.
        trials: those that are planned; they say by which metric the reported checkpoint is chosen.
        stale: which results are stale.

    Returns: None where no training has stored both.
    """
    cells = choices.cells
    if not cells:
        return None
    by, instead = selections(trials)
    several = len({weighting for _, weighting in cells}) > 1
    rows = [
        ComparisonRow(
            MODEL_TITLES[cell[0]],
            (*score_pairs(choices.chosen.get(cell, NOTHING), choices.other[cell]), _at(choices.iterations[cell])),
            runs_of(choices.other[cell]),
            WEIGHTING_TITLES[cell[1]] if several else "",
        )
        for cell in cells
    ]
    counts = candidates(trials)
    notes = [same_sentence(choices, counts), *(_ranking_notes(choices, several) if max(counts) > 1 else [])]
    notes += [SINGLE_RUN] if all(side.runs == 1 for side in choices.other.values()) else []
    notes += [stale.legend] if choices.stale and stale.legend else []
    return Comparison(
        KEY,
        f"Checkpoint chosen by {instead} instead of {by}",
        (f"by {by}", f"by {instead}"),
        (*METRIC_TITLES.values(), "Iteration"),
        tuple(rows),
        tuple(notes),
    )


def selections(trials: Sequence[Trial]) -> tuple[str, str]:
    """Returns the short names of the metric that chooses the reported checkpoint, and of the other one."""
    by = trials[0].selection
    return METRIC_TITLES[by], METRIC_TITLES[OTHER_SELECTION[by]]


def candidates(trials: Sequence[Trial]) -> list[int]:
    """Returns how many checkpoints a training chooses from, each number once: its validations after all budgets."""
    trainings = [trial for trial in trials if trial.kind == "training"]
    counts = {
        trial.iterations // trial.validate_every - max(trial.budgets.values(), default=0) // trial.validate_every
        for trial in trainings
    }
    return sorted(counts)


def same_sentence(choices: Choices, counts: Sequence[int]) -> str:
    """Says in how many trainings both metrics choose the same checkpoint, of how many that each has."""
    points = [point for of_cell in choices.iterations.values() for point in of_cell]
    if max(counts) == 1:
        return f"There was no choice: each of {len(points)} trainings has one validation after its last budget."
    same = sum(first == second for first, second in points)
    of = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
    return f"Both metrics choose the same checkpoint, of {of} each, in {same} of {len(points)} trainings."


def _at(points: Sequence[tuple[int, int]]) -> Pair:
    return Pair(*(", ".join(str(point[side]) for point in points) for side in (0, 1)))


def _ranking_notes(choices: Choices, several: bool) -> list[str]:
    """Returns one sentence a loss weighting on which models change places."""
    notes = []
    for weighting in dict.fromkeys(weighting for _, weighting in choices.cells):
        models = [model for model, other in choices.cells if other == weighting]
        left, right = ({model: side[model, weighting] for model in models} for side in (choices.chosen, choices.other))
        where = WEIGHTING_TITLES[weighting]
        if text := swaps(left, right, MODEL_TITLES):
            notes.append(f"{where[:1].upper()}{where[1:]}: {text[:1].lower()}{text[1:]}" if several else text)
    return notes
