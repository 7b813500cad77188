"""Loads bench.yaml: parsed, checked against the specs, and its names checked against each other.

Whatever is wrong with the file becomes one `ConfigError` line: file, line, key, the value found, what is
allowed and the nearest known name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bench.errors import ConfigError, did_you_mean
from bench.study.catalog import DATASET_TITLES, MODEL_TITLES, WEIGHTING_TITLES
from bench.study.problems import Problem, repeated, unknown, unknown_items, unknown_name
from bench.study.specs import GAP_FORMS, DatasetSpec, RunSpec, Spec, Study, SuiteSpec
from bench.study.tolerances import tolerance_problems
from bench.study.yaml_source import KeyPath, YamlSource, read_yaml, shown

# Data sets of files whose pixels nobody has fixed yet: what a user brings is checked for its number and its form.
LIST_FILE = "list_file"
MAY_LACK_DIGESTS = ("sun_rgbd", "pascal_voc", LIST_FILE)
# Keys of a data set that only some readers understand.
READERS_WITH = {
    "drives": ("camvid", "road_scenes"),
    "labels_by_name": ("sun_rgbd",),
    "folder": (LIST_FILE,),
    "class_names": (LIST_FILE,),
    "void": (LIST_FILE,),
}
ABSENT = "change to the folder that holds it, or name it with --config FILE"
PROFILE_NAMES = ("smoke", "mini", "paper")

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
    return study_from(read_yaml(path or Path("bench.yaml"), ABSENT))


def study_from(source: YamlSource) -> Study:
    """Checks parsed YAML; as `load_study`."""
    try:
        study = Study.model_validate(source.data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        # a misspelt key is an unknown one and a missing one: tell the former, with the nearest name
        first = min(details, key=lambda detail: (detail["type"] == "missing", source.line(_place(detail))))
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
    path = _place(detail)
    if detail["type"] == "extra_forbidden":
        known = list(_fields_at(path[:-1]))
        return path, f"unknown key{did_you_mean(str(path[-1]), known)}; known: {', '.join(known)}"
    if detail["type"] == "missing":
        return path, f"missing; it is: {_fields_at(path[:-1])[str(path[-1])]}"
    message = _WORDS.get(detail["type"]) or detail["msg"].replace("Input should", "must")
    return path, f"{message.replace('String should', 'must')}, got {shown(detail['input'])}"


def _place(detail: ErrorDetails) -> KeyPath:
    """Returns where pydantic found something; the form of a gap, which it names after its metric, is no key."""
    path = detail["loc"]
    of_gap = path[:1] == ("tolerances",) and path[4:5] and path[4] in GAP_FORMS
    return (*path[:4], *path[5:]) if of_gap else path


def _fields_at(path: KeyPath) -> dict[str, str]:
    """Returns name and description of the fields of the spec at a path."""
    kind: Any = Study
    for key in path:
        if isinstance(key, str):  # the items of a list are all of one kind
            kind = _mapping_in(kind.model_fields[key].annotation if _is_spec(kind) else get_args(kind)[1])
    return {name: field.description or "" for name, field in kind.model_fields.items()}


def _mapping_in(kind: Any) -> Any:
    """Returns the spec or dict in a type such as Annotated[...], a list or a choice; None where there is none."""
    if _is_spec(kind) or get_origin(kind) is dict:
        return kind
    return next((found for part in get_args(kind) if (found := _mapping_in(part))), None)


def _is_spec(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Spec)


def _contradictions(study: Study) -> Iterator[Problem]:
    """Yields what is wrong between specs that are each well formed."""
    yield from unknown("profile", study.profiles, PROFILE_NAMES, ("profiles",))
    for name, dataset in study.datasets.items():
        yield from _dataset_contradictions(name, dataset, ("datasets", name))
    for name, profile in study.profiles.items():
        yield from repeated("seed", profile.seeds, ("profiles", name, "seeds"))
    for name, suite in study.suites.items():
        yield from _suite_contradictions(study, suite, ("suites", name))
    for name, members in study.groups.items():
        if name in study.suites:
            yield ("groups", name), f"a suite is called {name} as well"
        yield from unknown_items("suite", members, study.suites, ("groups", name))
    yield from tolerance_problems(study)


def _dataset_contradictions(name: str, dataset: DatasetSpec, path: KeyPath) -> Iterator[Problem]:
    reader = dataset.reader or name
    if reader not in DATASET_TITLES:
        what = path if dataset.reader is None else (*path, "reader")
        yield what, unknown_name("data set", reader, DATASET_TITLES)
    if not _is_plain(name.replace("_", "-")):
        yield path, "a data set's name is made of a-z, 0-9 and '_', at most 60 characters"
    given = (dataset.sha256 is not None) + (dataset.seed is not None)
    if given > 1 or (given == 0 and reader not in MAY_LACK_DIGESTS):
        yield path, "needs either `sha256` (a data set of files) or `seed` (a drawn one)"
    if reader == LIST_FILE and dataset.class_names is None:
        yield path, "needs `class_names`, in the order of the ids in its label files"
    for field, readers in READERS_WITH.items():
        if getattr(dataset, field) is not None and reader not in readers:
            yield (*path, field), f"goes with reader {' or '.join(readers)} only"
    yield from repeated("class", dataset.class_names or [], (*path, "class_names"))


def _suite_contradictions(study: Study, suite: SuiteSpec, path: KeyPath) -> Iterator[Problem]:
    if not _is_plain(str(path[-1])):
        yield path, "a suite's name is made of a-z, 0-9 and '-' (it names folders), at most 60 characters"
    yield from unknown_items("model", suite.models, MODEL_TITLES, (*path, "models"))
    for field in ("weightings", "optional_weightings"):
        yield from unknown_items("weighting", getattr(suite, field), WEIGHTING_TITLES, (*path, field))
    yield from unknown("model of the suite", suite.refinements, suite.models, (*path, "refinements"))
    yield from repeated("table", suite.tables, (*path, "tables"))
    if not suite.weightings and not suite.costs:
        yield path, "has nothing to do: name `weightings` to train, or leave out `costs: false`"
    yield from unknown("profile", suite.runs, study.profiles, (*path, "runs"))
    for profile, run in suite.runs.items():
        here = (*path, "runs", profile)
        if run.dataset not in study.datasets:
            yield (*here, "dataset"), unknown_name("data set", run.dataset, study.datasets)
        elif run.batch_size > study.datasets[run.dataset].train:
            images = study.datasets[run.dataset].train
            yield (*here, "batch_size"), f"must not exceed the {images} training images, got {run.batch_size}"
        yield from _run_contradictions(study, suite, run, here)


def _run_contradictions(study: Study, suite: SuiteSpec, run: RunSpec, path: KeyPath) -> Iterator[Problem]:
    yield from unknown_items("weighting", run.weightings or [], WEIGHTING_TITLES, (*path, "weightings"))
    yield from unknown("model of the suite", run.iterations_of, suite.models, (*path, "iterations_of"))
    if run.pretrained is not None and run.pretrained not in study.pretrained:
        known = ", ".join(study.pretrained) or "none"
        yield (*path, "pretrained"), f"unknown weights {shown(run.pretrained)}; known: {known}"
    lengths = {name: getattr(run, name) for name in ("iterations", "validate_every", "checkpoint_every")}
    for name, length in lengths.items():
        if length is None and suite.weightings:
            yield path, f"needs `{name}`, because the suite trains"
    if run.iterations is None or run.validate_every is None:
        return
    ends = {("iterations",): run.iterations} | {("iterations_of", model): n for model, n in run.iterations_of.items()}
    points = ends | {("budgets", name): budget for name, budget in run.budgets.items()}
    for place, iteration in points.items():
        if iteration % run.validate_every:
            what = f"validate_every ({run.validate_every}) must divide it, so that it is validated, got {iteration}"
            yield (*path, *place), what
    yield from repeated("budget of", list(run.budgets.values()), (*path, "budgets"))
    for place, iteration in ends.items():
        if run.budgets and iteration <= max(run.budgets.values()):
            yield (*path, *place), f"must exceed the last budget ({max(run.budgets.values())}), got {iteration}"


def _is_plain(name: str) -> bool:
    plain = "abcdefghijklmnopqrstuvwxyz0123456789-"
    return 0 < len(name) <= 60 and set(name) <= set(plain) and name[0] != "-"
