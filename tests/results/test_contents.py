"""Files in a results folder that no trial has stored: other parquet files, and what is no file at all."""

import os
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from results_factory import write
from stored_results import COST, HURT, bench, check, check_commands

from bench.results import store, trial_file
from bench.results.store import load_results, outcome, path_of


def packed(table, **options) -> bytes:
    data = BytesIO()
    pq.write_table(table, data, **options)
    return data.getvalue()


def column(name, value, arrow_type=None):
    """Returns what puts one value into all rows of a column of a results file."""

    def changed(table):
        values = pa.array([value] * len(table), arrow_type)
        return packed(table.set_column(table.column_names.index(name), name, values))

    return changed


def cell(name, value, row=0):
    """Returns what puts a value into one row alone."""

    def changed(table):
        values = table[name].to_pylist()
        values[row] = value
        array = pa.array(values, table.schema.field(name).type)
        return packed(table.set_column(table.column_names.index(name), name, array))

    return changed


LOSS = {"record": "curve", "metric": "loss", "iteration": 1, "value": 0.0, "unit": "nat"}
DAMAGED = {
    "nothing": lambda table: b"",
    "text": lambda table: b"hello",
    "magic alone": lambda table: b"PAR1",
    "magic twice": lambda table: b"PAR1\0\0\0\0PAR1",
    "a footer of four gigabytes": lambda table: b"PAR1" + bytes(20) + b"\xff\xff\xff\xffPAR1",
    "encrypted": lambda table: packed(table)[:-4] + b"PARE",
    "other columns": lambda table: packed(pa.table({"a": [1], "b": ["x"]})),
    "a column too few": lambda table: packed(table.drop_columns(["metric"])),
    "a column twice": lambda table: packed(table.append_column("metric", table["metric"])),
    "no rows": lambda table: packed(table.slice(0, 0)),
    "no columns": lambda table: packed(pa.table({})),
    "text for numbers": column("value", "x"),
    "numbers that are no status": column("status", 1.5),
    "nested": column("record", {"a": [1, 2], "b": {"c": None}}),
    "lists": column("value", [0.5]),
    "nothing but null": column("status", None, pa.string()),
    "bytes that are no text": column("metric", b"\xff\xfe"),
    "an unknown status": column("status", "[/]<script>"),
    "an unknown kind": column("kind", "else"),
    "a newer version": column("schema_version", 99),
    "no version": column("schema_version", None, pa.int64()),
    "two versions": cell("schema_version", 1),
    "a fractional version": column("schema_version", 1.5),
    "two trials": cell("trial", COST.id),
    "an image of another trial": cell("digest", COST.digest, row=-1),  # the last row is one of a single image
    "two reasons": cell("reason", "else"),
    "another trial": column("trial", COST.id),
    "another digest": column("digest", COST.digest),
    "another model": column("model", "segnet"),
    "another suite": column("suite", "else"),
    "a path for a suite": column("suite", "../../etc"),
    "no date": column("started_at", "yesterday"),
    "a date at the end of time": column("started_at", "9999-12-31T23:59:59+00:00"),
    "a duration of ages": column("duration_s", 1e17),
    "a duration that is no number": column("duration_s", float("nan")),
    "an endless duration": column("duration_s", float("inf")),
    "a duration below zero": column("duration_s", -1.0),
    "a value without end": cell("value", float("-inf")),
    "no value": cell("value", None, 1),
    "a share above 1": cell("value", 1.01, 1),
    "no number where one was measured": cell("value", float("nan"), -1),
    "a value that is there twice": lambda table: packed(pa.concat_tables([table, table.slice(3, 1)])),
    "an unknown metric": cell("metric", "accuracy", 1),
    "an unknown record": cell("record", "else", 1),
    "no record": cell("record", None, 1),
    "a loss of nothing": lambda table: packed(
        pa.concat_tables([table, pa.Table.from_pylist([table.to_pylist()[0] | LOSS], table.schema)])
    ),
    "no selected iteration": column("selected_iteration", None, pa.int64()),
    "a name of thousands": column("class_name", "a" * 5000),
    "a name that is a formula": column("class_name", "$\\frac{"),
    "a name that is a path": column("image", "../x\0"),
    "a reason of millions": column("reason", "a" * 10_000_000),
    "a terminal's command": column("device_name", "\x1b]0;owned\x07"),
    "a text that runs backwards": column("torch", "2.0\u202e"),
    "deep settings": column("config", "[" * 90_000),
    "settings that are none": column("config", "3"),
    "budgets that are none": column("config", '{"budgets": {"40K": true}}'),
    "commands in settings": column("config", '{"lr": "\\u001b[2J"}'),
}
THE_SAME = {
    "another compression": lambda table: packed(table, compression="gzip"),
    "no checksums, no dictionaries": lambda table: packed(table, use_dictionary=False, write_statistics=False),
    "pages of another version": lambda table: packed(table, data_page_version="2.0", row_group_size=2),
    "columns in another order": lambda table: packed(table.select(table.column_names[::-1])),
    "a column more": lambda table: packed(table.append_column("note", pa.array(["x"] * len(table)))),
    "narrow numbers": column("duration_s", 12.5, pa.float32()),
    "a dictionary": lambda table: packed(
        table.set_column(0, "trial", pa.array([HURT.id] * len(table)).dictionary_encode())
    ),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_file_that_no_trial_has_stored_is_damaged(stored, what):
    stored.put(DAMAGED[what](pq.ParquetFile(BytesIO(stored.content)).read()))
    assert check(stored) == "damaged"


@pytest.mark.parametrize("what", THE_SAME)
def test_a_file_with_the_same_rows_is_as_good(stored, what):
    stored.put(THE_SAME[what](pq.ParquetFile(BytesIO(stored.content)).read()))
    assert check(stored) == "done"


@pytest.mark.parametrize("reason", ["a\nb\x1b[2J", "[/] [red]", "\u202eabc", "a" * 5000, "\0"])
def test_a_reason_may_be_any_text_and_is_shown_on_one_printable_line(stored, tmp_path, reason):
    write(tmp_path, HURT, status="failed", reason=reason, selected_iteration=None)
    (shown,) = set(load_results(tmp_path).rows["reason"])
    assert shown == outcome(tmp_path, HURT).reason
    assert shown.isprintable()
    assert len(shown) <= store.MAX_REASON
    assert "1 failed" in bench("status", "--results", tmp_path)


# --- no files in its place


def folder(path: Path) -> None:
    path.mkdir()
    (path / "x").write_text("")


PLACES = {
    "a folder": folder,
    "a broken link": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a folder": lambda path: path.symlink_to(".."),
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("what", PLACES)
def test_what_is_no_file_is_damaged(stored, what):
    stored.clear()
    PLACES[what](stored.path)
    assert check(stored) == "damaged"
    check_commands(stored)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_damaged(stored):
    stored.put(stored.content)
    stored.path.chmod(0)
    assert check(stored) == "damaged"
    check_commands(stored)


def test_a_large_file_is_not_read(stored):
    stored.put(stored.content)
    os.truncate(stored.path, trial_file.MAX_FILE_BYTES + 1)
    assert check(stored) == "damaged"


def test_too_many_rows_are_not_read(stored, monkeypatch):
    """Those of single images have a limit of their own where they are apart, as in every file with a seal."""
    stored.put(stored.content)
    monkeypatch.setattr(trial_file, "MAX_ROWS", 8)
    assert load_results(stored.folder).problems == []
    monkeypatch.setattr(trial_file, "MAX_IMAGE_ROWS", 0)
    assert "1 rows of single images, at most 0 are read" in load_results(stored.folder).problems[0]
    stored.put(packed(pq.ParquetFile(BytesIO(stored.content)).read()))
    assert "9 rows, at most 8 are read" in load_results(stored.folder).problems[0]
    monkeypatch.setattr(trial_file, "MAX_ROWS", 7)
    stored.put(stored.content)
    assert "8 rows, at most 7 are read" in load_results(stored.folder).problems[0]


@pytest.mark.parametrize("name", ["a\nb.parquet", "\x1b[2J.parquet", "[red].parquet", "\u202ex.parquet", "a.parquet"])
def test_a_file_with_any_name_is_named_on_one_printable_line(tmp_path, name):
    write(tmp_path, HURT)
    path_of(tmp_path, HURT).with_name(name).write_bytes(path_of(tmp_path, HURT).read_bytes())
    found = load_results(tmp_path)
    (problem,) = found.problems
    assert problem.isprintable()
    assert "its name says otherwise" in problem
    assert set(found.rows["trial"]) == {HURT.id}
    bench("check", "--suite", "decoder-variants", "--results", tmp_path, "--against", "paper")


def test_a_file_whose_name_is_no_text_is_named(tmp_path):
    path = write(tmp_path, HURT)
    path.rename(path.with_name("\udcff.parquet"))
    (problem,) = load_results(tmp_path).problems
    assert problem.isprintable()
