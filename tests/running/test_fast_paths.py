"""What makes training fast does not change what is trained: each fast path beside the plain fp32 eager one.

Plain is a loop as in a textbook: float images normalised beforehand, NCHW, one batch at a time, the loss as the paper's
formula, batch-norm statistics as plain means over the batches of the training set, scores counted class by class. It
shares no code with what it is held against but the model, the order of the images and the groups of parameters.

Rounding differs between the paths. A maximum that is taken from another pixel then makes a small difference a larger
one, so that it grows from step to step. How far it gets is measured: the textbook loop again, with the images of every
batch in another order, which changes nothing but the order of sums. Over 50 iterations, two models, two seeds and two
orders its losses differ by at most 0.1, 0.4, 0.7, 1.0 and 1.9 % in the five windows of ten iterations. bf16, which
keeps eight bits, differs by at most 1.2, 1.2, 2.1, 2.8 and 2.9 %. The tolerances are about twice that; those of tf32,
which keeps eleven bits, lie between them.

Scores are within seed noise where they differ by no more than two standard deviations of the textbook loop's own scores
over eight seeds. That alone would not notice batch-norm statistics that are not computed afresh, so fp32, whose scores
another order changed by at most 0.0047, has to come within 0.008 as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from results_factory import trials
from torch import nn
from torch.nn import functional

from bench.data import dataset_of, weights_for
from bench.running.inputs import build_model, load_trial_split
from bench.running.training_trial import run_training
from bench.study.trials import derive_seed
from bench.training.loop import parameter_groups
from bench.training.normalisation import local_contrast_normalise
from bench.training.order import BatchOrder

CPU = torch.device("cpu")
ITERATIONS, WINDOW = 50, 10
SCORES = ("global_accuracy", "class_average_accuracy", "mean_iou")
PLAIN = {"precision": "fp32", "channels_last": False, "compile": "off"}
FAST = {"channels_last": True, "compile": "off"}


class Tolerance(NamedTuple):
    """The largest relative difference of a loss by window of ten iterations, and that of a score, inside seed noise."""

    losses: tuple[float, ...]
    score: float


FP32 = Tolerance((0.003, 0.008, 0.015, 0.025, 0.04), 0.008)
TF32 = Tolerance((0.01, 0.015, 0.025, 0.035, 0.05), 1.0)
BF16 = Tolerance((0.025, 0.025, 0.04, 0.05, 0.06), 1.0)
# Standard deviation of SCORES over seeds 0 to 7 of the textbook loop.
SEED_NOISE = {"segnet_basic": (0.0078, 0.0032, 0.0016), "fcn_basic": (0.0179, 0.0182, 0.0094)}

slow = pytest.mark.slow  # the C++ compiler takes its time, and bf16 does on a processor without units for it
on_gpu = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device that PyTorch can use"),
    pytest.mark.filterwarnings("ignore:TensorFloat32 tensor cores"),  # advice of the compiler, which fp32 goes against
]
PATHS = [
    pytest.param("cpu", PLAIN, FP32, id="resident images, indices and losses"),
    pytest.param("cpu", FAST | {"precision": "fp32"}, FP32, id="channels_last"),
    pytest.param("cpu", FAST | {"precision": "bf16"}, BF16, id="bf16", marks=slow),
    pytest.param("cpu", FAST | {"precision": "fp32", "compile": "on"}, FP32, id="compiled", marks=slow),
    pytest.param("cuda", PLAIN, FP32, id="CUDA", marks=on_gpu),
    pytest.param("cuda", FAST | {"precision": "fp32"}, FP32, id="CUDA, channels_last", marks=on_gpu),
    pytest.param("cuda", FAST | {"precision": "tf32"}, TF32, id="CUDA, tf32", marks=on_gpu),
    pytest.param("cuda", FAST | {"precision": "bf16"}, BF16, id="CUDA, bf16", marks=on_gpu),
    pytest.param("cuda", FAST | {"precision": "fp32", "compile": "on"}, FP32, id="CUDA graphs", marks=on_gpu),
    pytest.param("cuda", FAST | {"precision": "tf32", "compile": "on"}, TF32, id="CUDA graphs, tf32", marks=on_gpu),
    pytest.param("cuda", FAST | {"precision": "bf16", "compile": "on"}, BF16, id="CUDA graphs, bf16", marks=on_gpu),
]


def trial_of(model, seed=0, **changes):
    (one,) = (trial for trial in trials(models=[model], weightings=["median_frequency"]) if trial.kind == "training")
    options = one.dataset_options | {"train": 12, "val": 4, "test": 12}
    small = {"height": 32, "width": 40, "batch_size": 4, "iterations": ITERATIONS, "validate_every": ITERATIONS}
    small |= {"lr": 0.02, "seed": seed, "dataset_options": options, "panels": 0, "store_predictions": False}
    return replace(one, **(small | PLAIN | changes))


def losses_of(rows):
    return np.array([row["value"] for row in rows.rows if row["metric"] == "loss"])


def scores_of(rows):
    found = {row["metric"]: row["value"] for row in rows.rows if row["record"] == "score" and row["split"] == "test"}
    return np.array([found[metric] for metric in SCORES])


def textbook(trial, reordered=None):
    """Trains and scores as one would without this project's code; returns the losses and the scores of the test split.

    reordered: seed of another order of the images within each batch; None leaves them as they are
    """
    split = load_trial_split(trial, "train")
    images, labels = normalised(split), torch.from_numpy(split.labels.copy()).long()
    weights = weights_for(trial.weighting, split.labels, dataset_of(trial.dataset, trial.dataset_options))
    weights = torch.from_numpy(weights).float()
    model = build_model(trial, len(weights), CPU)
    groups = parameter_groups(model, trial.weight_decay)
    optimizer = torch.optim.SGD(groups, lr=trial.lr, momentum=trial.momentum)
    order = BatchOrder(len(images), trial.batch_size, derive_seed(trial.seed, "order"), CPU)
    shuffle = np.random.default_rng(reordered)
    losses = []
    for iteration in range(1, trial.iterations + 1):
        batch = order.at(iteration)
        if reordered is not None:
            batch = batch[torch.from_numpy(shuffle.permutation(len(batch)))]
        each = functional.cross_entropy(model(images[batch]), labels[batch], weights, ignore_index=255, reduction="sum")
        loss = each / (labels[batch] != 255).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    set_statistics(model, images.split(trial.batch_size))
    return np.array(losses), textbook_scores(model, load_trial_split(trial, "test"))


def normalised(split):
    return local_contrast_normalise(torch.from_numpy(split.images.copy()).permute(0, 3, 1, 2).float() / 255)


@torch.no_grad()
def set_statistics(model, batches):
    """Gives every batch norm the mean over batches of the mean and of the unbiased variance of what comes into it."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    seen = {norm: [] for norm in norms}

    def note(norm, inputs):
        channels = inputs[0].transpose(0, 1).flatten(1)
        seen[norm].append((channels.mean(1), channels.var(1)))

    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    for batch in batches:
        model(batch)
    for hook in hooks:
        hook.remove()
    for norm, found in seen.items():
        means, variances = zip(*found, strict=True)
        norm.running_mean.copy_(sum(means) / len(means))
        norm.running_var.copy_(sum(variances) / len(variances))


@torch.no_grad()
def textbook_scores(model, split):
    """Returns SCORES of a model on a split, all images in one batch."""
    predicted, labels = model.eval()(normalised(split)).argmax(1).numpy(), split.labels
    known = labels != 255
    accuracy, overlap = [], []
    for number in range(len(split.class_names)):
        labelled, claimed = labels == number, (predicted == number) & known
        hits = (labelled & claimed).sum()
        accuracy.append(hits / max(1, labelled.sum()))
        overlap.append(hits / max(1, (labelled | claimed).sum()))
    return np.array([(predicted == labels)[known].mean(), np.mean(accuracy), np.mean(overlap)])


def differences(losses, expected):
    """Returns the largest relative difference of a loss in each window."""
    return (np.abs(losses - expected) / expected).reshape(-1, WINDOW).max(1)


@pytest.fixture(scope="module", params=SEED_NOISE)
def plain(request):
    """A model, and the losses and scores that the textbook loop gives it."""
    return request.param, *textbook(trial_of(request.param))


@pytest.mark.parametrize(("device", "path", "tolerance"), PATHS)
def test_a_fast_path_trains_what_the_plain_one_trains(plain, device, path, tolerance):
    model, losses, scores = plain
    rows = run_training(trial_of(model, **path), torch.device(device), lambda _: None)
    assert len(losses_of(rows)) == ITERATIONS
    assert (differences(losses_of(rows), losses) <= tolerance.losses).all()
    allowed = np.minimum(2 * np.array(SEED_NOISE[model]), tolerance.score)
    assert (np.abs(scores_of(rows) - scores) <= allowed).all()


@pytest.mark.slow
@pytest.mark.parametrize("model", SEED_NOISE)
def test_tolerances_are_those_of_reordering_and_of_seeds(model):
    by_seed = [textbook(trial_of(model, seed)) for seed in range(8)]
    assert np.std([scores for _, scores in by_seed], axis=0, ddof=1) == pytest.approx(SEED_NOISE[model], rel=0.3)
    for seed, (losses, _) in enumerate(by_seed[:2]):
        for order in (1, 2):
            again, scores = textbook(trial_of(model, seed), order)
            assert (differences(again, losses) <= 0.75 * np.array(FP32.losses)).all()
            assert np.abs(scores - by_seed[seed][1]).max() <= 0.75 * FP32.score
