"""What `bench check` prints on a terminal: a table per suite, what could not be compared, the claims."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.errors import one_line
from bench.replication.check import OUTCOMES, counts
from bench.reporting.commands.check_output import (
    Check,
    SuiteCheck,
    counted,
    counted_claims,
    counted_trials,
    lines_of,
    uncompared,
    untested,
)

if TYPE_CHECKING:
    from bench.replication.claim_verdicts import ClaimVerdict

COLOURS = dict.fromkeys(("within", "replicated"), "green") | dict.fromkeys(
    ("missing", "stale", "inconclusive"), "yellow"
)
WIDTH = 180  # characters, where it is no terminal that says its own
HEADINGS = ("model", "where", "metric", "ours", "reference", "difference", "allowed ±", "verdict", "n")


def print_check(check: Check, console: Console | None = None) -> None:
    """Prints the verdicts of each suite, scores in percent, and how many there are of each kind."""
    console = console or Console(soft_wrap=True, width=None if Console().is_terminal else WIDTH)
    for suite in check.suites:
        _print_suite(check, suite, console)
    if check.claims:
        _print_claims(check.claims, console)
    for line in check.left_out:
        console.print(f"left out: {escape(one_line(line))}", highlight=False)
    if len(check.suites) > 1:
        console.print(escape(check.summary))


def as_text(check: Check) -> str:
    """Returns what `print_check` prints, without colours."""
    out = StringIO()
    print_check(check, Console(file=out, width=WIDTH, soft_wrap=True, color_system=None))
    return out.getvalue().rstrip("\n")


def _print_suite(check: Check, suite: SuiteCheck, console: Console) -> None:
    if len(check.suites) > 1:
        console.print(f"suite {suite.suite}, profile {suite.profile}", highlight=False)
    shown = lines_of(suite.verdicts, [outcome for outcome in OUTCOMES if outcome != "not comparable"])
    table = _table(*HEADINGS)
    for line in shown:
        one = line.verdict
        state = _coloured(one.verdict) + (f" ({escape(one_line(one.reason))})" if one.reason else "")
        texts = map(escape, (line.model, line.where, line.metric, *line.numbers))
        table.add_row(*texts, state, str(one.n))
    if shown:
        console.print(table)
    for reason in uncompared(suite.verdicts):
        console.print(f"not comparable: {escape(one_line(reason))}", highlight=False)
    if suite.notice:
        console.print(escape(one_line(suite.notice, 1000)), style="bold yellow")
    console.print(f"against {escape(one_line(check.against))}: {counted(suite.verdicts)}")
    if suite.trials:
        console.print(counted_trials([suite]), highlight=False)
    found = counts(suite.verdicts)
    todo = "retry" if found["failed"] else "run" if found["missing"] or found["stale"] else ""
    if todo:
        command = check.places.command(todo, suite.suite, suite.profile)
        console.print(f"next: {command}", highlight=False, markup=False)


def _print_claims(claims: Sequence[ClaimVerdict], console: Console) -> None:
    """Prints a line for every claim that was tested, and how many were not, with the reasons."""
    table = _table("claim", "section", "statement", "on the paper's tables", "on ours")
    tested = [claim for claim in claims if claim.verdict != "not tested"]
    for claim in tested:
        state = _coloured(claim.verdict) + (f" ({escape(one_line(claim.reason))})" if claim.reason else "")
        of_claim = claim.claim
        statement = escape(one_line(of_claim.statement))
        table.add_row(of_claim.id, of_claim.section, statement, claim.on_paper, state)
    if tested:
        console.print(table)
    for line in untested(claims):
        console.print(f"not tested: {escape(one_line(line))}", highlight=False)
    console.print(f"claims: {counted_claims(claims)}")


def _coloured(state: str) -> str:
    return f"[{COLOURS.get(state, 'red')}]{state}[/]"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
