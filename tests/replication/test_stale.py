"""Stale results stand in where nothing is current, never in one mean with current ones, and never in a check."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from results_factory import ROOT, outdated, write

from bench.replication.scores import choose, costs, scores, why_stale
from bench.replication.verdicts import verdicts_of
from bench.results.store import load_results
from bench.study.config import load_study
from bench.study.trials import Trial, plan

STUDY = load_study(ROOT / "bench.yaml")
ALL = plan(STUDY, "decoder-variants", "mini", models=["segnet_basic", "fcn_basic"])  # two of its seeds
ONE, TWO = [trial for trial in ALL if (trial.model, trial.weighting) == ("segnet_basic", "median_frequency")][:2]
OTHER = next(trial for trial in ALL if (trial.model, trial.weighting) == ("fcn_basic", "median_frequency"))
COST = next(trial for trial in ALL if (trial.model, trial.kind) == ("segnet_basic", "cost"))
DAY = "2026-01-{:02d}T00:00:00+00:00".format

Rows = Callable[..., pd.DataFrame]


@pytest.fixture
def stored(tmp_path: Path) -> Rows:
    """Stores trials, given as (trial, value) or (trial, value, columns), and reads them again."""

    def rows(*trials: tuple) -> pd.DataFrame:
        for trial, value, *columns in trials:
            write(tmp_path, trial, value, **(columns[0] if columns else {}))
        return load_results(tmp_path).rows

    return rows


def shown(rows: pd.DataFrame) -> dict[tuple[str, str], tuple[float, int, bool]]:
    """Test mIoU, n and whether it is stale, by model and weighting."""
    choice = choose(rows, ALL)
    frame = scores(choice.rows).query("split == 'test' and metric == 'mean_iou'")
    places = zip(frame["model"], frame["weighting"], strict=True)
    values = zip(frame["value"], frame["n"], frame["trials"], strict=True)
    return {
        place: (float(value), int(n), not choice.stale.isdisjoint(trials))
        for place, (value, n, trials) in zip(places, values, strict=True)
    }


MEDIAN = ("segnet_basic", "median_frequency")


def test_current_results_are_taken_as_they_are(stored: Rows) -> None:
    rows = stored((ONE, 0.25), (TWO, 0.75))
    assert shown(rows) == {MEDIAN: (0.5, 2, False)}
    assert choose(rows, ALL).stale == frozenset()
    assert len(choose(rows, ALL).rows) == len(rows)


def test_stale_results_stand_in_where_nothing_is_current(stored: Rows) -> None:
    assert shown(stored((outdated(ONE), 0.25), (outdated(TWO), 0.75))) == {MEDIAN: (0.5, 2, True)}


def test_one_current_seed_sends_the_stale_ones_away(stored: Rows) -> None:
    rows = stored((outdated(ONE), 0.25), (outdated(TWO), 0.75), (TWO, 0.5), (outdated(OTHER), 0.125))
    assert shown(rows) == {MEDIAN: (0.5, 1, False), ("fcn_basic", "median_frequency"): (0.125, 1, True)}
    assert outdated(ONE).digest not in set(choose(rows, ALL).rows["digest"])


@pytest.mark.parametrize("status", ["failed", "diverged", "killed"])
def test_a_current_trial_that_ended_badly_leaves_the_stale_value(stored: Rows, status: str) -> None:
    rows = stored((outdated(ONE), 0.25), (ONE, 0.5, {"status": status}))
    assert shown(rows) == {MEDIAN: (0.25, 1, True)}


def test_a_stale_result_that_is_not_done_is_not_shown(stored: Rows) -> None:
    assert shown(stored((outdated(ONE), 0.25, {"status": "failed"}))) == {}


def test_the_latest_of_several_generations_counts_with_all_its_seeds_and_no_others(stored: Rows) -> None:
    first, second = (lambda trial: outdated(trial, "a.py")), (lambda trial: outdated(trial, "b.py"))
    rows = stored(
        (first(ONE), 0.1, {"started_at": DAY(1)}),
        (first(TWO), 0.2, {"started_at": DAY(1)}),
        (second(ONE), 0.25, {"started_at": DAY(2)}),
        (second(TWO), 0.75, {"started_at": DAY(3)}),
    )
    assert shown(rows) == {MEDIAN: (0.5, 2, True)}
    rows = stored((outdated(TWO, "c.py"), 0.375, {"started_at": DAY(4)}))
    assert shown(rows) == {MEDIAN: (0.375, 1, True)}  # the other seed was never run like that


def test_other_settings_are_another_generation_but_other_pictures_are_not(stored: Rows) -> None:
    def older(trial: Trial, **settings: object) -> Trial:
        return outdated(replace(trial, **settings))

    rows = stored((older(ONE, panels=1), 0.25, {"started_at": DAY(1)}), (older(TWO), 0.75, {"started_at": DAY(2)}))
    assert shown(rows) == {MEDIAN: (0.5, 2, True)}
    rows = stored((older(TWO, lr=0.2), 0.375, {"started_at": DAY(3)}))
    assert shown(rows) == {MEDIAN: (0.375, 1, True)}


def test_where_sources_were_not_recorded_the_settings_tell_generations_apart(stored: Rows) -> None:
    nothing = {"sources": None, "protocols": None, "config": json.dumps({"lr": 0.1, "seed": 0})}
    second = nothing | {"config": json.dumps({"lr": 0.1, "seed": 1}), "source_digest": "0" * 16}
    rows = stored((outdated(ONE, "a.py"), 0.25, nothing), (outdated(TWO, "b.py"), 0.75, second))
    assert shown(rows) == {MEDIAN: (0.5, 2, True)}


def test_results_of_trials_that_are_not_planned_are_left_out(stored: Rows) -> None:
    rows = stored((ONE, 0.25), (replace(TWO, seed=7), 0.75), (replace(OTHER, model="another"), 0.5))
    assert shown(rows) == {MEDIAN: (0.25, 1, False)}


def test_costs_are_chosen_like_scores(stored: Rows) -> None:
    rows = stored((outdated(COST), 0), (ONE, 0.5))
    choice = choose(rows, ALL)
    assert costs(choice.rows)["trials"].tolist() == [(outdated(COST).digest,)]
    assert choice.stale == {outdated(COST).digest}
    assert choose(stored((COST, 0)), ALL).stale == frozenset()


def test_nothing_stored_is_nothing_chosen(stored: Rows) -> None:
    rows = stored((ONE, 0.5)).iloc[:0]
    assert choose(rows, ALL).rows.empty
    assert why_stale(rows, ALL) == {}


def test_what_has_changed_since_the_latest_is_said_of_every_trial_without_a_current_result(stored: Rows) -> None:
    rows = stored(
        (outdated(replace(ONE, lr=0.2), "models/blocks.py"), 0.25, {"started_at": DAY(1)}),
        (outdated(ONE, "models/blocks.py"), 0.25, {"started_at": DAY(2)}),
        (outdated(TWO), 0.5),
        (TWO, 0.75),
        (outdated(OTHER), 0.5),
        (OTHER, 0.5, {"status": "failed"}),
    )
    said = {name: [str(change) for change in found] for name, found in why_stale(rows, ALL).items()}
    assert said == {ONE.id: ["models/blocks.py: changed"], OTHER.id: ["bench/training/loop.py: changed"]}


def verdicts(rows: pd.DataFrame, home: Path) -> dict[str, tuple[str, str]]:
    found = verdicts_of(rows, ALL, STUDY, "paper", home)
    return {verdict.cell: (verdict.verdict, verdict.reason) for verdict in found}


def test_stale_values_are_not_checked_but_named(stored: Rows, tmp_path: Path) -> None:
    rows = stored(*((outdated(trial), 0.5) for trial in ALL if trial.weighting == "median_frequency"))
    found = verdicts(rows, tmp_path)
    assert {verdict for verdict, _ in found.values()} == {"missing", "stale"}
    reason = "changed since it ran: bench/training/loop.py"
    assert found["segnet_basic median_frequency test mean_iou"] == ("stale", reason)
    assert found["segnet_basic natural_frequency test mean_iou"] == ("missing", "not run yet")
    assert found["segnet_basic parameters"] == ("missing", "not run yet")


def test_a_stale_cost_is_named(stored: Rows, tmp_path: Path) -> None:
    found = verdicts(stored((outdated(COST), 0.5)), tmp_path)
    assert found["segnet_basic parameters"] == ("stale", "changed since it ran: bench/training/loop.py")
    assert found["fcn_basic parameters"] == ("missing", "not run yet")


def test_a_seed_that_is_stale_is_named_beside_a_current_one(stored: Rows, tmp_path: Path) -> None:
    found = verdicts(stored((ONE, 0.477), (outdated(TWO), 0.1)), tmp_path)
    # the current seed alone
    assert found["segnet_basic median_frequency test mean_iou"][1] == "profile mini is not at the paper's scale"
    assert found["segnet_basic median_frequency s1 trial"] == ("stale", "changed since it ran: bench/training/loop.py")


def test_how_a_current_trial_ended_is_said_before_that_it_has_a_stale_result(stored: Rows, tmp_path: Path) -> None:
    found = verdicts(stored((ONE, 0.477), (outdated(TWO), 0.1), (TWO, 0.1, {"status": "diverged"})), tmp_path)
    assert found["segnet_basic median_frequency s1 trial"] == ("failed", "diverged")
