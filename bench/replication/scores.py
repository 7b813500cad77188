"""From the long results to the numbers that are reported: one row per value, averaged over seeds.

A reported score is the `score` row of split test or train at the trial's `selected_iteration`; which rows stand at
which checkpoint says checkpoints.py. Trials that did not end as done do not count, and neither do trials of another
configuration than the one asked for. A result is stale when it was stored under other settings or source than its trial
is planned with now; `choose` says where a stale one stands in, so that no mean mixes stale and current seeds.

Frames have the columns KEYS, value (mean over seeds; a fraction, or in the unit of COST_METRICS), std (over
seeds, divided by n−1; NaN for n = 1), n (seeds) and trials (tuple of digests). Absent text is "". `model` is the key of
a table's row: a model, or its refined predictions. `budget` names a fixed point of the training; "" is the reported
checkpoint, which the paper's tables with budgets call final.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import pandas as pd

from bench.replication.checkpoints import (
    OVER_SEEDS,
    at_budgets,
    at_other_selection,
    at_selected,
    current_rows,
    over_seeds,
    plain,
)
from bench.replication.conditions import ENERGY, disturbance_of, disturbances
from bench.results.changes import Change, changes, json_object
from bench.results.schema import COST_METRICS, TIMES
from bench.study.catalog import METRIC_TITLES
from bench.study.trials import Trial

KEYS = ("model", "weighting", "split", "metric", "budget", "class_name", "protocol")
SCORE_COLUMNS = (*KEYS, *OVER_SEEDS)
# What a time or a peak of memory depends on besides the program; processors of one name may differ in instructions.
MACHINE_COLUMNS = ("device_name", "kernels", "threads", "precision")
COST_COLUMNS = (*SCORE_COLUMNS, "passes", *MACHINE_COLUMNS, "disturbance")
MACHINE_COSTS = (*TIMES, ENERGY, "inference_peak_mib", "training_peak_mib", "process_baseline_mib")
DEFAULT_PROTOCOL = "paper"
PAPER_TIMES = "table-"  # what the names of the paper's timing protocols begin with


def scores(
    results: pd.DataFrame, digests: Collection[str] | None = None, protocol: str = DEFAULT_PROTOCOL
) -> pd.DataFrame:
    """Returns the reported G, C, mIoU and boundary F1 of each row's model, loss weighting and split.

    Args:
        results: rows of one suite and profile in the columns of `bench.results.schema`.
        digests: those of the current trials; None takes every trial and insists that they do not conflict.
        protocol: the boundary F1 protocol to report.

    Returns:
        A frame with SCORE_COLUMNS, values in fractions; empty where nothing is done.

    Raises:
        ResultsError: the rows are of several suites or profiles, a trial is there in two configurations and
            `digests` is None, a value is there twice, or a trial's config has budgets that are none.

    Edge cases:
        A NaN in one seed makes the mean NaN: it is not left out silently.
    """
    return over_seeds(at_selected(_score_rows(results, digests, protocol)), KEYS)


def budget_scores(
    results: pd.DataFrame, digests: Collection[str] | None = None, protocol: str = DEFAULT_PROTOCOL
) -> pd.DataFrame:
    """Returns the scores of split test at the fixed points of the trainings; as `scores`, with `budget` filled.

    Budgets stand in the order of the training; what is refined is scored at the reported checkpoint alone.

    Source: paper §4, Tables 3 and 4: scores after 40K and 80K (80K and 140K) iterations of the same training.
    """
    return over_seeds(at_budgets(_score_rows(results, digests, protocol)), KEYS)


def selection_scores(
    results: pd.DataFrame, digests: Collection[str] | None = None, protocol: str = DEFAULT_PROTOCOL
) -> pd.DataFrame:
    """Returns the scores of split test had the checkpoint been chosen by the other selection metric; as `scores`.

    The other metric is mean IoU where the trial selects by global accuracy, and the reverse. A model and loss weighting
    of which a trial has not stored these scores is not there (results of schema versions 1 and 2).
    """
    return over_seeds(at_other_selection(_score_rows(results, digests, protocol)), KEYS)


def class_scores(
    results: pd.DataFrame, digests: Collection[str] | None = None, protocol: str = DEFAULT_PROTOCOL
) -> pd.DataFrame:
    """Returns the per-class accuracy, IoU and boundary F1; as `scores`, with `class_name` filled.

    Classes stand in the order of the data set, which is the order in which trials store them.
    """
    rows = at_selected(current_rows(results, digests, "class_score"))
    return over_seeds(_of_protocol(rows, protocol), KEYS)


def costs(results: pd.DataFrame, digests: Collection[str] | None = None) -> pd.DataFrame:
    """Returns parameters, storage, time, memory and FLOPs of each model.

    Returns:
        A frame with COST_COLUMNS, weighting and split "", values in the units of COST_METRICS; `passes` is
        how many timed passes are behind a time (0 for a metric that is not timed), `disturbance` what went on
        beside them (see conditions.py). A metric measured under several protocols has a row for each, ours first.

    Raises:
        ResultsError: as `scores`.
    """
    rows = current_rows(results, digests, "cost")
    timed = rows[rows["metric"].str.endswith("_n")]
    values = over_seeds(rows[rows["metric"].isin(list(COST_METRICS))], KEYS)
    passes = {
        (model, metric, protocol): int(value)
        for model, metric, protocol, value in timed[["model", "metric", "protocol", "value"]].itertuples(index=False)
    }
    places = zip(values["model"], values["metric"], values["protocol"], strict=True)
    values["passes"] = [passes.get((model, f"{metric}_n", protocol), 0) for model, metric, protocol in places]
    for column in MACHINE_COLUMNS:
        of_trial = dict(zip(rows["digest"], rows[column], strict=True))
        values[column] = [of_trial[trials[0]] for trials in values["trials"]]
    disturbed = disturbances(results)
    values["disturbance"] = [
        disturbance_of(disturbed, trials[0], metric, protocol)
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
    """Returns what is checked and kept as a baseline: `scores`, `budget_scores` and `costs`, with SCORE_COLUMNS.

    Times and peak memory, which another machine does not reproduce, are not among them.

    Args:
        results, digests, protocol: as for `scores`.
    """
    cost = costs(results, digests)
    cost = cost[~cost["metric"].isin(MACHINE_COSTS)]
    scored = (scores(results, digests, protocol), budget_scores(results, digests, protocol))
    parts = [part for part in (*scored, cost[list(SCORE_COLUMNS)]) if len(part)]
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
    done = plain(done[~done["digest"].isin([trial.digest for trial in trials])].drop_duplicates("digest"))
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


def _score_rows(results: pd.DataFrame, digests: Collection[str] | None, protocol: str) -> pd.DataFrame:
    """Returns the score rows of all splits and iterations, boundary F1 under one protocol."""
    rows = current_rows(results, digests, "score")
    return _of_protocol(rows[rows["metric"].isin(list(METRIC_TITLES))], protocol)


def _of_protocol(rows: pd.DataFrame, protocol: str) -> pd.DataFrame:
    return rows[(rows["metric"] != "boundary_f1") | (rows["protocol"] == protocol)]
