"""Claims in words: what a part asks, and what the numbers of a comparison are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from bench.replication.claim_form import Case, Cell, Kind, Number, Pair, Part, Quantity
from bench.replication.paper import Target, paper_table
from bench.study.catalog import METRIC_TITLES, ROW_TITLES

METRICS = METRIC_TITLES | {
    "accuracy": "accuracy",
    "parameters": "parameters (M)",
    "storage_multiplier": "storage multiplier",
    "forward_ms": "forward time (ms)",
    "backward_ms": "backward time (ms)",
    "training_peak_mib": "training memory (MiB)",
    "inference_peak_mib": "inference memory (MiB)",
    "model_size_mb": "model size (MB)",
    "max_iterations": "iterations (K)",
}
_SIGNS = {"ratio": " / ", "margin": " − ", "equivalence": " − "}
_UNITS = {"percent": "points"}  # of differences; other units stand beside the metric
_RATIO_DECIMALS = 3

Fields = dict[str, str]


def question(kind: Kind, cases: Sequence[Case], names: Sequence[str]) -> tuple[str, str]:
    """Returns where a part asks and what, such as "T1 test C, median frequency" and "SegNet-Basic > FCN-Basic".

    Args:
        names: what to call each side where it is a named list; else "".
    """
    pairs = [pair for case in cases for pair in case.pairs]
    if kind == "excess":
        return _excess_question(pairs, names)
    cells = [cell for pair in pairs for cell in (*pair.over, *pair.under)]
    shared = _shared(cells)
    # what both sides of a pair have in common, in one case this and in another that
    if pairs[0].under:
        both = [(fields_of(pair.over[0]), fields_of(pair.under[0])) for pair in pairs]
        shared |= {name: "" for name in both[0][0] if name not in shared and all(x[name] == y[name] for x, y in both)}
        if shared.get("row") == "":
            shared["row"] = names[0]
    over = _side([pair.over for pair in pairs], shared, names[0])
    if kind == "range":
        return place_words(cells, shared | {"row": ""}), over
    under = _side([pair.under for pair in pairs], shared, names[1])
    sign = {"ordering": " > ", "count": " > ", "rank_correlation": " in the order of "}.get(kind) or _SIGNS[kind]
    after = f" in how many of {len(cases)} cases" if kind == "count" else ""
    return place_words(cells, shared), f"{over}{sign}{under}{after}"


def _excess_question(pairs: Sequence[Pair], names: Sequence[str]) -> tuple[str, str]:
    """Returns the same of differences in one metric that are to exceed those in others; their cells are in twos."""
    cells = [cell for pair in pairs for cell in (pair.over[0], pair.under[0])]
    shared = _shared(cells)
    over = _side([pair.over[:1] for pair in pairs], shared, names[0])
    under = _side([pair.under[:1] for pair in pairs], shared, names[1])
    than = _listed(list(dict.fromkeys(METRICS[pair.over[1].address.metric] for pair in pairs)))
    return place_words(cells, shared), f"{over} − {under}, less the same in {than}"


def place_words(cells: Sequence[Cell], shared: Fields) -> str:
    """Returns what some cells have in common: table, split, metric, class and budget, loss weighting, row."""
    metrics = list(dict.fromkeys(METRICS.get(cell.address.metric, cell.address.metric) for cell in cells))
    words = [shared["table"], shared.get("split", ""), " + ".join(metrics), shared.get("class_name", "")]
    words.append(shared.get("budget", ""))
    after = [shared.get("weighting", ""), shared.get("row", "")]
    return ", ".join(part for part in (" ".join(filter(None, words)), *after) if part)


def comparison(kind: Kind, pair: Pair, sides: Sequence[Number], result: Number, interval: str = "") -> str:
    """Returns the numbers of a comparison, such as "SegNet-Basic 82.7 > FCN-Basic 81.7? +1.0"; all in printed units.

    Args:
        sides: one number, or those of the two sides.
        result: what they come to.
        interval: of the result, in words, to be put behind it; may be empty.
    """
    shared = _shared((*pair.over, *pair.under))
    if kind == "excess":  # of four numbers, whose sums say nothing
        words = f"{_side([pair.over[:1]], shared)} − {_side([pair.under[:1]], shared)}"
        metric, than = (METRICS[cell.address.metric] for cell in pair.over)
        return f"{words}: {metric} less {than} = {result_text(kind, pair, result)}{f' {interval}' if interval else ''}"
    texts = [f"{_side([side], shared)} {number(value, side)}" for side, value in zip(pair, sides, strict=False)]
    after = f" {interval}" if interval else ""
    if not pair.under:
        return texts[0] + after
    if kind in ("ordering", "count"):
        return f"{' > '.join(texts)}? {result_text(kind, pair, result)}{after}"
    return f"{_SIGNS[kind].join(texts)} = {result_text(kind, pair, result)}{after}"


def closest_words(part: Part, holds: bool) -> str:
    """Returns what to put behind the pair that stands for several, the one nearest to its bound or furthest beyond."""
    return f" ({'closest' if holds else 'worst'} of {len(part.pairs)} pairs)" if len(part.pairs) > 1 else ""


def rank_words(correlation: float, values: int) -> str:
    """Returns a rank correlation over some values."""
    return f"Spearman's ρ of {values} = {correlation:.2f}".replace("-", "−")


def number(value: Number, quantity: Quantity) -> str:
    """Returns a value with as many decimals as the paper prints in its place; a length of training is not rounded."""
    return f"{float(value):{_precision([quantity])}}".replace("-", "−")


def result_text(kind: Kind, pair: Pair, result: Number) -> str:
    """Returns what a comparison comes to: a ratio, or a difference with its sign."""
    if not pair.under:
        return number(result, pair.over)
    if kind == "ratio":
        return f"{float(result):.{_RATIO_DECIMALS}f}"
    return f"{float(result):+{_precision(pair)}}".replace("-", "−")


def printed(cell: Cell) -> Target:
    """Returns the paper's number in a cell; a cell of a claim has one."""
    target = paper_table(cell.table).target(cell.address)
    assert target is not None
    return target


def unit_words(kind: Kind, cell: Cell) -> str:
    """Returns the unit of what a comparison comes to, where it is not that of the metric's name."""
    return _UNITS.get(printed(cell).unit, "") if kind in ("margin", "equivalence", "excess") else ""


@cache
def fields_of(cell: Cell) -> Fields:
    """Returns the fields of a cell in words; one that says nothing in its table is empty."""
    table, address = paper_table(cell.table), cell.address
    row = table.rows[address.row]
    point = (f"at {address.budget}" if address.budget else "at the end") if table.budgets and address.split else ""
    several = len({other.weighting for other in table.printed if other.weighting}) > 1
    return {
        "table": cell.table,
        "row": ROW_TITLES.get(row.model, row.title),
        "weighting": address.weighting.replace("_", " ") if several else "",
        "split": address.split,
        "budget": point,
        "class_name": address.class_name,
    }


def _precision(quantities: Sequence[Quantity]) -> str:
    """Returns how precisely to write the numbers of some cells."""
    targets = [printed(cell) for quantity in quantities for cell in quantity]
    return ".6g" if targets[0].unit == "thousand" else f".{max(target.decimals for target in targets)}f"


def _shared(cells: Sequence[Cell]) -> Fields:
    """Returns the fields that are the same in all cells."""
    first, *others = [fields_of(cell) for cell in cells]
    return {name: text for name, text in first.items() if all(other[name] == text for other in others)}


def _side(quantities: Sequence[Quantity], shared: Fields, name: str = "") -> str:
    """Returns what to call one side of a comparison: its rows, or their `name`, and what tells it from the other."""
    fields = [fields_of(cell) for quantity in quantities for cell in quantity]
    words = {key: list(dict.fromkeys(text[key] for text in fields)) for key in fields[0] if key not in shared}
    extra = [_listed(texts) for key, texts in words.items() if key != "row" and any(texts)]
    if "row" not in words:
        return ", ".join(extra) or shared["row"]
    rows = name or _listed(words["row"])
    if len(extra) == 1 and extra[0].startswith("at "):
        return f"{rows} {extra[0]}"
    return f"{rows} ({', '.join(extra)})" if extra else rows


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
