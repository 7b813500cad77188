"""What the pages show of the paper's claims: the verdict on our results, and whether the paper's own numbers hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.replication.claim_verdicts import ClaimVerdict
from bench.replication.claims import Claim, claims, on_paper
from bench.reporting.verdict_marks import (
    MEANING_OF_CLAIMS,
    MEANING_ON_PAPER,
    OF_CLAIMS,
    ON_PAPER,
    Mark,
    counted,
    legend,
)

THRESHOLDS = {
    "ours": "The paper has a word where the test has a number: the threshold was chosen here.",
    "paper": "The threshold is the paper's.",
}


class PartView(NamedTuple):
    """One comparison of a claim: a text per heading, its verdict, and why, where that is not plain."""

    texts: tuple[str, ...]
    mark: Mark
    reason: str = ""


class ClaimView(NamedTuple):
    """A claim as a page shows it; `profile_marks` are its verdicts by profile, where a page has several."""

    id: str
    address: str
    statement: str
    where: str  # in the paper
    mark: Mark
    on_paper: Mark
    reason: str
    parts: tuple[PartView, ...]
    notes: tuple[str, ...]
    profile_marks: tuple[tuple[str, Mark], ...] = ()


class ClaimSection(NamedTuple):
    """Some claims with what sums them up; `judged` says whose results `mark` is about."""

    items: tuple[ClaimView, ...]
    part_headings: tuple[str, ...]
    judged: str = "ours"
    notices: tuple[str, ...] = ()

    @property
    def verdicts(self) -> list[Mark]:
        """How many claims have each verdict on our results."""
        return counted((item.mark.verdict for item in self.items), OF_CLAIMS)

    @property
    def on_paper(self) -> list[Mark]:
        """How many claims the paper's own numbers support."""
        return counted((item.on_paper.verdict for item in self.items), ON_PAPER)

    @property
    def legend(self) -> list[tuple[Mark, str]]:
        """Every verdict that a claim can have, and what it means."""
        return legend(MEANING_OF_CLAIMS | MEANING_ON_PAPER)

    @property
    def failing(self) -> list[tuple[ClaimView, list[PartView]]]:
        """The claims that the paper's own numbers contradict, and the comparisons that do."""
        return [
            (item, [part for part in item.parts if part.mark.verdict == "does not hold"])
            for item in self.items
            if item.on_paper.verdict == "does not hold"
        ]


def claims_section(found: Sequence[ClaimVerdict], said: str = "") -> ClaimSection | None:
    """Returns claims as they were tested on the results of one profile; None where there are none.

    Args:
        found: their verdicts.
        said: what the page says of the scale already.
    """
    if not found:
        return None
    more = (verdict.notice.removeprefix(said).strip() for verdict in found)
    notices = tuple(dict.fromkeys(notice for notice in more if notice))
    headings = ("Compared", "Ours", "Needed", "Verdict")
    return ClaimSection(tuple(map(_of_verdict, found)), headings, notices=notices)


def audit_section(by_profile: Mapping[str, Sequence[ClaimVerdict]]) -> ClaimSection:
    """Returns all claims, tested on the paper's own tables, with their verdict on our results in every profile.

    The last profile is the one that claims are sorted out by.
    """
    marks: dict[str, dict[str, Mark]] = {}
    for profile, verdicts in by_profile.items():
        for verdict in verdicts:
            marks.setdefault(verdict.claim.id, {})[profile] = Mark(verdict.verdict)
    items = tuple(_of_claim(claim, marks.get(claim.id, {})) for claim in claims().values())
    judged = f"profile {list(by_profile)[-1]}" if by_profile else "ours"
    return ClaimSection(items, ("Compared", "In the paper", "Needed", "Verdict"), judged)


def _of_verdict(found: ClaimVerdict) -> ClaimView:
    parts = tuple(
        # what the claim's own reason says already is not said again
        PartView(
            (part.text, part.ours, part.needed), Mark(part.verdict), "" if part.reason in found.reason else part.reason
        )
        for part in found.parts
    )
    return ClaimView(
        found.claim.id,
        f"claim-{found.claim.id}",
        found.claim.statement,
        _where(found.claim),
        Mark(found.verdict),
        Mark(found.on_paper),
        found.reason,
        parts,
        _notes(found.claim),
    )


def _of_claim(claim: Claim, marks: Mapping[str, Mark]) -> ClaimView:
    audit = on_paper(claim)
    parts = tuple(
        PartView((part.text, part.numbers, part.needed), Mark("holds" if part.holds else "does not hold"))
        for part in audit.parts
    )
    return ClaimView(
        claim.id,
        f"claim-{claim.id}",
        claim.statement,
        _where(claim),
        list(marks.values())[-1] if marks else Mark("not tested"),
        Mark(audit.outcome),
        claim.no_number,
        parts,
        _notes(claim),
        tuple(marks.items()),
    )


def _where(claim: Claim) -> str:
    """Returns the place in the paper: "paper §3.3", "paper, Table 1 caption"."""
    section = f"§{claim.section}" if claim.section[:1].isdigit() else claim.section
    return f"paper {section}"


def _notes(claim: Claim) -> tuple[str, ...]:
    """Returns what to say below a claim; its note is about the paper's numbers and stands below ours."""
    note = f"On the paper: {claim.note}" if claim.note else ""
    return tuple(filter(None, (note, THRESHOLDS.get(claim.threshold, ""))))
