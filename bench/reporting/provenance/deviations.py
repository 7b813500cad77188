"""Lists where the code says that it departs from the paper: every `Deviation:` in a docstring.

Only the source text is parsed, nothing is imported, so the list is the same with and without torch.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from bench.study.sources import ROOMS

WORD = "Deviation:"
MARK = re.compile(rf"^\s*{WORD}\s*(.*)$")
OTHER_SECTION = re.compile(r"^\s*(Args|Returns|Raises|Edge cases|Source|Formula):")
ROOT = Path(__file__).resolve().parents[3]
TRACED = tuple(f"{room}/" for room in ROOMS)


class Deviation(NamedTuple):
    """One departure from the paper and the place in the code that makes it."""

    where: str  # models/fcn_basic.py, or models/fcn_basic.py · FCNBasic for a class or function
    text: str


def collect_deviations(root: Path = ROOT, sources: Collection[str] | None = None) -> list[Deviation]:
    """Returns every `Deviation:` of models/*.py and bench/**/*.py under `root`, in order of file and line.

    An entry runs from its mark to the next blank line, the next section or a line indented less than the mark.

    Args:
        root: the folder of models/ and bench/.
        sources: the files that some trials' numbers come from (`Trial.sources`): of the rooms that are traced, only
            these count, so that another network or data set departs from nothing here. None: all files count.

    Raises:
        SyntaxError: a source file with the word in it is not Python.
    """
    files = sorted((root / "models").glob("*.py")) + sorted((root / "bench").rglob("*.py"))
    found: list[Deviation] = []
    for file in files:
        place = file.relative_to(root).as_posix()
        if sources is not None and place.startswith(TRACED) and place not in sources:
            continue
        source = file.read_text(encoding="utf-8")
        if WORD not in source:  # most have none, and parsing takes a hundred times as long as looking
            continue
        tree = ast.parse(source, filename=str(file))
        for name, docstring in _docstrings(tree, ()):
            found += [Deviation(f"{place} · {name}" if name else place, text) for text in _entries(docstring)]
    return found


def _docstrings(node: ast.AST, path: tuple[str, ...]) -> list[tuple[str, str]]:
    """Returns (dotted name, docstring) of a module and of everything defined inside it."""
    named = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = []
    if isinstance(node, named) and (docstring := ast.get_docstring(node)):
        found.append((".".join(path), docstring))
    for child in ast.iter_child_nodes(node):
        inner = (*path, child.name) if isinstance(child, named[1:]) else path
        found += _docstrings(child, inner)
    return found


def _entries(docstring: str) -> list[str]:
    """Returns the paragraphs that start with the mark, each as one line of text."""
    entries: list[list[str]] = []
    indent: int | None = None  # of the entry being read; None outside one
    for line in docstring.splitlines():
        depth = len(line) - len(line.lstrip())
        if match := MARK.match(line):
            indent = depth if match.group(1) else depth + 1  # text below the mark is indented more than it
            entries.append([match.group(1)])
        elif not line.strip() or OTHER_SECTION.match(line) or (indent is not None and depth < indent):
            indent = None
        elif indent is not None:
            entries[-1].append(line.strip())
    return [text for lines in entries if (text := " ".join(part for part in lines if part))]
