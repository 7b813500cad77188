"""Points on one training run: budgets, the best point after them by two metrics, refined predictions, checkerboards."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from results_factory import ROOT

from bench.evaluation.region_scores import region_scores
from bench.results.schema import CHECKERBOARD_METRICS, REFINEMENT_METRICS
from bench.running import training_trial as recipe
from bench.running.checkpoints import checkpoints_of
from bench.running.control import Control, Interrupted
from bench.running.inputs import build_model
from bench.running.training_trial import Selected, keep_best, run_training
from bench.study.config import load_study
from bench.study.trials import plan
from bench.training.bn_statistics import _batches, recompute_bn_statistics
from bench.training.loop import training_step

CPU = torch.device("cpu")
SCORES = ("global_accuracy", "mean_iou")


def tiny(suite="road-scenes", model="segnet", **changes):
    one = plan(load_study(ROOT / "bench.yaml"), suite, "smoke", [model])[0]
    small = {
        "dataset_options": {"reader": "road_scenes", "train": 6, "val": 2, "test": 3, "seed": 5},
        "height": 32,
        "width": 40,
        "batch_size": 2,
        "iterations": 8,
        "validate_every": 1,
        "checkpoint_every": 4,
        "budgets": {"early": 2, "late": 4},
        "panels": 1,
        "store_predictions": False,
    }
    return replace(one, **(small | changes))


@pytest.fixture(scope="module")
def finished():
    torch.set_num_threads(1)
    return run_training(tiny(model="segnet"), CPU, lambda _: None)


def scored(rows, split, refinement=None):
    """Returns metric -> iteration -> value of a split's scores."""
    found = {}
    for row in rows.rows:
        place = (row["record"], row.get("split"), row.get("refinement"))
        if place == ("score", split, refinement) and row["metric"] in SCORES:
            found.setdefault(row["metric"], {})[row["iteration"]] = row["value"]
    return found


def test_the_test_split_is_scored_at_the_budgets_and_at_the_best_points_after_them(finished):
    val = {metric: {i: v for i, v in values.items() if i > 4} for metric, values in scored(finished, "val").items()}
    best = {metric: max(values, key=lambda i: (values[i], -i)) for metric, values in val.items()}
    assert finished.selected_iteration == best["global_accuracy"] > 4
    wanted = {2, 4, *best.values()}
    for metric in SCORES:
        assert set(scored(finished, "test")[metric]) == wanted
        assert set(scored(finished, "train")[metric]) == {finished.selected_iteration}
    boundaries = {r["iteration"] for r in finished.rows if r["record"] == "image_boundary"}
    assert boundaries == wanted


def test_a_budget_is_what_a_training_of_that_length_has_there(finished):
    """The score at a budget is that of the network as it is then, with fresh batch-norm statistics."""
    short = run_training(tiny(iterations=4, budgets={}), CPU, lambda _: None)
    at_four = scored(short, "val")["mean_iou"][4]
    assert scored(finished, "val")["mean_iou"][4] == at_four
    budgets = run_training(tiny(iterations=5, budgets={"late": 4}), CPU, lambda _: None)
    assert scored(budgets, "test")["mean_iou"][4] == scored(finished, "test")["mean_iou"][4]


def test_the_two_metrics_choose_apart():
    trial, model, best = tiny(), torch.nn.Conv2d(1, 1, 1), {}
    counts = {5: [[8, 0], [2, 0]], 6: [[6, 2], [0, 2]], 7: [[8, 0], [2, 0]], 4: [[8, 0], [0, 2]]}
    for iteration in (4, 5, 6, 7):
        with torch.no_grad():
            model.weight.fill_(iteration)
        keep_best(best, trial, iteration, region_scores(np.array(counts[iteration])), model)
    assert {metric: one.iteration for metric, one in best.items()} == {"global_accuracy": 5, "mean_iou": 6}
    assert [float(one.weights["weight"]) for one in best.values()] == [5, 6]


def test_both_choices_survive_an_interruption(tmp_path, finished):
    trial, control = tiny(), Control()
    checkpoints = checkpoints_of(tmp_path, trial, {})

    def stop(message):
        control.stop = control.stop or getattr(message, "iteration", 0) >= 6

    with pytest.raises(Interrupted):
        run_training(trial, CPU, stop, control, checkpoints)
    rows = run_training(trial, CPU, lambda _: None, checkpoints=checkpoints_of(tmp_path, trial, {}))
    assert rows.selected_iteration == finished.selected_iteration
    for split in ("val", "test"):
        assert scored(rows, split) == scored(finished, split)


def test_weights_of_one_point_are_kept_once(tmp_path):
    weights = {"a": torch.zeros(250_000)}
    sizes = []
    for best in (
        {"global_accuracy": Selected(0.5, 5, weights)},
        {"global_accuracy": Selected(0.5, 5, weights), "mean_iou": Selected(0.4, 5, weights)},
    ):
        checkpoints = checkpoints_of(tmp_path / str(len(best)), tiny(), {})
        checkpoints.save(1, {"best": {metric: one._asdict() for metric, one in best.items()}})
        sizes.append(checkpoints.files()[0].stat().st_size)
    assert sizes[1] < 1.01 * sizes[0]


def test_deeplab_is_refined_on_the_same_weights():
    trial = tiny(model="deeplab_largefov", iterations=5, validate_every=1, budgets={})
    assert trial.refinement == "dense_crf"
    notices = []
    rows = run_training(trial, CPU, notices.append)
    refined = scored(rows, "test", "dense_crf")["mean_iou"]
    assert set(refined) == {rows.selected_iteration}
    assert {row["metric"] for row in rows.rows if row["record"] == "refinement"} == set(REFINEMENT_METRICS)
    (panel,) = [pictures for _, pictures in rows.panels if "prediction-dense_crf" in pictures]
    (own,) = [pictures for _, pictures in rows.panels if "prediction" in pictures]
    assert panel["prediction-dense_crf"].shape == own["prediction"].shape
    assert any("dense CRF: w1" in getattr(notice, "text", "") for notice in notices)
    plain = run_training(replace(trial, refinement=None), CPU, lambda _: None)
    assert scored(plain, "test") == scored(rows, "test")


def test_checkerboards_are_measured_where_they_are_asked_for():
    trial = tiny("upsampling", "upsampling_transposed_3", iterations=2, validate_every=2, budgets={})
    rows = run_training(trial, CPU, lambda _: None)
    found = {(r["protocol"], r["metric"]): r["value"] for r in rows.rows if r["record"] == "checkerboard"}
    assert set(found) == {(f"period {p}", m) for p in (2, 4, 8) for m in CHECKERBOARD_METRICS}
    assert found["period 2", "contrast_constant"] > 0.01  # a 3x3 kernel with stride 2 overlaps unevenly


def test_a_network_that_does_not_repeat_has_no_contrast():
    trial = tiny("upsampling", "upsampling_bilinear", iterations=2, validate_every=2, budgets={})
    rows = run_training(trial, CPU, lambda _: None)
    contrast = [r["value"] for r in rows.rows if r["metric"] == "contrast_constant"]
    assert max(contrast) < 1e-4


@pytest.mark.parametrize(("count", "expected"), [(9, [(0, 4), (4, 9)]), (8, [(0, 4), (4, 8)]), (1, [(0, 1)])])
def test_no_image_is_alone_in_batch_norm(count, expected):
    assert _batches(count, 4) == expected


def test_statistics_are_taken_of_a_network_that_refuses_a_single_image():
    trial = tiny(model="deconvnet")
    model = build_model(trial, 11, CPU)
    images = torch.randn(5, 3, 32, 40)
    recompute_bn_statistics(model, images, batch_size=4, bf16=False)  # the fifth image alone would raise
    assert not model.training


def test_deeplab_learns_from_labels_at_an_eighth(monkeypatch):
    model = build_model(tiny(model="deeplab_largefov"), 11, CPU)
    seen = []
    original = recipe.train.__globals__["segmentation_loss"]
    monkeypatch.setitem(training_step.__globals__, "segmentation_loss",
                        lambda logits, labels, weights: seen.append((logits.shape, labels.shape)) or original(logits, labels, weights))  # fmt: skip # noqa: E501
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    labels = torch.randint(0, 11, (2, 32, 40))
    training_step(model, optimizer, torch.randn(2, 3, 32, 40), labels, torch.ones(11), bf16=False)
    assert seen == [((2, 11, 4, 5), (2, 4, 5))]


def test_a_cost_trial_is_built_for_the_timed_size():
    trial = replace(tiny(model="deconvnet"), kind="cost", timing_height=64, timing_width=96)
    assert build_model(trial, 11, CPU).size == (64, 96)
    assert build_model(tiny(model="deconvnet"), 11, CPU).size == (32, 40)
