"""What makes training fast does not change what is trained: each fast path beside the plain fp32 eager one.

Plain is a loop as in a textbook: float images normalised beforehand, NCHW, one batch at a time, the loss as the paper's
formula. Rounding differs between the paths and grows from step to step, hence the tolerances: the first ten losses
within 0.2 %, with bf16, which keeps eight bits, 3 %; the mean of the last ten within 5 % and 10 %.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from results_factory import trials
from torch.nn import functional

from bench.data import dataset_of, weights_for
from bench.running.inputs import build_model, load_trial_split
from bench.running.training_trial import run_training
from bench.study.trials import derive_seed
from bench.training.loop import parameter_groups
from bench.training.normalisation import local_contrast_normalise
from bench.training.order import BatchOrder

CPU = torch.device("cpu")
ITERATIONS = 50
PLAIN = {"precision": "fp32", "channels_last": False, "compile": "off"}
slow = pytest.mark.slow  # the C++ compiler takes its time, and bf16 does on a processor without units for it
PATHS = [
    pytest.param({}, (2e-3, 0.05), id="resident images, indices and losses"),
    pytest.param({"channels_last": True}, (2e-3, 0.05), id="channels_last"),
    pytest.param({"channels_last": True, "precision": "bf16"}, (3e-2, 0.1), id="bf16", marks=slow),
    pytest.param({"channels_last": True, "compile": "on"}, (2e-3, 0.05), id="compiled", marks=slow),
]


def trial_of(model="segnet_basic", seed=0, **changes):
    (one,) = (trial for trial in trials(models=[model], weightings=["median_frequency"]) if trial.kind == "training")
    options = one.dataset_options | {"train": 12, "val": 4, "test": 12}
    small = {"height": 32, "width": 40, "batch_size": 4, "iterations": ITERATIONS, "validate_every": ITERATIONS}
    small |= {"lr": 0.02, "seed": seed, "dataset_options": options, "panels": 0, "store_predictions": False}
    return replace(one, **(small | PLAIN | changes))


def losses_of(rows):
    return [row["value"] for row in rows.rows if row["metric"] == "loss"]


def test_scores_of(rows):
    return np.array([row["value"] for row in rows.rows if row["record"] == "score" and row["split"] == "test"
                     and row["metric"] in ("global_accuracy", "class_average_accuracy", "mean_iou")])  # fmt: skip


test_scores_of.__test__ = False


def textbook_losses(trial):
    """Trains as one would without this project's loop, and returns the losses."""
    split = load_trial_split(trial, "train")
    images = local_contrast_normalise(torch.from_numpy(split.images.copy()).permute(0, 3, 1, 2).float() / 255)
    labels = torch.from_numpy(split.labels.copy()).long()
    weights = weights_for(trial.weighting, split.labels, dataset_of(trial.dataset, trial.dataset_options))
    weights = torch.from_numpy(weights).float()
    model = build_model(trial, len(weights), CPU)
    groups = parameter_groups(model, trial.weight_decay)
    optimizer = torch.optim.SGD(groups, lr=trial.lr, momentum=trial.momentum)
    order = BatchOrder(len(images), trial.batch_size, derive_seed(trial.seed, "order"), CPU)
    losses = []
    for iteration in range(1, trial.iterations + 1):
        batch = order.at(iteration)
        each = functional.cross_entropy(model(images[batch]), labels[batch], weights, ignore_index=255, reduction="sum")
        loss = each / (labels[batch] != 255).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.fixture(scope="module", params=["segnet_basic", "fcn_basic"])
def plain(request):
    """The textbook losses of a model, and the test scores that the plain path gives it with three seeds."""
    runs = [run_training(trial_of(request.param, seed), CPU, lambda _: None) for seed in (0, 1, 2)]
    return request.param, textbook_losses(trial_of(request.param)), [test_scores_of(rows) for rows in runs]


@pytest.mark.parametrize(("path", "tolerances"), PATHS)
def test_a_fast_path_trains_what_the_plain_one_trains(plain, path, tolerances):
    model, expected, by_seed = plain
    rows = run_training(trial_of(model, **path), CPU, lambda _: None)
    losses = losses_of(rows)
    assert len(losses) == ITERATIONS
    assert losses[:10] == pytest.approx(expected[:10], rel=tolerances[0])
    assert np.mean(losses[-10:]) == pytest.approx(np.mean(expected[-10:]), rel=tolerances[1])
    # the scores lie no farther from those of the plain path than seeds lie from each other
    noise = np.max(by_seed, axis=0) - np.min(by_seed, axis=0)
    assert (np.abs(test_scores_of(rows) - by_seed[0]) <= np.maximum(noise, 0.01)).all()
