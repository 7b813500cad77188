"""Why a stored result is stale: what differs between how it was stored and how its trial is planned now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from bench.study.trials import Trial

SHOWN = 5  # names in a summary


class Change(NamedTuple):
    """One difference."""

    name: str  # a declared field, "protocol training", the path of a source file, or what is not known
    text: str  # "0.1 → 0.05", "changed"

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"


def changes(stored: Mapping[str, Any], trial: Trial) -> tuple[Change, ...]:
    """Returns what differs between a stored result and `trial`, in the order: declared, protocols, source.

    Args:
        stored: the columns config, protocols, sources, schema_version and bench_version of its file; what a file
            does not have is None or NaN.
        trial: the same trial as it is planned now.
    """
    found = (*_declared(stored, trial), *_protocols(stored, trial), *_sources(stored, trial))
    if found:
        return found
    return (Change("bench", f"stored by version {stored.get('bench_version')}, which told trials apart differently"),)


def summary(found: Iterable[Change]) -> str:
    """Returns the names of some changes, each once, in one line."""
    names = list(dict.fromkeys(change.name for change in found))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _declared(stored: Mapping[str, Any], trial: Trial) -> Iterator[Change]:
    config = json_object(stored.get("config"))
    if config is None:
        yield Change("unrecorded settings", "they are not in the file")
        return
    for name, value in trial.declared.items():
        before = config.get(name)
        if name not in config:
            yield Change(name, f"not declared then → {_shown(value)}")
        elif isinstance(value, dict) and isinstance(before, dict):
            old, new = dict(_leaves(before, name)), dict(_leaves(value, name))
            for leaf in sorted({*old, *new}):
                if old.get(leaf) != new.get(leaf):
                    yield Change(leaf, f"{_shown(old.get(leaf))} → {_shown(new.get(leaf))}")
        elif before != value:
            yield Change(name, f"{_shown(before)} → {_shown(value)}")


def _protocols(stored: Mapping[str, Any], trial: Trial) -> Iterator[Change]:
    before = json_object(stored.get("protocols"))
    if before is not None:
        for name, version in trial.protocols.items():
            if before.get(name) != version:
                yield Change(f"protocol {name}", f"version {_shown(before.get(name))} → {version}")


def _sources(stored: Mapping[str, Any], trial: Trial) -> Iterator[Change]:
    before = json_object(stored.get("sources"))
    if before is None:
        version = stored.get("schema_version")
        yield Change("unrecorded source files", f"stored before they were recorded (schema version {version})")
        return
    for path in sorted({*before, *trial.sources}):
        if path not in trial.sources:
            yield Change(path, "no longer used")
        elif before.get(path) != trial.sources[path]:
            yield Change(path, "changed" if path in before else "new")


def json_object(text: object) -> dict[str, Any] | None:
    """Returns the object in a column of JSON; None where there is none."""
    if not isinstance(text, str):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{name}.{key}")
    else:
        yield name, value


def _shown(value: Any) -> str:
    """A value as JSON writes it, cut where it is long; "nothing" where there is none."""
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 20 else f"{text[:12]}…"
