"""The shape of bench.yaml: every key with its type, range and unit.

A spec is frozen, refuses keys it does not know and converts nothing: `true` is no number, "5" no 5.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

Count = Annotated[int, Field(ge=1, le=10_000_000)]
Pixels = Annotated[int, Field(ge=16, le=8192)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\p{C}\p{Zl}\p{Zp}]*$")]
PointName = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Names = Annotated[list[Name], Field(min_length=1, max_length=100)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Spec(BaseModel):
    """What all specs share: frozen, strict about types, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _an_integer(value: object) -> object:
    """Refuses `true` and 1.0, which compare equal to the literal 1."""
    if type(value) is not int:
        raise PydanticCustomError("int_type", "must be an integer")
    return value


class SplitDigests(Spec):
    """SHA-256 over the decoded pixels of each split, in hex."""

    train: Digest = Field(description="training split, 64 hex digits")
    val: Digest = Field(description="validation split, 64 hex digits")
    test: Digest = Field(description="test split, 64 hex digits")


class DatasetSpec(Spec):
    """A data set: images per split, and either what its files must be or what it is drawn from."""

    reader: Name | None = Field(None, description="data set whose reader reads it (name; default: its own name)")

    train: Count = Field(description="images in the training split (count)")
    val: Count = Field(description="images in the validation split (count)")
    test: Count = Field(description="images in the test split (count)")
    sha256: SplitDigests | None = Field(None, description="digests of a data set of files (hex)")
    url: Annotated[str, Field(pattern=r"^https?://[!-~]+$")] | None = Field(
        None, description="public archive that `bench data fetch` downloads (URL)"
    )
    seed: Seed | None = Field(None, description="what a drawn data set is drawn from (no unit)")
    drives: Literal["shared", "separate"] | None = Field(
        None,
        description="shared: images of one drive are in several splits; separate: each drive is in one split; "
        "default: as published",
    )
    folder: Name | None = Field(None, description="folder of the list files, for reader list_file (path)")
    class_names: Annotated[list[Name], Field(min_length=1, max_length=64)] | None = Field(
        None, description="classes in the order of their ids, for reader list_file (names)"
    )
    void: Annotated[int, Field(ge=0, le=255)] | None = Field(
        None, description="id of unlabelled pixels in the label files, for reader list_file (0 to 255)"
    )
    labels_by_name: bool | None = Field(
        None, description="SUN RGB-D toolbox: take labels by the classes' names, not by their ids (true or false)"
    )

    @property
    def options(self) -> dict[str, Any]:
        """What decides the images, as JSON-able data; where they come from (`url`) does not."""
        return self.model_dump(exclude={"url"}, exclude_none=True)


class PretrainedSpec(Spec):
    """Weights that a training can start from: a file, what it must be, and where it is published."""

    url: Annotated[str, Field(pattern=r"^https?://[!-~]+$")] | None = Field(
        None, description="where `bench data fetch` downloads it (URL)"
    )
    file: Name | None = Field(None, description="a file that the user has (path); default: where fetch puts it")
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")] = Field(
        description="SHA-256 of the file, or how it begins, as its publisher gives it (8 to 64 hex digits)"
    )


class TimingSpec(Spec):
    """How time and memory are measured."""

    height: Pixels = Field(description="height of the timed input (pixels)")
    width: Pixels = Field(description="width of the timed input (pixels)")
    rounds: Annotated[int, Field(ge=1, le=100)] = Field(
        description="rounds of each model, which take turns with those of the others (count)"
    )
    iterations: Count = Field(description="passes in a round, after a warm-up (count)")


class ProfileSpec(Spec):
    """At what scale suites run."""

    description: Name = Field(description="what the profile is for (one line of text)")
    height: Pixels = Field(description="height of images and labels (pixels)")
    width: Pixels = Field(description="width of images and labels (pixels)")
    precision: Literal["fp32", "tf32", "bf16"] = Field(description="arithmetic of training and timing")
    channels_last: bool = Field(description="memory format of tensors (true or false)")
    compile: Literal["off", "on"] = Field(
        "off", description="torch.compile for trainings; with CUDA graphs on a GPU (off or on)"
    )
    determinism: Literal["off", "seeded", "strict"] = Field(
        description="off: kernels chosen by speed; seeded: fixed choice of kernels; strict: bit-identical repeats"
    )
    seeds: Annotated[list[Seed], Field(min_length=1, max_length=100)] = Field(
        description="study seeds; every trial is trained once with each (no unit)"
    )
    panels: Annotated[int, Field(ge=0, le=20)] = Field(description="test images shown in reports (count)")
    store_predictions: bool = Field(
        False, description="keep the predicted label map of every test image as a PNG (true or false)"
    )
    timing: TimingSpec = Field(description="how time and memory are measured")


class RecipeSpec(Spec):
    """How the models of a suite are trained, whatever the profile."""

    lr: Annotated[float, Field(gt=0, le=100)] = Field(description="learning rate of SGD (no unit)")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(description="momentum of SGD (fraction)")
    weight_decay: Annotated[float, Field(ge=0, le=1)] = Field(description="weight decay of SGD (no unit)")
    input_normalisation: Literal["local_contrast", "imagenet", "none"] = Field(
        description="what is done to RGB input; imagenet: each channel by its mean and deviation over ImageNet"
    )
    loss: Literal["averaged", "summed"] = Field(
        "averaged", description="over the labelled pixels of a mini-batch, as the authors' code and as the paper's text"
    )
    selection: Literal["global_accuracy", "mean_iou"] = Field(
        description="validation score whose best iteration is reported"
    )


class RunSpec(Spec):
    """What a suite trains on, and for how long, in one profile."""

    dataset: Name = Field(description="name of the data set")
    batch_size: Annotated[int, Field(ge=1, le=4096)] = Field(description="images in a mini-batch (count)")
    iterations: Count | None = Field(
        None, description="length of the training (optimizer steps); needed unless the suite trains nothing"
    )
    iterations_of: Annotated[dict[Name, Count], Field(max_length=100)] = Field(
        default_factory=dict, description="models that are trained for another length (name: optimizer steps)"
    )
    validate_every: Count | None = Field(
        None, description="validation every so often (optimizer steps); divides every length and budget"
    )
    checkpoint_every: Count | None = Field(
        None, description="an interrupted training goes on from the last multiple of this (optimizer steps)"
    )
    budgets: Annotated[dict[PointName, Count], Field(max_length=20)] = Field(
        default_factory=dict,
        description="points on the training at which the test split is scored as well (name: optimizer steps); the "
        "checkpoint that is selected then comes after the last of them",
    )
    lr: Annotated[float, Field(gt=0, le=100)] | None = Field(
        None, description="learning rate of SGD where it is not that of the recipe (no unit)"
    )
    pretrained: Name | None = Field(
        None, description="weights that VGG16 encoders start from (name in `pretrained`); default: He initialisation"
    )
    weightings: Names | None = Field(None, description="loss weightings where they are not those of the suite (names)")
    timing: TimingSpec | None = Field(None, description="how time is measured where it is not as in the profile")


TableKey = Literal["T1", "T2", "T3", "T4", "T5", "T6"]


class SuiteSpec(Spec):
    """One table or question of the paper."""

    title: Name = Field(description="heading in reports (one line of text)")
    tables: Annotated[list[TableKey], Field(max_length=6)] = Field(
        default_factory=list, description="tables of the paper that it replicates, if any (T1 to T6)"
    )
    models: Names = Field(description="model names, in the order of the table")
    weightings: Annotated[list[Name], Field(max_length=20)] = Field(
        default_factory=list, description="names of loss weightings; none: nothing is trained"
    )
    optional_weightings: Annotated[list[Name], Field(max_length=20)] = Field(
        default_factory=list, description="loss weightings that are trained only when named with --weighting"
    )
    refinements: Annotated[dict[Name, Literal["dense_crf"]], Field(max_length=100)] = Field(
        default_factory=dict, description="models whose final predictions are scored refined as well (name: dense_crf)"
    )
    checkerboard: bool = Field(
        False, description="measure how much the trained models' outputs repeat with their upsampling (true or false)"
    )
    costs: bool = Field(True, description="measure what the models cost (true or false)")
    paper_timing: Literal["table-1", "table-6"] | None = Field(
        None, description="protocol of the paper by which time is measured as well (table-1 or table-6)"
    )
    recipe: RecipeSpec = Field(description="how the models are trained")
    runs: Annotated[dict[str, RunSpec], Field(min_length=1, max_length=20)] = Field(
        description="per profile: data and length"
    )


class GapSpec(Spec):
    """How far a number may be from its reference: the widest of the measures that are named."""

    absolute: Annotated[float, Field(ge=0, le=1e15)] | None = Field(
        default=None, description="in the unit of the number; 0.02 of a score is two points"
    )
    relative: Annotated[float, Field(ge=0, le=100)] | None = Field(
        default=None, description="share of the reference (fraction; 0.2 is 20 %)"
    )
    spread: Annotated[float, Field(gt=0, le=100)] | None = Field(
        default=None, description="multiple of the standard deviation over seeds, for scores (no unit)"
    )


def _form(value: object) -> str:
    return "mapping" if isinstance(value, dict | GapSpec) else "number"


GAP_FORMS = ("number", "mapping")  # what pydantic calls the two in the place of an error
Gap = Annotated[
    Annotated[Annotated[float, Field(ge=0, le=100)], Tag("number")] | Annotated[GapSpec, Tag("mapping")],
    Discriminator(_form),
]
Gaps = Annotated[dict[str, Gap], Field(max_length=100)]
Tolerances = Annotated[dict[str, Gaps], Field(max_length=20)]


class ToleranceExceptionSpec(GapSpec):
    """Another gap for some numbers of a metric; where several match a number, the one that names most counts."""

    against: Literal["paper", "baseline"] = Field(description="which tolerances it changes (paper or baseline)")
    why: Name = Field(description="the reason, for whoever reads the file (one line of text)")
    profile: Name | None = Field(None, description="only in this profile (name)")
    suite: Name | None = Field(None, description="only in this suite (name)")
    model: Name | None = Field(None, description="only this row: a model, or its refined predictions (name)")
    weighting: Name | None = Field(None, description="only this loss weighting (name)")
    split: Literal["train", "test"] | None = Field(None, description="only scores of this split (train or test)")
    metric: Name | None = Field(None, description="only this metric; default: all scores over all classes (name)")
    budget: PointName | None = Field(None, description="only scores at this point of the training (name)")
    class_name: Name | None = Field(None, description="only the accuracy of this class (name)")


class TolerancesSpec(Spec):
    """The allowed gap per profile and metric; a plain number is absolute for scores and relative for costs."""

    paper: Tolerances = Field(description="against the paper's numbers (profile: {metric: gap})")
    baseline: Tolerances = Field(description="against an earlier result of ours (profile: {metric: gap})")
    seeds: Annotated[int, Field(ge=2, le=100)] = Field(
        3, description="runs with different seeds that a score needs before it is held against the paper's (count)"
    )
    exceptions: Annotated[list[ToleranceExceptionSpec], Field(max_length=1000)] = Field(
        default_factory=list, description="numbers whose gap is another one, each with the reason"
    )


class Study(Spec):
    """bench.yaml as a whole."""

    version: Annotated[Literal[1], BeforeValidator(_an_integer)] = Field(description="version of this file's layout")
    datasets: Annotated[dict[str, DatasetSpec], Field(min_length=1, max_length=100)] = Field(
        description="data sets by name"
    )
    profiles: Annotated[dict[str, ProfileSpec], Field(min_length=1, max_length=20)] = Field(
        description="profiles by name"
    )
    suites: Annotated[dict[str, SuiteSpec], Field(min_length=1, max_length=100)] = Field(description="suites by name")
    groups: Annotated[dict[str, Names], Field(max_length=100)] = Field(
        default_factory=dict, description="suites that one name stands for (name: names of suites)"
    )
    pretrained: Annotated[dict[str, PretrainedSpec], Field(max_length=20)] = Field(
        default_factory=dict, description="weights that trainings can start from, by name"
    )
    tolerances: TolerancesSpec = Field(description="allowed gaps for `bench check`")
