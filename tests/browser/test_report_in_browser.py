"""What a reader does with a report, in Chromium, from disk: looks, sorts, opens, filters, compares, prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Pages
    from playwright.sync_api import Browser, Locator, Page

NAMES = ("overview", "variants", "roads", "questions")
ADDRESS = "cell-T1-segnet_basic-median_frequency-test-mean_iou"
Open = Callable[..., "Page"]


@pytest.fixture
def show(browser: Browser, pages: Pages) -> Iterator[Open]:
    """Opens pages; afterwards none may have complained or asked for anything that is not on disk."""
    contexts, complaints = [], []

    def opened(name: str, address: str = "", width: int = 1280, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.on("request", lambda asked: complaints.append(asked.url) if asked.url.startswith("http") else None)
        page.goto(getattr(pages, name).as_uri() + address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def button_of(page: Page, address: str) -> Locator:
    return page.locator(f'[id="{address}"] > button')


def models_of(page: Page, table: str) -> list[str]:
    """The first column as it is seen, without what stands below the names."""
    rows = page.locator(f"#{table} tbody tr:not(.group) > th:visible")
    return [text.split("\n")[0].strip() for text in rows.all_inner_texts()]


def violations(page: Page) -> list[str]:
    """What axe finds, of whatever severity."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    found = axe.run(page).response["violations"]
    return [f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}" for one in found]


def test_the_accessibility_check_finds_what_is_wrong(show: Open) -> None:
    page = show("questions")
    page.evaluate("document.body.append(document.createElement('img'))")
    page.evaluate("document.querySelector('.lead').style.color = '#dddddd'")
    assert [line.partition(" ")[0] for line in violations(page)] == ["color-contrast", "image-alt", "region"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_accessible(show: Open, name: str, scheme: str) -> None:
    page = show(name, color_scheme=scheme, reduced_motion="reduce")
    assert violations(page) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_a_phone(show: Open, name: str) -> None:
    page = show(name, width=360, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_dark_and_light_are_two(show: Open) -> None:
    colours = [
        show("variants", color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colours == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"]


def test_headings_sort_up_down_and_back(show: Open) -> None:
    page = show("variants")
    order = models_of(page, "T1")
    assert (len(order), order[0]) == (8, "Bilinear-Interpolation")
    head = page.locator("#T1 th[data-column='5']")  # test mIoU, median frequency
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    known = [
        model for model in models_of(page, "T1") if model in ("SegNet-Basic", "FCN-Basic", "Bilinear-Interpolation")
    ]
    assert known == ["FCN-Basic", "SegNet-Basic", "Bilinear-Interpolation"]
    assert page.locator("#T1 tr.group:visible").count() == 0
    assert page.locator("#T1 .of-group:visible").first.inner_text() == "learning to upsample (bilinear initialisation)"
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert models_of(page, "T1")[:2] == ["Bilinear-Interpolation", "SegNet-Basic"]  # those without a value stay last
    head.get_by_role("button").press("Space")
    assert head.get_attribute("aria-sort") is None
    assert models_of(page, "T1") == order
    assert page.locator("#T1 tr.group:visible").count() == 3


def test_headings_sort_by_the_papers_numbers_too(show: Open) -> None:
    page = show("variants")
    page.locator(".sorting select").first.select_option(label="the paper's")
    page.locator("#T1 th[data-column='5'] button").click()
    assert models_of(page, "T1")[0] == "FCN-Basic-NoDimReduction"  # 50.1 in the paper
    assert "Sorted by mIoU, the paper's, descending." in page.locator(".sorting output").first.inner_text()


def test_a_cell_opens_and_closes_by_mouse(show: Open) -> None:
    page = show("variants")
    button_of(page, ADDRESS).click()
    dialog = page.get_by_role("dialog")
    assert "SegNet-Basic: Median frequency balancing, test mIoU" in dialog.inner_text()
    assert "not comparable" in dialog.inner_text()
    assert page.url.endswith(f"#{ADDRESS}")
    dialog.get_by_role("button", name="Close").click()
    assert not dialog.is_visible()
    assert "#" not in page.url


def test_a_cell_opens_and_closes_by_keyboard(show: Open) -> None:
    page = show("variants")
    button_of(page, ADDRESS).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    assert dialog.is_visible()
    assert page.evaluate("document.activeElement.id") == "cell-close"
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.parentElement.id") == ADDRESS


def test_arrows_move_between_cells_and_tab_leaves_the_table(show: Open) -> None:
    page = show("variants")
    button_of(page, ADDRESS).focus()
    page.keyboard.press("ArrowRight")
    here = "document.activeElement.parentElement.id"
    assert page.evaluate(here) == "cell-T1-segnet_basic-median_frequency-test-boundary_f1"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(here) == "cell-T1-bilinear_interpolation-median_frequency-test-boundary_f1"
    page.keyboard.press("Home")
    assert page.evaluate(here) == "cell-T1-bilinear_interpolation-parameters"
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.closest('#T1')")


def test_behind_a_number_stand_seeds_intervals_and_its_origin(show: Open) -> None:
    page = show("variants", f"#{ADDRESS}")  # a link to the number itself
    dialog = page.get_by_role("dialog")
    text = dialog.inner_text()
    for part in ("mean ± standard deviation of 3 runs", "95 % interval over 3 seeds (t)", "Seed 0: ", "Seed 1: "):
        assert part in text, part
    dialog.get_by_text("Seed 0: ").click()
    dialog.get_by_text("Configuration").first.click()
    shown = dialog.inner_text()
    assert "decoder-variants.mini.segnet_basic.median_frequency.s0" in shown
    assert "0123456789abcdef0123456789abcdef01234567" in shown
    assert '"momentum": 0.9' in shown
    link = dialog.get_by_role("link", name="segnet_basic.median_frequency.s0-").first
    assert Path(link.evaluate("link => link.pathname")).is_file()
    assert violations(page) == []


def test_a_run_behind_a_number_fits_a_phone(show: Open) -> None:
    page = show("variants", f"#{ADDRESS}", width=360, has_touch=True)
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Seed 0: ").click()
    assert dialog.get_by_role("link", name="results/").first.is_visible()
    assert dialog.evaluate("dialog => dialog.scrollWidth - dialog.clientWidth") == 0


def test_a_link_opens_the_table_that_holds_the_number(show: Open) -> None:
    page = show("variants", "#cell-classes_iou_test-segnet_basic-median_frequency-test-Car-iou")
    assert "SegNet-Basic: Median frequency balancing, Car" in page.get_by_role("dialog").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#classes_iou_test").is_visible()


def test_intervals_and_pairs_of_models_unfold_without_script(show: Open) -> None:
    page = show("variants", java_script_enabled=False)
    assert page.locator("#table .intervals td:visible").count() == 0
    page.locator("#table .intervals summary").click()
    assert "n 3" in page.locator("#table .intervals td:visible").first.inner_text()
    pairs = page.locator("#pairs details").first
    pairs.locator("summary").click()
    assert pairs.locator("tbody tr:visible").count() == 3
    assert pairs.locator("tbody td").first.inner_text() == "Bilinear-Interpolation − SegNet-Basic †"


def test_markup_in_a_reason_is_shown_as_text(show: Open) -> None:
    page = show("variants", "#cell-T1-fcn_basic-natural_frequency-test-mean_iou")
    dialog = page.get_by_role("dialog")
    assert "loss <b>became</b> nan" in dialog.inner_text()
    assert dialog.locator("b").count() == 0


def test_claims_are_filtered(show: Open) -> None:
    page = show("overview")
    claims, said = page.locator(".claim:visible"), page.locator("form.filter output")
    assert (claims.count(), said.inner_text()) == (71, "71 of 71 shown")
    page.get_by_label("On the paper's own numbers").select_option(value="does not hold")
    assert (claims.count(), said.inner_text()) == (15, "15 of 71 shown")
    page.get_by_label("Verdict on profile mini").select_option(index=1)
    assert claims.count() < 15
    page.get_by_label("On the paper's own numbers").select_option(value="")
    page.get_by_label("Verdict on profile mini").select_option(value="")
    assert claims.count() == 71


def test_a_link_to_a_claim_shows_it_whatever_the_filter_hides(show: Open) -> None:
    from playwright.sync_api import expect

    page = show("overview")
    page.get_by_label("On the paper's own numbers").select_option(value="does not hold")
    claim = page.locator("#claim-T1-COST-1")
    assert claim.is_hidden()
    page.evaluate("location.hash = 'claim-T1-COST-1'")
    claim.wait_for()
    assert page.locator("form.filter output").inner_text() == "71 of 71 shown"
    assert page.get_by_label("On the paper's own numbers").input_value() == ""
    expect(claim).to_be_in_viewport()


def test_all_columns_of_the_comparisons_of_a_claim_are_seen(show: Open) -> None:
    page = show("variants")
    page.locator(".claim details").evaluate_all("all => all.forEach(one => one.open = true)")
    regions = page.get_by_role("region", name="Comparisons of ")
    assert regions.count() > 10
    assert regions.evaluate_all("all => Math.max(...all.map(one => one.scrollWidth - one.clientWidth))") == 0


def test_the_overview_leads_to_every_page_and_back(show: Open, pages: Pages) -> None:
    page = show("overview")
    page.get_by_role("link", name="Decoder variants of SegNet-Basic and FCN-Basic").click()
    assert page.url == pages.variants.as_uri()
    page.get_by_role("link", name="All suites and profiles").click()
    assert page.url == pages.overview.as_uri()


def test_the_skip_link_is_the_first_stop(show: Open) -> None:
    page = show("variants")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_an_entry_is_copied(show: Open) -> None:
    page = show("variants", permissions=["clipboard-read", "clipboard-write"])
    page.locator(".copyable").first.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied.").wait_for()
    assert "badrinarayanan2017segnet" in page.evaluate("getSelection().toString()")


def test_two_predictions_are_compared_with_a_slider(show: Open) -> None:
    page = show("variants")
    divider = page.get_by_role("slider").first
    before = divider.input_value()
    divider.focus()
    page.keyboard.press("ArrowRight")
    assert float(divider.input_value()) > float(before)
    page.locator("[data-role='right']").select_option(label="SegNet-Basic")
    assert page.locator("[data-role='right-side'] .slider-errors").is_hidden()
    page.get_by_label("Show wrong boundaries").check()
    assert page.locator("[data-role='right-side'] .slider-errors").is_visible()
    assert "Right: SegNet-Basic" in page.locator("[data-role='said']").inner_text()


def test_it_prints(show: Open) -> None:
    page = show("variants")
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").is_visible()
    assert not page.locator(".sorting").first.is_visible()
    assert page.locator("#T1").is_visible()
    assert page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("name", NAMES)
def test_no_table_is_wider_than_the_paper_it_is_printed_on(show: Open, name: str) -> None:
    page = show(name, width=680)  # A4 without the margins, px of CSS
    page.emulate_media(media="print")
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    wider = """([width, landscape]) => [...document.querySelectorAll("section table")]
        .filter((table) => Boolean(table.closest("#table, #per-class details")) === landscape)
        .filter((table) => table.scrollWidth > width)
        .map((table) => `${table.closest("section").id}: ${table.scrollWidth}`)"""
    assert page.evaluate(wider, [680, False]) == []
    page.set_viewport_size({"width": 1032, "height": 800})
    assert page.evaluate(wider, [1032, True]) == []


def test_without_script_everything_is_readable(show: Open) -> None:
    page = show("variants", java_script_enabled=False)
    assert page.locator("#T1 .verdict").count() > 100
    assert page.locator("button:visible").count() == 0
    assert page.locator("form.filter:visible").count() == 0
    page.locator("#trials summary").click()
    assert page.locator("#trials a[href$='.parquet']").count() > 0
