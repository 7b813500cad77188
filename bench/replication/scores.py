"""From the long results to the numbers that are reported: one row per value, averaged over seeds.

A reported score is the `score` row of split test or train at the trial's `selected_iteration`. Trials that
did not end as done do not count, and neither do trials of another configuration than the one asked for. A result is
stale when it was stored under other settings or source than its trial is planned with now; `choose` says where a
stale one stands in, so that no mean mixes stale and current seeds.

Frames have the columns KEYS, value (mean over seeds; a fraction, or in the unit of COST_METRICS), std (over
seeds, divided by n−1; NaN for n = 1), n (seeds) and trials (tuple of digests). Absent text is "".
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.errors import ResultsError
from bench.replication.conditions import disturbances
from bench.results.changes import Change, changes, json_object
from bench.results.schema import COLUMNS, COST_METRICS, TIMES
from bench.study.catalog import METRIC_TITLES
from bench.study.trials import Trial

KEYS = ("model", "weighting", "split", "metric", "protocol")
SCORE_COLUMNS = (*KEYS, "value", "std", "n", "trials")
COST_COLUMNS = (*SCORE_COLUMNS, "passes", "device_name", "disturbance")
CLASS_COLUMNS = (*KEYS, "class_name", "value", "std", "n", "trials")
MACHINE_COSTS = (*TIMES, "forward_energy_j", "inference_peak_mib", "training_peak_mib", "process_baseline_mib")
REPORTED_SPLITS = ("test", "train")
DEFAULT_PROTOCOL = "paper"
PAPER_TIMES = "table-"  # what the names of the paper's timing protocols begin with

# A trial of the study: files that agree here but not in their digest hold different configurations.
_TRIAL = ["suite", "profile", "kind", "model", "weighting", "seed"]


def scores(
    results: pd.DataFrame, digests: Collection[str] | None = None, protocol: str = DEFAULT_PROTOCOL
) -> pd.DataFrame:
    """Returns the reported G, C, mIoU and boundary F1 of each model, loss weighting and split.

    Args:
        results: rows of one suite and profile in the columns of `bench.results.schema`.
        digests: those of the current trials; None takes every trial and insists that they do not conflict.
        protocol: the boundary F1 protocol to report.

    Returns:
        A frame with SCORE_COLUMNS, values in fractions; empty where nothing is done.

    Raises:
        ResultsError: the rows are of several suites or profiles, a trial is there in two configurations and
            `digests` is None, or a value is there twice.

    Edge cases:
        A NaN in one seed makes the mean NaN: it is not left out silently.
    """
    rows = _selected(results, digests, "score")
    rows = rows[rows["metric"].isin(list(METRIC_TITLES))]
    rows = rows[(rows["metric"] != "boundary_f1") | (rows["protocol"] == protocol)]
    return _over_seeds(rows, KEYS)


def class_scores(
    results: pd.DataFrame, digests: Collection[str] | None = None, protocol: str = DEFAULT_PROTOCOL
) -> pd.DataFrame:
    """Returns the per-class accuracy, IoU and boundary F1; as `scores`, with CLASS_COLUMNS.

    Classes stand in the order of the data set, which is the order in which trials store them.
    """
    rows = _selected(results, digests, "class_score")
    rows = rows[(rows["metric"] != "boundary_f1") | (rows["protocol"] == protocol)]
    return _over_seeds(rows, (*KEYS, "class_name"))


def costs(results: pd.DataFrame, digests: Collection[str] | None = None) -> pd.DataFrame:
    """Returns parameters, storage, time, memory and FLOPs of each model.

    Returns:
        A frame with COST_COLUMNS, weighting and split "", values in the units of COST_METRICS; `passes` is
        how many timed passes are behind a time (0 for a metric that is not timed), `disturbance` what went on
        beside them (see conditions.py). A metric measured under several protocols has a row for each, ours first.

    Raises:
        ResultsError: as `scores`.
    """
    rows = _current(results, digests, "cost")
    timed = rows[rows["metric"].str.endswith("_n")]
    values = _over_seeds(rows[rows["metric"].isin(list(COST_METRICS))], KEYS)
    passes = {
        (model, metric, protocol): int(value)
        for model, metric, protocol, value in timed[["model", "metric", "protocol", "value"]].itertuples(index=False)
    }
    places = zip(values["model"], values["metric"], values["protocol"], strict=True)
    devices = dict(zip(rows["digest"], rows["device_name"], strict=True))
    values["passes"] = [passes.get((model, f"{metric}_n", protocol), 0) for model, metric, protocol in places]
    values["device_name"] = [devices[trials[0]] for trials in values["trials"]]
    disturbed = disturbances(results)
    values["disturbance"] = [
        disturbed.get((trials[0], protocol), "") if metric in TIMES else ""
        for metric, protocol, trials in zip(values["metric"], values["protocol"], values["trials"], strict=True)
    ]
    return in_order_of_protocols(values)


def in_order_of_protocols(costs: pd.DataFrame) -> pd.DataFrame:
    """Returns costs by model, those measured under a protocol of one of the paper's tables last."""
    order = costs.assign(model=pd.factorize(costs["model"])[0], protocol=costs["protocol"].str.startswith(PAPER_TIMES))
    return costs.loc[order.sort_values(["model", "protocol"], kind="stable").index].reset_index(drop=True)


def reported(
    results: pd.DataFrame,
    digests: Collection[str] | None = None,
    protocol: str = DEFAULT_PROTOCOL,
) -> pd.DataFrame:
    """Returns what is checked and kept as a baseline: `scores`, below them `costs`, with SCORE_COLUMNS.

    Times and peak memory, which another machine does not reproduce, are not among them.

    Args:
        results, digests, protocol: as for `scores`.
    """
    cost = costs(results, digests)
    cost = cost[~cost["metric"].isin(MACHINE_COSTS)]
    parts = [part for part in (scores(results, digests, protocol), cost[list(SCORE_COLUMNS)]) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(SCORE_COLUMNS))


class Choice(NamedTuple):
    """The rows to report, and the digests of those among them that are stale."""

    rows: pd.DataFrame
    stale: frozenset[str]


def choose(results: pd.DataFrame, trials: Sequence[Trial]) -> Choice:
    """Selects the results to report: the current ones, and stale ones of the cells that have none that is current.

    A cell is a model's cost, or its training with one loss weighting under all seeds. Of its stale results those of
    the latest generation are taken, that is of the settings and source of the latest one; of a trial that is there
    several times in it, the latest.

    Args:
        results: rows of one suite and profile in the columns of `bench.results.schema`.
        trials: those that are planned now; results of others are left out.
    """
    current = {trial.digest for trial in trials}
    done = set(results.loc[results["status"] == "done", "digest"]) & current
    covered = {_cell(trial) for trial in trials if trial.digest in done}
    planned = {trial.id: trial for trial in trials if _cell(trial) not in covered}
    generations: dict[tuple[str, str, str], tuple[str, ...]] = {}
    stale: dict[str, str] = {}
    for stored in _newest_first(results, list(planned.values())):
        trial = planned[stored["trial"]]
        generation = _generation(stored, trial)
        if generations.setdefault(_cell(trial), generation) == generation:
            stale.setdefault(trial.id, stored["digest"])
    chosen = [results[results["digest"].isin(list(digests))] for digests in (current, stale.values())]
    return Choice(pd.concat(chosen) if stale else chosen[0], frozenset(stale.values()))


def why_stale(results: pd.DataFrame, trials: Sequence[Trial]) -> dict[str, tuple[Change, ...]]:
    """Returns, by id of every trial that is not done but has a stale result, what has changed since the latest one.

    Args:
        results, trials: as for `choose`.
    """
    done = set(results.loc[results["status"] == "done", "digest"])
    missing = {trial.id: trial for trial in trials if trial.digest not in done}
    found: dict[str, tuple[Change, ...]] = {}
    for stored in _newest_first(results, list(missing.values())):
        if stored["trial"] not in found:
            found[stored["trial"]] = changes(stored, missing[stored["trial"]])
    return found


def _newest_first(results: pd.DataFrame, trials: Sequence[Trial]) -> list[dict[Any, Any]]:
    """Returns the provenance of every result that is done, of a planned trial, and stale; the latest first."""
    done = results[(results["status"] == "done") & results["trial"].isin([trial.id for trial in trials])]
    done = _plain(done[~done["digest"].isin([trial.digest for trial in trials])].drop_duplicates("digest"))
    return sorted(done.to_dict("records"), key=lambda row: (row["started_at"], row["digest"]), reverse=True)


def _cell(trial: Trial) -> tuple[str, str, str]:
    """What is averaged over seeds into one number."""
    return trial.kind, trial.model, trial.weighting or ""


def _generation(stored: dict[Any, Any], trial: Trial) -> tuple[str, ...]:
    """Returns what the seeds of a cell have in common when they were run under the same settings and source."""
    unimportant = set(trial.as_dict()) - set(trial.declared) | {"seed"}
    config = json_object(stored["config"]) or {}
    settings = {name: value for name, value in config.items() if name not in unimportant}
    return json.dumps(settings, sort_keys=True), stored["sources"], stored["protocols"]


def _selected(results: pd.DataFrame, digests: Collection[str] | None, record: str) -> pd.DataFrame:
    """Returns the rows of a record type at the reported checkpoint and splits."""
    rows = _current(results, digests, record)
    rows = rows[rows["split"].isin(REPORTED_SPLITS)]
    iterations, selected = (
        rows[name].to_numpy(dtype="float64", na_value=np.nan) for name in ("iteration", "selected_iteration")
    )
    return rows[iterations == selected]  # NaN equals nothing


def _current(results: pd.DataFrame, digests: Collection[str] | None, record: str) -> pd.DataFrame:
    """Returns the rows of a record type from trials that are done and current, of one suite and profile."""
    rows = results[(results["status"] == "done") & (results["record"] == record)]
    if digests is not None:
        rows = rows[rows["digest"].isin(list(digests))]
    rows = _plain(rows)
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
    return rows


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns a copy whose text columns are plain str with "" for null, whatever engine read them."""
    text = [column.name for column in COLUMNS if column.dtype == "string" and column.name in rows]
    return rows.assign(**{name: rows[name].astype(object).where(rows[name].notna(), "") for name in text})


def _over_seeds(rows: pd.DataFrame, keys: tuple[str, ...]) -> pd.DataFrame:
    """Returns mean, standard deviation, n and digests of each key, in the order the keys first occur."""
    collected: dict[tuple[str, ...], dict[str, float]] = {}
    for *key, digest, value in rows[[*keys, "digest", "value"]].itertuples(index=False, name=None):
        values = collected.setdefault(tuple(key), {})
        if digest in values:
            cell = " ".join(part for part in key if part)
            raise ResultsError(f"trial {digest} has two values of {cell}; is one of its files there twice?")
        values[digest] = np.nan if pd.isna(value) else float(value)
    table = [
        (*key, np.mean(list(values.values())), _std(list(values.values())), len(values), tuple(values))
        for key, values in collected.items()
    ]
    return pd.DataFrame(table, columns=[*keys, "value", "std", "n", "trials"])


def _std(values: list[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
