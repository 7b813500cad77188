"""`bench compare`: did scores and costs get better or worse from A to B, as far as their spread lets one say?

Trials are matched by their id: the same suite, profile, model, loss weighting and seed. Differences are B minus A, seed
by seed, so that what a seed does to both cancels. Only trials under the same settings are compared, unless it is asked
for otherwise; their source may differ, since that is what one compares for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from bench.errors import ResultsError, UnknownNameError
from bench.results.changes import Change
from bench.results.committed import Place
from bench.results.store import load_results
from bench.scoring.comparing_costs import COMPARED_COSTS, cost_differences, costs_by_cell
from bench.scoring.comparing_scores import score_differences, scores_by_cell
from bench.scoring.difference import Difference
from bench.scoring.latest import (
    Cell,
    Latest,
    Matched,
    conditions_that_differ,
    latest,
    settings_that_differ,
    sources_that_differ,
)
from bench.scoring.stored import files_by_trial
from bench.study.catalog import METRIC_TITLES, MODEL_TITLES, WEIGHTING_TITLES, resolve

METRICS = (*METRIC_TITLES, *COMPARED_COSTS)
NOT_READ = ("image_confusion", "image_boundary", "class_score", "class_frequency", "curve", "pass")  # the many rows


class Selection(NamedTuple):
    """What to compare; empty means all."""

    suites: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


class Side(NamedTuple):
    """What is known of A or of B."""

    place: Place
    rows: pd.DataFrame
    latest: Latest
    files: dict[str, Path]
    problems: list[str]


@dataclass
class Changed:
    """In what the trials of a suite and profile differ, each thing once; settings only where that was allowed."""

    settings: dict[str, None] = field(default_factory=dict)
    sources: dict[str, None] = field(default_factory=dict)
    conditions: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """Differences between A and B, and what is not among them.

    Attributes:
        titles: what to call A and B.
        refused: cells under different settings, with the settings.
        only: cells and seeds that are done in A only, and in B only.
        lost: trials that are done in A and ended otherwise in B, with how.
        older: trials of configurations that are not the latest of their cell, in A and in B.
        changed: by suite and profile.
        problems: a line for each file that cannot be read.
    """

    titles: tuple[str, str]
    differences: tuple[Difference, ...]
    refused: tuple[tuple[Cell, tuple[Change, ...]], ...]
    only: tuple[tuple[str, ...], tuple[str, ...]]
    lost: tuple[str, ...]
    older: tuple[tuple[str, ...], tuple[str, ...]]
    changed: dict[tuple[str, str], Changed]
    problems: tuple[str, ...]

    @property
    def got_worse(self) -> bool:
        """Whether a value is worse, or a trial of A does not end as done any more."""
        return bool(self.lost) or any(one.verdict == "worse" for one in self.differences)

    @property
    def identical(self) -> bool:
        """Whether both have the same trials, and every number that is compared is the same."""
        elsewhere = self.refused or self.lost or any(self.only)
        return bool(self.differences) and not elsewhere and all(one.is_none for one in self.differences)


def compare(a: Place, b: Place, selection: Selection, across_settings: bool = False) -> Comparison:
    """Compares two results folders.

    Args:
        a, b: before and after.
        selection: names as a user types them.
        across_settings: compare also what ran under different settings.

    Raises:
        UnknownNameError: a name of the selection that neither side has.
        ResultsError: there is nothing to compare.
    """
    sides = (_side(a), _side(b))
    selection = _resolved(selection, sides)
    cells = [{cell for cell in side.latest.cells if _wanted(cell, selection)} for side in sides]
    pairs, refused = _pairs(sides, cells[0] & cells[1], across_settings)
    differences = [one for one in _differences(sides, pairs) if one.row.metric in (selection.metrics or METRICS)]
    only, lost = _on_one_side(sides, cells)
    if not differences and not lost:
        _nothing(sides, cells, refused, _metrics_there(sides, selection) if selection.metrics else [])
    return Comparison(
        (a.title, b.title),
        tuple(differences),
        tuple(refused),
        only,
        lost,
        (sides[0].latest.older, sides[1].latest.older),
        _changed(pairs),
        tuple(problem for side in sides for problem in side.problems),
    )


def _side(place: Place) -> Side:
    found = load_results(place.folder, without=NOT_READ)
    return Side(place, found.rows, latest(found.rows), files_by_trial(place.folder), found.problems)


def _resolved(selection: Selection, sides: Sequence[Side]) -> Selection:
    """Returns the selection in the words of the results."""
    cells = dict.fromkeys(cell for side in sides for cell in side.latest.cells)

    def chosen(what: str, names: Sequence[str], attribute: str) -> tuple[str, ...]:
        known = list(dict.fromkeys(getattr(cell, attribute) for cell in cells))
        return tuple(resolve(what, name, known) for name in names)

    return Selection(
        chosen("suite with results", selection.suites, "suite"),
        chosen("profile with results", selection.profiles, "profile"),
        chosen("model with results", selection.models, "model"),
        tuple(map(_metric, selection.metrics)),
    )


def _metric(name: str) -> str:
    """Returns the metric that a user means: as it is stored, or as tables call it."""
    titles = {title.lower(): metric for metric, title in METRIC_TITLES.items()}
    try:
        return titles.get(name.lower()) or resolve("metric", name, METRICS)
    except UnknownNameError:
        raise UnknownNameError("metric", name, [*METRIC_TITLES.values(), *COMPARED_COSTS]) from None


def _wanted(cell: Cell, selection: Selection) -> bool:
    of_kind = COMPARED_COSTS if cell.kind == "cost" else tuple(METRIC_TITLES)
    return (
        cell.suite in (selection.suites or (cell.suite,))
        and cell.profile in (selection.profiles or (cell.profile,))
        and cell.model in (selection.models or (cell.model,))
        and bool(set(of_kind) & set(selection.metrics or of_kind))
    )


def _order(cell: Cell) -> tuple[object, ...]:
    """As in the tables of a report: trainings by weighting and model, then costs."""
    places = [
        (list(titles).index(name), "") if name in titles else (len(titles), name)
        for titles, name in ((WEIGHTING_TITLES, cell.weighting), (MODEL_TITLES, cell.model))
    ]
    return (cell.suite, cell.profile, cell.kind == "cost", *places)


def _pairs(
    sides: tuple[Side, Side], cells: Collection[Cell], across_settings: bool
) -> tuple[dict[Cell, Matched], list[tuple[Cell, tuple[Change, ...]]]]:
    """Returns the trials to compare, in the order of the tables, and the cells that are refused."""
    pairs: dict[Cell, Matched] = {}
    refused = []
    for cell in sorted(cells, key=_order):
        a, b = (side.latest.cells[cell] for side in sides)
        seeds = [seed for seed in a if seed in b]
        matched = Matched({seed: a[seed] for seed in seeds}, {seed: b[seed] for seed in seeds})
        found = tuple(settings_that_differ(a[seeds[0]], b[seeds[0]])) if seeds else ()
        if found and not across_settings:
            refused.append((cell, found))
        elif seeds:
            pairs[cell] = matched
    return pairs, refused


def _differences(sides: tuple[Side, Side], pairs: Mapping[Cell, Matched]) -> Iterator[Difference]:
    """Yields every difference, cell by cell."""
    digests: tuple[dict[tuple[str, str], dict[str, Cell]], ...] = ({}, {})
    for cell, matched in pairs.items():
        for known, trials in zip(digests, matched, strict=True):
            of_place = known.setdefault((cell.suite, cell.profile), {})
            of_place |= {str(stored["digest"]): cell for stored in trials.values()}
    (scored_a, costs_a), (scored_b, costs_b) = (
        (scores_by_cell(side.rows, known), costs_by_cell(side.rows, known))
        for side, known in zip(sides, digests, strict=True)
    )
    files = sides[0].files, sides[1].files
    for cell, matched in pairs.items():
        if cell.kind == "cost":
            yield from cost_differences(cell, matched, (costs_a.get(cell, {}), costs_b.get(cell, {})))
        else:
            yield from score_differences(cell, matched, (scored_a.get(cell, {}), scored_b.get(cell, {})), files)


def _changed(pairs: Mapping[Cell, Matched]) -> dict[tuple[str, str], Changed]:
    """Returns in what the first trials of each pair differ, by suite and profile."""
    found: dict[tuple[str, str], Changed] = {}
    for cell, matched in pairs.items():
        a, b = next(iter(matched.a.values())), next(iter(matched.b.values()))
        changed = found.setdefault((cell.suite, cell.profile), Changed())
        changed.settings |= dict.fromkeys(map(str, settings_that_differ(a, b)))
        changed.sources |= dict.fromkeys(sources_that_differ(a, b))
        changed.conditions |= dict.fromkeys(conditions_that_differ(a, b))
    return found


def _on_one_side(
    sides: tuple[Side, Side], cells: Sequence[set[Cell]]
) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], tuple[str, ...]]:
    """Returns cells with the seeds that only A has and only B has, and the trials that were done in A alone."""
    lost = []
    only: tuple[list[str], list[str]] = ([], [])
    for side, other, mine, listed in ((0, 1, cells[0], only[0]), (1, 0, cells[1], only[1])):
        for cell in sorted(mine, key=_order):
            there = sides[other].latest.cells.get(cell, {})
            missing = {seed: one for seed, one in sides[side].latest.cells[cell].items() if seed not in there}
            for seed, stored in list(missing.items()):
                status = sides[other].latest.ended.get(stored["trial"])
                if status and side == 0:
                    lost.append(f"{stored['trial']}: {status}")
                    del missing[seed]
            if missing:
                seeds = "" if cell.kind == "cost" else f", seed {', '.join(map(str, missing))}"
                listed.append(f"{cell}{seeds}")
    return (tuple(only[0]), tuple(only[1])), tuple(lost)


def _metrics_there(sides: tuple[Side, Side], selection: Selection) -> list[str]:
    """Returns the metrics that both sides have of what is selected, whichever metric was asked for."""
    every = selection._replace(metrics=())
    cells = [{cell for cell in side.latest.cells if _wanted(cell, every)} for side in sides]
    pairs, _ = _pairs(sides, cells[0] & cells[1], across_settings=True)
    there = dict.fromkeys(one.row.metric for one in _differences(sides, pairs))
    return [METRIC_TITLES.get(metric, metric) for metric in METRICS if metric in there]


def _nothing(
    sides: tuple[Side, Side],
    cells: Sequence[set[Cell]],
    refused: Sequence[tuple[Cell, Sequence[Change]]],
    metrics: Sequence[str],
) -> None:
    """Says why there is nothing to compare; `metrics` are those that there would be, where some were asked for."""
    if refused:
        cell, found = refused[0]
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise ResultsError(
            f"nothing to compare: {cell}{more} ran under different settings: {'; '.join(map(str, found))}; "
            "--across-settings compares it all the same"
        )
    if metrics:
        raise ResultsError(f"nothing to compare: no trial in both has that metric; they have {', '.join(metrics)}")
    if problems := [problem for side in sides for problem in side.problems]:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ResultsError(f"nothing to compare: {problems[0]}{more}")
    done = [f"{len(of_side)} done in {side.place.title}" for side, of_side in zip(sides, cells, strict=True)]
    raise ResultsError(
        f"nothing to compare: of models, loss weightings and costs {' and '.join(done)}, and no trial in both"
    )
