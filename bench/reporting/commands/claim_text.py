"""Claims as text: for a terminal, as Markdown and as JSON. Imports no pandas, so that a list of them is quick.

A table has a line a claim; with `details` every part of it is there too, else only those that decide.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bench.replication.claim_form import SINGLE_RUN, Claim
from bench.replication.claims import ClaimOnPaper, PartOnPaper, on_paper

if TYPE_CHECKING:
    from bench.replication.claim_verdicts import ClaimPart, ClaimVerdict

WIDTH = 100  # where the output is no terminal
COLOURS = {
    "holds": "green",
    "does not hold": "red",
    "no number": "yellow",
    "replicated": "green",
    "contradicted": "red",
    "inconclusive": "yellow",
    "not tested": "yellow",
}
ON_PAPER = ("holds", "does not hold", "no number")
PLURAL = {"holds": "hold", "does not hold": "do not hold", "no number": "without a number"}
OF_OURS = ("replicated", "contradicted", "inconclusive", "not tested")
THRESHOLDS = {"ours": "we chose the numbers of its tests", "paper": "the paper gives the numbers of its tests"}


class Line(NamedTuple):
    """A claim as it is shown."""

    claim: Claim
    paper: ClaimOnPaper
    ours: ClaimVerdict | None = None
    audit: bool = False  # show why the paper's own numbers do not bear it out


def list_lines(claims: Iterable[Claim]) -> list[Line]:
    """Returns claims to be listed."""
    return [Line(claim, on_paper(claim)) for claim in claims]


def audit_lines(claims: Iterable[Claim]) -> list[Line]:
    """Returns claims to be shown with what the paper's own numbers say."""
    return [line._replace(audit=True) for line in list_lines(claims)]


def verdict_lines(verdicts: Iterable[ClaimVerdict]) -> list[Line]:
    """Returns claims to be shown with our verdicts."""
    return [Line(verdict.claim, on_paper(verdict.claim), verdict) for verdict in verdicts]


def print_claims(lines: Sequence[Line], *, details: bool = False) -> None:
    """Prints a table of claims, or with `details` all that is known of each."""
    console = Console(width=None if Console().is_terminal else WIDTH)
    if details:
        for line in lines:
            console.print(Group(*_details(line), ""), highlight=False)
    else:
        console.print(_table(lines), end="")
    for notice in _notices(lines):
        console.print(f"[bold yellow]{escape(notice)}[/]", highlight=False)
    console.print(summary(lines), highlight=False)


def to_markdown(lines: Sequence[Line]) -> str:
    """Returns a Markdown table of claims."""
    heads = ["Claim", "Section", "What the paper says", "Its own numbers"]
    if any(line.ours for line in lines):
        heads.append("Our verdict")
    rows = [_pipes(heads), _pipes(["---"] * len(heads))]
    for line in lines:
        claim = line.claim
        why = ["; ".join(_why_on_paper(line))] if _why_on_paper(line) else []
        cells = [claim.id, claim.section, claim.statement, ": ".join([line.paper.outcome, *why])]
        if line.ours:
            cells.append(f"{line.ours.verdict}: {line.ours.reason}")
        rows.append(_pipes(_escaped(cell) for cell in cells))
    notices = [f"> **{_escaped(notice)}**\n" for notice in _notices(lines)]
    return "\n".join([*notices, *rows, "", f"{summary(lines)}."]) + "\n"


def to_json(lines: Sequence[Line]) -> str:
    """Returns a JSON list of claims, with all their parts."""
    return json.dumps([_as_dict(line) for line in lines], indent=2, ensure_ascii=False) + "\n"


def summary(lines: Sequence[Line]) -> str:
    """Returns how many claims have which outcome."""
    paper = _counted((line.paper.outcome for line in lines), ON_PAPER)
    ours = _counted((line.ours.verdict for line in lines if line.ours), OF_OURS)
    claims = f"{len(lines)} claim{'s' * (len(lines) != 1)}"
    return f"{claims}; on the paper's own numbers: {paper}" + (f"; on ours: {ours}" if ours else "")


def _counted(outcomes: Iterable[str], order: Sequence[str]) -> str:
    found = Counter(outcomes)
    words = {outcome: PLURAL.get(outcome, outcome) if found[outcome] > 1 else outcome for outcome in order}
    return ", ".join(f"{found[outcome]} {words[outcome]}" for outcome in order if found[outcome])


def _table(lines: Sequence[Line]) -> Table:
    with_ours = any(line.ours for line in lines)
    why = ", and why" if with_ours or any(line.audit for line in lines) else ""
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("claim", no_wrap=True)
    table.add_column("its own\nnumbers", no_wrap=True)
    table.add_column("ours" if with_ours else "section", no_wrap=with_ours, max_width=14)
    table.add_column(f"what the paper says{why}")
    for line in lines:
        third = _coloured(line.ours.verdict) if line.ours else escape(line.claim.section)
        reasons = [*_why_on_paper(line), *([line.ours.reason] if line.ours else [])]
        below = (Padding(escape(f"— {reason}"), (0, 0, 0, 2)) for reason in reasons)
        table.add_row(
            escape(line.claim.id), _coloured(line.paper.outcome), third, Group(escape(line.claim.statement), *below)
        )
    return table


def _details(line: Line) -> list[RenderableType]:
    """Returns all that is known of a claim, a line each."""
    claim, ours = line.claim, line.ours
    facts = {"section": claim.section, "threshold": THRESHOLDS.get(claim.threshold, ""), "on the paper": claim.note}
    text = [(2, f"{name}: {escape(fact)}") for name, fact in facts.items() if fact]
    why = f": {escape(claim.no_number)}" if claim.no_number else ""
    text.append((2, f"on its own numbers: {_coloured(line.paper.outcome)}{why}"))
    outcomes = {True: "holds", False: "does not hold"}
    text += [(4, f"{_coloured(outcomes[part.holds])}: {escape(_on_paper_text(part))}") for part in line.paper.parts]
    if ours:
        text.append((2, f"on ours: {_coloured(ours.verdict)}: {escape(ours.reason)}"))
        text += [(4, f"{_coloured(part.verdict)}: {escape(_ours_text(part))}") for part in ours.parts]
    first = f"[bold]{escape(claim.id)}[/]: {escape(claim.statement)}"
    return [first, *(Padding(fact, (0, 0, 0, indent)) for indent, fact in text)]


def _why_on_paper(line: Line) -> list[str]:
    """Returns what to say under a claim that the paper's own numbers do not bear out."""
    if not line.audit:
        return []
    return [line.claim.no_number] if line.claim.no_number else [_on_paper_text(part) for part in line.paper.failing]


def _on_paper_text(part: PartOnPaper) -> str:
    return f"{part.place}: {part.numbers}{_needed(part)}"


def _ours_text(part: ClaimPart) -> str:
    numbers = f"{part.place}: {part.ours}{_needed(part)}" if part.ours else part.text
    return f"{numbers} ({part.reason})" if part.reason and not part.reason.startswith(SINGLE_RUN) else numbers


def _needed(part: PartOnPaper | ClaimPart) -> str:
    return "" if part.needed == "above 0" else f"; needed {part.needed}"


def _notices(lines: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(notice for line in lines if line.ours for notice in line.ours.notice.splitlines()))


def _as_dict(line: Line) -> dict[str, Any]:
    claim, ours = line.claim, line.ours
    found: dict[str, Any] = {
        "id": claim.id,
        "section": claim.section,
        "tables": list(claim.tables),
        "statement": claim.statement,
        "threshold": claim.threshold,
        "note": claim.note,
        "no_number": claim.no_number,
        "on_paper": {"outcome": line.paper.outcome, "parts": [asdict(part) for part in line.paper.parts]},
    }
    if ours:
        parts = [asdict(part) for part in ours.parts]
        found["ours"] = {"verdict": ours.verdict, "reason": ours.reason, "notice": ours.notice, "parts": parts}
    return found


def _coloured(outcome: str) -> str:
    return f"[{COLOURS[outcome]}]{outcome}[/]"


def _pipes(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text)
