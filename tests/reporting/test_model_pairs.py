"""Pairs of models: differences seed by seed, their intervals, and single runs."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from results_factory import outdated, trials, write

from bench.reporting.comparisons.model_pairs import PairTable, pair_tables, pairs_csv
from bench.reporting.comparisons.suite_results import suite_results
from bench.reporting.staleness import MARK
from bench.results.store import load_results
from bench.study.config import Study

MODELS = ("segnet_basic", "fcn_basic")


def stored(folder: Path, study: Study, *values: tuple[float, ...], stale: bool = False) -> list[PairTable]:
    """Stores test scores by model and seed, and returns the pairs."""
    for model, by_seed in zip(MODELS, values, strict=True):
        for seed, value in enumerate(by_seed):
            (trial,) = (
                one
                for one in trials("mini", models=[model], weightings=["median_frequency"], seeds=[seed])
                if one.kind == "training"
            )
            write(folder, outdated(trial) if stale else trial, value=value)
    return pair_tables(suite_results(load_results(folder).rows, study, "decoder-variants", "mini"))


def test_the_difference_is_taken_seed_by_seed_over_common_seeds(tmp_path: Path, study: Study) -> None:
    """Differences 4 and 2 points: 3 ± 12.706 · √2 / √2; of four pairs of runs the first is above in three."""
    (table,) = stored(tmp_path, study, (0.54, 0.49), (0.50, 0.47, 0.99))
    (pair,) = table.pairs
    assert (table.title, pair.title, pair.runs) == (
        "Median frequency balancing: 1 pair", "SegNet-Basic − FCN-Basic", "2 seeds",
    )  # fmt: skip
    assert pair.scores[2].text == "+3.0 [−9.7 to +15.7], P 0.75"


def test_single_runs_have_a_difference_alone_and_are_called_so(tmp_path: Path, study: Study) -> None:
    (table,) = stored(tmp_path, study, (0.54,), (0.50,))
    (pair,) = table.pairs
    assert (pair.scores[2].text, pair.runs) == ("+4.0", "single runs")


def test_models_without_a_common_seed_are_no_pair(tmp_path: Path, study: Study) -> None:
    assert stored(tmp_path, study, (0.54,), ()) == []


def test_stale_results_are_marked(tmp_path: Path, study: Study) -> None:
    (table,) = stored(tmp_path, study, (0.54,), (0.50,), stale=True)
    assert table.pairs[0].title.endswith(MARK)


def test_the_csv_has_every_number(tmp_path: Path, study: Study) -> None:
    frame = pd.read_csv(StringIO(pairs_csv(stored(tmp_path, study, (0.54, 0.49), (0.50, 0.47)), "A notice")))
    (row,) = frame[frame["metric"] == "mean_iou"].to_dict("records")
    assert (row["notice"], row["first"], row["second"], row["n"]) == ("A notice", *MODELS, 2)
    assert [row[name] for name in ("difference", "low", "high", "probability_of_improvement")] == pytest.approx(
        [3.0, -9.7062, 15.7062, 0.75], abs=1e-4
    )
