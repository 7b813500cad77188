"""Reads a file of claims: names resolved, every cell looked up in the paper's tables, tests spelt out as pairs.

docs/claims.md explains the form. Nothing in a file is evaluated as code.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, get_args

from bench.replication.claim_checks import CheckedFile
from bench.replication.claim_form import Allowed, Case, Cell, Claim, Kind, Pair, Part, Quantity, Threshold
from bench.replication.claim_words import METRICS, fields_of, printed, question, unit_words
from bench.replication.paper import FINAL, Address, paper_tables
from bench.study.yaml_source import KeyPath, read_yaml, shown

FIELDS = ("table", *Address._fields)
SIDES = ("over", "under", "of")
LOWEST, HIGHEST = ("at_least", "above"), ("at_most", "below")
EXACT = ("equals", "within")
BOUNDS = (*LOWEST, *HIGHEST, *EXACT)
TEST_KEYS = ("kind", "in", *FIELDS, "sum_of", *SIDES, "than", *BOUNDS, "skip_unprinted")
CLAIM_KEYS = ("section", "statement", "threshold", "note", "table", "no_number", "tests")
# Which bounds a kind of test may have; it needs one of them, if there are any.
BOUNDS_OF: dict[str, tuple[str, ...]] = {
    "ordering": (),
    "margin": (*LOWEST, *HIGHEST),
    "ratio": (*LOWEST, *HIGHEST, "equals"),
    "equivalence": ("within",),
    "rank_correlation": (*LOWEST, *HIGHEST),
    "count": ("at_least", "at_most", "equals"),
    "range": (*LOWEST, *HIGHEST, "equals"),
    "excess": (*LOWEST, *HIGHEST),
}
ONE_PART = ("count", "rank_correlation")  # of all cases together
MOST_PAIRS = 1000  # of one test

Fields = dict[str, list[str]]  # each field of a cell with the values it takes


def read_claims(path: Path) -> dict[str, Claim]:
    """Returns the claims of a file, by id.

    Raises:
        ConfigError: the file cannot be read, or something in it is not allowed; one line with file, line and claim.
    """
    return _File(read_yaml(path)).claims()


class _File(CheckedFile):
    """A file of claims; a path leads to a value in it."""

    def claims(self) -> dict[str, Claim]:
        data = self.source.data
        self.check_keys((), data, ("lists", "places", "claims"))
        for name, items in self.mapping(("lists",), data.get("lists", {})).items():
            self.texts(("lists", name), items)
        for name, fields in self.mapping(("places",), data.get("places", {})).items():
            self.fields(("places", name), fields)
        found = self.mapping(("claims",), data.get("claims", {}))
        if not found:
            raise self.refusal((), "needs `claims`, by id")
        return {key: self.claim(key, entry) for key, entry in found.items()}

    def claim(self, key: str, entry: Any) -> Claim:
        path: KeyPath = ("claims", key)
        if not (0 < len(key) <= 40 and key.isprintable() and key == key.strip()):
            raise self.refusal(path, "an id has 1 to 40 printable characters")
        entry = self.mapping(path, entry)
        self.check_keys(path, entry, CLAIM_KEYS)
        text = {name: self.text((*path, name), entry.get(name, "")) for name in CLAIM_KEYS[:-1]}
        for name in ("section", "statement", *(["table"] if text["no_number"] else [])):
            if not text[name]:
                raise self.refusal(path, f"needs a {name}")
        if text["table"]:
            self.check_name((*path, "table"), "table", text["table"], paper_tables())
        if bool(entry.get("tests")) == bool(text["no_number"]):
            raise self.refusal(path, "needs either `tests` or `no_number`, the reason why there are none")
        parts = self.tests((*path, "tests"), entry.get("tests", []))
        bounded = any(name in test for test in entry.get("tests", []) for name in BOUNDS)
        if bounded and text["threshold"] not in ("ours", "paper"):
            raise self.refusal(
                path, "needs `threshold: ours` or `threshold: paper`, who chose the numbers of its tests"
            )
        if text["threshold"] and not bounded:
            raise self.refusal((*path, "threshold"), "none of the tests names a number")
        tables = dict.fromkeys(
            cell.table for part in parts for pair in part.pairs for cell in (*pair.over, *pair.under)
        )
        threshold: Threshold = "ours" if text["threshold"] == "ours" else "paper" if bounded else ""
        return Claim(
            id=key,
            section=text["section"],
            tables=tuple(tables) or (text["table"],),
            statement=text["statement"],
            threshold=threshold,
            note=text["note"],
            no_number=text["no_number"],
            parts=tuple(parts),
        )

    def tests(self, path: KeyPath, tests: Any) -> list[Part]:
        if not isinstance(tests, list):
            raise self.refusal(path, f"must be a list of tests, got {shown(tests)}")
        return [part for number, test in enumerate(tests) for part in self.parts((*path, number), test)]

    def parts(self, path: KeyPath, test: Any) -> list[Part]:
        """Returns what a test consists of: a part for each of the values beside its two sides, or one of them all."""
        test = self.mapping(path, test)
        self.check_keys(path, test, TEST_KEYS)
        kind = self.kind((*path, "kind"), test.get("kind", ""))
        sides = ("of",) if kind == "range" else ("over", "under")
        for name in SIDES:
            if (name in test) != (name in sides):
                raise self.refusal(path, f"kind {kind} has {' and '.join(sides)}, {self.got(name, test)}")
        allowed = self.allowed(path, kind, test)
        beside = self.beside(path, test)
        summed = self.texts((*path, "sum_of"), test["sum_of"]) if "sum_of" in test else []
        if summed and "metric" in beside:
            raise self.refusal((*path, "sum_of"), "stands in place of `metric`")
        than = self.than(path, kind, test, beside)
        of_sides = [self.side((*path, name), test[name]) for name in sides]
        amount = math.prod(len(values) for fields in (beside, *of_sides) for values in fields.values())
        amount *= len(than) or 1
        if amount > MOST_PAIRS:
            raise self.refusal(path, f"makes {amount} comparisons; {MOST_PAIRS} are the most")
        several = [name for name, values in beside.items() if len(values) > 1]
        if kind in ONE_PART and not several:
            raise self.refusal(path, f"kind {kind} needs several cases: a list beside over and under")
        skip = self.skips(path, test)
        cases = []
        for given in _each(beside):
            quantities = [self.quantities(path, given, fields, summed, skip) for fields in of_sides]
            pairs = tuple(Pair(*pair) for pair in product(*quantities))
            if than:
                pairs = self.excesses(path, given, of_sides, than, pairs)
            for pair in pairs:
                self.check_pair(path, kind, pair)
            cases.append(Case(_name(pairs[0].over[0], several), pairs))
        groups = [tuple(cases)] if kind in ONE_PART else [(case,) for case in cases]
        names = [self.list_name(test, name) for name in sides]
        needed = allowed.words(unit_words(kind, cases[0].pairs[0].over[0]))
        return [Part(kind, *question(kind, group, names), group, allowed, needed) for group in groups]

    def than(self, path: KeyPath, kind: Kind, test: dict[str, Any], beside: Fields) -> list[str]:
        """Returns the metrics whose differences are to be exceeded, of a test that has some."""
        if kind != "excess":
            if "than" in test:
                raise self.refusal((*path, "than"), f"kind {kind} has no than; kind excess has")
            return []
        if "than" not in test or "metric" not in beside or test.get("skip_unprinted"):
            raise self.refusal(path, "kind excess needs `metric` and, to be exceeded, `than`, all of them printed")
        than = self.texts((*path, "than"), test["than"])
        if same := [metric for metric in than if metric in beside["metric"]]:
            raise self.refusal((*path, "than"), f"is to be another metric than {same[0]}, of which it is the excess")
        return than

    def excesses(
        self, path: KeyPath, given: dict[str, str], of_sides: list[Fields], than: list[str], pairs: tuple[Pair, ...]
    ) -> tuple[Pair, ...]:
        """Returns pairs whose difference is that of `pairs` less that in another metric: (a − b) − (c − d)."""
        found = []
        for metric in than:
            quantities = [self.quantities(path, given | {"metric": metric}, fields, (), False) for fields in of_sides]
            for (over, under), (less_over, less_under) in zip(pairs, product(*quantities), strict=True):
                found.append(Pair((*over, *less_under), (*under, *less_over)))
        return tuple(found)

    def kind(self, path: KeyPath, value: Any) -> Kind:
        self.check_name(path, "kind", self.text(path, value), get_args(Kind))
        kind: Kind = value
        return kind

    def allowed(self, path: KeyPath, kind: Kind, test: dict[str, Any]) -> Allowed:
        """Returns what a test's bounds allow."""
        bounds = {name: self.bound((*path, name), test[name]) for name in BOUNDS if name in test}
        known = BOUNDS_OF[kind]
        for name in bounds:
            if name not in known:
                raise self.refusal((*path, name), f"kind {kind} has {', '.join(known) or 'no bound'}, not {name}")
        if known and not bounds:
            raise self.refusal(path, f"kind {kind} needs a bound: {', '.join(known)}")
        if not known:
            return Allowed(low=Fraction(0), low_open=True)
        if len(bounds) > 1 and (not {*EXACT}.isdisjoint(bounds) or {*LOWEST} <= {*bounds} or {*HIGHEST} <= {*bounds}):
            raise self.refusal(path, f"{' and '.join(bounds)} contradict each other")
        if "within" in bounds:
            return Allowed(-bounds["within"], bounds["within"])
        if "equals" in bounds:
            return Allowed(bounds["equals"], bounds["equals"])
        low, high = (next((bounds[name] for name in names if name in bounds), None) for names in (LOWEST, HIGHEST))
        allowed = Allowed(low, high, low_open="above" in bounds, high_open="below" in bounds)
        if low is not None and high is not None and allowed.excludes(low, high):
            raise self.refusal(path, f"no number is {' and '.join(f'{name} {test[name]}' for name in bounds)}")
        return allowed

    def bound(self, path: KeyPath, value: Any) -> Fraction:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.refusal(path, f"must be a number, got {shown(value)}")
        if path[-1] == "within" and value < 0:
            raise self.refusal(path, f"must not be negative, got {value}")
        return Fraction(str(value))  # as it was written: 0.1 is a tenth

    def beside(self, path: KeyPath, test: dict[str, Any]) -> Fields:
        """Returns the fields that both sides of a test share."""
        place = self.text((*path, "in"), test.get("in", ""))
        places = self.source.data.get("places", {})
        if place:
            self.check_name((*path, "in"), "place", place, places)
        return self.fields(path, places.get(place, {})) | self.fields(
            path, {name: test[name] for name in FIELDS if name in test}
        )

    def side(self, path: KeyPath, value: Any) -> Fields:
        return self.fields(path, value if isinstance(value, dict) else {"row": value})

    def fields(self, path: KeyPath, value: Any) -> Fields:
        fields = self.mapping(path, value)
        self.check_keys(path, fields, FIELDS)
        return {name: self.texts((*path, name), values) for name, values in fields.items()}

    def skips(self, path: KeyPath, test: dict[str, Any]) -> bool:
        value = test.get("skip_unprinted", False)
        if not isinstance(value, bool):
            raise self.refusal((*path, "skip_unprinted"), f"must be true or false, got {shown(value)}")
        return value

    def quantities(
        self, path: KeyPath, given: dict[str, str], fields: Fields, summed: Iterable[str], skip: bool
    ) -> list[Quantity]:
        """Returns what one side of a test is, for each of the values that its fields take."""
        found = []
        for own in _each(fields):
            metrics = [{"metric": metric} for metric in summed] or [{}]
            cells = [self.cell(path, given | own | metric) for metric in metrics]
            unprinted = [cell for cell in cells if paper_tables()[cell.table].target(cell.address) is None]
            if not unprinted:
                found.append(tuple(cells))
            elif not skip:
                raise self.refusal(path, _not_printed(unprinted[0]))
        if not found:
            raise self.refusal(path, "the paper prints none of the numbers of one side")
        return found

    def cell(self, path: KeyPath, fields: dict[str, str]) -> Cell:
        for name in ("table", "row", "metric"):
            if name not in fields:
                raise self.refusal(path, f"needs a {name}")
        self.check_name(path, "table", fields["table"], paper_tables())
        for name, value in fields.items():
            if name != "table":
                known, what = _known(fields["table"], name), "column" if name == "metric" else name.partition("_")[0]
                if not known:
                    raise self.refusal(path, f"table {fields['table']} has no {what}, got {shown(value)}")
                self.check_name(path, f"{what} of table {fields['table']}", value, known)
        address = {name: value for name, value in fields.items() if name != "table"}
        return Cell(fields["table"], Address(**address | ({"budget": ""} if address.get("budget") == FINAL else {})))

    def check_pair(self, path: KeyPath, kind: Kind, pair: Pair) -> None:
        if pair.over == pair.under:
            raise self.refusal(path, f"compares {', '.join(part for part in pair.over[0].address if part)} with itself")
        units = dict.fromkeys(printed(cell).unit for cell in (*pair.over, *pair.under))
        if len(units) > 1:
            raise self.refusal(path, f"compares numbers in {' and '.join(units)}")
        if kind == "ratio" and not any(printed(cell).value for cell in pair.under):
            raise self.refusal(path, f"divides by the 0 of {pair.under[0].address.row}")

    def list_name(self, test: dict[str, Any], side: str) -> str:
        """Returns the name of the list that the rows of one side are; or an empty text."""
        own = test[side]
        row = own.get("row", test.get("row")) if isinstance(own, dict) else own
        return row if isinstance(row, str) and row in self.lists else ""

    @staticmethod
    def got(name: str, test: dict[str, Any]) -> str:
        return f"not {name}" if name in test else f"and `{name}` is missing"


@cache
def _known(table: str, field: str) -> list[str]:
    """Returns the values that a field takes in a table."""
    found = dict.fromkeys(getattr(address, field) for address in paper_tables()[table].printed)
    names = [value for value in found if value]
    return [*names, FINAL] if field == "budget" and names else names


def _not_printed(cell: Cell) -> str:
    """Returns that the paper prints no number in a cell, and which fields it would take to name one."""
    words = ", ".join(part for part in cell.address if part)
    given = {name: value for name, value in cell.address._asdict().items() if value}
    like = [address for address in paper_tables()[cell.table].printed if given.items() <= address._asdict().items()]
    lacking = {
        name: dict.fromkeys(getattr(address, name) for address in like)
        for name in Address._fields
        if name not in given and like and all(getattr(address, name) for address in like)
    }
    needed = " and ".join(f"`{name}` ({', '.join(values)})" for name, values in lacking.items())
    return f"table {cell.table} prints no number for {words}" + (f"; it needs {needed}" if needed else "")


def _each(fields: Fields) -> Iterable[dict[str, str]]:
    """Yields every combination of the values of some fields."""
    return (dict(zip(fields, values, strict=True)) for values in product(*fields.values()))


def _name(cell: Cell, fields: Collection[str]) -> str:
    """Returns what tells a case from the others of its test."""
    words = fields_of(cell) | {"metric": METRICS.get(cell.address.metric, cell.address.metric)}
    return ", ".join(words[name] for name in fields)
