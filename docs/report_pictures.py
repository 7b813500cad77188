"""Takes the pictures of the report that README shows: python docs/report_pictures.py

Needs playwright and chromium, as tests/browser does.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "reports/road-scenes/mini/index.html"
PARTS = {"report-table.png": "#table .table-scroll", "report-comparison.png": "#panels"}
WIDTH_PX = 1180


def main() -> None:
    """Writes the pictures into docs/figures."""
    chromium = os.environ.get("BENCH_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": 900}, color_scheme="light")
        page.goto(PAGE.as_uri())
        for name, part in PARTS.items():
            page.locator(part).first.screenshot(path=ROOT / "docs/figures" / name)
        browser.close()


if __name__ == "__main__":
    main()
