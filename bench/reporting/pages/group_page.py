"""Writes the page of a group of suites: each of its questions, and what the results say to it.

<out>/<group>/<profile>/
    index.html
    report.md       the same for a terminal or a repository page
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from bench.reporting.comparisons.comparison import SINGLE_RUN
from bench.reporting.comparisons.open_questions import open_questions
from bench.reporting.comparisons.suite_results import SuiteResults, legends
from bench.reporting.pages.report_source import ReportSource
from bench.reporting.provenance.citation import CITATIONS
from bench.reporting.rendering import made_folder, write_pages
from bench.study.catalog import resolve

OVERVIEW = "../../index.html"
PAGES = {"report.md": "group.md", "index.html": "group.html"}  # file: template


class Member(NamedTuple):
    """A suite of the group, and how much of it is done."""

    suite: str
    title: str
    done: int
    planned: int
    page: str  # folder of its own page, from the group's; "" where that was not rendered


def write_group_report(source: ReportSource, out: Path, *, group: str, profile: str) -> Path:
    """Writes the page of a group in a profile and returns the path of its index.html.

    Args:
        source: the results of all suites of the profile, since suites outside the group have costs.
        out: folder of all reports; made where it does not exist.
        group: its name in `study.groups`; letter case, '-' and '_' do not matter, here and below.
        profile: its name.

    Raises:
        UnknownNameError: the study has no such group, or one of its suites no such profile.
        ResultsError: a file cannot be written, or counts of images cannot be read.
    """
    study = source.study
    group, profile = resolve("group", group, study.groups), resolve("profile", profile, study.profiles)
    members = [source.suite(suite, profile) for suite in study.groups[group]]
    others = [suite for suite in source.suites_in(profile) if suite.suite not in study.groups[group]]
    folder = made_folder(out / group / profile)
    notices = [suite.notice for suite in members if suite.notice]
    questions = open_questions(members, others, source.readers.counts)
    context: dict[str, Any] = {
        "overview": OVERVIEW,
        "citation_items": CITATIONS,
        "title": group.replace("-", " ").replace("_", " ").capitalize(),
        "profile": profile,
        "profile_description": study.profiles[profile].description.rstrip("."),
        "notice_head": notices[0].partition(": ")[0] if notices else "",
        "notice_rest": list(dict.fromkeys(notice.partition(": ")[2] for notice in notices)),
        "problems": list(dict.fromkeys(line for suite in members for line in source.problems_of(suite.suite, profile))),
        "members": [_member(suite, folder) for suite in members],
        "questions": questions,
        "to_run": list(dict.fromkeys(line for question in questions for line in question.to_run)),
        "remarks": [
            *([SINGLE_RUN] if any(question.has_single_runs for question in questions) else []),
            *legends(members),
        ],
        "report_command": f"bench report --suite {group} --profile {profile}",
    }
    return write_pages(folder, PAGES, context)


def _member(suite: SuiteResults, folder: Path) -> Member:
    total = len(suite.trainings)
    page = f"../../{suite.suite}/{suite.profile}"
    there = (folder / page / "index.html").is_file()
    return Member(suite.suite, suite.title, total - len(suite.missing), total, page if there else "")
