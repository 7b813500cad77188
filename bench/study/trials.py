"""From suite and profile to trials: plain resolved values, a readable id, and a digest of what matters.

The id says what a trial is; the digest says whether a stored result still belongs to it. A digest covers
every declared value that can change the numbers of a trial of its kind, and nothing else: another
URL, one more model or one more seed leaves the stored results valid.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bench.errors import UnknownNameError
from bench.study.catalog import resolve
from bench.study.specs import ProfileSpec, RunSpec, Study, SuiteSpec

# Raise one of these when code changes the numbers that the same declared values lead to.
PROTOCOL_VERSIONS = {"data": 1, "training": 1, "evaluation": 1, "profiling": 1}

# What the numbers of each kind of trial depend on: protocols by name, then fields of `Trial`.
_DEPENDS_ON = {
    "training": (
        "data training evaluation",
        "model weighting seed dataset dataset_options height width batch_size iterations validate_every"
        " lr momentum weight_decay input_normalisation selection precision channels_last",
    ),
    "cost": (
        "profiling",
        # the data set decides the number of classes, and so the size of the last layer; time is measured at
        # the timing size, the memory of a training step at the size of the images
        "model dataset height width batch_size momentum precision channels_last"
        " timing_height timing_width timing_warmup timing_iterations",
    ),
}


@dataclass(frozen=True)
class Trial:
    """One thing that is executed once: a training with its evaluation, or the measurement of a model's cost.

    Sizes are in pixels, lengths in optimizer steps, timing lengths in passes.
    """

    kind: Literal["training", "cost"]
    suite: str
    profile: str
    model: str
    weighting: str | None  # None for a cost trial
    seed: int | None  # study seed; None for a cost trial
    dataset: str
    dataset_options: dict[str, Any] = field(hash=False)  # images per split, digests or seed; JSON-able
    height: int
    width: int
    batch_size: int
    iterations: int
    validate_every: int
    lr: float
    momentum: float
    weight_decay: float
    input_normalisation: Literal["local_contrast", "none"]
    selection: Literal["global_accuracy", "mean_iou"]
    precision: Literal["fp32", "tf32", "bf16"]
    channels_last: bool
    panels: int  # test images in the qualitative grid
    timing_height: int
    timing_width: int
    timing_warmup: int
    timing_iterations: int

    @property
    def id(self) -> str:
        """Readable and unique in a study, e.g. decoder-variants.mini.segnet_basic.median_frequency.s0."""
        what = "cost" if self.kind == "cost" else f"{self.weighting}.s{self.seed}"
        return f"{self.suite}.{self.profile}.{self.model}.{what}"

    @property
    def digest(self) -> str:
        """16 hex digits over everything declared that can change the numbers."""
        protocols, fields = _DEPENDS_ON[self.kind]
        content = {
            "kind": self.kind,
            "protocols": {name: PROTOCOL_VERSIONS[name] for name in protocols.split()},
            "declared": {name: getattr(self, name) for name in fields.split()},
        }
        return hashlib.sha256(_canonical_json(content)).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        """Returns every field as JSON-able data; `Trial(**fields)` is the same trial."""
        return asdict(self)


def plan(
    study: Study,
    suite: str,
    profile: str,
    models: Sequence[str] = (),
    weightings: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> list[Trial]:
    """Returns the trials of a suite in a profile, in the order they run.

    All trainings of the first seed come first, weighting by weighting in the order of the table, so that
    an interrupted run has whole columns; cost trials come last, one for each model.

    Args:
        study: from `load_study`.
        suite: its name; letter case, '-' and '_' do not matter, here and below.
        profile: its name.
        models: which of the suite's models; empty means all.
        weightings: which of the suite's loss weightings; empty means all but the optional ones. Cost trials have none.
        seeds: which of the profile's seeds; empty means all. Cost trials have none.

    Raises:
        UnknownNameError: a name that the study, the suite or the profile does not have.
    """
    suite = resolve("suite", suite, study.suites)
    profile = resolve("profile", profile, study.profiles)
    suite_spec = study.suites[suite]
    profile = resolve(f"profile of suite {suite}", profile, suite_spec.runs)
    chosen_models = _chosen(f"model of suite {suite}", models, suite_spec.models)
    known_weightings = [*suite_spec.weightings, *suite_spec.optional_weightings]
    chosen_weightings = _chosen(
        f"weighting of suite {suite}", weightings, known_weightings if weightings else suite_spec.weightings
    )
    known_seeds = study.profiles[profile].seeds
    for seed in seeds:
        if seed not in known_seeds:
            raise UnknownNameError(f"seed of profile {profile}", str(seed), [str(known) for known in known_seeds])

    shared = _shared_fields(study, suite_spec, study.profiles[profile], suite_spec.runs[profile])
    shared |= {"suite": suite, "profile": profile}
    trainings = [
        Trial(kind="training", model=model, weighting=weighting, seed=seed, **shared)
        for seed in known_seeds
        if seed in seeds or not seeds
        for weighting in chosen_weightings
        for model in chosen_models
    ]
    costs = [Trial(kind="cost", model=model, weighting=None, seed=None, **shared) for model in chosen_models]
    return trainings + costs


def derive_seed(*parts: str | int) -> int:
    """Returns a seed of 63 bits that depends on all parts and their order, and on nothing else.

    One purpose, one seed: `derive_seed(trial.seed, "order", epoch)` stays what it is when another model,
    purpose or trial is added. The text "1" and the number 1 are different parts.
    """
    return int.from_bytes(hashlib.sha256(_canonical_json(list(parts))).digest()[:8], "big") >> 1


def _shared_fields(study: Study, suite: SuiteSpec, profile: ProfileSpec, run: RunSpec) -> dict[str, Any]:
    """Returns the fields that all trials of a suite in a profile have in common."""
    return {
        **run.model_dump(),
        **suite.recipe.model_dump(),
        **profile.model_dump(include={"height", "width", "precision", "channels_last", "panels"}),
        **{f"timing_{name}": value for name, value in profile.timing.model_dump().items()},
        "dataset_options": study.datasets[run.dataset].options,
    }


def _chosen(what: str, wanted: Sequence[str], known: list[str]) -> list[str]:
    """Returns the wanted names, each once, in the order of the study; all when none is named."""
    keys = {resolve(what, name, known) for name in wanted}
    return [name for name in known if name in keys] if keys else list(known)


def _canonical_json(content: Any) -> bytes:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii")
