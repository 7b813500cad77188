import math
from pathlib import Path

import pytest
from results_factory import ROOT

from bench.errors import ResultsError
from bench.replication.baseline import read_baseline, write_baseline
from bench.replication.check import Place
from bench.replication.comparable import Machine, Measured

MEDIAN = ("segnet_basic", "median_frequency", "test")
NUMBERS = {
    Place(*MEDIAN, "mean_iou", "", "", ""): Measured(0.4321, values={0: 0.4321}),
    Place(*MEDIAN, "boundary_f1", "", "", "paper"): Measured(math.nan, n=2, values={0: math.nan, 1: 0.5}),
    Place("segnet_basic", "", "", "parameters", "", "", ""): Measured(1416075.0),
    Place("segnet_basic", "", "", "forward_ms", "", "", "interleaved"): Measured(
        17.5, machine=Machine("AMD, 2 GHz", "AVX2", "fp32", "2")
    ),
    Place("segnet", "natural_frequency", "test", "mean_iou", "40K", "", ""): Measured(0.25, 0.05, 2, {0: 0.2, 7: 0.3}),
    Place("segnet", "natural_frequency", "test", "accuracy", "", "Shower curtain", ""): Measured(0.5),
}
META = {"suite": "decoder-variants", "trial": ["a 01", "b 02"], "reason": "first\nrun"}
COLUMNS = (
    "model,weighting,split,metric,budget,class_name,protocol,value,n,std,seeds,device_name,kernels,precision,threads"
)
TEXT = f"""\
# segnet-bench baseline 2
# suite: decoder-variants
# trial: a 01
# trial: b 02
# reason: first run
{COLUMNS}
segnet_basic,median_frequency,test,mean_iou,,,,0.4321,1,,0=0.4321,,,,
segnet_basic,median_frequency,test,boundary_f1,,,paper,nan,2,,0=nan 1=0.5,,,,
segnet_basic,,,parameters,,,,1416075,1,,,,,,
segnet_basic,,,forward_ms,,,interleaved,17.5,1,,,"AMD, 2 GHz",AVX2,fp32,2
segnet,natural_frequency,test,mean_iou,40K,,,0.25,2,0.05,0=0.2 7=0.3,,,,
segnet,natural_frequency,test,accuracy,,Shower curtain,,0.5,1,,,,,,
"""
FORMAT_1 = """\
# segnet-bench baseline 1
# suite: decoder-variants
model,weighting,split,metric,budget,class_name,protocol,value,n
segnet_basic,median_frequency,test,mean_iou,,,,0.4321,1
segnet,natural_frequency,test,mean_iou,40K,,,0.25,2
"""
EARLIER = """\
# segnet-bench baseline 1
# suite: decoder-variants
model,weighting,split,metric,protocol,value,n
segnet_basic,median_frequency,test,mean_iou,,0.4321,1
segnet_basic,median_frequency,test,boundary_f1,paper,nan,2
segnet_basic,,,parameters,learnable,1416075,1
"""


def same(one: Measured, other: Measured) -> bool:
    """Whether two numbers are written alike; NaN equals itself here."""
    return repr(one) == repr(other)


def test_the_file_reads_well_in_a_diff(tmp_path: Path) -> None:
    path = tmp_path / "new" / "smoke.csv"

    write_baseline(path, NUMBERS, META)

    assert path.read_text(encoding="utf-8") == TEXT
    assert [file.name for file in path.parent.iterdir()] == ["smoke.csv"]


def test_reading_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "smoke.csv"
    write_baseline(path, NUMBERS, META)

    baseline = read_baseline(path)

    assert list(baseline.numbers) == list(NUMBERS)
    assert all(same(baseline.numbers[place], one) for place, one in NUMBERS.items())
    assert baseline.meta == {
        "suite": ("decoder-variants",),
        "trial": ("a 01", "b 02"),
        "reason": ("first run",),
    }


@pytest.mark.parametrize("text", [FORMAT_1, EARLIER], ids=["format 1", "before budgets"])
def test_an_earlier_file_reads_like_one_of_today_without_spread_and_machine(tmp_path: Path, text: str) -> None:
    path = tmp_path / "earlier.csv"
    path.write_text(text, encoding="utf-8")

    numbers = read_baseline(path).numbers

    assert same(numbers[Place(*MEDIAN, "mean_iou", "", "", "")], Measured(0.4321))
    if text == FORMAT_1:
        assert same(
            numbers[Place("segnet", "natural_frequency", "test", "mean_iou", "40K", "", "")], Measured(0.25, n=2)
        )
    else:
        assert numbers[Place("segnet_basic", "", "", "parameters", "", "", "")].value == 1416075
    path.write_text(text.replace(",1\n", ",,1\n"), encoding="utf-8")
    with pytest.raises(ResultsError, match=r"earlier\.csv:4: expected \d fields, got \d+"):
        read_baseline(path)


@pytest.mark.parametrize("number", [3, 12])
def test_a_file_of_a_later_format_is_said_in_one_line(tmp_path: Path, number: int) -> None:
    path = tmp_path / "smoke.csv"
    path.write_text(TEXT.replace("baseline 2", f"baseline {number}"), encoding="utf-8")

    with pytest.raises(
        ResultsError, match=rf"smoke\.csv:1: a baseline of format {number}, and this version reads"
    ) as e:
        read_baseline(path)
    assert "write it again with `bench check --update-baseline`" in str(e.value)


def test_a_file_of_format_2_under_the_first_line_of_format_1_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "smoke.csv"
    path.write_text(TEXT.replace("baseline 2", "baseline 1"), encoding="utf-8")

    with pytest.raises(ResultsError, match=r"smoke\.csv:6: after the '#' lines come the columns 'model,weighting"):
        read_baseline(path)


def test_the_committed_baseline_is_read() -> None:
    path = ROOT / "results/_baselines/decoder-variants-smoke.csv"
    baseline = read_baseline(path)

    assert baseline.meta["suite"] == ("decoder-variants",)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(baseline.numbers) == len(lines) - 1 > 8 * 2 * 7
    assert {place.budget for place in baseline.numbers} == {""}


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "smoke.csv"
    path.write_text("old", encoding="utf-8")

    def full_disk(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(ResultsError, match=r"smoke\.csv' cannot be written: No space left on device"):
        write_baseline(path, NUMBERS, META)

    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_to_write_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no finished trial"):
        write_baseline(tmp_path / "smoke.csv", {}, META)


ROW = "segnet_basic,median_frequency,test,mean_iou,,,,0.4321,1,,0=0.4321,,,,\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"smoke\.csv:1: not a baseline"),
        ("a,b\n1,2\n", r"1: not a baseline, whose first line is '# segnet-bench baseline N' with format 1 or 2 for N"),
        (TEXT.replace("baseline 2", "baseline 0"), r"smoke\.csv:1: not a baseline"),
        (TEXT.replace("baseline 2", "baseline two"), r"smoke\.csv:1: not a baseline"),
        (TEXT.partition("model,")[0], r"smoke\.csv:6: after the '#' lines come the columns 'model,weighting"),
        (TEXT.replace("model,weighting", "weighting,model"), r"smoke\.csv:6: after the '#' lines"),
        (TEXT.partition(ROW)[0], r"smoke\.csv:6: the baseline has no values; it may have been cut off"),
        (TEXT[:-20], r"smoke\.csv:12: expected 15 fields, got 6: 'segnet,natural_frequency,test,accuracy,,Shower"),
        (TEXT.replace("40K", "[red]40K"), r"smoke\.csv:11: a name is made of"),
        (TEXT.replace("Shower", "Sho\twer"), r"smoke\.csv:12: a name is made of"),
        (TEXT.replace("0.4321,1", "high,1"), r"smoke\.csv:7: value and std must be numbers .*'high', '' and '1'"),
        (TEXT.replace("0.25,2,0.05", "0.25,2,wide"), r"smoke\.csv:11: value and std must be numbers and n a .*'wide'"),
        (TEXT.replace("0.4321,1", "0.4321,0"), r"smoke\.csv:7: n must be at least 1, got 0"),
        (TEXT.replace("0.4321,1", "0.4321,2"), r"smoke\.csv:7: n must be the number of the seeds"),
        (TEXT.replace("0.4321,1", "0.4322,1"), r"smoke\.csv:7: n must be the number of the seeds"),
        (TEXT.replace("0=0.2 7=0.3", "0=0.2 0=0.3"), r"smoke\.csv:11: seed 0 appears twice"),
        (TEXT.replace("0=0.2 7=0.3", "0=0.2 7"), r"smoke\.csv:11: seeds must be like '0=0.5 1=0.75', got '0=0.2 7'"),
        (TEXT + ROW, r"smoke\.csv:13: a second value of segnet_basic median_frequency test mean_iou"),
        (TEXT + "\n", r"smoke\.csv:13: expected 15 fields, got 0"),
    ],
)  # fmt: skip
def test_a_damaged_or_foreign_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "smoke.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ResultsError, match=message) as caught:
        read_baseline(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "smoke.csv"
    with pytest.raises(ResultsError, match=r"smoke\.csv: cannot be read as a baseline: No such file"):
        read_baseline(path)
    path.write_bytes(b"\xff\xfe\x00PAR1")
    with pytest.raises(ResultsError, match="it is not UTF-8 text"):
        read_baseline(path)
    with pytest.raises(ResultsError, match="Is a directory"):
        read_baseline(tmp_path)
