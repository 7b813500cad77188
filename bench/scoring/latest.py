"""What a results folder holds when no study says what is planned: of each cell the latest configuration.

A cell is a model's cost, or its training with one loss weighting under all seeds. Its trials have a configuration in
common, which is their settings but for the seed, their protocols and the source that computed them. A folder may hold
several of them, from before and after a change; means and differences over seeds must not mix them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from bench.replication.checkpoints import plain
from bench.results.changes import Change, json_object

# What a stored specification says of the numbers of a trial, as `Trial.declared`; its model, weighting and seed aside.
SETTINGS = {
    "training": (
        "dataset", "dataset_options", "height", "width", "batch_size", "iterations", "validate_every", "budgets", "lr",
        "momentum", "weight_decay", "input_normalisation", "selection", "pretrained", "refinement", "checkerboard",
        "precision", "channels_last", "determinism",
    ),
    "cost": (
        "dataset", "height", "width", "batch_size", "momentum", "precision", "channels_last", "determinism",
        "timing_height", "timing_width", "timing_rounds", "timing_iterations", "timing_paper",
    ),
}  # fmt: skip
CONDITIONS = ("device_name", "threads", "kernels", "torch", "numpy")

Stored = Mapping[str, Any]  # the provenance columns of a trial, "" for absent text
Place = tuple[str, str]  # suite, profile: trials of several may have the same digest


class Cell(NamedTuple):
    """What is averaged over seeds; weighting is "" for a cost."""

    suite: str
    profile: str
    kind: str
    model: str
    weighting: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.suite, self.profile, self.model, self.weighting or "cost") if part)


class Matched(NamedTuple):
    """The trials of a cell in A and in B, by the seeds that both have."""

    a: dict[int, Stored]
    b: dict[int, Stored]


@dataclass(frozen=True)
class Latest:
    """The trials to take, and what is beside them.

    Attributes:
        cells: the stored trials of each cell that is done, by seed (0 for a cost).
        older: "ID-DIGEST" of those that are done in an older configuration.
        ended: how each trial id ended that is not done in any configuration.
    """

    cells: dict[Cell, dict[int, Stored]]
    older: tuple[str, ...]
    ended: dict[str, str]


def latest(rows: pd.DataFrame) -> Latest:
    """Returns the trials of the latest configuration of each cell; of a trial that is there twice in it, the later.

    Args:
        rows: of any suites and profiles, in the columns of `bench.results.schema`.
    """
    trials = plain(rows.drop_duplicates(["trial", "digest"]))
    done = trials[trials["status"] == "done"].sort_values(["started_at", "digest"], ascending=False)
    cells: dict[Cell, dict[int, Stored]] = {}
    configurations: dict[Cell, str] = {}
    older = []
    for record in done.to_dict("records"):
        stored = {str(name): value for name, value in record.items()}
        cell = cell_of(stored)
        seed = 0 if pd.isna(stored["seed"]) else int(stored["seed"])
        configuration = _configuration(stored)
        taken = cells.setdefault(cell, {})
        if configurations.setdefault(cell, configuration) == configuration and seed not in taken:
            taken[seed] = stored
        else:
            older.append(key_of(stored))
    ids = set(done["trial"])
    ended = {trial: status for trial, status in zip(trials["trial"], trials["status"], strict=True) if trial not in ids}
    return Latest({cell: dict(sorted(taken.items())) for cell, taken in cells.items()}, tuple(sorted(older)), ended)


def cell_of(stored: Stored) -> Cell:
    """Returns the cell of a stored trial."""
    return Cell(*(str(stored[name]) for name in Cell._fields))


def key_of(stored: Stored) -> str:
    """Returns "ID-DIGEST", the name of its files and folders."""
    return f"{stored['trial']}-{stored['digest']}"


def settings_that_differ(a: Stored, b: Stored) -> list[Change]:
    """Returns the settings, protocols and data in which two trials of the same cell differ."""
    declared = [_declared(stored) for stored in (a, b)]
    if None in declared:
        return [Change("settings", f"not stored in {_sides(one is None for one in declared)}")]
    first, second = (dict(leaves(one, "")) for one in declared)
    found = [
        Change(name, both(first.get(name), second.get(name)))
        for name in {**first, **second}
        if first.get(name) != second.get(name)
    ]
    digests = [stored["dataset_digest"] for stored in (a, b)]
    if all(digests) and digests[0] != digests[1]:
        found.append(Change("pixels of the data set", both(*digests)))
    return found


def sources_that_differ(a: Stored, b: Stored) -> list[str]:
    """Returns the source files behind two trials that are not the same; a text that says so where none are stored."""
    files = [json_object(stored["sources"]) for stored in (a, b)]
    if files[0] is None or files[1] is None:
        return [f"unknown, since they are not stored in {_sides(one is None for one in files)}"]
    return sorted(path for path in {*files[0], *files[1]} if files[0].get(path) != files[1].get(path))


def conditions_that_differ(a: Stored, b: Stored) -> list[str]:
    """Returns in what else two trials differ that can change their last bits: processor, threads, libraries."""
    return [f"{name} {both(a[name], b[name])}" for name in CONDITIONS if not _same(a[name], b[name])]


def both(first: Any, second: Any) -> str:
    """Returns two values as "1 in A, 2 in B"."""
    return f"{_shown(first)} in A, {_shown(second)} in B"


def _configuration(stored: Stored) -> str:
    return json.dumps([_declared(stored), stored["sources"]], sort_keys=True)


def _declared(stored: Stored) -> dict[str, Any] | None:
    """Returns the settings and protocols of a trial; None where they are not stored."""
    config = json_object(stored["config"])
    if config is None:
        return None
    # a setting that came later is nothing, {} or false where it is not used
    settings = {name: config.get(name) or None for name in SETTINGS[str(stored["kind"])]}
    return settings | {"protocol": json_object(stored["protocols"])}


def _same(first: Any, second: Any) -> bool:
    if pd.isna(first) or pd.isna(second):
        return bool(pd.isna(first) and pd.isna(second))
    return bool(first == second)


def _sides(lacking: Iterable[bool]) -> str:
    return " and ".join(side for side, lacks in zip("AB", lacking, strict=True) if lacks)


def leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yields the parts of nested settings, with dots between their names."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{name}.{key}" if name else key)
    else:
        yield name, value


def _shown(value: Any) -> str:
    """Returns a value in few words; a digest is cut."""
    if value is None or value == "" or value is pd.NA:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 32 else f"{text[:12]}…"
