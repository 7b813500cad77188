"""`bench check`: which numbers are compared with which reference, and what is kept as a baseline.

Against an earlier result of ours, a file or a folder, numbers are points: the same seeds under the same code come out
alike, so one run is enough. Only metrics that bench.yaml gives a gap are compared, times and memory among them where
device, precision and threads are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from bench.errors import ConfigError, ResultsError
from bench.replication.against_paper import made, paper_verdicts
from bench.replication.bands import Bands, bands_of, half_width
from bench.replication.baseline import read_baseline, write_baseline
from bench.replication.check import SINGLE_RUN, Judgement, Place, Verdict, by_point
from bench.replication.comparable import Measured, is_cost, numbers, other_machine
from bench.replication.scores import MACHINE_COSTS
from bench.replication.unfinished import WITHOUT_RESULT, Cell, State, cells_of, empty_cells, states, unfinished
from bench.results.store import load_results
from bench.study.config import Study
from bench.study.tolerances import CLASS_METRIC
from bench.study.trials import Trial

BASELINES = Path("results/_baselines")  # beside bench.yaml; the underscore keeps it out of the results


def baseline_path(trials: Sequence[Trial], home: Path) -> Path:
    """Returns where the stored baseline of a suite and profile lies; `home` is the folder of bench.yaml."""
    return home / BASELINES / f"{trials[0].suite}-{trials[0].profile}.csv"


def verdicts_of(rows: pd.DataFrame, trials: Sequence[Trial], study: Study, against: str, home: Path) -> list[Verdict]:
    """Compares the results of `trials` with a reference.

    Args:
        rows: results of one suite and profile
        trials: the trials of that suite and profile; stale results do not count, but are named as the reason
        study: for its tolerances
        against: "paper", "baseline", or the path of a baseline file or of a results folder
        home: the folder of bench.yaml

    Returns: against the paper one verdict for every number that it prints of what the trials give, else one for every
        number of the reference whose metric has a gap, and for those of ours that it lacks; then one for every trial
        without a result that none of these speaks of.

    Raises:
        ConfigError: there are no tolerances for the profile, no table for the suite, or no such reference; two
            exceptions of the tolerances match a number equally well.
        ResultsError: the reference cannot be read.
    """
    found = states(rows, trials)
    empty = empty_cells(trials, found)
    if against == "paper":
        verdicts = paper_verdicts(rows, trials, study, empty)
    else:
        verdicts = _baseline_verdicts(rows, trials, study, against, home, empty)
    spoken_of = {(verdict.model, verdict.weighting) for verdict in verdicts if verdict.verdict in WITHOUT_RESULT}
    return verdicts + unfinished(trials, found, spoken_of)


def _baseline_verdicts(
    rows: pd.DataFrame, trials: Sequence[Trial], study: Study, against: str, home: Path, empty: Mapping[Cell, State]
) -> list[Verdict]:
    suite, profile = trials[0].suite, trials[0].profile
    if profile not in study.tolerances.baseline:
        raise ConfigError(f"bench.yaml has no tolerances.baseline.{profile}; add the allowed gap per metric")
    bands = bands_of(study, "baseline", suite, profile)
    classes = CLASS_METRIC in bands.gaps
    reference = _reference(trials, against, home, classes)
    ours = numbers(rows, {trial.digest for trial in trials}, classes)
    planned = {cell for trial in trials for cell in cells_of(trial)}
    verdicts = [
        _verdict(place, ours.get(place), theirs, bands, _state(place, empty, planned))
        for place, theirs in reference.items()
        if place.metric in bands.gaps
    ]
    lacking = [place for place in ours if place.metric in bands.gaps and place not in reference]
    without = Judgement("not comparable", "the reference has no such number")
    return verdicts + [made(place, ours[place], np.nan, np.nan, without) for place in lacking]


def _reference(trials: Sequence[Trial], against: str, home: Path, classes: bool) -> dict[Place, Measured]:
    """Returns the numbers of a baseline or of another results folder."""
    suite, profile = trials[0].suite, trials[0].profile
    path = baseline_path(trials, home) if against == "baseline" else Path(against)
    if path.is_dir():
        found = load_results(path, suite=suite, profile=profile)
        if found.problems:
            raise ResultsError(f"reference --against {against}: {found.problems[0]}; repair or remove the file")
        theirs = numbers(found.rows, None, classes)
        if not theirs:
            raise ResultsError(f"'{path}' has no finished trial of suite {suite}, profile {profile}")
        return theirs
    if not path.is_file():
        hint = (
            "write one with --update-baseline --reason TEXT"
            if against == "baseline"
            else "name paper, baseline, a file or a folder"
        )
        raise ConfigError(f"--against {against}: no such file or folder '{path}'; {hint}")
    baseline = read_baseline(path)
    for name, wanted in (("suite", suite), ("profile", profile)):
        if baseline.meta.get(name) != (wanted,):
            got = ", ".join(baseline.meta.get(name, ("nothing",)))
            raise ConfigError(f"{path} is a baseline of {name} {got}, not of {wanted}")
    return baseline.numbers


def _state(place: Place, empty: Mapping[Cell, State], planned: set[Cell]) -> State | None:
    """Returns why a place of a reference has no number of ours, as far as its trials say."""
    cell = (place.model, place.weighting)
    if cell not in planned:
        return State("missing", "no trial of it is planned")
    return empty.get(cell)


def _verdict(place: Place, ours: Measured | None, theirs: Measured, bands: Bands, state: State | None) -> Verdict:
    """Returns the verdict on a number of a reference; of several seeds those that both have."""
    gap = bands.gap(place)
    assert gap is not None, place
    if ours is None:
        tolerance = half_width(gap, theirs.value, theirs.std)
        absent = Judgement("missing", "its results hold no such number")
        return made(place, None, theirs.value, tolerance, Judgement(*state) if state else absent)
    ours, theirs, seeds = _common_seeds(ours, theirs)
    # a reference's own spread first: a change that makes runs scatter must not widen the band it is held against
    tolerance = half_width(gap, theirs.value, ours.std if np.isnan(theirs.std) else theirs.std)
    if other := other_machine(place, ours, theirs):
        return made(place, ours, theirs.value, tolerance, Judgement("not comparable", other))
    if np.isnan(tolerance):
        unknown = "the band is a multiple of the spread over seeds, and neither side has two"
        return made(place, ours, theirs.value, tolerance, Judgement("inconclusive", unknown))
    outcome, reason = by_point(ours.value, theirs.value, tolerance)
    single = SINGLE_RUN if ours.n == 1 and not is_cost(place) else ""
    return made(
        place,
        ours,
        theirs.value,
        tolerance,
        Judgement(outcome, "; ".join(filter(None, (reason, seeds or single)))),
        gap,
    )


def _common_seeds(ours: Measured, theirs: Measured) -> tuple[Measured, Measured, str]:
    """Returns both sides over the seeds that they have in common, and what to say where these are not all.

    Where the seeds of the reference are not known, or none is common, both are as they are.
    """
    common = [seed for seed in ours.values if seed in theirs.values]
    if not theirs.values or set(ours.values) == set(theirs.values):
        return ours, theirs, ""
    if not common:
        return ours, theirs, f"other seeds: {_listed(ours)} here, {_listed(theirs)} there"
    of_all = f"over the common seeds {', '.join(map(str, common))}"
    return _over(ours, common), _over(theirs, common), of_all


def _over(one: Measured, seeds: Sequence[int]) -> Measured:
    values = {seed: one.values[seed] for seed in seeds}
    found = list(values.values())
    std = float(np.std(found, ddof=1)) if len(found) > 1 else one.std
    return one._replace(value=float(np.mean(found)), std=std, n=len(found), values=values)


def _listed(one: Measured) -> str:
    return ", ".join(map(str, one.values))


def save_baseline(rows: pd.DataFrame, trials: Sequence[Trial], study: Study, home: Path, reason: str) -> Path:
    """Writes the values of `trials` as the baseline of their suite and profile; returns its path.

    Times, memory and the accuracies of single classes are kept where bench.yaml gives them a gap against a baseline; a
    time that something disturbed is left out, and named among the provenance.

    Raises:
        ResultsError: a trial is not done, or the file cannot be written.
    """
    digests = {trial.digest for trial in trials}
    current = rows[rows["digest"].isin(digests) & (rows["status"] == "done")]
    stored = current.drop_duplicates("digest")
    suite, profile = trials[0].suite, trials[0].profile
    if len(stored) < len(trials):
        raise ResultsError(
            f"no baseline written: {len(stored)} of {len(trials)} trials are done; "
            f"finish them first with `bench run --suite {suite} --profile {profile}`"
        )
    gaps = bands_of(study, "baseline", suite, profile).gaps
    found = numbers(rows, digests, classes=CLASS_METRIC in gaps)
    kept = {place: one for place, one in found.items() if place.metric in gaps or place.metric not in MACHINE_COSTS}
    disturbed = [place for place, one in kept.items() if one.disturbance]
    meta: dict[str, str | list[str]] = {"suite": suite, "profile": profile}
    meta |= {"reason": reason, "date": datetime.now(UTC).date().isoformat()}
    for name in ("git_commit", "torch", "numpy", "device_name", "threads"):
        meta[name] = sorted({str(value) for value in stored[name].dropna()})
    meta["trial"] = [f"{trial.id} {trial.digest}" for trial in trials]
    meta["left out"] = [f"{place.cell} {place.protocol}: {kept[place].disturbance}" for place in disturbed]
    path = baseline_path(trials, home)
    write_baseline(path, {place: one for place, one in kept.items() if place not in disturbed}, meta)
    return path
