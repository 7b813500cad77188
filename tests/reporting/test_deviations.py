from __future__ import annotations

from pathlib import Path

import pytest

from bench.reporting.provenance.deviations import Deviation, collect_deviations

SOURCE = '''"""A model.

Deviation: the kernel is scaled,
    because the filler is not.

Not part of it.
"""

import not_installed_anywhere

class Net:
    """A net.

    Args:
        width: in pixels
    Deviation: no bias
    Source: paper 3.1
    Deviation:
        another one
    Back to the left.
    """

    def forward(self):
        """Says `Deviation: not a mark` in the middle of a line."""

        def inner():
            """Deviation: from within."""
'''


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "bench" / "data").mkdir(parents=True)
    (tmp_path / "models" / "net.py").write_text(SOURCE)
    (tmp_path / "bench" / "data" / "reader.py").write_text('"""Reads.\n\nDeviation: resized."""\n')
    (tmp_path / "bench" / "empty.py").write_text("")
    (tmp_path / "elsewhere.py").write_text('"""Deviation: not looked at."""\n')
    return tmp_path


def test_every_marked_paragraph_is_found_with_its_place(tree: Path) -> None:
    assert collect_deviations(tree) == [
        Deviation("models/net.py", "the kernel is scaled, because the filler is not."),
        Deviation("models/net.py · Net", "no bias"),
        Deviation("models/net.py · Net", "another one"),
        Deviation("models/net.py · Net.forward.inner", "from within."),
        Deviation("bench/data/reader.py", "resized."),
    ]


def test_of_the_traced_rooms_only_the_files_of_the_trials_count(tree: Path) -> None:
    (tree / "bench" / "reporting").mkdir()
    (tree / "bench" / "reporting" / "table.py").write_text('"""Deviation: rounded."""\n')
    found = [deviation.where for deviation in collect_deviations(tree, sources={"bench/data/reader.py"})]
    assert found == ["bench/data/reader.py", "bench/reporting/table.py"]


def test_a_folder_without_code_has_none(tmp_path: Path) -> None:
    assert collect_deviations(tmp_path) == []


def test_a_file_that_is_not_python_is_named(tree: Path) -> None:
    (tree / "models" / "broken.py").write_text("def f(:  # Deviation: none\n")
    with pytest.raises(SyntaxError, match="invalid syntax") as error:
        collect_deviations(tree)
    assert str(error.value.filename).endswith("broken.py")


def test_the_code_of_this_project_declares_some() -> None:
    places = {deviation.where.split(" ")[0] for deviation in collect_deviations()}
    assert "models/blocks.py" in places
