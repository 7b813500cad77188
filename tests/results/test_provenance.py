"""Provenance columns and the digest of the code that decides numbers."""

from bench.results import provenance
from bench.results.schema import COLUMNS


def test_environment_fills_columns_of_the_schema():
    found = provenance.environment()
    assert set(found) <= {column.name for column in COLUMNS}
    assert found["torch"][0].isdigit()
    assert len(found["source_digest"]) == 16


def test_comments_docstrings_and_layout_do_not_change_the_source_digest():
    one = provenance._without_docstrings('def f(x):\n    """One."""\n    return x + 1\n')
    two = provenance._without_docstrings('def f( x ):\n    """Two."""\n    # why\n    return (x +\n 1)\n')
    other = provenance._without_docstrings('def f(x):\n    """One."""\n    return x + 2\n')
    assert one == two
    assert one != other


def test_a_copy_inside_another_checkout_claims_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.git_state() == (None, None)
