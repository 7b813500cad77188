"""The seal of a results file: every byte counts, and other programs do not see it."""

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from results_factory import trials, write

from bench.errors import ResultsError
from bench.results.seal import MARK, has_seal, sealed

ONE = trials()[0]


def test_a_stored_file_is_sealed_and_every_byte_of_it_counts(tmp_path):
    """Those of single images too, which are not read for scores, and those of the footer."""
    content = write(tmp_path, ONE).read_bytes()
    assert has_seal(content)
    mark = content.index(MARK)
    length = len(content) - 8
    for place in range(0, len(content), 7):
        hurt = bytearray(content)
        hurt[place] ^= 0x10
        if mark <= place < mark + len(MARK) or length <= place < length + 4:
            assert not has_seal(bytes(hurt))  # where the seal cannot be found, the file is read in full, as an old one
        else:
            with pytest.raises(ResultsError, match="changed or damaged after it was stored: its SHA-256 is another"):
                has_seal(bytes(hurt))


def test_other_programs_read_a_sealed_file_and_do_not_keep_its_seal():
    table, plain = pa.table({"a": [1, 2], "b": ["x", None]}), BytesIO()
    pq.write_table(table, plain)
    content = sealed(plain.getvalue())
    assert len(content) == len(plain.getvalue()) + len(MARK) + 64
    assert pq.read_table(BytesIO(content)).equals(table)
    anew = BytesIO()
    pq.write_table(pq.read_table(BytesIO(content)), anew)
    assert not has_seal(anew.getvalue())


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 3, b"\xff" * 40, MARK * 3])
def test_what_is_no_parquet_file_has_no_seal(content):
    assert not has_seal(content)
