import math
from pathlib import Path

import pandas as pd
import pytest
from results_factory import ROOT

from bench.errors import ResultsError
from bench.replication.baseline import COLUMNS, FIRST_LINE, read_baseline, write_baseline

FRAME = pd.DataFrame(
    [
        ("segnet_basic", "median_frequency", "test", "mean_iou", "", "", "", 0.4321, 1, "ignored"),
        ("segnet_basic", "median_frequency", "test", "boundary_f1", "", "", "paper", math.nan, 2, "ignored"),
        ("segnet_basic", "", "", "parameters", "", "", "", 1416075.0, 1, "ignored"),
        ("segnet", "natural_frequency", "test", "mean_iou", "40K", "", "", 0.25, 1, "ignored"),
        ("segnet", "natural_frequency", "test", "accuracy", "", "Shower curtain", "", 0.5, 1, "ignored"),
    ],
    columns=[*COLUMNS, "trials"],
)
META = {"suite": "decoder-variants", "trial": ["a 01", "b 02"], "reason": "first\nrun"}
TEXT = """\
# segnet-bench baseline 1
# suite: decoder-variants
# trial: a 01
# trial: b 02
# reason: first run
model,weighting,split,metric,budget,class_name,protocol,value,n
segnet_basic,median_frequency,test,mean_iou,,,,0.4321,1
segnet_basic,median_frequency,test,boundary_f1,,,paper,nan,2
segnet_basic,,,parameters,,,,1416075,1
segnet,natural_frequency,test,mean_iou,40K,,,0.25,1
segnet,natural_frequency,test,accuracy,,Shower curtain,,0.5,1
"""
EARLIER = """\
# segnet-bench baseline 1
# suite: decoder-variants
model,weighting,split,metric,protocol,value,n
segnet_basic,median_frequency,test,mean_iou,,0.4321,1
segnet_basic,median_frequency,test,boundary_f1,paper,nan,2
segnet_basic,,,parameters,,1416075,1
"""


def test_the_file_reads_well_in_a_diff(tmp_path: Path) -> None:
    path = tmp_path / "new" / "smoke.csv"

    write_baseline(path, FRAME, META)

    assert path.read_text(encoding="utf-8") == TEXT
    assert [file.name for file in path.parent.iterdir()] == ["smoke.csv"]


def test_reading_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "smoke.csv"
    write_baseline(path, FRAME, META)

    baseline = read_baseline(path)

    pd.testing.assert_frame_equal(baseline.frame, FRAME[list(COLUMNS)], check_dtype=False)
    assert baseline.meta == {
        "suite": ("decoder-variants",),
        "trial": ("a 01", "b 02"),
        "reason": ("first run",),
    }


def test_a_file_from_before_there_were_budgets_reads_like_one_of_today(tmp_path: Path) -> None:
    path = tmp_path / "earlier.csv"
    path.write_text(EARLIER, encoding="utf-8")

    baseline = read_baseline(path)

    pd.testing.assert_frame_equal(baseline.frame, FRAME[list(COLUMNS)].iloc[:3], check_dtype=False)
    path.write_text(EARLIER.replace(",1\n", ",,1\n"), encoding="utf-8")
    with pytest.raises(ResultsError, match=r"earlier\.csv:4: expected 7 fields, got 8"):
        read_baseline(path)


def test_the_committed_baseline_is_read() -> None:
    path = ROOT / "results/_baselines/decoder-variants-smoke.csv"
    baseline = read_baseline(path)

    assert baseline.meta["suite"] == ("decoder-variants",)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(baseline.frame) == len(lines) - 1 > 8 * 2 * 7
    assert set(baseline.frame["budget"]) == {""}


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "smoke.csv"
    path.write_text("old", encoding="utf-8")

    def full_disk(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(ResultsError, match=r"smoke\.csv' cannot be written: No space left on device"):
        write_baseline(path, FRAME, META)

    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_to_write_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no finished trial"):
        write_baseline(tmp_path / "smoke.csv", FRAME.iloc[:0], META)


ROW = "segnet_basic,median_frequency,test,mean_iou,,,,0.4321,1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"smoke\.csv:1: not a baseline"),
        ("a,b\n1,2\n", rf"smoke\.csv:1: not a baseline, whose first line is '{FIRST_LINE}'"),
        (TEXT.replace("baseline 1", "baseline 2"), r"smoke\.csv:1: not a baseline"),
        (TEXT.partition("model,")[0], r"smoke\.csv:6: after the '#' lines come the columns 'model,weighting"),
        (TEXT.replace("model,weighting", "weighting,model"), r"smoke\.csv:6: after the '#' lines"),
        (TEXT.partition(ROW)[0], r"smoke\.csv:6: the baseline has no values; it may have been cut off"),
        (TEXT[:-7], r"smoke\.csv:11: expected 9 fields, got 7: 'segnet,natural_frequency,test,accuracy,,Shower"),
        (TEXT.replace("40K", "[red]40K"), r"smoke\.csv:10: a name is made of"),
        (TEXT.replace("0.4321", "high"), r"smoke\.csv:7: value must be a number and n a whole .*'high' and '1'"),
        (TEXT.replace("0.4321,1", "0.4321,0"), r"smoke\.csv:7: n must be at least 1, got 0"),
        (TEXT + ROW, r"smoke\.csv:12: a second value of segnet_basic median_frequency test mean_iou"),
        (TEXT + "\n", r"smoke\.csv:12: expected 9 fields, got 0"),
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
