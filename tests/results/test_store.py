"""Files are whole or absent, readable without this package, and a damaged one harms no other."""

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from results_factory import constants, outdated, trials, write

from bench.atomic import write_atomically
from bench.errors import ResultsError
from bench.results.schema import COLUMNS, STATUSES
from bench.results.store import (
    Outcome,
    check_writable,
    checkpoints_path,
    load_results,
    outcome,
    path_of,
    stored_before,
    stored_place,
)
from bench.results.trial_file import write_trial

ONE, TWO = trials()[:2]
COLUMN_NAMES = [column.name for column in COLUMNS]


def test_pandas_and_duckdb_read_a_folder_without_this_package(tmp_path):
    write(tmp_path, ONE, 0.25)
    write(tmp_path, TWO, 0.75)
    (tmp_path / "_panels").mkdir()
    (tmp_path / "_panels" / "note.txt").write_text("not parquet")
    frame = pd.read_parquet(tmp_path)
    assert sorted(frame[frame.metric == "mean_iou"].value.unique()) == [0.25, 0.75]
    query = f"select max(value) from read_parquet('{tmp_path}/**/*.parquet') where metric = 'mean_iou'"
    assert duckdb.sql(query).fetchall() == [(0.75,)]


def test_rows_come_back_with_the_columns_of_the_schema(tmp_path):
    write(tmp_path, ONE)
    rows = load_results(tmp_path).rows
    assert list(rows.columns) == [column.name for column in COLUMNS]
    assert rows["iteration"].dtype == "Int64"
    assert set(rows["trial"]) == {ONE.id}


def test_per_image_records_are_left_out_unless_asked_for(tmp_path):
    write(tmp_path, ONE)
    assert "image_boundary" not in set(load_results(tmp_path).rows["record"])
    assert "image_boundary" in set(load_results(tmp_path, without=()).rows["record"])


def test_a_damaged_file_is_named_and_left_alone_and_the_others_are_read(tmp_path):
    good, bad = write(tmp_path, ONE), write(tmp_path, TWO)
    cut = bad.read_bytes()[:500]
    bad.write_bytes(cut)
    found = load_results(tmp_path)
    assert set(found.rows["trial"]) == {ONE.id}
    assert len(found.problems) == 1
    assert str(bad) in found.problems[0]
    assert bad.read_bytes() == cut
    assert good.exists()
    assert outcome(tmp_path, TWO).status == "damaged"
    assert "cannot be read; move it away or delete it" in outcome(tmp_path, TWO).reason


def test_a_file_of_another_program_is_named(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    (problem,) = load_results(tmp_path).problems
    assert "no results file of this program, column 'schema_version' is missing" in problem


def test_a_flipped_bit_in_the_values_is_found(tmp_path):
    """Page checksums: without them it is another number."""
    path = write(tmp_path, ONE)
    whole = path.read_bytes()
    expected = load_results(tmp_path).rows
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(COLUMN_NAMES.index("value"))
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    found_out = 0
    for place in range(start, start + chunk.total_compressed_size):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        found = load_results(tmp_path)
        if found.problems:
            assert f"'{path}' cannot be read and is left out: " in found.problems[0]
            assert "\n" not in found.problems[0]
            found_out += 1
        else:  # a bit of a page's header that says nothing about its values
            pd.testing.assert_frame_equal(found.rows, expected)
    assert found_out > 0.6 * chunk.total_compressed_size


def test_a_missing_folder_says_what_to_run(tmp_path):
    with pytest.raises(ResultsError, match="no results folder .*run `bench run` first"):
        load_results(tmp_path / "nowhere")


def test_outcome_of_a_stored_trial(tmp_path):
    write(tmp_path, ONE, status="diverged", reason="the training loss became nan at iteration 3")
    assert outcome(tmp_path, ONE).status == "diverged"
    assert "iteration 3" in outcome(tmp_path, ONE).reason
    assert outcome(tmp_path, TWO) == Outcome("missing", None, None)


@pytest.mark.parametrize("status", STATUSES)
def test_every_way_to_end_is_an_outcome(tmp_path, status):
    write(tmp_path, ONE, status=status)
    assert outcome(tmp_path, ONE).status == status


def test_a_status_that_is_unknown_is_damage(tmp_path):
    write(tmp_path, ONE, status="perhaps")
    assert outcome(tmp_path, ONE).status == "damaged"
    assert "column 'status' holds 'perhaps'; allowed are done|failed" in outcome(tmp_path, ONE).reason


def checkpoint(folder, trial, name):
    path = checkpoints_path(folder, trial) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")


def test_a_trial_with_a_checkpoint_and_no_file_is_interrupted(tmp_path):
    for name in ("00000025.checkpoint", "00000075.checkpoint", "00000050.checkpoint", "_00000100.checkpoint.1.tmp"):
        checkpoint(tmp_path, ONE, name)
    checkpoint(tmp_path, ONE, "new.checkpoint")
    assert stored_place(tmp_path, ONE) == "iteration 75 of 100"
    assert outcome(tmp_path, ONE)[:2] == ("interrupted", "at iteration 75 of 100")
    write(tmp_path, ONE, status="killed", reason="signal 9")
    assert outcome(tmp_path, ONE)[:2] == ("killed", "signal 9")
    checkpoint(tmp_path, outdated(TWO), "00000025.checkpoint")
    assert stored_place(tmp_path, TWO) is None
    assert outcome(tmp_path, TWO).status == "missing"


def test_a_measurement_between_two_of_its_turns_is_interrupted(tmp_path):
    cost = trials()[-1]
    checkpoint(tmp_path, cost, "00000001.checkpoint")  # the first turn is 0, and there is one more than rounds
    assert outcome(tmp_path, cost)[:2] == ("interrupted", "at turn 2 of 4")


def test_a_result_of_other_source_is_missing_but_stale(tmp_path):
    write(tmp_path, outdated(ONE))
    found = outcome(tmp_path, ONE)
    assert (found.status, found.stale) == ("missing", True)
    assert found.reason == "stored under other settings or source only"
    checkpoint(tmp_path, ONE, "00000025.checkpoint")
    assert outcome(tmp_path, ONE)[:2] == ("interrupted", "at iteration 25 of 100")
    assert outcome(tmp_path, ONE).stale
    write(tmp_path, ONE)
    assert not outcome(tmp_path, ONE).stale


def test_the_latest_result_of_other_source_is_the_one_that_is_explained(tmp_path):
    older, newer, failed, damaged = (outdated(ONE, path) for path in ("a.py", "b.py", "c.py", "d.py"))
    assert stored_before(tmp_path, ONE) is None
    write(tmp_path, damaged).write_bytes(b"PAR1 nothing")
    assert stored_before(tmp_path, ONE) is None
    write(tmp_path, failed, status="failed", started_at="2026-01-03T00:00:00+00:00")
    assert "c.py" in stored_before(tmp_path, ONE)["sources"]
    write(tmp_path, newer, started_at="2026-01-02T00:00:00+00:00", git_commit="abc")
    write(tmp_path, older, started_at="2026-01-01T00:00:00+00:00")
    write(tmp_path, ONE)
    found = stored_before(tmp_path, ONE)
    assert "b.py" in found["sources"]
    assert (found["status"], found["git_commit"], found["bench_version"]) == ("done", "abc", None)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = write(tmp_path, ONE, 0.5)

    def fill_the_disk(temporary):
        temporary.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ResultsError, match="cannot be written: No space left on device"):
        write_atomically(path, fill_the_disk)
    assert load_results(tmp_path).rows["value"].iloc[1] == 0.5
    assert [child.name for child in path.parent.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_written_is_said_before(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot be written.*--results DIR"):
        check_writable(tmp_path / "file" / "results")


def test_unknown_columns_are_our_own_mistake(tmp_path):
    with pytest.raises(AssertionError):
        write_trial(tmp_path / "x.parquet", constants(ONE), [{"colour": "red"}])


def test_strings_are_stored_once(tmp_path):
    """Identity and provenance repeat in every row at no cost."""
    path = path_of(tmp_path, ONE)
    row = {"record": "curve", "metric": "loss", "unit": "nat"}
    write_trial(path, constants(ONE, config="x" * 2000), [row | {"iteration": i, "value": i} for i in range(2000)])
    assert path.stat().st_size < 60_000
    assert pq.ParquetFile(path).metadata.num_rows == 2000
