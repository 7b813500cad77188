"""Puts the tables of the committed report into README: python docs/readme_tables.py"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECTIONS = ("Median frequency balancing", "Natural frequency")  # as both files begin the line above a table
ROWS = r"(?P<rows>(?:^\|.*\n)+)"


def with_tables(readme: str, report: str) -> str:
    """Returns the text of README with the rows of table1.md in the place of its own."""
    for section in SECTIONS:
        found = re.search(rf"^### {section}[^|]*?{ROWS}", report, re.MULTILINE)
        assert found, f"table1.md has no table below '{section}'"
        own = re.search(rf"^{section}[^|]*?{ROWS}", readme, re.MULTILINE)
        assert own, f"README.md has no table below '{section}'"
        readme = readme[: own.start("rows")] + found["rows"] + readme[own.end("rows") :]
    return readme


def main() -> None:
    """Rewrites README.md."""
    readme = ROOT / "README.md"
    report = ROOT / "reports/decoder-variants/mini/table1.md"
    text = with_tables(readme.read_text(encoding="utf-8"), report.read_text(encoding="utf-8"))
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
