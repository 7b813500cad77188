"""Writes the page that leads to all reports: what was run, at what scale, on what, when, and what replicated.

    <out>/
        index.html
        report.md       the same for a terminal or a repository page

It is made of everything in the results folder, whichever suites were rendered; a page that is not there is named with
the command that writes it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from bench.replication.check import Verdict
from bench.replication.claim_verdicts import ClaimVerdict
from bench.replication.scale import planned_scale
from bench.reporting.comparisons.suite_results import SuiteResults, legends
from bench.reporting.pages.claims_section import audit_section
from bench.reporting.pages.report_source import ReportSource
from bench.reporting.provenance.citation import CITATIONS
from bench.reporting.provenance.overview import Fact, machines, provenance, trial_counts, trial_states, when
from bench.reporting.rendering import made_folder, write_pages
from bench.reporting.tables.verdicts import PaperVerdicts
from bench.reporting.verdict_marks import MEANING_OF_NUMBERS, OF_CLAIMS, OF_NUMBERS, Mark, counted, legend
from bench.study.config import Study
from bench.study.specs import SuiteSpec

PAGES = {"report.md": "overview.md", "index.html": "overview.html"}  # file: template
PAGE = "index.html"


class SuiteLine(NamedTuple):
    """A suite in a profile; `page` leads to its own page, "" where there is none, and `command` writes it."""

    suite: str
    title: str
    profile: str
    tables: str
    scale: str
    against_paper: str  # "the paper's scale", "not the paper's scale"; "" where there is no such
    trials: tuple[str, ...]  # "40 of 48 done", "8 missing"
    numbers: list[Mark]
    machines: tuple[str, ...]
    when: tuple[str, ...]
    page: str
    command: str


class ProfileLine(NamedTuple):
    """What replicated in a profile: verdicts on numbers of the paper and on its claims, and how many suites count."""

    profile: str
    description: str
    numbers: list[Mark]
    claims: list[Mark]


class PageLine(NamedTuple):
    """A page of a group of suites, or a suite that was never run; `page` is "" where there is none."""

    title: str
    page: str
    command: str


def write_overview(source: ReportSource, out: Path) -> Path:
    """Writes the page in the folder of all reports and returns its path.

    Args:
        source: everything in the results folder.
        out: folder of all reports; made where it does not exist.

    Raises:
        ResultsError: the file cannot be written.
    """
    folder = made_folder(out)
    study = source.study
    suites = _suites(source)
    judged = {(suite.suite, suite.profile): source.verdicts(suite.suite, suite.profile) for suite in suites}
    found = {suite.profile for suite in suites}
    claims = {profile: source.claims(profile) for profile in study.profiles if profile in found}
    rows = pd.concat([suite.rows for suite in suites]) if suites else source.rows.iloc[:0]
    run = {suite.suite for suite in suites}
    context: dict[str, Any] = {
        "facts_of_all": _facts(rows, suites),
        "problems": [*source.problems, *dict.fromkeys(found.problem for found in judged.values() if found.problem)],
        "remarks": legends(suites),
        "below_scale": _below_scale(suites),
        "profiles": [_profile(name, study, suites, judged, found) for name, found in claims.items()],
        "suites": [_suite(suite, judged[suite.suite, suite.profile], folder) for suite in suites],
        "groups": _groups(study, suites, folder),
        "not_run": [
            PageLine(f"{name}: {spec.title}", "", f"bench run --suite {name} --profile {_profile_for(spec, found)}")
            for name, spec in study.suites.items()
            if name not in run
        ],
        "claims": audit_section(claims),
        "number_legend": legend(MEANING_OF_NUMBERS),
        "environment": provenance(rows),
        "citation_items": CITATIONS,
        "report_command": "bench report",
    }
    return write_pages(folder, PAGES, context)


def _profile_for(spec: SuiteSpec, found: Collection[str]) -> str:
    """Returns the profile in which a suite that was never run belongs beside those that were, or else its first."""
    return next((profile for profile in spec.runs if profile in found), next(iter(spec.runs)))


def _suites(source: ReportSource) -> list[SuiteResults]:
    """Returns every suite and profile of the study that has a results file."""
    pairs = set(source.rows[["suite", "profile"]].drop_duplicates().itertuples(index=False, name=None))
    return [
        source.suite(name, profile)
        for name, spec in source.study.suites.items()
        for profile in source.study.profiles
        if profile in spec.runs and (name, profile) in pairs
    ]


def _facts(rows: pd.DataFrame, suites: Sequence[SuiteResults]) -> list[Fact]:
    states = [
        state for suite in suites for state in trial_states(suite.stored, suite.planned, suite.stale.digests, suite.why)
    ]
    profiles = dict.fromkeys(suite.profile for suite in suites)
    return [
        Fact("Suites", (f"{len({suite.suite for suite in suites})}, in profile{'s' * (len(profiles) != 1)} "
                        f"{' and '.join(profiles)}",) if suites else ("none was run yet",)),
        Fact("Trials", trial_counts(states)),
        Fact("Machine", machines(rows)),
        Fact("When", when(rows)),
    ]  # fmt: skip


def _against_paper(suite: SuiteResults) -> str:
    if not suite.tables:
        return ""
    return "not the paper's scale" if suite.notice else "the paper's scale"


def _below_scale(suites: Sequence[SuiteResults]) -> str:
    """Returns which replications of a table ran at another scale than the paper's; "" where none did."""
    found = [f"{suite.suite} in profile {suite.profile}" for suite in suites if suite.tables and suite.notice]
    if not found:
        return ""
    return (
        f"{', '.join(found)}: smaller images, fewer iterations or other data than the paper's. These numbers do not "
        "show whether the paper replicates."
    )


def _suite(suite: SuiteResults, judged: PaperVerdicts, folder: Path) -> SuiteLine:
    page = Path(suite.suite, suite.profile, PAGE)
    tables = " and ".join(key.removeprefix("T") for key in suite.tables)
    states = trial_states(suite.stored, suite.planned, suite.stale.digests, suite.why)
    return SuiteLine(
        suite.suite,
        suite.title,
        suite.profile,
        f"Table{'s' * (len(suite.tables) > 1)} {tables}" if tables else "",
        str(planned_scale(suite.planned)),
        _against_paper(suite),
        trial_counts(states),
        judged.counts,
        machines(suite.rows),
        when(suite.rows),
        page.as_posix() if (folder / page).is_file() else "",
        f"bench report --suite {suite.suite} --profile {suite.profile}",
    )


def _profile(
    name: str,
    study: Study,
    suites: Sequence[SuiteResults],
    judged: Mapping[tuple[str, str], PaperVerdicts],
    claims: Sequence[ClaimVerdict],
) -> ProfileLine:
    mine = [suite for suite in suites if suite.profile == name and suite.tables]
    verdicts: list[Verdict] = [verdict for suite in mine for verdict in judged[suite.suite, name].verdicts]
    return ProfileLine(
        name,
        study.profiles[name].description.rstrip("."),
        counted((verdict.verdict for verdict in verdicts), OF_NUMBERS),
        counted((found.verdict for found in claims), OF_CLAIMS),
    )


def _groups(study: Study, suites: Sequence[SuiteResults], folder: Path) -> list[PageLine]:
    """Returns a line for every group and profile in which one of its suites was run."""
    lines = []
    for group, members in study.groups.items():
        title = group.replace("-", " ").replace("_", " ").capitalize()
        for profile in dict.fromkeys(suite.profile for suite in suites if suite.suite in members):
            page = Path(group, profile, PAGE)
            found = page.as_posix() if (folder / page).is_file() else ""
            command = f"bench report --suite {group} --profile {profile}"
            lines.append(PageLine(f"{title}, profile {profile}", found, command))
    return lines
