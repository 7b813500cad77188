"""A training trial on one screen, from data to rows: the recipe of the replication."""

from __future__ import annotations

from typing import NamedTuple

import torch

from bench.data import DATASETS, SPLITS, weights_for
from bench.evaluation.predict import predict
from bench.running.checkpoints import Checkpoints
from bench.running.control import Control, Interrupted, Notice, Report
from bench.running.device import use_arithmetic
from bench.running.history import History
from bench.running.inputs import build_model, load_trial_split, network_input
from bench.running.rows import TrialRows
from bench.study.trials import Trial, derive_seed
from bench.training.bn_statistics import recompute_bn_statistics
from bench.training.loop import TrainingState, train


class Selected(NamedTuple):
    """The best validation point so far: its score, iteration and a copy of the model's weights."""

    score: float
    iteration: int
    weights: dict[str, torch.Tensor]


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
        iteration with the highest validation global accuracy is reported.
    Deviation: the paper trains until the training loss converges; the length is fixed here, at most the released
        solver's 10 000 iterations, so that every variant gets the same.
    """
    assert trial.weighting is not None
    assert trial.seed is not None
    control = control or Control()
    bf16 = use_arithmetic(trial.precision, trial.determinism)
    splits = {split: load_trial_split(trial, split) for split in SPLITS}
    weights = weights_for(trial.weighting, splits["train"].labels, DATASETS[trial.dataset])
    images = {split: network_input(trial, splits[split], device) for split in SPLITS}
    model = build_model(trial, len(weights), device)
    state = TrainingState(model, lr=trial.lr, momentum=trial.momentum, weight_decay=trial.weight_decay)
    rows = TrialRows(splits, weights)
    best = resume(checkpoints, trial, device, state, rows, report)

    def pause_at(iteration: int) -> bool:
        due = iteration % trial.validate_every == 0 or iteration % trial.checkpoint_every == 0
        return due or control.checkpoint or control.stop

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
        pause_at=pause_at,
        report=report,
    ):
        if pause.iteration % trial.validate_every == 0:
            rows.add_curve(pause, trial.batch_size)
            recompute_bn_statistics(model, images["train"], batch_size=trial.batch_size, bf16=bf16)
            predictions = predict(model, images["val"], batch_size=trial.batch_size, bf16=bf16)
            score = getattr(rows.add_regions("val", pause.iteration, predictions), trial.selection)
            if best is None or score > best.score:
                best = Selected(score, pause.iteration, copy_of(model.state_dict()))
        save_if_due(checkpoints, trial, pause.iteration, state, rows, best, control, report)
    assert best is not None
    rows.selected_iteration = best.iteration
    model.load_state_dict(best.weights)
    for split in ("train", "test"):
        predictions = predict(model, images[split], batch_size=trial.batch_size, bf16=bf16)
        rows.add_regions(split, best.iteration, predictions)
    rows.add_boundaries("test", best.iteration, predictions)
    rows.keep_panels(trial.panels, "test", predictions)
    if trial.store_predictions:
        rows.keep_predictions("test", predictions)
    return rows


def resume(
    checkpoints: Checkpoints | None,
    trial: Trial,
    device: torch.device,
    state: TrainingState,
    rows: TrialRows,
    report: Report,
) -> Selected | None:
    """Takes up the newest checkpoint, if there is one, and says so; returns the best validation point so far."""
    found, problems = checkpoints.newest() if checkpoints else (None, [])
    for problem in problems:
        report(Notice(problem))
    if found is None:
        if problems:
            report(Notice("no whole checkpoint is left; the training starts afresh"))
        for line in checkpoints.foreign() if checkpoints else ():
            report(Notice(line))
        return None
    state.load_state_dict(found["training"])
    rows.rows = found["rows"]
    conditions = f" ({'; '.join(found['conditions'])})" if found["conditions"] else ""
    rows.history = History(
        found["started_at"], found["elapsed_s"], [*found["resumptions"], f"{state.iteration}{conditions}"]
    )
    report(Notice(f"goes on from iteration {state.iteration} of {trial.iterations}{conditions}"))
    if found["best"] is None:
        return None
    weights = {name: tensor.to(device) for name, tensor in found["best"]["weights"].items()}
    return Selected(found["best"]["score"], found["best"]["iteration"], weights)


def save_if_due(
    checkpoints: Checkpoints | None,
    trial: Trial,
    iteration: int,
    state: TrainingState,
    rows: TrialRows,
    best: Selected | None,
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
                "best": best and best._asdict(),
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
