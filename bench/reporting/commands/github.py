"""What `bench check` found as workflow commands of GitHub Actions, which show it beside a pull request.

Source: GitHub's documentation of workflow commands, and `@actions/core` for what is escaped how. GitHub shows ten
errors and ten warnings a step, so the tenth says how many more there are; the summary of the job has them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from bench.errors import ConfigError, one_line
from bench.reporting.commands.check_markdown import as_markdown
from bench.reporting.commands.check_output import Check, by_weight, claim_sentence, sentence

SHOWN = 10  # annotations of a level that GitHub shows of one step
SUMMARY = "GITHUB_STEP_SUMMARY"  # names the file that becomes the summary of a job

Level = Literal["error", "warning", "notice"]
LEVELS: dict[str, Level] = {
    "outside": "error", "failed": "error", "contradicted": "error",
    "missing": "warning", "stale": "warning", "inconclusive": "warning",
}  # fmt: skip


class Annotation(NamedTuple):
    """One message; GitHub shows the title in bold."""

    level: Level
    title: str
    message: str

    def __str__(self) -> str:
        return f"::{self.level} title={_property(self.title)}::{_data(self.message)}"


def annotations_of(check: Check) -> list[Annotation]:
    """Returns what is to be said of a check, errors first, at most SHOWN of a level, then one line that sums it up."""
    found = [*_of_numbers(check), *_of_claims(check)]
    shown: list[Annotation] = []
    levels: tuple[Level, ...] = ("error", "warning")
    for level in levels:
        of_level = [annotation for annotation in found if annotation.level == level]
        rest = len(of_level) - SHOWN + 1
        if rest > 1:
            more = Annotation(level, "bench check", f"and {rest} more; the summary of the job lists them")
            of_level = [*of_level[: SHOWN - 1], more]
        shown += of_level
    return [*shown, Annotation("notice", "bench check", check.summary)]


def write_summary(check: Check) -> None:
    """Appends the check as Markdown to the summary of the job; does nothing outside GitHub Actions.

    Raises:
        ConfigError: the file that the environment names cannot be written.
    """
    if not (name := os.environ.get(SUMMARY)):
        return
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(as_markdown(check) + "\n")
    except OSError as error:
        raise ConfigError(f"{SUMMARY} names '{one_line(name)}', which cannot be written: {error.strerror}") from None


def _of_numbers(check: Check) -> Iterable[Annotation]:
    for suite, line in by_weight(check.suites):
        one = line.verdict
        if (level := _level(one.verdict, check)) is not None:
            title = f"{suite.suite}: {line.name} {one.verdict}"
            yield Annotation(level, one_line(title), one_line(sentence(one), 500))


def _of_claims(check: Check) -> Iterable[Annotation]:
    for claim in check.claims:
        if (level := _level(claim.verdict, check)) is not None:
            title = f"claim {claim.claim.id} {claim.verdict}"
            yield Annotation(level, one_line(title), one_line(claim_sentence(claim), 500))


def _level(verdict: str, check: Check) -> Level | None:
    return None if verdict == "inconclusive" and check.allow_inconclusive else LEVELS.get(verdict)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
