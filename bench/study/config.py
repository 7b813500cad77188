"""Loads bench.yaml: parsed, checked against the specs, and its names checked against each other.

Whatever is wrong with the file becomes one `ConfigError` line: file, line, key, the value found, what is
allowed and the nearest known name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bench.errors import ConfigError, did_you_mean
from bench.study.catalog import DATASET_TITLES, METRIC_TITLES, MODEL_TITLES, WEIGHTING_TITLES
from bench.study.specs import Spec, Study, SuiteSpec, Tolerances, TolerancesSpec
from bench.study.yaml_source import KeyPath, YamlSource, read_yaml, shown

# Data sets of files whose pixels nobody has fixed yet: what a user brings is checked for its number and its form.
MAY_LACK_DIGESTS = ("sun_rgbd", "pascal_voc")
PROFILE_NAMES = ("smoke", "mini", "paper")

# Metrics whose tolerance is relative to the expected value; the scores of METRIC_TITLES take absolute ones.
COST_METRIC_NAMES = (
    "parameters",
    "model_size_mb",
    "storage_multiplier",
    "stored_encoder_mib",
    "forward_flops",
    "forward_ms",
    "backward_ms",
    "forward_device_ms",
    "backward_device_ms",
    "forward_energy_j",
    "inference_peak_mib",
    "training_peak_mib",
    "process_baseline_mib",
)

# Of these, what another machine does not reproduce.
MACHINE_COST_NAMES = COST_METRIC_NAMES[COST_METRIC_NAMES.index("forward_ms") :]

Problem = tuple[KeyPath, str]  # where, and what is wrong there

# pydantic's kinds of error that are said here in the words of YAML
_WORDS = {
    "model_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "list_type": "must be a list",
    "string_type": "must be text",
    "int_type": "must be an integer",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "too_long": "has too many entries",
}


def load_study(path: Path | None = None) -> Study:
    """Reads and checks a study.

    Args:
        path: the YAML file; None means bench.yaml in the current folder.

    Raises:
        ConfigError: the file is missing or anything in it is not allowed; one line that says where, what was
            found, what is allowed, and how many more problems there are.
    """
    return study_from(read_yaml(path or Path("bench.yaml")))


def study_from(source: YamlSource) -> Study:
    """Checks parsed YAML; as `load_study`."""
    try:
        study = Study.model_validate(source.data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        # a misspelt key is an unknown one and a missing one: tell the former, with the nearest name
        first = min(details, key=lambda detail: (detail["type"] == "missing", source.line(detail["loc"])))
        raise _refusal(source, _explain(first), len(details)) from None
    problems = list(_contradictions(study))
    if problems:
        raise _refusal(source, min(problems, key=lambda problem: source.line(problem[0])), len(problems))
    return study


def json_schema() -> dict[str, Any]:
    """Returns the JSON schema of bench.yaml."""
    return Study.model_json_schema()


def _refusal(source: YamlSource, first: Problem, count: int) -> ConfigError:
    more = f" (and {count - 1} more)" if count > 1 else ""
    return ConfigError(f"{source.place(first[0])}: {first[1]}{more}")


def _explain(detail: ErrorDetails) -> Problem:
    """Says in one line what pydantic found at one place."""
    path = detail["loc"]
    if detail["type"] == "extra_forbidden":
        known = list(_fields_at(path[:-1]))
        return path, f"unknown key{did_you_mean(str(path[-1]), known)}; known: {', '.join(known)}"
    if detail["type"] == "missing":
        return path, f"missing; it is: {_fields_at(path[:-1])[str(path[-1])]}"
    message = _WORDS.get(detail["type"]) or detail["msg"].replace("Input should", "must")
    return path, f"{message.replace('String should', 'must')}, got {shown(detail['input'])}"


def _fields_at(path: KeyPath) -> dict[str, str]:
    """Returns name and description of the fields of the spec at a path."""
    kind: Any = Study
    for key in path:
        kind = kind.model_fields[str(key)].annotation if _is_spec(kind) else get_args(kind)[1]
        while not _is_spec(kind) and get_origin(kind) is not dict:
            kind = get_args(kind)[0]  # Annotated[...] or an optional spec
    return {name: field.description or "" for name, field in kind.model_fields.items()}


def _is_spec(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Spec)


def _contradictions(study: Study) -> Iterator[Problem]:
    """Yields what is wrong between specs that are each well formed."""
    yield from _unknown("profile", study.profiles, PROFILE_NAMES, ("profiles",))
    yield from _unknown("data set", study.datasets, DATASET_TITLES, ("datasets",))
    for name, dataset in study.datasets.items():
        given = (dataset.sha256 is not None) + (dataset.seed is not None)
        if given > 1 or (given == 0 and name not in MAY_LACK_DIGESTS):
            yield ("datasets", name), "needs either `sha256` (a data set of files) or `seed` (a drawn one)"
    for name, profile in study.profiles.items():
        yield from _repeated("seed", profile.seeds, ("profiles", name, "seeds"))
    for name, suite in study.suites.items():
        yield from _suite_contradictions(study, suite, ("suites", name))
    for against in TolerancesSpec.model_fields:
        allowed = getattr(study.tolerances, against)
        yield from _tolerance_contradictions(study, allowed, ("tolerances", against))


def _suite_contradictions(study: Study, suite: SuiteSpec, path: KeyPath) -> Iterator[Problem]:
    if not _is_plain(str(path[-1])):
        yield path, "a suite's name is made of a-z, 0-9 and '-' (it names folders), at most 60 characters"
    yield from _unknown_items("model", suite.models, MODEL_TITLES, (*path, "models"))
    for field in ("weightings", "optional_weightings"):
        yield from _unknown_items("weighting", getattr(suite, field), WEIGHTING_TITLES, (*path, field))
    yield from _unknown("profile", suite.runs, study.profiles, (*path, "runs"))
    for profile, run in suite.runs.items():
        here = (*path, "runs", profile)
        if run.dataset not in study.datasets:
            yield (*here, "dataset"), _unknown_name("data set", run.dataset, study.datasets)
        elif run.batch_size > study.datasets[run.dataset].train:
            images = study.datasets[run.dataset].train
            yield (*here, "batch_size"), f"must not exceed the {images} training images, got {run.batch_size}"
        if run.iterations % run.validate_every:
            what = f"must divide iterations ({run.iterations}), so that the last one is validated"
            yield (*here, "validate_every"), f"{what}, got {run.validate_every}"


def _tolerance_contradictions(study: Study, tolerances: Tolerances, path: KeyPath) -> Iterator[Problem]:
    metrics = (*METRIC_TITLES, *COST_METRIC_NAMES)
    yield from _unknown("profile", tolerances, study.profiles, path)
    for profile, allowed in tolerances.items():
        yield from _unknown("metric", allowed, metrics, (*path, profile))
        for metric, gap in allowed.items():
            if metric in MACHINE_COST_NAMES:
                yield (*path, profile, metric), "is time or memory of a machine, which is reported but not checked"
            if metric in METRIC_TITLES and gap > 1:
                what = f"must be a fraction from 0 to 1 (0.02 is two points), got {gap}"
                yield (*path, profile, metric), what


def _unknown(what: str, names: Iterable[str], known: Iterable[str], path: KeyPath) -> Iterator[Problem]:
    """Yields a problem for each key of a mapping that is not a known name."""
    known = list(known)
    return (((*path, name), _unknown_name(what, name, known)) for name in names if name not in known)


def _unknown_items(what: str, names: list[str], known: Iterable[str], path: KeyPath) -> Iterator[Problem]:
    """Yields a problem for each item of a list that is not a known name, or repeats."""
    known = list(known)
    for position, name in enumerate(names):
        if name not in known:
            yield (*path, position), _unknown_name(what, name, known)
    yield from _repeated(what, names, path)


def _repeated(what: str, items: list[Any], path: KeyPath) -> Iterator[Problem]:
    for position, item in enumerate(items):
        if item in items[:position]:
            yield (*path, position), f"{what} {shown(item)} appears twice"


def _unknown_name(what: str, got: str, known: Iterable[str]) -> str:
    known = list(known)
    return f"unknown {what} {shown(got)}{did_you_mean(got, known)}; known: {', '.join(known)}"


def _is_plain(name: str) -> bool:
    plain = "abcdefghijklmnopqrstuvwxyz0123456789-"
    return 0 < len(name) <= 60 and set(name) <= set(plain) and name[0] != "-"
