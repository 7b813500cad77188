"""From suite and profile to trials: plain resolved values, a readable id, and a digest of what matters.

The id says what a trial is; the digest says whether a stored result still belongs to it. A digest covers what can
change the numbers of a trial of its kind, and nothing else: the declared values, the versions of the protocols and the
source files that compute them (see sources.py). So another URL, one more model or one more seed leaves the stored
results valid; a changed learning rate or a changed training loop makes them stale.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bench.errors import UnknownNameError
from bench.study.catalog import VGG16_MODELS, resolve
from bench.study.sources import digest_of, sources_of
from bench.study.specs import ProfileSpec, RunSpec, Study, SuiteSpec

# Source files are covered by their digests. Raise one of these where numbers change without: a newer library that
# computes something else, or a file that is not traced, such as running/rows.py and `derive_seed` below.
PROTOCOL_VERSIONS = {"data": 1, "training": 1, "evaluation": 1, "profiling": 1}

# What the numbers of each kind of trial depend on: protocols by name, then fields of `Trial`.
_DEPENDS_ON = {
    "training": (
        "data training evaluation",
        "model weighting seed dataset dataset_options height width batch_size iterations validate_every"
        " budgets lr momentum weight_decay input_normalisation selection pretrained refinement checkerboard"
        " precision channels_last determinism loss compile",
    ),
    "cost": (
        "profiling",
        # the data set decides the number of classes, and so the size of the last layer; time is measured at
        # the timing size, the memory of a training step at the size of the images
        "model dataset height width batch_size momentum precision channels_last determinism"
        " timing_height timing_width timing_rounds timing_iterations timing_paper",
    ),
}

# Fields that came later, with the value under which trials are what they were before: it stands in no digest.
_ADDED: dict[str, Any] = {
    "budgets": {}, "pretrained": None, "refinement": None, "checkerboard": False, "loss": "averaged", "compile": "off"
}  # fmt: skip

_PLACES = ("folder", "file")  # keys of dicts among the fields


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
    iterations: int  # this and the next two are 0 where the suite trains nothing
    validate_every: int
    checkpoint_every: int  # decides how much an interruption costs, not what comes out
    budgets: dict[str, int] = field(hash=False)  # points at which the test split is scored as well, by name
    lr: float
    momentum: float
    weight_decay: float
    input_normalisation: Literal["local_contrast", "imagenet", "none"]
    pretrained: dict[str, Any] | None = field(hash=False)  # name, file, sha256 of the encoder's weights; None: He
    refinement: Literal["dense_crf"] | None  # of the final predictions, scored beside the network's own
    checkerboard: bool  # is measured
    loss: Literal["averaged", "summed"]  # over the labelled pixels
    selection: Literal["global_accuracy", "mean_iou"]
    precision: Literal["fp32", "tf32", "bf16"]
    channels_last: bool
    compile: Literal["off", "on"]  # the passes of trainings
    determinism: Literal["off", "seeded", "strict"]
    panels: int  # test images in the qualitative grid
    store_predictions: bool  # keep the label map of every test image
    timing_height: int
    timing_width: int
    timing_rounds: int
    timing_iterations: int  # passes in a round
    timing_paper: Literal["table-1", "table-6"] | None  # measured as well
    # Path and digest of the files the numbers come from, as they were when the trial was planned: a process that
    # already runs the old code must not claim the new one, should a file be edited in the meantime.
    sources: dict[str, str] = field(hash=False)

    @property
    def id(self) -> str:
        """Readable and unique in a study, e.g. decoder-variants.mini.segnet_basic.median_frequency.s0."""
        what = "cost" if self.kind == "cost" else f"{self.weighting}.s{self.seed}"
        return f"{self.suite}.{self.profile}.{self.model}.{what}"

    @property
    def protocols(self) -> dict[str, int]:
        """The versions of the protocols that its numbers follow, by name."""
        return {name: PROTOCOL_VERSIONS[name] for name in _DEPENDS_ON[self.kind][0].split()}

    @property
    def declared(self) -> dict[str, Any]:
        """The declared values that can change its numbers, by name of the field."""
        values = {name: _without_places(getattr(self, name)) for name in _DEPENDS_ON[self.kind][1].split()}
        return {name: value for name, value in values.items() if name not in _ADDED or value != _ADDED[name]}

    @property
    def declared_digest(self) -> str:
        """16 hex digits over what is declared: kind, protocols and values, without the source."""
        return _digest({"kind": self.kind, "protocols": self.protocols, "declared": self.declared})

    @property
    def digest(self) -> str:
        """16 hex digits over everything that can change the numbers, declared or in the source."""
        return _digest([self.declared_digest, digest_of(self.sources)])

    def as_dict(self) -> dict[str, Any]:
        """Returns every declared field as JSON-able data, without where files lie."""
        return {name: _without_places(value) for name, value in asdict(self).items() if name != "sources"}


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
        BenchError: a source file of bench cannot be read.
    """
    suite = resolve("suite", suite, study.suites)
    profile = resolve("profile", profile, study.profiles)
    suite_spec = study.suites[suite]
    profile = resolve(f"profile of suite {suite}", profile, suite_spec.runs)
    run = suite_spec.runs[profile]
    chosen_models = _chosen(f"model of suite {suite}", models, suite_spec.models)
    usual_weightings = run.weightings or suite_spec.weightings
    known_weightings = list(dict.fromkeys([*usual_weightings, *suite_spec.optional_weightings]))
    chosen_weightings = _chosen(
        f"weighting of suite {suite}", weightings, known_weightings if weightings else usual_weightings
    )
    known_seeds = study.profiles[profile].seeds
    for seed in seeds:
        if seed not in known_seeds:
            raise UnknownNameError(f"seed of profile {profile}", str(seed), [str(known) for known in known_seeds])

    shared = _shared_fields(study, suite_spec, study.profiles[profile], run)
    shared |= {"suite": suite, "profile": profile}
    reader = study.datasets[run.dataset].reader or run.dataset

    def trial(kind: Literal["training", "cost"], model: str, weighting: str | None, seed: int | None) -> Trial:
        of_model = {
            "iterations": run.iterations_of.get(model, shared["iterations"]),
            "refinement": suite_spec.refinements.get(model),
            "pretrained": shared["pretrained"] if model in VGG16_MODELS else None,
        }
        fields = shared | of_model
        besides = {
            fields["refinement"],
            fields["checkerboard"] and "checkerboard",
            fields["pretrained"] and "pretrained",
        }
        sources = sources_of(kind, model, reader, parts=sorted(filter(None, besides)) if kind == "training" else ())
        return Trial(kind=kind, model=model, weighting=weighting, seed=seed, sources=sources, **fields)

    trainings = [
        trial("training", model, weighting, seed)
        for seed in known_seeds
        if seed in seeds or not seeds
        for weighting in chosen_weightings
        for model in chosen_models
    ]
    costs = [trial("cost", model, None, None) for model in chosen_models if suite_spec.costs]
    return trainings + costs


def plan_stored(
    study: Study,
    suite: str,
    profile: str,
    stored: Collection[str],
    models: Sequence[str] = (),
    weightings: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> list[Trial]:
    """Returns the trials of a suite, and those trainings with an optional loss weighting that were run.

    Args:
        stored: ids of trials that were run; others among them do not matter.
        study, suite, profile, models, weightings, seeds: as for `plan`.

    Raises:
        UnknownNameError: as `plan`.
    """
    planned = plan(study, suite, profile, models, weightings, seeds)
    known = {trial.weighting for trial in planned}
    more = [] if weightings else [w for w in study.suites[planned[0].suite].optional_weightings if w not in known]
    optional = plan(study, suite, profile, models, more, seeds) if more else []
    return planned + [trial for trial in optional if trial.kind == "training" and trial.id in stored]


def plan_all(
    study: Study,
    name: str,
    profile: str,
    models: Sequence[str] = (),
    weightings: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> list[Trial]:
    """Returns the trials of a suite, or of all suites of a group, one suite after another.

    Args:
        name: of a suite or a group.
        profile, models, weightings, seeds: as for `plan`; in a group each suite takes those that it has.

    Raises:
        UnknownNameError: as `plan`; of a group, where one of its suites lacks the profile, or none has the models,
            weightings and seeds.
    """
    suites = suites_of(study, name)
    if len(suites) == 1:
        return plan(study, suites[0], profile, models, weightings, seeds)
    profile = resolve("profile", profile, study.profiles)
    found: list[Trial] = []
    refused: list[UnknownNameError] = []
    for suite in suites:
        resolve(f"profile of suite {suite}", profile, study.suites[suite].runs)
        try:
            found += plan(study, suite, profile, models, weightings, seeds)
        except UnknownNameError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    return found


def suites_of(study: Study, name: str) -> list[str]:
    """Returns the suites that a name stands for: one, or those of a group.

    Raises:
        UnknownNameError: the study has neither a suite nor a group of this name.
    """
    found = resolve("suite", name, [*study.suites, *study.groups])
    return list(study.groups.get(found, [found]))


def derive_seed(*parts: str | int) -> int:
    """Returns a seed of 63 bits that depends on all parts and their order, and on nothing else.

    One purpose, one seed: `derive_seed(trial.seed, "order", epoch)` stays what it is when another model,
    purpose or trial is added. The text "1" and the number 1 are different parts.
    """
    return int.from_bytes(hashlib.sha256(_canonical_json(list(parts))).digest()[:8], "big") >> 1


def _shared_fields(study: Study, suite: SuiteSpec, profile: ProfileSpec, run: RunSpec) -> dict[str, Any]:
    """Returns the fields that all trials of a suite in a profile have in common, unless their model has its own."""
    timing = run.timing or profile.timing
    length = {name: getattr(run, name) or 0 for name in ("iterations", "validate_every", "checkpoint_every")}
    weights = study.pretrained[run.pretrained] if run.pretrained else None
    return {
        **run.model_dump(include={"dataset", "batch_size"}),
        "budgets": dict(sorted(run.budgets.items(), key=lambda budget: budget[1])),
        **length,
        **suite.recipe.model_dump(exclude={"lr"}),
        "lr": run.lr or suite.recipe.lr,
        "pretrained": {"name": run.pretrained} | weights.model_dump(exclude={"url"}) if weights else None,
        "checkerboard": suite.checkerboard,
        **profile.model_dump(exclude={"description", "seeds", "timing"}),
        **{f"timing_{name}": value for name, value in timing.model_dump().items()},
        "timing_paper": suite.paper_timing,
        "dataset_options": study.datasets[run.dataset].options,
    }


def _without_places(value: Any) -> Any:
    """Returns a declared value without where its files lie, which changes no number."""
    return {key: part for key, part in value.items() if key not in _PLACES} if isinstance(value, dict) else value


def _chosen(what: str, wanted: Sequence[str], known: list[str]) -> list[str]:
    """Returns the wanted names, each once, in the order of the study; all when none is named."""
    keys = {resolve(what, name, known) for name in wanted}
    return [name for name in known if name in keys] if keys else list(known)


def _digest(content: Any) -> str:
    return hashlib.sha256(_canonical_json(content)).hexdigest()[:16]


def _canonical_json(content: Any) -> bytes:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii")
