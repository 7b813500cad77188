"""Writes the page of a group of suites: each of its questions, and what the results say to it.

<out>/<group>/<profile>/
    index.html
    report.md       the same for a terminal or a repository page
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from bench.reporting.comparison import SINGLE_RUN
from bench.reporting.drive_scores import Read
from bench.reporting.open_questions import open_questions
from bench.reporting.page import made_folder, template_environment, write_text
from bench.reporting.suite_results import SuiteResults, legends, suite_results
from bench.study.catalog import resolve
from bench.study.config import Study

PAGES = {"report.md": "group.md", "index.html": "group.html"}  # file: template


class Member(NamedTuple):
    """A suite of the group, and how much of it is done."""

    suite: str
    title: str
    done: int
    planned: int
    page: str  # where its own page lies, from the group's


def write_group_report(
    results: pd.DataFrame,
    out: Path,
    *,
    group: str,
    profile: str,
    study: Study,
    read: Read | None = None,
    problems: Sequence[str] = (),
) -> Path:
    """Writes the page of a group in a profile and returns the path of its index.html.

    Args:
        results: rows in the stored columns, of all suites of the profile, since suites outside the group have costs.
        out: folder of all reports; made where it does not exist.
        group: its name in `study.groups`; letter case, '-' and '_' do not matter, here and below.
        profile: its name.
        study: from `load_study`.
        read: reads the counts of every image of a training by "ID-DIGEST"; None leaves out the scores of single drives.
        problems: lines to print at the top, such as results files that could not be read.

    Raises:
        UnknownNameError: the study has no such group, or one of its suites no such profile.
        ResultsError: a file cannot be written, or `read` raises it.
    """
    group, profile = resolve("group", group, study.groups), resolve("profile", profile, study.profiles)
    members = [suite_results(results, study, suite, profile) for suite in study.groups[group]]
    outside = [
        suite for suite, spec in study.suites.items() if profile in spec.runs and suite not in study.groups[group]
    ]
    others = [suite_results(results, study, suite, profile) for suite in outside]
    folder = made_folder(out / group / profile)
    notices = [suite.notice for suite in members if suite.notice]
    questions = open_questions(members, others, read)
    context: dict[str, Any] = {
        "title": group.replace("-", " ").replace("_", " ").capitalize(),
        "profile": profile,
        "profile_description": study.profiles[profile].description.rstrip("."),
        "notice_head": notices[0].partition(": ")[0] if notices else "",
        "notice_rest": list(dict.fromkeys(notice.partition(": ")[2] for notice in notices)),
        "problems": list(problems),
        "members": [_member(suite, profile) for suite in members],
        "questions": questions,
        "remarks": [
            *([SINGLE_RUN] if any(question.has_single_runs for question in questions) else []),
            *legends(members),
        ],
        "run_command": f"bench run --suite {group} --profile {profile}",
        "report_command": f"bench report --suite {group} --profile {profile}",
    }
    templates = template_environment()
    for name, template in PAGES.items():
        write_text(folder / name, templates.get_template(template).render(context))
    return folder / "index.html"


def _member(suite: SuiteResults, profile: str) -> Member:
    total = len(suite.trainings)
    return Member(
        suite.suite, suite.title, total - len(suite.missing), total, f"../../{suite.suite}/{profile}/index.html"
    )
