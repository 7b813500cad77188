"""The definition of everything that is reported, as data: `bench explain metrics` prints it.

The texts are in `scores`, `outputs` and `costs`. tests/reporting/test_definitions.py holds the names against the code
that measures, so that a metric without a definition fails there. Nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.reporting.definitions.costs import COSTS
from bench.reporting.definitions.outputs import OUTPUTS
from bench.reporting.definitions.scores import SCORES, Definition
from bench.study.catalog import resolve

DEFINITIONS: dict[str, Definition] = {definition.name: definition for definition in SCORES + OUTPUTS + COSTS}
ALIASES = {other: definition.name for definition in DEFINITIONS.values() for other in definition.also}
assert len(DEFINITIONS) == len(SCORES + OUTPUTS + COSTS), "a name is defined twice"
assert not ALIASES.keys() & DEFINITIONS.keys(), "an alias is the name of another definition"

# Field of a definition: how it is announced.
LABELS = {
    "formula": "formula",
    "divides_by": "divides by",
    "void": "void",
    "edge_cases": "edge cases",
    "source": "source",
    "deviation": "deviation",
}


def definition_of(name: str) -> Definition:
    """Returns one definition; letter case, '-' and '_' do not matter, and the names of tables (G, BF) find theirs.

    Raises:
        UnknownNameError: nothing has this name; the message lists the known ones.
    """
    found = resolve("metric", name, [*DEFINITIONS, *ALIASES])
    return DEFINITIONS[ALIASES.get(found, found)]


def by_group() -> Iterator[tuple[str, list[Definition]]]:
    """Yields the headings with their definitions, in order."""
    for group, members in groupby(DEFINITIONS.values(), key=lambda definition: definition.group):
        yield group, list(members)


def fields(definition: Definition) -> Iterator[tuple[str, str]]:
    """Yields label and text of what a definition says beyond its meaning."""
    for name, label in LABELS.items():
        if text := getattr(definition, name):
            yield label, text


def print_all() -> None:
    """Prints every definition under its heading, wrapped to the terminal."""
    console = Console(highlight=False)
    for group, definitions in by_group():
        console.rule(Text(group, style="bold"), align="left")
        console.print()
        for definition in definitions:
            _print(console, definition)
    console.print(Text("one alone: bench explain metrics NAME; with pictures: docs/metrics.md"))


def print_definition(definition: Definition) -> None:
    """Prints one definition, wrapped to the terminal."""
    _print(Console(highlight=False), definition)


def _print(console: Console, definition: Definition) -> None:
    head = Text(definition.name, style="bold")
    console.print(head.append(f"  {definition.title}", style="not bold"))
    console.print(Padding(Text(definition.meaning), (0, 0, 0, 2), expand=False))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for label, text in fields(definition):
        table.add_row(label, Text(text))
    console.print(Padding(table, (0, 0, 1, 2), expand=False))


def undefined(names: Collection[str]) -> list[str]:
    """Returns those of some names that have no definition."""
    return [name for name in names if name not in DEFINITIONS and name not in ALIASES]
