"""The findings: what replicated and what did not, in one Markdown page made from stored results alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from bench.errors import one_line
from bench.replication.claim_values import LENGTH
from bench.replication.claim_verdicts import ClaimVerdict
from bench.replication.comparable import PAPER_BATCHES
from bench.replication.scores import costs
from bench.reporting.commands.check_output import Line, lines_of
from bench.reporting.commands.places import Places
from bench.reporting.comparisons.checkpoint_choice import checkpoint_choices, checkpoint_table
from bench.reporting.comparisons.interval_tables import interval_tables
from bench.reporting.comparisons.open_questions import Question, open_questions
from bench.reporting.comparisons.recipe_questions import class_weights, lengths, losses, rankings
from bench.reporting.comparisons.suite_results import FULL, SuiteResults
from bench.reporting.pages.report_source import ReportSource
from bench.reporting.provenance.overview import TrialState, trial_states
from bench.reporting.provenance.settings import settings
from bench.reporting.rendering import template_environment
from bench.reporting.staleness import MARK
from bench.reporting.tables.beside_paper import TableSource
from bench.reporting.tables.cells import MISSING, Table
from bench.reporting.tables.checkerboard import checkerboard_table
from bench.reporting.tables.formats import to_markdown
from bench.reporting.tables.paper_tables import side_by_side
from bench.results.schema import COST_METRICS, TIMES
from bench.study.catalog import METRIC_TITLES, MODEL_TITLES, resolve
from bench.study.config import Study
from bench.study.trials import plan

TABLE_1, SUMMED, LONGER = "decoder-variants", "summed-loss", "longer-training"
COST_TABLE = "T6"
RECIPE = ("Optimizer", "Weight decay", "Weights at the start", "Input")  # of a training, not its length
ASKED_ABOVE = ("weights", "checkpoint")  # open questions that have a section of their own
# How reasons that name a network end.
SHORT_REASONS = {
    "stale, changed since it ran": "a number is stale: settings or source have changed since it was measured",
    "not run yet": "a training or measurement that it needs has not been run",
}
TESTED = ("replicated", "contradicted", "inconclusive")
STORAGE = (
    "bilinear_interpolation", "segnet_basic", "segnet_basic_encoder_addition", "fcn_basic", "fcn_basic_no_dim_reduction"
)  # fmt: skip


class Ran(NamedTuple):
    """What was run of a suite: trainings and measurements that are done and current, of those planned."""

    suite: str
    title: str
    trainings: str
    costs: str
    seeds: str
    verdicts: str  # on its numbers against the paper


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
    length = lengths(table_1, by_name[LONGER]) if table_1 and LONGER in by_name else None
    choices = [checkpoint_table(checkpoint_choices(suite.rows, suite.stale), suite.planned) for suite in shown]
    places = places or Places()
    context: dict[str, Any] = {
        "profile": profile,
        "results": one_line(places.results),
        "command": places.command("findings", None, profile, "--out", "docs/findings.md"),
        "description": study.profiles[profile].description.rstrip("."),
        "recipes": {suite.suite: told for suite in shown if (told := other_recipe(study, suite))},
        "notices": list(dict.fromkeys(suite.notice for suite in shown if suite.notice)),
        "machines": machines([suite.rows for suite in shown]),
        "ran": [_ran(source, suite) for suite in suites],
        "stale": {suite.suite: suite.stale.changed for suite in shown if suite.stale.digests},
        "numbers": {suite.suite: compared for suite in suites if (compared := _compared(source, suite))},
        "metrics": tuple(METRIC_TITLES.values()),
        "scores": [(suite, tables) for suite in shown if (tables := interval_tables(suite))],
        "ranking": rankings(table_1) if table_1 else None,
        "claims": {verdict: [claim for claim in claims if claim.verdict == verdict] for verdict in TESTED},
        "not_tested": why_not_tested(claims),
        "against_itself": _against_itself(claims),
        "choices": [(suite, table) for suite, table in zip(shown, choices, strict=True) if table],
        "weights": [table for table in weights if table],
        "loss": loss,
        "length": length,
        "ended_badly": {suite.suite: states for suite in suites if (states := ended_badly(suite))},
        "summed": SUMMED,
        "summed_pixels": pixels(by_name[SUMMED]) if SUMMED in by_name else "",
        "rests_on": rests_on,
        "questions": _questions(source, profile),
        "patterns": [to_markdown(table, level=3) for suite in shown if (table := _pattern(suite))],
        "costs": [to_markdown(table, level=3) for suite in shown if (table := _deep_costs(suite))],
        "storage": storage(table_1) if table_1 else [],
        "model_titles": MODEL_TITLES,
    }
    return template_environment().get_template("findings.md").render(context)


def other_recipe(study: Study, suite: SuiteResults) -> list[str]:
    """Returns what the recipe of some trainings has otherwise than that of the paper's scale, a line each."""
    if suite.profile == FULL or FULL not in study.suites[suite.suite].runs or not suite.trainings:
        return []
    full = {fact.name: fact.values for fact in settings(plan(study, suite.suite, FULL))}
    return [
        f"{fact.name}: {', '.join(fact.values)}; profile {FULL}: {', '.join(full[fact.name])}"
        for fact in settings(suite.trainings)
        if fact.name in RECIPE and fact.values != full[fact.name]
    ]


def pixels(suite: SuiteResults) -> str:
    """Returns how many pixels a mini-batch has at most."""
    trial = suite.trainings[0]
    return f"{trial.batch_size * trial.height * trial.width:,}"


def rests_on(claim: ClaimVerdict) -> str:
    """Returns what kind of numbers a claim is about; times are those of the machine that measured them."""
    kinds = dict.fromkeys(_kind(cell.address.metric) for cell in claim.claim.cells)
    return " and ".join(kinds)


def _kind(metric: str) -> str:
    if metric in TIMES:
        return "times"
    if metric in PAPER_BATCHES:
        return "memory"
    return "counts" if metric in COST_METRICS else "length" if metric == LENGTH else "scores"


def _questions(source: ReportSource, profile: str) -> list[Question]:
    """Returns the open questions that a page of its own does not answer here, as far as there are answers."""
    found = [
        question
        for group in source.study.groups.values()
        if all(profile in source.study.suites[suite].runs for suite in group)
        for question in open_questions([source.suite(suite, profile) for suite in group], source.suites_in(profile))
    ]
    return [question for question in found if question.key not in ASKED_ABOVE and question.tables]


def _pattern(suite: SuiteResults) -> Table | None:
    """Returns what of the output of a suite's networks repeats with their upsampling."""
    return checkerboard_table(suite.rows, notice=suite.notice, stale=suite.stale)


def _deep_costs(suite: SuiteResults) -> Table | None:
    """Returns the paper's table of times and memory with ours beside it, of the suite that measures it."""
    if COST_TABLE not in suite.tables:
        return None
    (table,) = side_by_side(TableSource(suite.rows, suite.planned, (COST_TABLE,), suite.notice, suite.stale))
    return table


def ended_badly(suite: SuiteResults) -> list[TrialState]:
    """Returns the planned trials that were run and gave no result."""
    states = trial_states(suite.stored, suite.planned, suite.stale.digests, suite.why)
    return [state for state in states if state.status not in ("done", "stale", "missing")]


def why_not_tested(claims: Sequence[ClaimVerdict]) -> dict[str, list[str]]:
    """Returns the ids of the claims that were not tested by the reason, most common first."""
    found: dict[str, list[str]] = {}
    for one in claims:
        if one.verdict == "not tested":
            # how many parts is said by `bench claims`
            reason = next((part.reason for part in one.parts if part.verdict == one.verdict), one.reason)
            kind = next((short for word, short in SHORT_REASONS.items() if word in reason), reason)
            found.setdefault(kind, []).append(one.claim.id)
    return dict(sorted(found.items(), key=lambda group: -len(group[1])))


def machines(frames: Sequence[pd.DataFrame]) -> list[str]:
    """Returns on what the results of some suites were obtained, a line each."""
    columns = ["kind", "device_name", "kernels", "precision", "threads", "torch"]
    # a trial that failed early, or one of an old version, does not say everything
    known = pd.concat([frame[columns] for frame in frames]).dropna().drop_duplicates() if frames else pd.DataFrame()
    lines = [
        f"{'costs' if kind == 'cost' else 'trainings'}: {device} ({kernels}), {precision}, "
        f"{threads} thread{'' if threads == 1 else 's'}, PyTorch {torch}"
        for kind, device, kernels, precision, threads, torch in known.itertuples(index=False, name=None)
    ]
    return sorted(lines, reverse=True)


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
