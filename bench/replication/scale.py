"""Whether a run was at the paper's scale, and the sentence that says so where it was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bench.study.catalog import DATASET_TITLES
from bench.study.trials import Trial

NOT_AT_SCALE = "not at the paper's scale"


@dataclass(frozen=True)
class Scale:
    """At what scale models were trained: what must agree before a difference from the paper means anything."""

    dataset: str  # in the study; "" for one that has no name there
    train_images: int | None
    height: int
    width: int
    iterations: int  # of the shortest training; 0 where nothing is trained, and only the image size counts
    batch_size: int
    longest: int = 0  # iterations of the longest training, where not all have the same length
    title: str = field(default="", compare=False)  # of the data set, where its name has none

    def __str__(self) -> str:
        if not self.iterations:
            return f"images of {self.height}×{self.width} pixels"
        images = "" if self.train_images is None else f"{self.train_images} "
        data = self.title or DATASET_TITLES.get(self.dataset, self.dataset)
        of = "images of " if images and self.dataset else ""
        length = f"{self.iterations:_}" + (f" to {self.longest:_}" if self.longest else "")
        return (
            f"{images}{of}{data} at {self.height}×{self.width} pixels "
            f"for {length.replace('_', ' ')} iterations of batch {self.batch_size}"
        )


class PaperScale(NamedTuple):
    """The scale of one of the paper's tables, and its learning rate (None where nothing is trained)."""

    scale: Scale
    lr: float | None
    held_out: int = 0  # of its training images, which we validate on

    def is_that_of(self, ours: Scale) -> bool:
        """Whether ours is the paper's; a data set that was never released can only be told by its size."""
        images = self.scale.train_images
        theirs = replace(self.scale, train_images=None if images is None else images - self.held_out)
        if not ours.iterations:
            return (ours.height, ours.width) == (theirs.height, theirs.width)
        ours = replace(ours, train_images=theirs.train_images if ours.train_images is None else ours.train_images)
        return (ours if theirs.dataset else replace(ours, dataset="")) == theirs


# Paper §3.2; its training runs until the loss converges, 10 000 iterations is the released solver's limit.
PAPER_SCALE = Scale("camvid", 367, 360, 480, 10_000, 12)
_ROADS = PaperScale(Scale("", 3433, 360, 480, 140_000, 5, longest=260_000, title="road scenes"), 1e-3)
_INDOORS = PaperScale(Scale("sun_rgbd", 5285, 360, 480, 200_000, 4, longest=380_000), 1e-3, held_out=264)
PAPER_SCALES = {
    "T1": PaperScale(PAPER_SCALE, 0.1),
    "T2": _ROADS,
    "T3": _ROADS,  # paper §4.1
    "T4": _INDOORS,  # paper §4.2
    "T5": _INDOORS,
    "T6": PaperScale(Scale("", None, 360, 480, 0, 0), None),
}


def planned_scale(trials: Sequence[Trial]) -> Scale:
    """Returns the scale at which the trials of a suite train, or, where they only measure, at which they do that."""
    trainings = [trial for trial in trials if trial.kind == "training"]
    if not trainings:
        return Scale("", None, trials[0].timing_height, trials[0].timing_width, 0, 0)
    first = trainings[0]
    lengths = sorted({trial.iterations for trial in trainings})
    longest = lengths[-1] if len(lengths) > 1 else 0
    options = first.dataset_options
    title = "" if first.dataset in DATASET_TITLES else _title(first)
    size = (options.get("train"), first.height, first.width, lengths[0], first.batch_size)
    return Scale(first.dataset, *size, longest=longest, title=title)


def at_paper_scale(trials: Sequence[Trial], tables: Sequence[str]) -> bool:
    """Whether the trials of a suite train and measure at the scale of the paper's tables that it replicates."""
    return PAPER_SCALES[tables[0]].is_that_of(planned_scale(trials))


def _title(trial: Trial) -> str:
    """Returns what to call a data set whose name is the study's own: what it is a kind of, and that name."""
    reader = trial.dataset_options.get("reader", "")
    return f"{DATASET_TITLES.get(reader, reader)} ({trial.dataset})" if reader else trial.dataset


def scale_notice(trials: Sequence[Trial], tables: Sequence[str], full: Sequence[Trial] = ()) -> str:
    """Returns what to put on top of every table when a suite was not run at the paper's scale; "" when it was.

    Args:
        trials: of one suite and profile
        tables: the keys of the paper's tables that the suite replicates
        full: the trials of the profile that stands for the paper's scale where the suite has no table; may be empty
    """
    ours = planned_scale(trials)
    did = "trained on" if ours.iterations else "measured"
    if tables:
        if at_paper_scale(trials, tables):
            return ""
        theirs = (
            f"The paper {did} {PAPER_SCALES[tables[0]].scale}. These numbers do not show whether the paper replicates."
        )
    elif full and planned_scale(full) != ours:
        at_scale = "trains on" if ours.iterations else "measures"
        theirs = (
            f"Profile {full[0].profile} {at_scale} {planned_scale(full)}. These numbers do not show what holds there."
        )
    else:
        return ""
    return f"{NOT_AT_SCALE.upper()}: profile {trials[0].profile} {did} {ours}. {theirs}"


def learning_rate_note(trials: Sequence[Trial], tables: Sequence[str]) -> str:
    """Returns what to say of a learning rate that is not that of the paper's table; may be empty."""
    rates = dict.fromkeys(trial.lr for trial in trials if trial.kind == "training")
    paper = PAPER_SCALES[tables[0]].lr if tables else None
    if paper is None or not rates or set(rates) == {paper}:
        return ""
    return f"Learning rate: {' and '.join(f'{rate:g}' for rate in rates)} here, {paper:g} in the paper."
