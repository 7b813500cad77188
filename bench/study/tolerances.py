"""What `tolerances` in bench.yaml may hold: metrics and names that exist, gaps in a range that can be meant.

A plain number is absolute for a score (0.02 is two points) and relative for a cost (0.2 is 20 %). A score is a
fraction, so an absolute gap of more than 1 is a mistake; a cost is measured once, so it has no spread over seeds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from bench.study.catalog import METRIC_TITLES, ROW_TITLES, WEIGHTING_TITLES
from bench.study.problems import Problem, unknown, unknown_name
from bench.study.specs import Gap, Gaps, GapSpec, Study, ToleranceExceptionSpec
from bench.study.yaml_source import KeyPath

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

CLASS_METRIC = "accuracy"  # of one class, in Tables 2 and 5
METRICS = (*METRIC_TITLES, CLASS_METRIC, *COST_METRIC_NAMES)

# Checked without being named in bench.yaml. The paper's parameter counts look rounded by hand: the layers it describes
# give 1.415 M where it prints 1.425 M, and 1.661 M where it prints 1.625 M.
BUILT_IN: dict[str, Gaps] = {
    "paper": {"parameters": 0.03, "storage_multiplier": 0.0},
    "baseline": {"parameters": 0.0, "storage_multiplier": 0.0},
}
PLACES = ("suite", "model", "weighting", "split", "budget", "class_name")  # what an exception has to name one of
COORDINATES = ("profile", *PLACES, "metric")  # what makes an exception more specific


def gaps_of(study: Study, against: str, profile: str) -> Gaps:
    """Returns the gap of each metric against "paper" or "baseline" in a profile, the built-in ones included."""
    return {**BUILT_IN[against], **getattr(study.tolerances, against).get(profile, {})}


def as_spec(metric: str, gap: Gap) -> GapSpec:
    """Returns a gap as a mapping; a plain number is relative for a cost and absolute for a score."""
    if isinstance(gap, GapSpec):
        return gap
    return GapSpec(relative=gap) if metric in COST_METRIC_NAMES else GapSpec(absolute=gap)


def tolerance_problems(study: Study) -> Iterator[Problem]:
    """Yields what is wrong with the tolerances of a study."""
    for against in BUILT_IN:
        path: KeyPath = ("tolerances", against)
        profiles = getattr(study.tolerances, against)
        yield from unknown("profile", profiles, study.profiles, path)
        for profile, gaps in profiles.items():
            yield from unknown("metric", gaps, METRICS, (*path, profile))
            for metric, gap in gaps.items():
                yield from _gap_problems(against, metric, gap, (*path, profile, metric))
    exceptions = study.tolerances.exceptions
    for number, exception in enumerate(exceptions):
        path = ("tolerances", "exceptions", number)
        yield from _unknown_names(study, exception, path)
        yield from _gap_problems(exception.against, exception.metric or "mean_iou", exception, path)
        yield from _place_problems(study, exception, path)
        yield from _same_place(exceptions, number, path)


def _gap_problems(against: str, metric: str, gap: Gap, path: KeyPath) -> Iterator[Problem]:
    """Yields what a gap cannot be for its metric."""
    if metric in MACHINE_COST_NAMES and against == "paper":
        yield path, "is time or memory of the authors' machine; compare it with a baseline of the same device"
    spec = as_spec(metric, gap)
    if spec.absolute is None and spec.relative is None and spec.spread is None:
        yield path, "needs a number, or one or more of absolute, relative and spread"
    if metric in COST_METRIC_NAMES and spec.spread is not None:
        yield path, "has a `spread`, but a cost is measured once and has none over seeds"
    if metric not in COST_METRIC_NAMES and (spec.absolute or 0) > 1:
        what = "must be a fraction from 0 to 1 (0.02 is two points)"
        yield path, f"{what}, got {'absolute: ' if isinstance(gap, GapSpec) else ''}{spec.absolute}"


def _unknown_names(study: Study, exception: ToleranceExceptionSpec, path: KeyPath) -> Iterator[Problem]:
    budgets = dict.fromkeys(
        name for suite in study.suites.values() for run in suite.runs.values() for name in run.budgets
    )
    known: dict[str, Collection[str]] = {
        "profile": study.profiles,
        "suite": study.suites,
        "model": ROW_TITLES,
        "weighting": WEIGHTING_TITLES,
        "metric": METRICS,
        "budget": budgets,
    }
    for field, names in known.items():
        got = getattr(exception, field)
        if got is not None and got not in names:
            yield (*path, field), unknown_name(field, got, names)


def _place_problems(study: Study, exception: ToleranceExceptionSpec, path: KeyPath) -> Iterator[Problem]:
    """Yields where an exception names no place, places that exclude each other, or nothing that has a gap at all."""
    named = [name for name in PLACES if getattr(exception, name) is not None]
    if not named:
        yield path, f"must name at least one of {', '.join(PLACES)}; the gap of a whole metric stands above"
    if exception.metric in COST_METRIC_NAMES and (wrong := [name for name in named if name not in ("suite", "model")]):
        yield (*path, wrong[0]), f"goes with a score, and {exception.metric} is a cost"
    if exception.class_name is not None and exception.metric != CLASS_METRIC:
        yield (*path, "class_name"), f"goes with `metric: {CLASS_METRIC}`"
    metrics = {exception.metric} if exception.metric else set(METRIC_TITLES)
    profiles = [exception.profile] if exception.profile else list(study.profiles)
    if not any(metrics & gaps_of(study, exception.against, profile).keys() for profile in profiles):
        where = f"tolerances.{exception.against}" + (f".{exception.profile}" if exception.profile else "")
        yield path, f"changes nothing: {where} has no gap for {exception.metric or 'any score'}"


def _same_place(exceptions: Sequence[ToleranceExceptionSpec], number: int, path: KeyPath) -> Iterator[Problem]:
    """Yields the exception before this one that names the same numbers."""
    for before, other in enumerate(exceptions[:number]):
        if all(getattr(other, name) == getattr(exceptions[number], name) for name in ("against", *COORDINATES)):
            yield path, f"is a second gap for the numbers of exceptions[{before}]; keep one of the two"
            return
