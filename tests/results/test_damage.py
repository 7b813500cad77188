"""Results folders with damaged files: the right rows or a line that names the file, and commands that go on.

Bytes are cut, flipped and moved. No flipped byte may become another number.
"""

import struct
import subprocess
import sys
from io import BytesIO

import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st
from property_based import MANY, OFTEN, always
from results_factory import write
from stored_results import HURT, bench, check, check_commands

from bench.results import trial_file
from bench.results.seal import MARK
from bench.results.store import load_results

CUTS = st.floats(0, 1, exclude_max=True).map(lambda share: ("cut", share))
FLIPS = st.lists(
    st.tuples(st.sampled_from(["pages", "footer", "end"]), st.floats(0, 1, exclude_max=True), st.integers(1, 255)),
    min_size=1,
    max_size=4,
).map(lambda flips: ("flip", flips))
MOVES = st.tuples(*[st.floats(0, 1, exclude_max=True)] * 3).map(lambda places: ("move", places))
NOISE = st.binary(max_size=100).map(lambda content: ("noise", content))


def damaged(content: bytes, damage) -> bytes:
    kind, how = damage
    footer = len(content) - 8 - struct.unpack("<I", content[-8:-4])[0]
    parts = {"pages": (0, footer), "footer": (footer, len(content) - 8), "end": (len(content) - 8, len(content))}
    if kind == "cut":
        return content[: int(how * len(content))]
    if kind == "noise":
        return b"PAR1" + how + content[footer:]
    if kind == "move":  # a piece is copied over another place
        start, to, length = (int(share * (len(content) - 200)) for share in how)
        piece = content[start : start + length % 200]
        return content[:to] + piece + content[to + len(piece) :]
    hurt = bytearray(content)
    for part, share, mask in how:
        low, high = parts[part]
        hurt[low + int(share * (high - low))] ^= mask
    return bytes(hurt)


def without_seal(content: bytes) -> bytes:
    """Returns the file as older versions of this program stored it, but for its row groups."""
    at = content.index(MARK)
    return content[:at] + content[at + len(MARK) + 64 :]


@OFTEN
@pytest.mark.parametrize("age", ["of today", "from before seals"])
def test_damaged_bytes(stored, times, age):
    whole = stored.content if age == "of today" else without_seal(stored.content)

    def hurt(damage):
        stored.put(damaged(whole, damage))
        check(stored)

    always(hurt, CUTS | FLIPS | MOVES | NOISE, times if times == MANY else 15)


@OFTEN
def test_commands_go_on_around_damaged_bytes(stored, times):
    def hurt(damage):
        stored.put(damaged(stored.content, damage))
        check_commands(stored)

    always(hurt, CUTS | FLIPS, times if times == MANY else 2)


def test_no_flipped_byte_of_a_page_is_another_number(stored):
    """Checksums are written and read: without them every third of these flips gave other values."""
    whole = without_seal(stored.content)
    footer = len(whole) - 8 - struct.unpack("<I", whole[-8:-4])[0]
    refused = 0
    for place in range(4, footer, 1201):
        hurt = bytearray(whole)
        hurt[place] ^= 0x10
        stored.put(bytes(hurt))
        refused += check(stored) == "damaged"
    assert refused > 2


def test_a_file_that_lost_rows_is_damaged(stored, monkeypatch):
    """The count of rows of a group lies in the footer, which no page checksum covers."""
    table = pq.ParquetFile(BytesIO(stored.content)).read()
    stored.put(without_seal(stored.content))

    class Short(pq.ParquetFile):
        def read_row_groups(self, *args, **options):
            return table.slice(0, 3)

    monkeypatch.setattr(trial_file.pq, "ParquetFile", Short)
    assert "3 rows where it declares 9" in load_results(stored.folder, suite=HURT.suite).problems[0]


def test_damage_to_rows_of_images_alone_is_found_by_all(stored):
    """They are not read for scores; the seal covers them."""
    place = pq.ParquetFile(BytesIO(stored.content)).metadata.row_group(1).column(0).data_page_offset
    hurt = bytearray(stored.content)
    hurt[place + 8] ^= 1
    stored.put(bytes(hurt))
    assert check(stored) == "damaged"
    assert "changed or damaged after it was stored" in load_results(stored.folder).problems[0]


@pytest.mark.parametrize("times", [1, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_a_report_goes_on_around_damage(stored, tmp_path, monkeypatch, times):
    monkeypatch.setattr("bench.reporting.figures.drawing.save_figure", lambda *args: [])

    def hurt(damage):
        stored.put(damaged(stored.content, damage))
        said = bench("report", "--results", stored.folder, "--out", tmp_path)
        page = (tmp_path / "decoder-variants" / "smoke" / "index.html").read_text(encoding="utf-8")
        assert (str(stored.path) in said) == (stored.path.name in page) == (check(stored) == "damaged")

    always(hurt, CUTS | FLIPS, times)


READ = """
import random, sys
from pathlib import Path
from bench.results.seal import MARK
from bench.results.store import load_results
folder, path, start, stop = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
content = path.read_bytes()
for seed in range(start, stop):
    dice, hurt = random.Random(seed), bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 8))):
        hurt[dice.randrange(len(hurt))] = dice.randrange(256)
    path.write_bytes(hurt)
    load_results(folder)
print("alive")
"""


@pytest.mark.parametrize("times", [100, pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_no_damaged_file_ends_the_process(tmp_path, times):
    """pyarrow is native code: what it does with damage shows in a process of its own, whose memory is bounded."""
    path = write(tmp_path, HURT)
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))" + READ
    command = [sys.executable, "-c", code, tmp_path, path, "0", str(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")
