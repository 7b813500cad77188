"""What the report says about the run itself: what was planned, what came of it, where, when and with what.

Everything is plain text and numbers; the templates decide how it looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from bench.data import dataset_of
from bench.results.changes import Change, summary
from bench.results.schema import STATUSES
from bench.study.catalog import MODEL_TITLES, WEIGHTING_TITLES
from bench.study.trials import Trial

# Columns of provenance that the report lists, and what it calls them.
PROVENANCE_TITLES = {
    "device_name": "Device",
    "device": "Kind of device",
    "kernels": "Kernels",
    "threads": "Threads",
    "precision": "Precision",
    "channels_last": "Channels last",
    "determinism": "Determinism",
    "platform": "Platform",
    "python": "Python",
    "torch": "torch",
    "torchvision": "torchvision",
    "numpy": "numpy",
    "bench_version": "bench",
    "git_commit": "Git commit",
    "git_dirty": "Uncommitted changes",
    "source_digest": "Source digest",
    "dataset_digest": "Data digest",
    "schema_version": "Schema version",
    "resumptions": "Taken up again at iteration",
}


@dataclass(frozen=True)
class TrialState:
    """One planned trial and what came of it."""

    trial: Trial
    status: str  # one of schema.STATUSES, "stale" or "missing"
    reason: str
    started_at: str
    duration: str
    stale_shown: bool = False  # a stale result of it is in the report
    digest: str = ""  # of the result that is shown

    @property
    def shown(self) -> bool:
        """Whether a result of it is in the report, be it a stale one."""
        return self.status == "done" or self.stale_shown

    @property
    def what(self) -> str:
        """The trial in words."""
        title = MODEL_TITLES.get(self.trial.model, self.trial.model)
        if self.trial.kind == "cost":
            return f"{title}, cost"
        weighting = WEIGHTING_TITLES.get(str(self.trial.weighting), str(self.trial.weighting))
        return f"{title}, {weighting}, seed {self.trial.seed}"


@dataclass(frozen=True)
class Fact:
    """A name and what is known under it, one line per distinct value."""

    name: str
    values: tuple[str, ...]


def trial_states(
    results: pd.DataFrame,
    planned: Sequence[Trial],
    stale: Collection[str] = (),
    why: Mapping[str, Iterable[Change]] | None = None,
) -> list[TrialState]:
    """Returns what came of every planned trial, in the order of the plan.

    Args:
        results: rows of one suite and profile, stale ones too.
        planned: the trials.
        stale: digests of the stale results that are shown.
        why: what has changed since the latest stale result, by trial id.

    Edge cases:
        A trial with a stale result and none that is current is `stale`; it is shown unless its cell has current
        results of other seeds. One that failed now keeps its status, though a stale result may be shown.
    """
    ends = {row["digest"]: row for row in results.drop_duplicates("digest").to_dict("records")}
    shown = {ends[digest]["trial"]: digest for digest in stale}
    states = []
    for trial in planned:
        changed = summary((why or {}).get(trial.id, ()))
        instead = shown.get(trial.id)
        if trial.digest in ends:
            end = ends[trial.digest]
            reason = "" if pd.isna(end["reason"]) else str(end["reason"])
            reason += "; an older, stale result is shown" if instead else ""
            states.append(_state(trial, end, end["status"], reason, instead))
        elif instead:
            states.append(_state(trial, ends[instead], "stale", f"changed since: {changed}", instead))
        elif changed:
            reason = f"changed since: {changed}; not shown beside current runs of other seeds"
            states.append(TrialState(trial, "stale", reason, "", ""))
        else:
            states.append(TrialState(trial, "missing", "not run yet", "", ""))
    return states


def _state(trial: Trial, end: Mapping[Any, Any], status: str, reason: str, instead: str | None) -> TrialState:
    start = "" if pd.isna(end["started_at"]) else as_moment(end["started_at"])
    duration = "" if pd.isna(end["duration_s"]) else as_duration(end["duration_s"])
    return TrialState(trial, status, reason, start, duration, instead is not None, instead or trial.digest)


def run_facts(results: pd.DataFrame, planned: Sequence[Trial], states: Sequence[TrialState]) -> list[Fact]:
    """Returns the facts at the top of the report: data, scale, trials, machine, dates."""
    trial = planned[0]
    trainings = [trial for trial in planned if trial.kind == "training"]
    return [
        *(_training_facts(trainings) if trainings else _cost_facts(trial)),
        Fact("Trials", trial_counts(states)),
        *([Fact("Seeds", (_seeds(states),))] if trainings else []),
        Fact("Machine", machines(results)),
        Fact("When", when(results)),
    ]


def _seeds(states: Sequence[TrialState]) -> str:
    """Returns how many seeds a model has with a loss weighting: planned, and in the report where these are fewer."""
    trainings = [state for state in states if state.trial.kind == "training"]
    planned, shown = (
        Counter((state.trial.model, state.trial.weighting) for state in trainings if state.shown or also_absent)
        for also_absent in (True, False)
    )
    each = "per model and weighting"
    if shown == planned:
        return f"{_span(planned.values())} {each}"
    return f"{_span(planned.values())} planned {each}, {_span(shown[cell] for cell in planned)} in this report"


def _span(counts: Iterable[int]) -> str:
    found = list(counts)
    low, high = min(found), max(found)
    return str(low) if low == high else f"{low} to {high}"


def trial_counts(states: Sequence[TrialState]) -> tuple[str, ...]:
    """Returns "40 of 48 done" and how many trials ended in each other way."""
    counts = Counter(state.status for state in states)
    done = f"{counts.pop('done', 0)} of {len(states)} done"
    return (done, *(f"{counts[name]} {name}" for name in ("stale", *STATUSES, "missing") if counts[name]))


def machines(results: pd.DataFrame) -> tuple[str, ...]:
    """Returns the devices that the results come from."""
    known = results.assign(kernels=results["kernels"].fillna("kernels not recorded"))  # as in early versions
    found = [
        f"{name} ({kernels}), {threads} thread{'s' * (threads != '1')}"
        for name, kernels, threads in _distinct(known, ["device_name", "kernels", "threads"])
    ]
    return tuple(found) or ("nothing ran yet",)


def _training_facts(trainings: Sequence[Trial]) -> list[Fact]:
    trial = trainings[0]
    sizes = [f"{trial.dataset_options[s]} {s}" for s in ("train", "val", "test") if s in trial.dataset_options]
    epochs = [t.iterations * t.batch_size / max(1, int(trial.dataset_options.get("train", 0))) for t in trainings]
    lengths = [t.iterations for t in trainings]
    return [
        Fact("Data", (dataset_of(trial.dataset, trial.dataset_options).title, " / ".join(sizes) + " images")),
        Fact("Image size", (f"{trial.height} × {trial.width} px",)),
        Fact(
            "Training",
            (
                f"{_range(lengths, grouped)} iterations of {trial.batch_size} images",
                f"{_range(epochs, lambda number: f'{number:.3g}')} epochs",
            ),
        ),
    ]


def _cost_facts(trial: Trial) -> list[Fact]:
    classes = len(dataset_of(trial.dataset, trial.dataset_options).class_names)
    return [
        Fact("Measured", ("time and memory; nothing is trained",)),
        Fact("Image size", (f"{trial.timing_height} × {trial.timing_width} px", f"{classes} classes")),
    ]


def _range(numbers: Sequence[Any], shown: Callable[[Any], str]) -> str:
    """Returns one number, or the least and the greatest."""
    low, high = shown(min(numbers)), shown(max(numbers))
    return low if low == high else f"{low} to {high}"


def provenance(results: pd.DataFrame) -> list[Fact]:
    """Returns every distinct value of the provenance columns, with the number of trials where they differ."""
    trials = results.drop_duplicates("digest")
    facts = []
    for column, title in PROVENANCE_TITLES.items():
        counts = trials[column].dropna().astype(str).value_counts()
        if len(counts):
            single = len(counts) == 1
            values = (value if single else f"{value} ({n} trial{'s' * (n > 1)})" for value, n in counts.items())
            facts.append(Fact(title, tuple(map(str, values))))
    return facts


def grouped(number: int) -> str:
    """Returns 10 000 with a space that does not break."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def as_duration(seconds: float) -> str:
    """Returns 42 s, 7 min 11 s or 3 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def when(results: pd.DataFrame) -> tuple[str, ...]:
    """Returns the first start, the last end, and the time of computing."""
    trials = results.drop_duplicates("digest").dropna(subset=["started_at"])
    if trials.empty:
        return ("nothing ran yet",)
    starts = [_parsed(text) for text in trials["started_at"]]
    lengths = [timedelta(seconds=0 if pd.isna(s) else float(s)) for s in trials["duration_s"]]
    first, last = min(starts), max(start + length for start, length in zip(starts, lengths, strict=True))
    total = as_duration(sum(length.total_seconds() for length in lengths))
    return (f"{first:%Y-%m-%d %H:%M} UTC", f"to {last:%Y-%m-%d %H:%M} UTC", f"{total} of computing")


def as_moment(text: str) -> str:
    """Returns a stored moment as 2026-01-02 03:00, UTC."""
    return f"{_parsed(text):%Y-%m-%d %H:%M}"


def _parsed(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _distinct(results: pd.DataFrame, columns: list[str]) -> list[tuple[str, ...]]:
    rows = results[columns].dropna().drop_duplicates()
    return [tuple(str(value) for value in row) for row in rows.itertuples(index=False)]
