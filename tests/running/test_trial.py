"""The recipe on a tiny drawn data set: what comes out, and that seeds and threads decide it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from results_factory import trials
from single_rows import single_rows

from bench.data import DATASETS
from bench.evaluation.boundary_scores import STORED
from bench.evaluation.confusion import confusion_counts
from bench.evaluation.region_scores import region_scores
from bench.results.schema import COST_METRICS
from bench.running import training_trial as recipe
from bench.running.cost_trial import run_cost
from bench.running.inputs import build_model, load_trial_split
from bench.running.rows import TrialRows
from bench.running.training_trial import run_training
from bench.training.bn_statistics import recompute_bn_statistics
from bench.training.loop import train
from bench.training.normalisation import normalise

CPU = torch.device("cpu")


def tiny(**changes):
    one = trials(models=["fcn_basic"], weightings=["median_frequency"])[0]
    small = {
        "dataset_options": {"train": 6, "val": 2, "test": 3, "seed": 5},
        "height": 32,
        "width": 40,
        "batch_size": 2,
        "iterations": 6,
        "validate_every": 2,
        "panels": 2,
        "store_predictions": True,
    }
    return replace(one, **(small | changes))


@pytest.fixture(scope="module")
def finished() -> TrialRows:
    return run_training(tiny(), CPU, lambda _: None)


def values(rows, **where):
    return [row["value"] for row in rows.rows if all(row.get(key) == value for key, value in where.items())]


def test_every_split_is_scored_where_the_paper_scores_it(finished):
    validated = sorted({row["iteration"] for row in finished.rows if row.get("split") == "val" and "iteration" in row})
    assert validated == [2, 4, 6]
    for split in ("train", "test"):
        scored = {row["iteration"] for row in finished.rows if row["record"] == "score" and row["split"] == split}
        assert scored == {finished.selected_iteration}
    for metric in ("global_accuracy", "class_average_accuracy", "mean_iou"):
        assert all(0 <= value <= 1 for value in values(finished, record="score", metric=metric))
    assert len(values(finished, record="score", metric="boundary_f1")) == len(STORED)  # each once, test alone


def test_the_selected_iteration_has_the_highest_validation_global_accuracy(finished):
    by_iteration = {
        row["iteration"]: row["value"]
        for row in finished.rows
        if row["record"] == "score" and row["split"] == "val" and row["metric"] == "global_accuracy"
    }
    assert by_iteration[finished.selected_iteration] == max(by_iteration.values())


def test_selection_can_follow_mean_iou():
    rows = run_training(tiny(selection="mean_iou"), CPU, lambda _: None)
    by_iteration = {
        row["iteration"]: row["value"]
        for row in rows.rows
        if row["record"] == "score" and row["split"] == "val" and row["metric"] == "mean_iou"
    }
    assert by_iteration[rows.selected_iteration] == max(by_iteration.values())


def test_scores_can_be_recomputed_from_the_stored_counts(finished):
    counts = [row for row in single_rows(finished.rows) if row["record"] == "image_confusion"]
    labelled = sum(row["value"] for row in counts)
    right = sum(row["value"] for row in counts if row["class_name"] == row["predicted_class"])
    assert right / labelled == pytest.approx(
        values(finished, record="score", split="test", metric="global_accuracy")[0]
    )


def test_the_loss_of_every_iteration_is_kept(finished):
    kept = [row["iteration"] for row in finished.rows if row["metric"] == "loss"]
    assert kept == [1, 2, 3, 4, 5, 6]


def test_panels_are_spread_over_the_test_split(finished, tmp_path):
    finished.write_panels(tmp_path, "some.trial")
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert len(folders) == 2
    assert sorted(path.name for path in (tmp_path / folders[0]).iterdir()) == [
        "image.png",
        "labels.png",
        "some.trial.png",
    ]


def test_stored_predictions_are_the_ones_that_were_scored(finished, tmp_path):
    trial = tiny()
    finished.write_predictions(tmp_path, DATASETS["road_scenes"].palette)
    test = load_trial_split(trial, "test")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.png" for name in test.names]
    pictures = [Image.open(tmp_path / f"{name}.png") for name in test.names]
    assert pictures[0].mode == "P"
    assert tuple(pictures[0].getpalette()[:3]) == tuple(DATASETS["road_scenes"].palette[0])
    counts = confusion_counts(test.labels, np.stack([np.array(picture) for picture in pictures]), 11)
    stored = sum(values(finished, record="score", split="test", metric="global_accuracy"))
    assert region_scores(counts.sum(0)).global_accuracy == stored


def test_predictions_are_kept_only_where_the_trial_says_so():
    assert run_training(tiny(store_predictions=False), CPU, lambda _: None).predictions == []


def test_the_same_seed_and_threads_give_the_same_numbers(finished):
    again = run_training(tiny(), CPU, lambda _: None)
    once, twice = (
        [row for row in single_rows(rows.rows) if row["metric"] != "images_per_s"] for rows in (finished, again)
    )
    assert repr(once) == repr(twice)


def test_another_seed_gives_another_initialisation_and_another_model_does_not_disturb_it():
    def first_weights(seed, before=()):
        for name in before:
            build_model(tiny(model=name), 3, CPU)
        return next(build_model(tiny(seed=seed), 3, CPU).parameters())

    assert not torch.equal(first_weights(0), first_weights(1))
    assert torch.equal(first_weights(0), first_weights(0, before=["segnet_basic"]))


def test_a_cost_trial_has_every_cost_in_its_unit():
    cost_trial = replace(
        trials(models=["fcn_basic"])[-1],
        height=32,
        width=40,
        timing_height=32,
        timing_width=40,
        timing_rounds=2,
        timing_iterations=3,
    )
    rows = run_cost(cost_trial, CPU, lambda _: None).rows
    on_a_processor = {name for name in COST_METRICS if "device" not in name and "energy" not in name}
    assert {row["metric"] for row in rows if row["record"] == "cost"} >= on_a_processor
    assert all(row["value"] >= 0 and row["protocol"] for row in rows)
    passes = {row["protocol"]: row["value"] for row in rows if row["metric"] == "forward_ms_n"}
    assert passes == {"table-1": 50, "interleaved": 6}


def test_a_bf16_trial_scores_like_an_fp32_one():
    """Not equal, but no other network: after six steps G agrees within a few points."""
    g = {}
    for precision in ("fp32", "bf16"):
        rows = run_training(tiny(precision=precision, iterations=20, validate_every=20), CPU, lambda _: None)
        g[precision] = values(rows, record="score", split="train", metric="global_accuracy")[0]
    assert g["bf16"] == pytest.approx(g["fp32"], abs=0.04)


def test_weights_of_the_loss_are_stored(finished):
    from bench.data import DATASETS, load_split, weights_for

    one = tiny()
    train = load_split(one.dataset, "train", one.height, one.width, one.dataset_options)
    expected = weights_for("median_frequency", train.labels, DATASETS[one.dataset])
    assert values(finished, record="class_weight") == pytest.approx(expected)
    assert len(set(expected)) > 5


def test_training_gets_the_recipe_of_the_trial(monkeypatch):
    """What is declared is what is trained with: nothing is dropped or hard-wired on the way."""
    seen = {}

    def spy(state, images, labels, class_weights, **keywords):
        seen.update(keywords, images=images, labels=labels, class_weights=class_weights)
        seen.update(state.optimizer.param_groups[0])
        return train(state, images, labels, class_weights, **keywords)

    monkeypatch.setattr(recipe, "train", spy)
    one = tiny(lr=0.03, momentum=0.7, weight_decay=0.002)
    rows = run_training(one, CPU, lambda _: None)
    for name in ("lr", "momentum", "weight_decay", "batch_size", "iterations"):
        assert seen[name] == getattr(one, name), name
    assert seen["class_weights"].tolist() == pytest.approx(values(rows, record="class_weight"), rel=1e-6)
    split = recipe.load_trial_split(one, "train")
    expected = normalise(torch.from_numpy(split.images.copy()), "local_contrast", channels_last=True)
    assert torch.equal(seen["images"][:], expected)
    assert not seen["summed"]
    assert (seen["labels"].numpy() == split.labels).all()


def test_optimizer_settings_reach_the_optimizer():
    """Momentum and decay change the weights after the second step, the rate after the first."""
    curves = {
        name: [
            row["value"] for row in run_training(tiny(**changes), CPU, lambda _: None).rows if row["metric"] == "loss"
        ]
        for name, changes in {
            "plain": {"momentum": 0.0, "weight_decay": 0.0},
            "momentum": {"momentum": 0.9, "weight_decay": 0.0},
            "decay": {"momentum": 0.0, "weight_decay": 0.1},
        }.items()
    }
    assert curves["plain"][0] == curves["momentum"][0] == curves["decay"][0]
    assert curves["plain"][2] != curves["momentum"][2]
    assert curves["plain"][2] != curves["decay"][2]


def test_the_selected_state_is_what_is_scored(monkeypatch):
    """The network is spoilt after the second point: the reported scores must be those of the first."""

    def spoilt(state, *arguments, **keywords):
        for point in train(state, *arguments, **keywords):
            if point.iteration > 2:
                with torch.no_grad():
                    for parameter in state.model.parameters():
                        parameter.normal_()
            yield point

    monkeypatch.setattr(recipe, "train", spoilt)
    rows = run_training(tiny(), CPU, lambda _: None)
    monkeypatch.setattr(recipe, "train", train)
    short = run_training(tiny(iterations=2), CPU, lambda _: None)
    assert rows.selected_iteration == short.selected_iteration == 2
    for split in ("train", "test"):
        ours = values(rows, record="score", split=split)
        assert ours == values(short, record="score", split=split)


def test_batch_norm_statistics_are_recomputed_before_each_evaluation(monkeypatch):
    calls = []

    def spy(model, images, **keywords):
        calls.append((len(images), keywords["batch_size"]))
        recompute_bn_statistics(model, images, **keywords)

    monkeypatch.setattr(recipe, "recompute_bn_statistics", spy)
    run_training(tiny(), CPU, lambda _: None)
    assert calls == [(6, 2)] * 3  # the whole training split, at every validation point
