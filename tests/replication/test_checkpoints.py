"""Budgets, refined predictions and the other selection metric: rows of one training at several checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from results_factory import otherwise_selected, selected, trials, write

from bench.errors import ResultsError
from bench.replication.scores import (
    SCORE_COLUMNS,
    budget_scores,
    class_scores,
    costs,
    reported,
    scores,
    selection_scores,
)
from bench.results.store import load_results

DEEPLAB = trials(suite="road-scenes", models=["deeplab_largefov"])[0]
SEGNET = trials(suite="road-scenes", models=["segnet"])[0]
FIRST, SECOND = trials("mini", models=["segnet_basic"], weightings=["median_frequency"])[:2]
REFINED = "deeplab_largefov_dense_crf"

Rows = Callable[..., pd.DataFrame]


@pytest.fixture
def stored(tmp_path: Path) -> Rows:
    """Stores trials, given as (trial, what `write` takes), and reads them again."""

    def rows(*given: tuple) -> pd.DataFrame:
        for trial, values in given:
            write(tmp_path, trial, **values)
        found = load_results(tmp_path)
        assert found.problems == []
        return found.rows

    return rows


def mean_iou(frame: pd.DataFrame, split: str = "test") -> list[tuple[str, str, float]]:
    """Row, budget and value."""
    rows = frame[(frame["metric"] == "mean_iou") & (frame["split"] == split)]
    return list(zip(rows["model"], rows["budget"], rows["value"], strict=True))


def test_a_training_gives_its_budgets_beside_the_reported_checkpoint(stored: Rows) -> None:
    rows = stored((SEGNET, {"value": 0.75, "other": 0.1}))

    assert mean_iou(scores(rows)) == [("segnet", "", 0.75)]
    assert mean_iou(scores(rows), "train") == [("segnet", "", 0.75)]
    assert mean_iou(budget_scores(rows)) == [("segnet", "40K", 0.25), ("segnet", "80K", 0.5)]
    assert list(budget_scores(rows).columns) == list(SCORE_COLUMNS)
    boundary = budget_scores(rows).query("metric == 'boundary_f1'")
    assert boundary[["budget", "protocol"]].to_numpy().tolist() == [["40K", "paper"], ["80K", "paper"]]
    assert budget_scores(rows, protocol="davis").query("metric == 'boundary_f1'").empty


def test_budgets_are_averaged_over_seeds(stored: Rows) -> None:
    rows = stored((SEGNET, {"value": 0.75}), (replace(SEGNET, seed=1), {"value": 0.15}))

    frame = budget_scores(rows).query("metric == 'mean_iou' and budget == '80K'")

    assert frame[["value", "n"]].to_numpy().tolist() == [[pytest.approx(0.3), 2]]


def test_refined_predictions_are_a_row_of_their_own_at_the_reported_checkpoint(stored: Rows) -> None:
    rows = stored((DEEPLAB, {"value": 0.75, "refined": 0.875, "classes": ["Sky", "Pole"], "other": 0.1}))

    assert mean_iou(scores(rows)) == [("deeplab_largefov", "", 0.75), (REFINED, "", 0.875)]
    assert mean_iou(scores(rows), "train") == [("deeplab_largefov", "", 0.75)]
    assert {row for row, _, _ in mean_iou(budget_scores(rows))} == {"deeplab_largefov"}
    assert {row for row, _, _ in mean_iou(selection_scores(rows))} == {"deeplab_largefov"}
    frame = class_scores(rows).query("metric == 'iou' and split == 'test'")
    assert frame[["model", "class_name", "value"]].to_numpy().tolist() == [
        ["deeplab_largefov", "Sky", 0.75],
        ["deeplab_largefov", "Pole", 0.75],
        [REFINED, "Sky", 0.875],
        [REFINED, "Pole", 0.875],
    ]
    assert scores(rows)["trials"].map(set).tolist() == [{DEEPLAB.digest}] * len(scores(rows))


def test_reported_values_are_scores_budgets_and_costs(stored: Rows) -> None:
    cost = replace(DEEPLAB, kind="cost", weighting=None, seed=None)
    measured = {("parameters", "layers"): 5.0, ("forward_ms", "table-6"): 2.0, ("forward_ms_n", "table-6"): 10.0}
    rows = stored((DEEPLAB, {}), (cost, {"costs": measured}))

    frame = reported(rows)

    assert len(frame) == (7 + 4) + 2 * 4 + 1
    assert frame["budget"].value_counts().to_dict() == {"": 12, "40K": 4, "80K": 4}
    assert costs(rows).query("metric == 'forward_ms'")[["model", "value", "passes"]].to_numpy().tolist() == [
        ["deeplab_largefov", 2.0, 10]
    ]


@pytest.mark.parametrize("metric", ["global_accuracy", "mean_iou"])
def test_the_other_metric_chooses_among_the_points_after_the_last_budget(stored: Rows, metric: str) -> None:
    """The validation scores of the factory are highest at the budgets, and disagree on the two points after them."""
    rows = stored((replace(SEGNET, selection=metric), {"value": 0.75, "other": 0.625}))

    assert mean_iou(selection_scores(rows)) == [("segnet", "", 0.625)]
    assert set(selection_scores(rows)["split"]) == {"test"}
    assert mean_iou(scores(rows)) == [("segnet", "", 0.75)]


def test_the_first_of_equally_good_points_is_chosen(stored: Rows) -> None:
    rows = stored((SEGNET, {"value": 0.75, "other": 0.625}))
    rows.loc[(rows["split"] == "val") & (rows["metric"] == "mean_iou"), "value"] = 0.5

    assert otherwise_selected(SEGNET) > selected(SEGNET)
    assert mean_iou(selection_scores(rows)) == [("segnet", "", 0.75)]  # both metrics agree


def test_a_mean_over_seeds_of_which_one_stored_no_second_selection_is_not_given(stored: Rows) -> None:
    both = stored((FIRST, {"value": 0.75, "other": 0.5}), (SECOND, {"value": 0.75, "other": 0.25}))
    assert mean_iou(selection_scores(both)) == [("segnet_basic", "", 0.375)]

    at = (both["digest"] == SECOND.digest) & (both["iteration"] == otherwise_selected(SECOND))
    assert selection_scores(both[~(at & (both["split"] == "test")).to_numpy(dtype=bool)]).empty
    assert mean_iou(selection_scores(both, {FIRST.digest})) == [("segnet_basic", "", 0.5)]


def test_a_result_from_before_there_were_budgets_has_none(stored: Rows) -> None:
    """Its configuration lacks the budgets, its rows hold null for the refinement that later schemas added."""
    before = {name: value for name, value in FIRST.as_dict().items() if name != "budgets"}
    assert before != FIRST.as_dict()
    now = stored((FIRST, {"value": 0.75}))
    rows = now.assign(schema_version=2, config=json.dumps(before), refinement=None)

    assert set(scores(rows)["value"]) == {0.75}
    pd.testing.assert_frame_equal(scores(rows), scores(now))
    pd.testing.assert_frame_equal(class_scores(rows), class_scores(now))
    assert budget_scores(rows).empty
    assert list(budget_scores(rows).columns) == list(SCORE_COLUMNS)


def test_where_nothing_is_stored_every_frame_is_empty_with_its_columns(stored: Rows) -> None:
    rows = stored((SEGNET, {"other": 0.25})).iloc[:0]

    for frame in (scores(rows), budget_scores(rows), class_scores(rows), selection_scores(rows), reported(rows)):
        assert frame.empty
        assert list(frame.columns) == list(SCORE_COLUMNS)


@pytest.mark.parametrize("budgets", [[40], {"40K": "40"}, {"40K": True}, 40, None])
def test_budgets_that_no_trial_has_are_an_error_in_one_line(stored: Rows, budgets: object) -> None:
    rows = stored((SEGNET, {})).assign(config=json.dumps(SEGNET.as_dict() | {"budgets": budgets}))

    with pytest.raises(ResultsError, match=f"trial {SEGNET.digest} stores budgets that are no iterations by name"):
        budget_scores(rows)
