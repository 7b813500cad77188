"""What can be wrong between specs that are each well formed: names that nothing has, things that are there twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bench.errors import did_you_mean
from bench.study.yaml_source import KeyPath, shown

Problem = tuple[KeyPath, str]  # where, and what is wrong there


def unknown(what: str, names: Iterable[str], known: Iterable[str], path: KeyPath) -> Iterator[Problem]:
    """Yields a problem for each key of a mapping that is not a known name."""
    known = list(known)
    return (((*path, name), unknown_name(what, name, known)) for name in names if name not in known)


def unknown_items(what: str, names: Sequence[str], known: Iterable[str], path: KeyPath) -> Iterator[Problem]:
    """Yields a problem for each item of a list that is not a known name, or repeats."""
    known = list(known)
    for position, name in enumerate(names):
        if name not in known:
            yield (*path, position), unknown_name(what, name, known)
    yield from repeated(what, names, path)


def repeated(what: str, items: Sequence[Any], path: KeyPath) -> Iterator[Problem]:
    """Yields a problem for each item of a list that stands before."""
    for position, item in enumerate(items):
        if item in items[:position]:
            yield (*path, position), f"{what} {shown(item)} appears twice"


def unknown_name(what: str, got: str, known: Iterable[str]) -> str:
    """Returns what to say of a name that is not known: the nearest one, and all."""
    known = list(known)
    return f"unknown {what} {shown(got)}{did_you_mean(got, known)}; known: {', '.join(known) or 'none'}"
