"""What `bench check` found as Markdown, for a comment on a pull request or the summary of a job.

What is not as it should be is listed number by number, up to a limit, because such comments may hold no more than
65 536 characters; the rest is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bench.errors import one_line
from bench.replication.check import OUTCOMES, counts
from bench.reporting.commands.check_output import (
    Check,
    SuiteCheck,
    by_weight,
    counted_claims,
    uncompared,
    untested,
)

ROWS = 60  # numbers or claims that are listed; a line of them has up to 500 characters
MARKS = {0: "✅", 1: "❌", 2: "⚠️", 3: "❌"}
ENDINGS = {
    0: "everything that can be compared is as expected",
    1: "a number is outside its tolerance, or a claim is contradicted",
    2: "something is missing, stale or inconclusive, or nothing could be compared",
    3: "a trial failed",
}


def as_markdown(check: Check) -> str:
    """Returns a heading, how many verdicts there are of each kind, and what is not as it should be."""
    code = check.exit_code
    lines = [f"## bench check: {MARKS[code]} {ENDINGS[code]}", ""]
    lines += [f"Profile {escaped(check.profile)}, against {escaped(check.against)}.", ""]
    lines += _counts(check.suites)
    for notice in dict.fromkeys(suite.notice for suite in check.suites if suite.notice):
        lines += [f"> **{escaped(notice)}**", ""]
    lines += _numbers(check.suites)
    lines += _claims(check)
    unlisted = [*uncompared(check.verdicts), *untested(check.claims)]
    if unlisted:
        lines += ["Not compared:", "", *(f"- {escaped(line)}" for line in unlisted), ""]
    for title, found in (("Left out", check.left_out), ("Could not be read", check.problems)):
        if found:
            lines += [f"{title}:", "", *(f"- {escaped(line)}" for line in found), ""]
    return "\n".join(lines).rstrip()


def escaped(text: str) -> str:
    """Returns text as one line of Markdown, in which nothing is markup."""
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", one_line(text, 500).replace("&", "&amp;"))


def _counts(suites: Sequence[SuiteCheck]) -> list[str]:
    lines = [_row(("suite", *OUTCOMES)), _row(("---", *["---:"] * len(OUTCOMES)))]
    lines += [_row((escaped(suite.suite), *(str(n) for n in counts(suite.verdicts).values()))) for suite in suites]
    return [*lines, ""] if suites else []


def _numbers(suites: Sequence[SuiteCheck]) -> list[str]:
    """Returns a table of the numbers that are listed, the weightiest first."""
    found = list(by_weight(suites))
    if not found:
        return []
    lines = [_row(("verdict", "suite", "number", "ours", "expected", "allowed ±", "n", "why"))]
    lines.append(_row(["---"] * 3 + ["---:"] * 4 + ["---"]))
    for suite, line in found[:ROWS]:
        one = line.verdict
        ours, expected, _, allowed = line.numbers
        cells = (one.verdict, suite.suite, line.name, ours, expected, allowed, str(one.n), one.reason)
        lines.append(_row(map(escaped, cells)))
    return [*lines, "", *_more(len(found), "line")]


def _claims(check: Check) -> list[str]:
    """Returns a table of the claims that were tested, the contradicted ones first."""
    order = ("contradicted", "inconclusive", "replicated")
    found = [claim for outcome in order for claim in check.claims if claim.verdict == outcome]
    if not check.claims:
        return []
    lines = [f"Claims of the paper: {counted_claims(check.claims)}.", ""]
    if not found:
        return lines
    lines += [_row(("verdict", "claim", "§", "statement", "on the paper's tables", "why")), _row(["---"] * 6)]
    for claim in found[:ROWS]:
        of_claim = claim.claim
        cells = (claim.verdict, of_claim.id, str(of_claim.section), of_claim.statement, claim.on_paper, claim.reason)
        lines.append(_row(map(escaped, cells)))
    return [*lines, "", *_more(len(found), "claim")]


def _more(found: int, what: str) -> list[str]:
    rest = found - ROWS
    return [f"and {rest} more {what}{'s' * (rest > 1)}", ""] if rest > 0 else []


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
