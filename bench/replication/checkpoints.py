"""Which stored rows are those of a checkpoint that is reported, and their mean over seeds.

A trial stores scores of the test split at several iterations: the one it selected, each budget of its config, and the
one that the other selection metric would have chosen. Rows of refined predictions stand beside those of the network's
own; from here on they belong to a model of their own, named by `bench.study.catalog.refined`.

All functions take and return rows in the columns of `bench.results.schema`, from `current_rows` on with "" for absent
text and with one more column, `budget`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.errors import ResultsError
from bench.results.changes import json_object
from bench.results.schema import COLUMNS
from bench.study.catalog import refined

REPORTED_SPLITS = ("test", "train")
OTHER_SELECTION = {"global_accuracy": "mean_iou", "mean_iou": "global_accuracy"}

# A trial of the study: files that agree here but not in their digest hold different configurations.
_TRIAL = ["suite", "profile", "kind", "model", "weighting", "seed"]
OVER_SEEDS = ("value", "std", "n", "trials", "values")  # columns that `over_seeds` adds to its keys
_CELL = ["model", "weighting"]  # what is averaged over seeds


class Validation(NamedTuple):
    """A score of the validation split."""

    metric: str
    iteration: int
    value: float


def current_rows(results: pd.DataFrame, digests: Collection[str] | None, record: str) -> pd.DataFrame:
    """Returns the rows of a record type from trials that are done and current, of one suite and profile.

    Args:
        results: in the columns of the schema.
        digests: those of the current trials; None takes every trial and insists that they do not conflict.
        record: "score", "class_score", "cost", ...

    Returns: rows whose `model` is the key of a table's row, with `budget` "".

    Raises:
        ResultsError: several suites or profiles, or a trial in two configurations.
    """
    rows = results[(results["status"] == "done") & (results["record"] == record)]
    if digests is not None:
        rows = rows[rows["digest"].isin(list(digests))]
    rows = plain(rows)
    for what in ("suite", "profile"):
        if len(names := rows[what].unique()) > 1:
            listed = ", ".join(sorted(names))
            raise ResultsError(f"results of {len(names)} {what}s ({listed}) cannot share a table; choose one {what}")
    trials = rows[[*_TRIAL, "trial", "digest"]].drop_duplicates("digest")
    twice = trials[trials.duplicated(_TRIAL, keep=False)]
    if len(twice):
        name = twice["trial"].iloc[0]
        found = sorted(twice.loc[twice["trial"] == name, "digest"])
        raise ResultsError(
            f"trial {name} is stored in {len(found)} configurations ({', '.join(found)}); "
            "move the files of the outdated ones away, or say which are current"
        )
    keys = [refined(model, made) for model, made in zip(rows["model"], rows["refinement"], strict=True)]
    return rows.assign(model=pd.Series(keys, index=rows.index, dtype=object), budget="")


def at_selected(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the reported splits at the selected iteration of their trial, refined ones included."""
    rows = rows[rows["split"].isin(REPORTED_SPLITS)]
    return rows[_iterations(rows) == _iterations(rows, "selected_iteration")]  # NaN equals nothing


def at_budgets(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the test split at the budgets of their trial, with `budget` the name of each."""
    points = [
        (digest, name, iteration)
        for digest, config in _configs(rows).items()
        for name, iteration in _budgets(digest, config).items()
    ]
    own = rows[(rows["split"] == "test") & (rows["refinement"] == "")].drop(columns="budget")
    pairs = own.merge(pd.DataFrame(points, columns=["digest", "budget", "point"]), on="digest")
    return pairs[_iterations(pairs) == _iterations(pairs, "point")].drop(columns="point")


def at_other_selection(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the scores of the test split at the iteration that the other selection metric chooses.

    That is the first best validation point by it, after the last budget. Where a trial of a model and loss weighting
    has not stored the scores of its point, none of the others is returned either: a mean over those in which both
    metrics happen to agree would say that the choice never matters.

    Args:
        rows: of record "score", those of the validation split included.
    """
    rows = rows[rows["refinement"] == ""]
    validations: dict[str, list[Validation]] = {}
    of_val = rows[rows["split"] == "val"]
    columns = (of_val[name].tolist() for name in ("digest", "metric", "iteration", "value"))
    for digest, *validation in zip(*columns, strict=True):
        validations.setdefault(digest, []).append(Validation(*validation))
    points = {
        digest: point
        for digest, config in _configs(rows).items()
        for point in _chosen_by_other(digest, config, validations.get(digest, ()))
    }
    found = rows[(rows["split"] == "test") & (_iterations(rows) == rows["digest"].map(points).to_numpy("float64"))]
    without = rows[~rows["digest"].isin(list(found["digest"]))]
    incomplete = set(without[_CELL].itertuples(index=False, name=None))
    complete = [cell not in incomplete for cell in found[_CELL].itertuples(index=False, name=None)]
    return found[np.array(complete, dtype=bool)]


def plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns a copy whose text columns are plain str with "" for null, whatever engine read them."""
    found = {}
    for name in (column.name for column in COLUMNS if column.dtype == "string" and column.name in rows):
        absent = rows[name].isna()
        if absent.any() or rows[name].dtype != object:  # few are, and to look takes a tenth of the time
            found[name] = rows[name].astype(object).where(~absent, "")
    return rows.assign(**found)


def over_seeds(rows: pd.DataFrame, keys: tuple[str, ...]) -> pd.DataFrame:
    """Returns mean, standard deviation, n, digests, and the value of each seed, by key in the order keys first occur.

    Returns: a frame with the keys and OVER_SEEDS; `values` is a dict from seed to value, in the order of `trials`.

    Raises:
        ResultsError: a trial has two values of a key, or two trials have the same seed.
    """
    collected: dict[tuple[str, ...], dict[str, tuple[int, float]]] = {}
    columns = [*keys, "digest", "seed", "value"]
    for *key, digest, seed, value in rows[columns].itertuples(index=False, name=None):
        found = collected.setdefault(tuple(key), {})
        cell = " ".join(part for part in key if part)
        if digest in found:
            raise ResultsError(f"trial {digest} has two values of {cell}; is one of its files there twice?")
        found[digest] = (0 if pd.isna(seed) else int(seed), np.nan if pd.isna(value) else float(value))
    table = []
    for place, found in collected.items():
        values = dict(found.values())
        if len(values) < len(found):
            cell = " ".join(part for part in place if part)
            raise ResultsError(f"two trials of {cell} have the same seed ({', '.join(found)}); move one file away")
        table.append(
            (*place, np.mean(list(values.values())), _std(list(values.values())), len(values), tuple(found), values)
        )
    return pd.DataFrame(table, columns=[*keys, *OVER_SEEDS])


def _iterations(rows: pd.DataFrame, column: str = "iteration") -> np.ndarray:
    return rows[column].to_numpy(dtype="float64", na_value=np.nan)


def _configs(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Returns the stored specification of each trial by digest; {} of one that stored none."""
    stored = rows.drop_duplicates("digest")
    return {
        digest: json_object(config) or {} for digest, config in zip(stored["digest"], stored["config"], strict=True)
    }


def _budgets(digest: str, config: Mapping[str, Any]) -> dict[str, int]:
    """Returns the budgets in a stored specification; {} of one from before there were any."""
    found = config.get("budgets", {})
    if not isinstance(found, dict) or not all(type(iteration) is int for iteration in found.values()):
        raise ResultsError(f"trial {digest} stores budgets that are no iterations by name; move its file away")
    return found


def _chosen_by_other(digest: str, config: Mapping[str, Any], validations: Iterable[Validation]) -> Iterator[int]:
    """Yields the iteration that the other selection metric chooses, if the trial can have one.

    As in the training, the first point counts whatever its score, and a later one only where it is better.
    """
    metric = OTHER_SELECTION.get(str(config.get("selection")))
    first = max(_budgets(digest, config).values(), default=0)
    best: Validation | None = None
    own = (one for one in validations if one.metric == metric and not pd.isna(one.iteration) and one.iteration > first)
    for one in sorted(own, key=lambda one: one.iteration):
        if best is None or one.value > best.value:
            best = one
    if best is not None:
        yield int(best.iteration)


def _std(values: list[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
