"""The answer of `bench compare`: tables in percent, plain or Markdown, or CSV and JSON in the units of the results."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

from bench.replication.scores import MACHINE_COSTS
from bench.replication.statistics import CONFIDENCE, Interval
from bench.scoring.comparing import Changed, Comparison
from bench.scoring.difference import Difference, Row, Verdict
from bench.scoring.output import MISSING, as_csv, as_json, as_markdown, as_table
from bench.study.catalog import METRIC_TITLES, ROW_TITLES

Layout = Callable[[Sequence[str], Sequence[Sequence[str]], int], str]

_LAYOUTS: dict[str, Layout] = {"table": as_table, "markdown": as_markdown}
_SHOWN = 8  # names in one remark
_SCORE_HEADS = ("weighting", "model", "metric", "A", "B", "B - A", "over seeds", "over images", "P(B > A)", "n", "")
_COST_HEADS = ("model", "cost", "measured as", "unit", "A", "B", "B - A", "", "quartiles", "")
_COLUMNS = (
    *Row._fields, "a", "b", "difference", "spread_low", "spread_high", "images_low", "images_high",
    "probability_of_improvement", "n", "verdict", "note", "trials_a", "trials_b",
)  # fmt: skip
_LEGEND = f"""\
B - A with its {100 * CONFIDENCE:g} % interval over seeds (Student's t of the differences seed by seed), and over the \
test images of the first seed (bootstrap), which says nothing about other seeds. P(B > A): the share of pairs of runs \
of which B has the higher score. No difference found does not mean that there is none; of many values one in twenty is \
called better or worse by chance."""


def comparison_as(form: str, comparison: Comparison) -> str:
    """Returns a comparison as text in a format of output.FORMATS; CSV has the differences alone."""
    if form == "csv":
        rows = [_flat(one) for one in comparison.differences]
        return as_csv(rows) if rows else ",".join(_COLUMNS)
    if form == "json":
        return as_json(_everything(comparison))
    layout = _LAYOUTS[form]
    parts = [f"A: {comparison.titles[0]}\nB: {comparison.titles[1]}"]
    for suite, profile in dict.fromkeys((one.row.suite, one.row.profile) for one in comparison.differences):
        mine = [one for one in comparison.differences if (one.row.suite, one.row.profile) == (suite, profile)]
        scores = [one for one in mine if one.row.metric in METRIC_TITLES]
        costs = [one for one in mine if one.row.metric not in METRIC_TITLES]
        if scores:
            head = f"suite {suite}, profile {profile}, split test, percent"
            parts.append(f"{head}\n\n{layout(_SCORE_HEADS, [_score_line(one) for one in scores], 3)}")
        if costs:
            head = f"suite {suite}, profile {profile}, costs, less is better"
            parts.append(f"{head}\n\n{layout(_COST_HEADS, [_cost_line(one) for one in costs], 4)}")
    bullet = "- " if form == "markdown" else ""
    parts.append("\n".join(f"{bullet}{remark}" for remark in remarks(comparison)))
    if any(one.row.metric in METRIC_TITLES for one in comparison.differences):
        parts.append(_LEGEND)
    return "\n\n".join(part for part in parts if part)


def summary_of(comparison: Comparison) -> str:
    """Returns how many values there are of each verdict, in one line."""
    count = Counter(one.verdict for one in comparison.differences)
    parts = [f"{count[name]} {name}" for name in get_args(Verdict) if count[name]]
    number = len(comparison.differences)
    same = "; identical: every number compared is the same" if comparison.identical else ""
    return f"{number} value{'s' * (number != 1)} compared: {', '.join(parts) or 'none'}{same}"


def remarks(comparison: Comparison) -> list[str]:
    """Returns a line for each thing that is not compared, and for what else differs between A and B."""
    lines = [f"done in A, not in B: {lost}" for lost in comparison.lost]
    for cell, found in comparison.refused:
        lines.append(
            f"not compared: {cell}: other settings: {_listed([str(change) for change in found], '; ')}; "
            "--across-settings compares it all the same"
        )
    for side, cells in zip("AB", comparison.only, strict=True):
        lines += [f"only in {side}: {cell}" for cell in cells]
    for side, older in zip("AB", comparison.older, strict=True):
        if older:
            lines.append(
                f"left out of {side}: {len(older)} results of older configurations, the latest of each counts: "
                f"{_listed(older)}"
            )
    for (suite, profile), changed in comparison.changed.items():
        lines += [f"{suite} {profile}: {line}" for line in _changed(changed)]
    notes: dict[str, list[str]] = {}
    for one in comparison.differences:
        if one.note:
            notes.setdefault(one.note, []).append(f"{one.row.model} {one.row.metric}".strip())
    lines += [f"{note} ({_listed(list(dict.fromkeys(places)))})" for note, places in notes.items()]
    return lines


def _changed(changed: Changed) -> Iterator[str]:
    if changed.settings:
        yield f"compared across settings: {_listed(list(changed.settings), '; ')}"
    if changed.sources:
        yield f"source files that differ: {_listed(list(changed.sources))}"
    if changed.conditions:
        yield f"ran under other conditions, which change last bits and times: {_listed(list(changed.conditions), '; ')}"


def _listed(names: Sequence[str], between: str = ", ") -> str:
    more = f"{between}and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return between.join(names[:_SHOWN]) + more


def _score_line(one: Difference) -> list[str]:
    return [
        one.row.weighting,
        ROW_TITLES.get(one.row.model, one.row.model),
        METRIC_TITLES[one.row.metric],
        _percent(one.a),
        _percent(one.b),
        _percent(one.difference, "+"),
        _ends(one.spread),
        _ends(one.images),
        MISSING if math.isnan(one.probability) else f"{one.probability:.2f}",
        str(one.n),
        one.verdict,
    ]


def _cost_line(one: Difference) -> list[str]:
    share = "" if not one.a or math.isnan(one.difference) else f"{100 * one.difference / one.a:+.1f} %"
    spread = MISSING if one.spread is None else f"[{one.spread.low:+.4g}, {one.spread.high:+.4g}]"
    name = ROW_TITLES.get(one.row.model, one.row.model)
    many = ".0f" if one.row.unit == "count" else ".6g"
    values = [f"{one.a:{many}}", f"{one.b:{many}}", f"{one.difference:+.4g}"]
    measured_as = one.row.protocol if one.row.metric in MACHINE_COSTS else ""
    return [name, one.row.metric, measured_as, one.row.unit, *values, share, spread, one.verdict]


def _percent(value: float, sign: str = "") -> str:
    """Returns a fraction in percent; two decimals, since differences are small."""
    return MISSING if math.isnan(value) else f"{100 * value:{sign}.2f}"


def _ends(interval: Interval | None) -> str:
    return MISSING if interval is None else f"[{_percent(interval.low, '+')}, {_percent(interval.high, '+')}]"


def _flat(one: Difference) -> dict[str, Any]:
    """Returns a difference as a row of CSV."""
    ends = [
        math.nan if interval is None else end for interval in (one.spread, one.images) for end in interval or (0, 0)
    ]
    values = (one.a, one.b, one.difference, *ends, one.probability, one.n, one.verdict, one.note)
    return dict(zip(_COLUMNS, (*one.row, *values, *map(" ".join, one.trials)), strict=True))


def _everything(comparison: Comparison) -> dict[str, Any]:
    """Returns all of a comparison as JSON-able data."""
    sides = ("a", "b")
    return {
        "a": comparison.titles[0],
        "b": comparison.titles[1],
        "confidence": CONFIDENCE,
        "got_worse": comparison.got_worse,
        "identical": comparison.identical,
        "differences": [
            _flat(one) | {f"trials_{side}": list(names) for side, names in zip(sides, one.trials, strict=True)}
            for one in comparison.differences
        ],
        "refused": [
            {**cell._asdict(), "settings": [str(change) for change in found]} for cell, found in comparison.refused
        ],
        "lost": list(comparison.lost),
        **{f"only_in_{side}": list(cells) for side, cells in zip(sides, comparison.only, strict=True)},
        **{f"left_out_of_{side}": list(older) for side, older in zip(sides, comparison.older, strict=True)},
        "changed": [
            {"suite": suite, "profile": profile}
            | {name: list(getattr(changed, name)) for name in ("settings", "sources", "conditions")}
            for (suite, profile), changed in comparison.changed.items()
        ],
    }
