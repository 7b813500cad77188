"""What the words of a report mean, in short: its scores and costs, for the image size and the settings of its suite."""

from __future__ import annotations

from collections.abc import Sequence

from bench.evaluation.boundary_scores import boundary_tolerance_px
from bench.study.catalog import METRIC_TITLES
from bench.study.trials import Trial


def glossary(trials: Sequence[Trial]) -> list[tuple[str, str]]:
    """Returns (name, what it means) of every score and cost of a suite's trials."""
    trainings = [trial for trial in trials if trial.kind == "training"]
    costs = [trial for trial in trials if trial.kind == "cost"]
    return [
        *(_scores(trainings[0]) if trainings else []),
        *_of_trainings(trainings),
        *(_costs(costs[0]) if costs else []),
    ]


def _scores(trial: Trial) -> list[tuple[str, str]]:
    tolerance = boundary_tolerance_px(trial.height, trial.width)
    return [
        (
            "G, global accuracy",
            "Share of the labelled pixels of a split that are predicted right. Void pixels are left out, here and "
            "in C and mIoU.",
        ),
        (
            "C, class average accuracy",
            "For each class the share of its pixels that are found; the mean over the classes.",
        ),
        (
            "mIoU",
            "For each class the pixels that are both labelled and predicted as it, divided by those that are "
            "either, from one confusion matrix of the whole split; the mean over the classes.",
        ),
        (
            "BF, boundary F1 (protocol paper)",
            "For each image and class the F1 of its predicted against its labelled boundary pixels, matched one to "
            f"one within 0.75 % of the image diagonal ({tolerance:.2f} px at {trial.height} × {trial.width}); the "
            "mean over the classes with a boundary in the labels or in the prediction, then over the images. A "
            "tolerance in pixels shrinks with the image, so BF at two sizes does not compare.",
        ),
        (
            "Loss weights",
            "Median frequency balancing weighs a class by the median of the class frequencies divided by its own, "
            "where a frequency counts only the images that contain the class. Natural frequency weighs all alike.",
        ),
    ]


def _of_trainings(trials: Sequence[Trial]) -> list[tuple[str, str]]:
    """Returns what only some suites have: fixed lengths, refined predictions, the checkerboard measure."""
    found = []
    budgets = next((trial.budgets for trial in trials if trial.budgets), {})
    chosen = " or ".join(sorted({METRIC_TITLES[trial.selection] for trial in trials}))
    if budgets:
        points = ", ".join(f"{name} is iteration {iteration}" for name, iteration in budgets.items())
        found.append(
            (
                "Budget",
                "A point on the way of one training at which the test images are scored as well, not a training of "
                f"its own: {points}. The names are those of the paper's table.",
            )
        )
    if trials:
        after = f" after the last budget ({list(budgets)[-1]})" if budgets else ""
        found.append(
            (
                "Reported checkpoint",
                f"That of the validation point{after} with the highest {chosen} on the validation images, the first "
                "of equals, at most at the end of the training. The test images take no part in the choice.",
            )
        )
    if any(trial.refinement for trial in trials):
        found.append(
            (
                "Dense CRF",
                "Refines the predictions of the reported checkpoint: every pixel is drawn to the class of the pixels "
                "that lie near it and have its colour. It has no training of its own; its parameters are searched on "
                "training images.",
            )
        )
    return found


def _costs(trial: Trial) -> list[tuple[str, str]]:
    size = f"{trial.timing_height} × {trial.timing_width} px"
    rounds = f"{trial.timing_rounds} rounds of {trial.timing_iterations} passes that take turns with the other models"
    paper = f"Table {trial.timing_paper.removeprefix('table-')}" if trial.timing_paper else ""
    shown = (
        f"{paper} shows the mean of passes in a row, as the paper; the other tables and figures show the median of "
        f"{rounds}."
        if paper
        else f"The median of {rounds}."
    )
    return [
        (
            "Storage multiplier",
            "Memory for what the decoder keeps of the first encoder stage, as the paper counts it: 1 for pooling "
            "indices, the number of classes for reduced maps, 64 for full maps.",
        ),
        ("Forward and backward time", f"One image of {size} on the machine named above, after warm-up. {shown}"),
    ]
