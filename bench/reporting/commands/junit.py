"""What `bench check` found as JUnit XML, which continuous integration systems show test by test.

A suite in a profile is a test suite, a number a test case. What makes the command fail is a failure (a comparison went
wrong) or an error (there is nothing to compare); what it lets pass is passed or skipped, so that the colours of a CI
system and the exit code say the same. Where no number is of a kind with its reference, one error more says that nothing
could be compared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

from bench.reporting.commands.check_output import Check, Line, claim_sentence, sentence

if TYPE_CHECKING:
    from bench.replication.check import Verdict
    from bench.replication.claim_verdicts import ClaimVerdict

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
KINDS = ("failure", "error", "skipped")
# Which child element says what of a test case; what is within, or replicated, has none.
OF_NUMBERS = {
    "outside": "failure", "inconclusive": "failure", "failed": "error", "missing": "error", "stale": "error",
    "not comparable": "skipped",
}  # fmt: skip
OF_CLAIMS = {"contradicted": "failure", "inconclusive": "failure", "not tested": "skipped"}

# What XML 1.0 §2.2 has no character for; no escape makes it allowed.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Case(NamedTuple):
    class_name: str
    name: str
    verdict: str
    kind: str  # one of KINDS; "" where it passed
    message: str


def as_junit(check: Check) -> str:
    """Returns an XML document with a test suite for each suite, and one for the claims."""
    suites = {
        suite.name: [_of_number(suite.name, verdict, check) for verdict in suite.verdicts] for suite in check.suites
    }
    if check.claims:
        suites[f"claims.{check.profile}"] = [_of_claim(check.profile, claim, check) for claim in check.claims]
    if check.exit_code and not any(case.kind in ("failure", "error") for cases in suites.values() for case in cases):
        nothing = "nothing could be compared"
        suites[f"check.{check.profile}"] = [_Case(f"check.{check.profile}", nothing, "error", "error", nothing)]
    root = ET.Element("testsuites", {"name": _text(f"bench check against {check.against}")})
    _count(root, (case for cases in suites.values() for case in cases))
    for name, cases in suites.items():
        element = ET.SubElement(root, "testsuite", {"name": _text(name)})
        _count(element, cases)
        for case in cases:
            _add(element, case)
    ET.indent(root)
    return DECLARATION + ET.tostring(root, encoding="unicode")


def _of_number(suite: str, verdict: Verdict, check: Check) -> _Case:
    kind = _kind(OF_NUMBERS, verdict.verdict, check)
    return _Case(f"{suite}.{verdict.model}", Line(verdict).name, verdict.verdict, kind, sentence(verdict))


def _of_claim(profile: str, claim: ClaimVerdict, check: Check) -> _Case:
    message = claim_sentence(claim)
    return _Case(
        f"claims.{profile}", str(claim.claim.id), claim.verdict, _kind(OF_CLAIMS, claim.verdict, check), message
    )


def _kind(kinds: dict[str, str], verdict: str, check: Check) -> str:
    if verdict == "inconclusive" and check.allow_inconclusive:
        return "skipped"
    return kinds.get(verdict, "")


def _count(element: ET.Element, cases: Iterable[_Case]) -> None:
    found = Counter(case.kind for case in cases)
    element.set("tests", str(found.total()))
    for attribute, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(found[kind]))
    element.set("time", "0")


def _add(suite: ET.Element, case: _Case) -> None:
    names = {"classname": _text(case.class_name), "name": _text(case.name), "time": "0"}
    element = ET.SubElement(suite, "testcase", names)
    if case.kind == "skipped":
        ET.SubElement(element, case.kind, {"message": _text(f"{case.verdict}: {case.message}")})
    elif case.kind:
        child = ET.SubElement(element, case.kind, {"type": _text(case.verdict), "message": _text(case.message)})
        child.text = _text(f"{case.name}: {case.verdict}: {case.message}")
    else:
        ET.SubElement(element, "system-out").text = _text(case.message)


def _text(text: str) -> str:
    """Returns text without characters that no XML document may hold; the others are escaped when it is written."""
    return _NOT_XML.sub("?", text)
