"""What `bench check` writes: escaped for its format, within the limits of whoever reads it."""

import json
import math
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

from bench.replication.check import Place, Verdict
from bench.replication.statistics import Interval
from bench.reporting.commands.check_markdown import ROWS, as_markdown
from bench.reporting.commands.check_output import Check, Line, SuiteCheck, as_json, lines_of, number, sentence
from bench.reporting.commands.check_table import as_text
from bench.reporting.commands.github import SHOWN, annotations_of
from bench.reporting.commands.junit import as_junit

EVIL = "<b>&\"'</b> [red] 100% | a:b,c ](x) \x1b[2J \x00 \ud800 \ufffe \u202e\r\n::error::x"


def verdict(name="outside", reason="", number=0, **change) -> Verdict:
    place = Place("segnet", "natural_frequency", "test", "accuracy", "", f"Class {number}", "")
    return Verdict(**{
        "place": place, "ours": 0.25, "reference": 0.5, "difference": -0.25, "tolerance": 0.02, "verdict": name, "n": 3,
        "interval": Interval(0.2, 0.3), "reason": reason, "trials": ("a", "b", "c"),
    } | change)  # fmt: skip


def checked(*verdicts: Verdict, **change) -> Check:
    suites = (SuiteCheck("road-scenes", "smoke", verdicts, change.pop("notice", "")),)
    return Check("baseline", "smoke", suites, **change)


def evil() -> Check:
    place = Place("segnet", "natural_frequency", "test", "accuracy", "", EVIL, "")
    of_claim = SimpleNamespace(id="T1-1", section="3.3", tables=("T1",), statement=EVIL, threshold="", note="")
    part = SimpleNamespace(text=EVIL, ours=EVIL, needed=EVIL, verdict="contradicted", trials=())
    claim = SimpleNamespace(
        claim=of_claim, on_paper="holds", verdict="contradicted", reason=EVIL, parts=(part,), notice=""
    )
    return checked(
        verdict(reason=EVIL, place=place),
        verdict("not comparable", reason=EVIL),
        notice=EVIL,
        claims=(claim,),
        left_out=(EVIL,),
        problems=(EVIL,),
    )


@pytest.mark.parametrize(
    ("value", "metric", "shown"),
    [
        (0.4771, "mean_iou", "47.71"),
        (0.0003, "accuracy", "0.03"),
        (1416075.0, "parameters", "1,416,075"),
        (-0.00001, "mean_iou", "0.00"),
        (8.25, "forward_ms", "8.25"),
        (math.nan, "mean_iou", "—"),
        (None, "mean_iou", "—"),
    ],
)
def test_scores_are_shown_in_percent_and_costs_in_their_unit(value, metric: str, shown: str) -> None:
    assert number(value, metric) == shown


def test_a_sentence_has_interval_band_and_n() -> None:
    assert sentence(verdict()) == "25.00 [20.00, 30.00], expected 50.00 ± 2.00 (n = 3)"
    assert sentence(verdict(interval=None, n=1, tolerance=math.nan, reason="single run")) == (
        "25.00, expected 50.00 (n = 1): single run"
    )
    assert sentence(verdict("missing", "not run yet", ours=None)) == "not run yet"


def test_junit_has_an_error_where_nothing_could_be_compared() -> None:
    nothing = checked(verdict("not comparable", "another scale"))
    root = ET.fromstring(as_junit(nothing))
    assert nothing.exit_code == 2
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["2", "0", "1", "1"]
    assert root[-1].find("testcase/error").get("message") == "nothing could be compared"
    some = checked(verdict("not comparable"), verdict("within"))
    assert (some.exit_code, ET.fromstring(as_junit(some)).get("errors")) == (0, "0")


def test_the_numbers_of_a_training_without_a_result_are_one_line() -> None:
    empty = [verdict("missing", "not run yet", number, ours=None) for number in range(3)]
    (line,) = lines_of(empty, ("missing",))

    assert (line.name, line.numbers) == ("SegNet natural_frequency 3 numbers", ("", "", "", ""))
    assert Line(empty[0]).name == "SegNet natural_frequency test Class 0 accuracy"
    assert lines_of(empty, ("stale",)) == []


def test_a_time_is_named_with_its_protocol() -> None:
    place = Place("segnet", "", "", "forward_ms", "", "", "table-6")

    assert Line(verdict(place=place)).name == "SegNet table-6 forward_ms"


def test_text_of_others_is_text_on_a_terminal() -> None:
    text = as_text(evil())

    assert all(line.isprintable() for line in text.split("\n"))
    assert "[red] 100%" in " ".join(text.split())


def test_text_of_others_is_text_in_markdown() -> None:
    text = as_markdown(evil())

    assert all(line.isprintable() for line in text.split("\n"))
    assert "<b>" not in text.replace("\\<b\\>", "")
    rows = [line for line in text.splitlines() if line.startswith("| outside")]
    assert len(rows) == 1
    assert len(rows[0].replace("\\|", "").split("|")) == 8 + 2  # no cell is torn


def test_text_of_others_is_text_in_xml() -> None:
    text = as_junit(evil())

    root = ET.fromstring(text)  # not well formed is an error, as are characters that XML does not have
    failures = [
        case.find("failure").get("message") for case in root.iter("testcase") if case.find("failure") is not None
    ]
    assert len(failures) == 2
    # a parser reads a line break in an attribute as it was written, since it is written as a reference
    assert failures[0].endswith("<b>&\"'</b> [red] 100% | a:b,c ](x) ?[2J ? ? ? \u202e\r\n::error::x")
    assert text.encode("utf-8").decode("utf-8") == text


def test_text_of_others_is_text_in_annotations() -> None:
    lines = [str(annotation) for annotation in annotations_of(evil())]

    assert len(lines) == 3  # an outside number, a contradicted claim, the sum
    assert all(line.isprintable() and line.count("::") - 2 * line.count("::error::x") == 2 for line in lines)
    title, message = lines[0].removeprefix("::error title=").split("::", 1)
    assert ":" not in title
    assert "," not in title
    assert "a%3Ab%2Cc" in title
    assert "100%25" in title
    assert "100%25 | a:b,c" in message


def test_text_of_others_is_text_in_json() -> None:
    content = json.loads(as_json(evil()).encode("utf-8", "surrogatepass"))

    assert content["suites"][0]["numbers"][0]["class_name"] == EVIL


def test_json_has_no_number_that_is_none() -> None:
    odd = verdict(ours=math.inf, reference=math.nan, difference=math.nan, tolerance=math.nan, interval=None)
    numbers = json.loads(as_json(checked(odd)))["suites"][0]["numbers"][0]

    assert [numbers[name] for name in ("ours", "reference", "difference", "tolerance", "interval")] == [None] * 5


def test_github_is_told_no_more_than_it_shows() -> None:
    exactly = annotations_of(checked(*(verdict(number=number) for number in range(SHOWN))))
    assert [annotation.level for annotation in exactly] == ["error"] * SHOWN + ["notice"]
    assert "more" not in exactly[-2].message

    many = [verdict(number=number) for number in range(25)] + [
        verdict("inconclusive", number=number) for number in range(12)
    ]
    shown = annotations_of(checked(*many))
    assert [annotation.level for annotation in shown] == ["error"] * 10 + ["warning"] * 10 + ["notice"]
    assert shown[9].message == "and 16 more; the summary of the job lists them"
    assert shown[19].message == "and 3 more; the summary of the job lists them"


def test_what_may_pass_is_no_warning_and_no_failure() -> None:
    check = checked(verdict("inconclusive"), verdict("within", number=1), allow_inconclusive=True)

    assert [annotation.level for annotation in annotations_of(check)] == ["notice"]
    suite = ET.fromstring(as_junit(check))[0]
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["2", "0", "0", "1"]
    assert suite[0].find("skipped").get("message").startswith("inconclusive: 25.00")


def test_every_verdict_has_its_element_in_junit() -> None:
    names = ("within", "outside", "inconclusive", "missing", "stale", "failed", "not comparable")
    suite = ET.fromstring(as_junit(checked(*(verdict(name, number=n) for n, name in enumerate(names)))))[0]

    assert [case[0].tag for case in suite] == [
        "system-out", "failure", "failure", "error", "error", "error", "skipped",
    ]  # fmt: skip


def test_a_comment_on_a_pull_request_is_not_too_long() -> None:
    text = as_markdown(checked(*(verdict(reason="x" * 2000, number=number) for number in range(200))))

    assert len([line for line in text.splitlines() if line.startswith("| outside")]) == ROWS
    assert f"and {200 - ROWS} more lines" in text
    assert len(text) < 65_536


def test_reasons_that_nothing_is_compared_are_counted() -> None:
    many = [verdict("not comparable", "another device", number) for number in range(3)]
    many.append(verdict("not comparable", "a setting", 4))
    text = as_text(checked(*many))

    assert "not comparable: 3 numbers: another device\nnot comparable: 1 number: a setting\n" in text
    assert "against baseline: 0 within, 0 outside, 4 not comparable" in text
