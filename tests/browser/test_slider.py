"""The slider in a real browser: a page with nothing else on it, opened from disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.data import DATASETS
from bench.reporting.figures.comparison_panels import slider
from bench.reporting.figures.source import DRAWN_COLUMNS, FigureSource
from bench.reporting.rendering import template_environment

POLICY = "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Slider</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<style>{% include "report.css" %}{% include "slider.css" %}</style></head>
<body><main>{% include "slider.html" %}</main><script>{% include "slider.js" %}</script></body></html>"""
MODELS = ("segnet_basic", "fcn_basic")


def trainings() -> pd.DataFrame:
    """One row per finished training under both loss weightings, as a results file has it."""
    rows = [
        {"trial": f"{model}.{weighting}", "digest": "0" * 16, "model": model, "weighting": weighting}
        for weighting in ("median_frequency", "natural_frequency")
        for model in MODELS
    ]
    frame = pd.DataFrame(rows, columns=DRAWN_COLUMNS).astype(object)
    return frame.assign(kind="training", status="done", seed=0, config="{}", dataset="sun_rgbd", record="outcome")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page on two images of 37 classes, one with a name of markup; the second lacks a prediction."""
    folder = tmp_path_factory.mktemp("slider")
    rng = np.random.default_rng(2)
    assert len(DATASETS["sun_rgbd"].class_names) == 37
    for name in ("a <b>first & 'image'", "second"):
        place = folder / "stored" / name
        place.mkdir(parents=True)
        labels = np.kron(rng.integers(0, 37, (6, 8)), np.ones((10, 10))).astype(np.uint8)
        Image.fromarray(np.repeat(labels[..., None] * 6, 3, axis=2)).save(place / "image.png")
        labels[:5] = 255
        Image.fromarray(labels).save(place / "labels.png")
        for number, row in enumerate(trainings().itertuples(), start=1):
            prediction = np.where(labels == 255, 0, np.roll(labels, 4 * number, axis=1)).astype(np.uint8)
            if not (name == "second" and number == 1):
                Image.fromarray(prediction).save(place / f"{row.trial}-{row.digest}.png")
    found = slider(FigureSource(trainings(), None, "", folder / "stored"), folder)
    assert found is not None
    text = template_environment().from_string(PAGE).render(slider=found, policy=POLICY)
    (folder / "index.html").write_text(text, encoding="utf-8")
    return folder / "index.html"


Open = Callable[..., object]


@pytest.fixture
def opened(browser, page_file: Path) -> Iterator[Open]:
    """Opens the page; afterwards there must be no message in the console and no request but for files of the page."""
    contexts, complaints = [], []

    def open_page(**options):
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 800}} | options)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.on("request", lambda request: complaints.extend([request.url] * (not allowed(request.url))))
        contexts.append(context)
        page.goto(page_file.as_uri())
        return page

    def allowed(url: str) -> bool:
        return url.startswith(page_file.parent.as_uri())

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def said(page) -> str:
    return page.get_by_role("status").inner_text()


def sources(page, side: str) -> list[str]:
    """The files that one side shows, that of the overlay last."""
    images = page.locator(f"[data-role={side}-side] img")
    return [image.get_attribute("src").rpartition("/")[2] for image in images.all() if image.is_visible()]


def divider_at(page) -> float:
    """Where the right picture begins, in percent of the stage."""
    style = page.locator("[data-role=right-side]").evaluate("side => getComputedStyle(side).clipPath")
    return float(style.rpartition(" ")[2].removesuffix("%)"))


def test_it_begins_with_the_labels_beside_the_first_prediction(opened: Open) -> None:
    page = opened()
    assert (sources(page, "left"), sources(page, "right")) == (["1-labels.png"], ["1-1.png"])
    assert said(page).startswith("Left: Ground truth (8.3% of it is void). Right: SegNet-Basic, median frequency")
    assert divider_at(page) == 50
    width = page.locator("[data-role=right-side] img").first.evaluate("image => image.naturalWidth")
    assert width == 80
    assert not page.locator(".slider-grid").first.is_visible()


def test_any_two_pictures_of_any_image_can_be_chosen(opened: Open) -> None:
    page = opened()
    page.locator("[data-role=image]").select_option(label="second")
    page.locator("[data-role=left]").select_option(label="Image")
    page.locator("[data-role=right]").select_option(value="5")
    assert (sources(page, "left"), sources(page, "right")) == (["2-image.png"], ["2-4.png"])
    assert said(page).startswith("Left: Image. Right: FCN-Basic, natural frequency (")
    page.locator("[data-role=right]").select_option(value="2")
    assert sources(page, "right") == []
    assert said(page) == "Left: Image. Right: SegNet-Basic, median frequency balancing (no picture stored)."


def test_wrong_boundaries_can_be_laid_over_predictions_alone(opened: Open) -> None:
    page = opened()
    legend = page.get_by_text("predicted boundary that is not in the labels")
    assert not legend.is_visible()
    page.get_by_label("Show wrong boundaries").check()
    assert (sources(page, "left"), sources(page, "right")) == (["1-labels.png"], ["1-1.png", "1-1-errors.png"])
    assert legend.is_visible()
    page.get_by_label("Show wrong boundaries").uncheck()
    assert sources(page, "right") == ["1-1.png"]
    assert not legend.is_visible()


def test_the_divider_follows_the_keyboard(opened: Open) -> None:
    page = opened()
    divider = page.get_by_role("slider")
    divider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert divider_at(page) == 53
    page.keyboard.press("Home")
    assert divider_at(page) == 0
    assert divider.get_attribute("aria-valuetext") == "0 % left, 100 % right"


def test_the_divider_follows_the_mouse(opened: Open) -> None:
    page = opened()
    box = page.locator("[data-role=stage]").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 9)
    page.mouse.up()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 9)
    assert divider_at(page) == pytest.approx(20, abs=1)


def test_the_divider_follows_a_finger_on_a_phone_and_nothing_is_wider_than_it(opened: Open) -> None:
    page = opened(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2)
    page.get_by_label("Show wrong boundaries").check()
    page.locator(".slider-all summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    box = page.locator("[data-role=stage]").bounding_box()
    page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    assert divider_at(page) == pytest.approx(75, abs=1)


def test_without_script_all_pictures_are_there(opened: Open, page_file: Path) -> None:
    page = opened(java_script_enabled=False)
    assert not page.locator("[data-role=stage]").is_visible()
    pictures = page.locator(".slider-grid img")
    assert pictures.count() == 2 * (2 + 4) - 1
    assert all(pictures.nth(number).is_visible() for number in range(pictures.count()))
    assert all((page_file.parent / image.get_attribute("src")).is_file() for image in pictures.all())
    assert page.get_by_role("heading", name="a <b>first & 'image'").count() == 1


def test_every_class_is_in_the_legend(opened: Open) -> None:
    page = opened()
    entries = page.get_by_role("list", name="Colours of the classes").get_by_role("listitem").all_inner_texts()
    assert [entry.strip() for entry in entries] == [
        *DATASETS["sun_rgbd"].class_names, "void: neither trained nor scored",
    ]  # fmt: skip


def test_names_are_text_whatever_they_hold(opened: Open) -> None:
    page = opened()
    options = page.locator("[data-role=image]").locator("option").all_inner_texts()
    assert options == ["a <b>first & 'image'", "second"]
    assert page.locator("main b").count() == 0
