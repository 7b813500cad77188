"""Names that a user gives, or a file that they name: printed as text on one line, and refused where they are none."""

import re
from pathlib import Path

import pytest
from hypothesis import strategies as st
from property_based import MANY, OFTEN, always
from results_factory import ROOT
from stored_results import bench

BASELINE = """# segnet-bench baseline 1
# suite: decoder-variants
# profile: smoke
model,weighting,split,metric,protocol,value,n
segnet_basic,median_frequency,test,global_accuracy,,0.5,1
"""


def check_against(path: Path, results: Path) -> str:
    return bench("check", "--suite", "decoder-variants", "--results", results, "--against", path)


@pytest.mark.parametrize(
    "line",
    [
        "[/],median_frequency,test,mean_iou,,0.5,1",
        "<script>,,,mean_iou,,0.5,1",
        ",,,,,0.5,1",
        "x y,,,mean_iou,,0.5,1",
        "a,b,c,mean_iou,\x1b[2J,0.5,1",
        "a,b,c,d,e,0.5," + "9" * 5000,
        "a" * 200_000 + ",b,c,mean_iou,,0.5,1",
        '"a,b',
        "\0,,,mean_iou,,0.5,1",
    ],
)
def test_a_baseline_with_names_that_are_none_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "b.csv").write_text(f"{BASELINE}{line}\n", encoding="utf-8")
    said = check_against(tmp_path / "b.csv", tmp_path / "results")
    assert said.startswith(f"error: {tmp_path}/b.csv:6: ")
    assert len(said) < 1000


def test_a_large_baseline_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "b.csv").write_text(BASELINE + "#" * (5 << 20))
    said = check_against(tmp_path / "b.csv", tmp_path / "results")
    assert said == f"error: {tmp_path}/b.csv: larger than 4 MiB, which no baseline is\n"


@OFTEN
def test_any_change_to_a_baseline_ends_in_a_verdict_or_one_line(tmp_path: Path, times: int) -> None:
    results, path = tmp_path / "results", tmp_path / "b.csv"
    results.mkdir()

    def compared(change: tuple[float, str]) -> None:
        place = int(change[0] * len(BASELINE))
        path.write_text(BASELINE[:place] + change[1] + BASELINE[place + len(change[1]) // 2 :], encoding="utf-8")
        assert re.match(r"error: |warning: |\s+model ", check_against(path, results))

    words = st.sampled_from(["\n", ",", "#", '"', "nan", "1e999", "-1", "[/]", "\x1b", "\0", "\x85", "\u202e", " "])
    always(compared, st.tuples(st.floats(0, 1), words | st.text(max_size=5)), times if times == MANY else 10)


@pytest.mark.parametrize("name", ["[red]", "[bold", "\x1b[2J", "a\nb", "\u202e"])
def test_names_of_files_are_printed_as_text(tmp_path: Path, name: str) -> None:
    (tmp_path / "results").mkdir()
    assert check_against(tmp_path / name, tmp_path / "results").startswith("error: ")
    (tmp_path / name).write_text(BASELINE)
    assert "missing" in check_against(tmp_path / name, tmp_path / "results")
    assert "no such file" in bench("list", config=tmp_path / "nowhere" / name)


@pytest.mark.parametrize("title", ["\\e[2J", "\\u202e", "\\0", "\\u2028", "\\x9b2J"])
def test_a_title_that_cannot_be_printed_is_refused(tmp_path: Path, title: str) -> None:
    text = (ROOT / "bench.yaml").read_text(encoding="utf-8")
    path = tmp_path / "bench.yaml"
    old = re.search(r"\n    title: (.*)", text)
    assert old
    path.write_text(text.replace(old[1], f'"{title}"'), encoding="utf-8")
    assert re.match(r"error: .*bench\.yaml:\d+: suites\.decoder-variants\.title: ", bench("list", config=path))
