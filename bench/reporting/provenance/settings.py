"""What the report says of how the models were trained and measured."""

from __future__ import annotations

from collections.abc import Sequence

from bench.reporting.provenance.overview import Fact, grouped
from bench.study.trials import Trial


def settings(planned: Sequence[Trial]) -> list[Fact]:
    """Returns how the models were trained and measured."""
    trial = planned[0]
    trainings = [trial for trial in planned if trial.kind == "training"]
    measures = any(trial.kind == "cost" for trial in planned)
    return [
        *(_training_settings(trainings) if trainings else []),
        Fact("Precision", (trial.precision + (", channels last" if trial.channels_last else ""),)),
        Fact("Determinism", (trial.determinism,)),
        *([_timing(trial)] if measures else []),
    ]


def _training_settings(trainings: Sequence[Trial]) -> list[Fact]:
    trial = trainings[0]
    selection = {"global_accuracy": "global accuracy", "mean_iou": "mean IoU"}[trial.selection]
    normalisation = {
        "local_contrast": "local contrast normalisation",
        "imagenet": "each channel by its mean and deviation over ImageNet",
        "none": "none",
    }[trial.input_normalisation]
    starts = dict.fromkeys(
        f"VGG16 encoders from {trial.pretrained['name']}" if trial.pretrained else "He's initialisation"
        for trial in trainings
    )
    budgets = [f"{name}: {grouped(iteration)} iterations" for name, iteration in trial.budgets.items()]
    after = f" after {grouped(max(trial.budgets.values()))} iterations" if budgets else ""
    return [
        Fact("Optimizer", (f"SGD, learning rate {trial.lr:g} fixed, momentum {trial.momentum:g}",)),
        Fact("Weight decay", (f"{trial.weight_decay:g}",)),
        Fact("Weights at the start", tuple(starts)),
        Fact("Input", (normalisation,)),
        Fact("Validation", (f"every {grouped(trial.validate_every)} iterations",)),
        *([Fact("Budgets", tuple(budgets))] if budgets else []),
        Fact("Reported checkpoint", (f"highest {selection} on val{after}",)),
    ]


def _timing(trial: Trial) -> Fact:
    rounds = f"median of {trial.timing_rounds} interleaved rounds of {trial.timing_iterations} passes"
    return Fact("Time and memory", (f"{trial.timing_height} × {trial.timing_width} px, {rounds}",))
