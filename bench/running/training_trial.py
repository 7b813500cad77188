"""A training trial on one screen, from data to rows: the recipe of the replication."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from bench.data import SPLITS, dataset_of, weights_for
from bench.evaluation.predict import images_at_once, predict
from bench.evaluation.region_scores import RegionScores
from bench.running.besides import add_checkerboards, add_refined
from bench.running.checkpoints import Checkpoints
from bench.running.control import Control, Interrupted, Notice, Report
from bench.running.device import use_arithmetic
from bench.running.history import History
from bench.running.inputs import build_model, load_trial_split, network_input
from bench.running.rows import TrialRows
from bench.study.trials import Trial, derive_seed
from bench.training.bn_statistics import recompute_bn_statistics
from bench.training.compilation import compile_network
from bench.training.loop import TrainingState, train

SELECTIONS = ("global_accuracy", "mean_iou")  # by each a checkpoint is chosen; the trial says which is reported


class Selected(NamedTuple):
    """The best validation point so far by one metric: its score, iteration and a copy of the model's weights."""

    score: float
    iteration: int
    weights: dict[str, torch.Tensor]


Best = dict[str, Selected]  # by metric


def run_training(
    trial: Trial,
    device: torch.device,
    report: Report,
    control: Control | None = None,
    checkpoints: Checkpoints | None = None,
) -> TrialRows:
    """Trains one model, selects its checkpoint on the validation split and scores it on all splits.

    Args:
        trial: what to train
        device: where
        report: called with the progress and with notices
        control: requests from outside; None for none
        checkpoints: where the training is saved, and goes on from if something is there; None to save nothing

    Raises:
        Interrupted: `control` asked to stop; a checkpoint is written.
        DivergedError, DataError, ResultsError: as their names say.

    Source: paper §3.2, §3.3: fixed iterations, validation every so often with fresh batch-norm statistics, the
        iteration with the highest validation global accuracy is reported; §4, Table 3: the test split is scored at
        fixed budgets on the way, and at the best point after them.
    Deviation: the paper trains until the training loss converges; the length is fixed here, at most the released
        solver's 10 000 iterations, so that every variant gets the same.
    Deviation: the paper names no validation set for §4; its best point may be the best on the test images. Here it is
        chosen on the validation images, among the points after the last budget.
    """
    assert trial.weighting is not None
    assert trial.seed is not None
    control = control or Control()
    bf16 = use_arithmetic(trial.precision, trial.determinism)
    splits = {split: load_trial_split(trial, split) for split in SPLITS}
    weights = weights_for(trial.weighting, splits["train"].labels, dataset_of(trial.dataset, trial.dataset_options))
    images = {split: network_input(trial, splits[split], device) for split in SPLITS}
    model = build_model(trial, len(weights), device)
    if trial.compile == "on":
        compile_network(model)
    at_once = images_at_once(device, trial.height, trial.width)
    state = TrainingState(model, lr=trial.lr, momentum=trial.momentum, weight_decay=trial.weight_decay)
    rows = TrialRows(splits, weights)
    best = resume(checkpoints, trial, device, state, rows, report)

    def pause_at(iteration: int) -> bool:
        due = iteration % trial.validate_every == 0 or iteration % trial.checkpoint_every == 0
        return due or control.checkpoint or control.stop

    def score(split: str, iteration: int) -> np.ndarray:
        predictions = predict(model, images[split], batch_size=at_once, bf16=bf16)
        rows.add_regions(split, iteration, predictions)
        if split == "test":
            rows.add_boundaries(split, iteration, predictions)
        return predictions

    for pause in train(
        state,
        images["train"],
        torch.from_numpy(splits["train"].labels.copy()).to(device),
        torch.from_numpy(weights).float().to(device),
        iterations=trial.iterations,
        batch_size=trial.batch_size,
        order_seed=derive_seed(trial.seed, "order"),
        dropout_seed=derive_seed(trial.seed, "dropout"),
        bf16=bf16,
        summed=trial.loss == "summed",
        pause_at=pause_at,
        report=report,
    ):
        if pause.iteration % trial.validate_every == 0:
            rows.add_curve(pause, trial.batch_size)
            recompute_bn_statistics(model, images["train"], batch_size=trial.batch_size, bf16=bf16)
            predictions = predict(model, images["val"], batch_size=at_once, bf16=bf16)
            keep_best(best, trial, pause.iteration, rows.add_regions("val", pause.iteration, predictions), model)
            if pause.iteration in trial.budgets.values():
                score("test", pause.iteration)
        save_if_due(checkpoints, trial, pause.iteration, state, rows, best, control, report)
    rows.selected_iteration = best[trial.selection].iteration
    for other in {one.iteration: one for one in best.values()}.values():
        if other.iteration != rows.selected_iteration:
            model.load_state_dict(other.weights)
            score("test", other.iteration)
    model.load_state_dict(best[trial.selection].weights)
    score("train", rows.selected_iteration)
    predictions = score("test", rows.selected_iteration)
    rows.keep_panels(trial.panels, "test", predictions)
    if trial.store_predictions:
        rows.keep_predictions("test", predictions)
    if trial.refinement:
        add_refined(trial, model, images, rows, bf16, report)
    if trial.checkerboard:
        add_checkerboards(model, images["test"], rows)
    return rows


def keep_best(best: Best, trial: Trial, iteration: int, scores: RegionScores, model: nn.Module) -> None:
    """Notes a validation point where it is the best so far by a metric; points up to the last budget do not count."""
    if iteration <= max(trial.budgets.values(), default=0):
        return
    better = [name for name in SELECTIONS if name not in best or getattr(scores, name) > best[name].score]
    weights = copy_of(model.state_dict()) if better else {}
    best |= {name: Selected(getattr(scores, name), iteration, weights) for name in better}


def resume(
    checkpoints: Checkpoints | None,
    trial: Trial,
    device: torch.device,
    state: TrainingState,
    rows: TrialRows,
    report: Report,
) -> Best:
    """Takes up the newest checkpoint, if there is one, and says so; returns the best validation points so far."""
    found, problems = checkpoints.newest() if checkpoints else (None, [])
    for problem in problems:
        report(Notice(problem))
    if found is None:
        if problems:
            report(Notice("no whole checkpoint is left; the training starts afresh"))
        for line in checkpoints.foreign() if checkpoints else ():
            report(Notice(line))
        return {}
    state.load_state_dict(found["training"])
    rows.rows = found["rows"]
    conditions = f" ({'; '.join(found['conditions'])})" if found["conditions"] else ""
    rows.history = History(
        found["started_at"], found["elapsed_s"], [*found["resumptions"], f"{state.iteration}{conditions}"]
    )
    report(Notice(f"goes on from iteration {state.iteration} of {trial.iterations}{conditions}"))
    best: Best = {}
    for metric, one in found["best"].items():
        same = [other for other in best.values() if other.iteration == one["iteration"]]
        weights = same[0].weights if same else {name: tensor.to(device) for name, tensor in one["weights"].items()}
        best[metric] = Selected(one["score"], one["iteration"], weights)
    return best


def save_if_due(
    checkpoints: Checkpoints | None,
    trial: Trial,
    iteration: int,
    state: TrainingState,
    rows: TrialRows,
    best: Best,
    control: Control,
    report: Report,
) -> None:
    """Writes a checkpoint where the trial or `control` says so.

    Raises:
        Interrupted: `control` asks to stop.
    """
    last = iteration == trial.iterations  # the evaluation that follows can take long
    if checkpoints and (last or iteration % trial.checkpoint_every == 0 or control.checkpoint or control.stop):
        checkpoints.save(
            iteration,
            {
                "training": state.state_dict(),
                "rows": rows.rows,
                "best": {metric: one._asdict() for metric, one in best.items()},
                "started_at": rows.history.started_at,
                "elapsed_s": rows.history.elapsed_s,
                "resumptions": rows.history.resumptions,
            },
        )
        if control.checkpoint:
            control.checkpoint = False
            report(Notice(f"checkpoint written at iteration {iteration}"))
    if control.stop:
        raise Interrupted(iteration, trial.iterations)


def copy_of(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Returns a copy that later training steps do not change."""
    return {name: tensor.detach().clone() for name, tensor in weights.items()}
