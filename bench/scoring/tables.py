"""The answers of `bench rescore` and `score`: a table in percent, plain or Markdown, or CSV and JSON in fractions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bench.scoring.definition import Definition, Measure, Scores
from bench.scoring.output import MISSING, as_csv, as_json, as_markdown, as_table, percent, title_of
from bench.scoring.rescoring import Rescored
from bench.study.catalog import ROW_TITLES

Layout = Callable[[Sequence[str], Sequence[Sequence[str]], int], str]

_LAYOUTS: dict[str, Layout] = {"table": as_table, "markdown": as_markdown}
STALE = "† stale: measured before settings or source changed; `bench status --why` says what has changed"


def rescored_as(form: str, rescored: Rescored, definition: Definition, suite: str, profile: str) -> str:
    """Returns the scores of a suite in a profile as text in a format of output.FORMATS."""
    rows = _rows(rescored, definition, suite, profile)
    if form == "csv":
        return as_csv(rows)
    if form == "json":
        where = {"suite": suite, "profile": profile, "split": "test", "unit": "fraction"}
        left_out = {"without": rescored.without, "not_done": rescored.missing}
        values = [row | {"trials": row["trials"].split(" ")} for row in rows]
        return as_json(where | {"definition": definition.as_dict()} | left_out | {"values": values})
    head = f"suite {suite}, profile {profile}, split test, percent, mean over seeds"
    return "\n".join((head, definition.sentence, "", _table_of(rescored, definition, _LAYOUTS[form])))


def scores_as(form: str, where: dict[str, Any], definition: Definition, scores: Scores, per_class: bool) -> str:
    """Returns the scores of one set of predictions as text in a format."""
    rows: list[tuple[str, Any, float]] = [("", measure, value) for measure, value in scores.values.items()]
    if per_class or form == "json":
        for measure, values in scores.class_values.items():
            rows += [(name, measure, float(value)) for name, value in zip(scores.class_names, values, strict=True)]
    flat = [
        {"class_name": name, "metric": measure.metric, "protocol": measure.protocol, "value": value}
        for name, measure, value in rows
    ]
    if form == "csv":
        rules = [_rule(definition, measure) for _, measure, _ in rows]
        return as_csv([{**where, **rule, **row} for rule, row in zip(rules, flat, strict=True)])
    if form == "json":
        return as_json({**where, "unit": "fraction", "definition": definition.as_dict(), "values": flat})
    head = f"{where['dataset']} {where['split']}, {where['height']}x{where['width']} px, percent"
    heads = [title_of(measure) for measure in scores.values]
    layout = _LAYOUTS[form]
    whole = layout(heads, [[percent(measure, value) for measure, value in scores.values.items()]], 0)
    parts = [head, definition.sentence, "", whole]
    if per_class:
        lines = [
            [name, *(percent(measure, float(values[position])) for measure, values in scores.class_values.items())]
            for position, name in enumerate(scores.class_names)
        ]
        parts += ["", layout(["class", *(title_of(measure) for measure in scores.class_values)], lines, 1)]
    return "\n".join(parts)


def _rule(definition: Definition, measure: Measure) -> dict[str, str]:
    """Returns the rules that a score follows; those of the other kind of score are empty."""
    return {
        "divisor": definition.divisor if measure.protocol else "",
        "average": "" if measure.protocol else definition.average,
        "classes": "all" if definition.classes is None else ",".join(definition.classes),
    }


def _rows(rescored: Rescored, definition: Definition, suite: str, profile: str) -> list[dict[str, Any]]:
    """Returns one flat row per value, for CSV and JSON; fractions."""
    return [
        {
            "suite": suite,
            "profile": profile,
            "model": one.model,
            "weighting": one.weighting,
            "split": "test",
            "budget": one.budget,
            "metric": one.measure.metric,
            "protocol": one.measure.protocol,
            **_rule(definition, one.measure),
            "unit": "fraction",
            "value": one.value,
            "std": one.std,
            "n": one.n,
            "stale": one.stale,
            "trials": " ".join(one.trials),
        }
        for one in rescored.values
    ]


def _table_of(rescored: Rescored, definition: Definition, layout: Layout) -> str:
    """Returns scores in percent, one line a model, weighting by weighting, and budget by budget where there are any."""
    budgets = any(one.budget for one in rescored.values)
    lead = ["weighting", *(["at"] if budgets else []), "model"]
    heads = [*lead, *(title_of(measure) for measure in definition.measures), "n"]
    cells = {(one.weighting, one.budget, one.model, one.measure): one for one in rescored.values}
    lines = []
    for weighting, budget, model in dict.fromkeys(cell[:3] for cell in cells):
        found = [cells.get((weighting, budget, model, measure)) for measure in definition.measures]
        numbers = [
            MISSING if one is None else percent(one.measure, one.value, one.std, " †" if one.stale else "")
            for one in found
        ]
        seeds = sorted({one.n for one in found if one is not None})
        runs = str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]}-{seeds[-1]}"
        at = [budget or "the end"] if budgets else []
        lines.append([weighting, *at, ROW_TITLES.get(model, model), *numbers, runs])
    table = layout(heads, lines, len(lead))
    if any(one.stale for one in rescored.values):
        table += f"\n\n{STALE}"
    return table
