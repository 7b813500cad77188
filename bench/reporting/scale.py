"""Whether a run was at the paper's scale, and the sentence that says so where it was not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.study.catalog import DATASET_TITLES
from bench.study.trials import Trial

NOT_AT_SCALE = "not at the paper's scale"


@dataclass(frozen=True)
class Scale:
    """At what scale a model was trained: what must agree before a difference from the paper means anything."""

    dataset: str
    train_images: int | None
    height: int
    width: int
    iterations: int
    batch_size: int

    def __str__(self) -> str:
        images = "" if self.train_images is None else f"{self.train_images} images of "
        return (
            f"{images}{DATASET_TITLES.get(self.dataset, self.dataset)} at {self.height}×{self.width} pixels "
            f"for {self.iterations:_} iterations of batch {self.batch_size}".replace("_", " ")
        )


# Paper §3.2; its training runs until the loss converges, 10 000 iterations is the released solver's limit.
PAPER_SCALE = Scale("camvid", 367, 360, 480, 10_000, 12)


def planned_scale(trial: Trial) -> Scale:
    """Returns the scale at which a trial trains."""
    size = (trial.height, trial.width, trial.iterations, trial.batch_size)
    return Scale(trial.dataset, trial.dataset_options.get("train"), *size)


def scale_notice(found: dict[Scale, str]) -> str:
    """Returns what to put on top of every table when a run was not at the paper's scale; "" when all were.

    Args:
        found: every scale that the table's runs were made at, with the profile that set it.
    """
    others = [
        f"profile {profile} trained on {scale}"
        for scale, profile in found.items()
        if replace(scale, train_images=scale.train_images or PAPER_SCALE.train_images) != PAPER_SCALE
    ]
    if not others:
        return ""
    return (
        f"{NOT_AT_SCALE.upper()}: {'; '.join(others)}. The paper trained on {PAPER_SCALE}. "
        "These numbers do not show whether the paper replicates."
    )
