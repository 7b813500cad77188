"""The findings: what replicated and what did not, in one Markdown page made from stored results alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import pandas as pd

from bench.errors import one_line
from bench.replication.claim_verdicts import ClaimVerdict
from bench.replication.scores import costs, scores
from bench.replication.statistics import t_interval
from bench.reporting.commands.check_output import Line, lines_of
from bench.reporting.commands.places import Places
from bench.reporting.comparisons.checkpoint_choice import checkpoint_choices, checkpoint_table
from bench.reporting.comparisons.comparison import DECIMALS
from bench.reporting.comparisons.recipe_questions import class_weights, losses, rankings
from bench.reporting.comparisons.suite_results import SuiteResults
from bench.reporting.pages.report_source import ReportSource
from bench.reporting.provenance.overview import TrialState, trial_states
from bench.reporting.rendering import template_environment
from bench.reporting.staleness import MARK
from bench.reporting.tables.cells import MISSING
from bench.study.catalog import METRIC_TITLES, MODEL_TITLES, WEIGHTING_TITLES, resolve

TABLE_1, SUMMED = "decoder-variants", "summed-loss"
# How reasons that name a network end.
SHORT_REASONS = {
    "stale, changed since it ran": "a number is stale: settings or source have changed since it was measured",
    "not run yet": "a training or measurement that it needs has not been run",
}
TESTED = ("replicated", "contradicted", "inconclusive")
STORAGE = ("bilinear_interpolation", "segnet_basic", "fcn_basic", "fcn_basic_no_dim_reduction")


class Ran(NamedTuple):
    """What was run of a suite: trainings and measurements that are done and current, of those planned."""

    suite: str
    title: str
    trainings: str
    costs: str
    seeds: str
    verdicts: str  # on its numbers against the paper


class Interval(NamedTuple):
    """A model's test scores with their intervals, one text a metric."""

    title: str
    cells: tuple[str, ...]
    runs: int


def findings(source: ReportSource, profile: str, places: Places | None = None) -> str:
    """Returns the findings of a profile as Markdown; every number in it is computed from the stored results.

    Args:
        source: the results of all suites.
        profile: its name; letter case, '-' and '_' do not matter.
        places: where the results and the study are, for the command that the page names; None for the defaults.

    Raises:
        UnknownNameError: the study has no such profile.
    """
    study = source.study
    profile = resolve("profile", profile, study.profiles)
    suites = source.suites_in(profile)
    by_name = {suite.suite: suite for suite in suites}
    shown = [suite for suite in suites if len(suite.rows)]
    claims = source.claims(profile)
    table_1 = by_name.get(TABLE_1)
    weights = [class_weights(suite) for suite in suites]
    loss = losses(table_1, by_name[SUMMED]) if table_1 and SUMMED in by_name else None
    choices = [checkpoint_table(checkpoint_choices(suite.rows, suite.stale), suite.planned) for suite in shown]
    places = places or Places()
    context: dict[str, Any] = {
        "profile": profile,
        "results": one_line(places.results),
        "command": places.command("findings", None, profile, "--out", "docs/findings.md"),
        "description": study.profiles[profile].description.rstrip("."),
        "notices": list(dict.fromkeys(suite.notice for suite in shown if suite.notice)),
        "machines": machines([suite.rows for suite in shown]),
        "ran": [_ran(source, suite) for suite in suites],
        "stale": {suite.suite: suite.stale.changed for suite in shown if suite.stale.digests},
        "numbers": {suite.suite: compared for suite in suites if (compared := _compared(source, suite))},
        "metrics": tuple(METRIC_TITLES.values()),
        "scores": intervals(table_1) if table_1 else {},
        "ranking": rankings(table_1) if table_1 else None,
        "claims": {verdict: [claim for claim in claims if claim.verdict == verdict] for verdict in TESTED},
        "not_tested": why_not_tested(claims),
        "against_itself": _against_itself(claims),
        "choices": [(suite, table) for suite, table in zip(shown, choices, strict=True) if table],
        "weights": [table for table in weights if table],
        "loss": loss,
        "ended_badly": {suite.suite: states for suite in suites if (states := ended_badly(suite))},
        "summed": SUMMED,
        "storage": storage(table_1) if table_1 else [],
        "model_titles": MODEL_TITLES,
    }
    return template_environment().get_template("findings.md").render(context)


def ended_badly(suite: SuiteResults) -> list[TrialState]:
    """Returns the planned trials that were run and gave no result."""
    states = trial_states(suite.stored, suite.planned, suite.stale.digests, suite.why)
    return [state for state in states if state.status not in ("done", "stale", "missing")]


def why_not_tested(claims: Sequence[ClaimVerdict]) -> dict[str, list[str]]:
    """Returns the ids of the claims that were not tested by the reason, most common first."""
    found: dict[str, list[str]] = {}
    for one in claims:
        if one.verdict == "not tested":
            reason = one.reason.rpartition(" parts: ")[2]  # how many parts is said by `bench claims`
            kind = next((short for word, short in SHORT_REASONS.items() if word in reason), reason)
            found.setdefault(kind, []).append(one.claim.id)
    return dict(sorted(found.items(), key=lambda group: -len(group[1])))


def machines(frames: Sequence[pd.DataFrame]) -> list[str]:
    """Returns on what the results of some suites were obtained, a line each."""
    columns = ["kind", "device_name", "precision", "threads", "torch"]
    # a trial that failed early, or one of an old version, does not say everything
    known = pd.concat([frame[columns] for frame in frames]).dropna().drop_duplicates() if frames else pd.DataFrame()
    lines = [
        f"{'costs' if kind == 'cost' else 'trainings'}: {device}, {precision}, "
        f"{threads} thread{'' if threads == 1 else 's'}, PyTorch {torch}"
        for kind, device, precision, threads, torch in known.itertuples(index=False, name=None)
    ]
    return sorted(lines, reverse=True)


def intervals(suite: SuiteResults) -> dict[str, list[Interval]]:
    """Returns the test scores of a suite with 95 % intervals over seeds, by the title of the loss weighting."""
    rows = suite.rows[~suite.rows["digest"].isin(list(suite.stale.digests))]
    found = scores(rows)
    found = found[found["split"] == "test"]
    by_cell = {(model, weighting): of_cell for (model, weighting), of_cell in found.groupby(["model", "weighting"])}
    tables: dict[str, list[Interval]] = {}
    for weighting, model in product(suite.weightings, suite.models):
        if (model, weighting) in by_cell:
            of_cell = by_cell[model, weighting]
            values = dict(zip(of_cell["metric"], of_cell["values"], strict=True))
            cells = tuple(_score(values.get(metric, {}), DECIMALS.get(metric, 1)) for metric in METRIC_TITLES)
            runs = max(len(seeds) for seeds in values.values())
            tables.setdefault(WEIGHTING_TITLES[weighting], []).append(Interval(MODEL_TITLES[model], cells, runs))
    return tables


def storage(suite: SuiteResults) -> list[tuple[str, str, str, str]]:
    """Returns what the decoders keep of the encoder: model, printed multiplier, MiB, and its ratio to the indices'.

    A model whose measurement is stale is marked.
    """
    found = costs(suite.rows)
    old = {
        model
        for model, trials in zip(found["model"], found["trials"], strict=True)
        if set(trials) & suite.stale.digests
    }
    stored = {metric: dict(zip(rows["model"], rows["value"], strict=True)) for metric, rows in found.groupby("metric")}
    multiplier, mib = stored.get("storage_multiplier", {}), stored.get("stored_encoder_mib", {})
    indices = mib.get("segnet_basic")
    if not indices:
        return []
    return [
        (
            MODEL_TITLES[model] + (f" {MARK}" if model in old else ""),
            f"{multiplier[model]:g}",
            f"{mib[model]:.3f}",
            f"{mib[model] / indices:.2f}",
        )
        for model in STORAGE
        if model in mib
    ]


def _score(by_seed: dict[int, float], decimals: int) -> str:
    """Returns a mean in percent, and its interval where there are seeds enough for one."""
    if not by_seed:
        return MISSING
    values = [100 * value for value in by_seed.values()]
    mean = f"{sum(values) / len(values):.{decimals}f}"
    between = t_interval(values)
    return f"{mean} ({between.low:.{decimals}f} to {between.high:.{decimals}f})" if between else mean


def _ran(source: ReportSource, suite: SuiteResults) -> Ran:
    done = set(suite.rows.loc[(suite.rows["status"] == "done") & ~suite.rows["digest"].isin(list(suite.stale.digests)),
                              "trial"])  # fmt: skip

    def share(kind: str) -> str:
        planned = [trial.id for trial in suite.planned if trial.kind == kind]
        return f"{len(done & set(planned))} of {len(planned)}" if planned else MISSING

    seeds = sorted({trial.seed for trial in suite.trainings if trial.id in done and trial.seed is not None})
    found = source.verdicts(suite.suite, suite.profile)
    verdicts = ", ".join(f"{mark.count} {mark.verdict}" for mark in found.counts if mark.count) or found.problem
    return Ran(suite.suite, suite.title, share("training"), share("cost"), ", ".join(map(str, seeds)) or MISSING,
               verdicts or "no table of the paper")  # fmt: skip


def _compared(source: ReportSource, suite: SuiteResults) -> list[Line]:
    """Returns the numbers of a suite that could be held against the paper's, the worst first."""
    return lines_of(source.verdicts(suite.suite, suite.profile).verdicts, ["outside", "inconclusive", "within"])


def _against_itself(claims: Sequence[ClaimVerdict]) -> dict[str, int]:
    """Returns how many claims the paper's own tables bear out, do not, and cannot test."""
    return {outcome: sum(claim.on_paper == outcome for claim in claims) for outcome in
            ("holds", "does not hold", "no number")}  # fmt: skip
