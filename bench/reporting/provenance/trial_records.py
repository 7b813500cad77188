"""Where the numbers of a page come from, trial by trial: digest, results file, configuration, commit, machine."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pandas as pd

from bench.reporting.provenance.overview import PROVENANCE_TITLES, as_duration, as_moment
from bench.results.changes import json_object


class TrialRecord(NamedTuple):
    """One result that is shown; `facts` are names and texts, `href` leads to its file from the page."""

    trial: str
    digest: str
    facts: dict[str, str]
    config: dict[str, Any]
    file: str
    href: str


def trial_records(rows: pd.DataFrame, results_dir: Path | None, folder: Path) -> dict[str, TrialRecord]:
    """Returns a record of every result by its digest.

    Args:
        rows: those that are shown, in the stored columns.
        results_dir: the folder of the results; None: their files are not named.
        folder: that of the page, from which links lead to them.
    """
    found = {}
    for row in rows.drop_duplicates("digest").astype(object).to_dict("records"):
        file = Path(str(row["suite"]), str(row["profile"]), f"{row['trial']}-{row['digest']}.parquet")
        link = Path(os.path.relpath(results_dir / file, folder)).as_posix() if results_dir else ""
        found[str(row["digest"])] = TrialRecord(
            str(row["trial"]),
            str(row["digest"]),
            _facts(row),
            json_object(row["config"]) or {},
            f"{results_dir.name}/{file.as_posix()}" if results_dir else "",
            quote(link),
        )
    return found


def _facts(row: Mapping[Hashable, Any]) -> dict[str, str]:
    facts = {"Started": as_moment(row["started_at"])} if not pd.isna(row["started_at"]) else {}
    if not pd.isna(row["duration_s"]):
        facts["Took"] = as_duration(row["duration_s"])
    if not pd.isna(row["selected_iteration"]):
        facts["Reported checkpoint"] = f"iteration {row['selected_iteration']}"
    for column, title in PROVENANCE_TITLES.items():
        if not pd.isna(row[column]) and str(row[column]):
            facts[title] = str(row[column])
    return facts


def shared(mappings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the entries that all of some mappings have alike; nothing of a single one."""
    if len(mappings) < 2:
        return {}
    first, *others = mappings
    return {
        name: value
        for name, value in first.items()
        if all(name in other and type(other[name]) is type(value) and other[name] == value for other in others)
    }
