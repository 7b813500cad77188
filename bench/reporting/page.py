"""Writes the report of one suite and profile: a folder that opens from disk, with no network and no script.

    <out>/<suite>/<profile>/
        index.html                  everything, with the pictures beside it
        report.md                   the same for a terminal or a repository page
        table1.md, .csv, .tex       the paper's table: paper, ours, difference
        boundary_protocols.csv      boundary F1 under every stored protocol
        figures/*.png, *.svg

Text that comes from data is escaped by the templates. A file is written under a temporary name and renamed, so
that a reader never sees half a report.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from bench.atomic import write_atomically
from bench.errors import ResultsError
from bench.evaluation.boundary import boundary_tolerance_px
from bench.replication.scores import choose, class_scores, costs, scores, why_stale
from bench.reporting.boundary_protocols import EXPLAINED_BY, READING, boundary_protocols
from bench.reporting.cells import Table
from bench.reporting.cost_table import cost_table
from bench.reporting.deviations import collect_deviations
from bench.reporting.figures import FigureSource, draw_figures
from bench.reporting.overview import TrialState, provenance, run_facts, settings, trial_states
from bench.reporting.scale import planned_scale, scale_notice
from bench.reporting.staleness import FRESH, Staleness
from bench.reporting.table_formats import to_csv, to_html, to_latex, to_markdown
from bench.reporting.tables import class_table, table_1
from bench.study.config import Study
from bench.study.trials import Trial, plan

TEMPLATES = Path(__file__).with_name("templates")
FORMATS = {"csv": to_csv, "md": to_markdown, "tex": to_latex}
PAGES = {"report.md": "report.md", "index.html": "report.html"}  # file: template; index.html is whole only when last


def write_report(
    results: pd.DataFrame,
    out: Path,
    *,
    suite: str,
    profile: str,
    study: Study,
    panels_dir: Path | None = None,
    problems: Sequence[str] = (),
) -> Path:
    """Writes the report folder and returns the path of its index.html.

    A stale result, one under other settings or source than the study has now, is shown where nothing current is
    there, and marked.

    Args:
        results: rows in the stored columns; those of other suites and profiles are ignored.
        out: folder of all reports; made where it does not exist.
        suite: its name; letter case, '-' and '_' do not matter, here and below.
        profile: its name.
        study: from `load_study`.
        panels_dir: the folder `_panels` of the results; None means no qualitative grid.
        problems: lines to print at the top, such as results files that could not be read.

    Raises:
        UnknownNameError: the study has no such suite, or the suite no such profile.
        ResultsError: a file cannot be written, or a panel cannot be drawn.
    """
    planned = plan(study, suite, profile)
    suite, profile = planned[0].suite, planned[0].profile
    mine = results[(results["suite"] == suite) & (results["profile"] == profile)]
    shown = choose(mine, planned)
    why = why_stale(mine, planned)
    states = trial_states(mine, planned, shown.stale, why)
    stale = Staleness.of(shown.stale, {state.trial.id: why[state.trial.id] for state in states if state.stale_shown})
    folder = _made(out / suite / profile)

    notice = scale_notice({planned_scale(planned[0]): profile})
    panels = panels_dir / suite / profile if panels_dir else None
    key = study.suites[suite].table
    source = FigureSource(shown.rows, key, first_sentence(notice), panels, stale)
    context: dict[str, Any] = {
        "title": study.suites[suite].title,
        "profile": profile,
        "profile_description": study.profiles[profile].description.rstrip("."),
        "table_title": f"Table {key.removeprefix('T')}" if key else "",
        "notice": notice,
        "notice_head": notice.partition(": ")[0],
        "notice_rest": notice.partition(": ")[2],
        "problems": list(problems),
        "groups": draw_figures(source, folder / "figures"),
        "definitions": definitions(planned[0]),
        "stale_legend": stale.legend,
        "why_command": f"bench status --suite {suite} --profile {profile} --why",
        "costs": cost_table(shown.rows, stale),
        "deviations": collect_deviations(sources={path for trial in planned for path in trial.sources}),
        "run_command": f"bench run --suite {suite} --profile {profile}",
        "report_command": f"bench report --suite {suite} --profile {profile}",
    }
    table = paper_side_by_side(shown.rows, planned, key, notice, stale)
    context |= _run_context(shown.rows, planned, states) | _table_context(shown.rows, table, notice, stale)
    context |= (boundaries := _boundary_context(shown.rows, notice, stale))
    files = {f"table1.{suffix}": write(table) for suffix, write in FORMATS.items()} if table else {}
    files |= boundaries["boundary_files"]
    environment = _environment()
    for name, template in PAGES.items():
        files[name] = environment.get_template(template).render(context)
    for name, text in files.items():
        _write(folder / name, text)
    return folder / "index.html"


def _run_context(results: pd.DataFrame, planned: Sequence[Trial], states: Sequence[TrialState]) -> dict[str, Any]:
    return {
        "states": states,
        "absent": [state for state in states if not state.shown],
        "present": [state for state in states if state.shown],
        "run": run_facts(results, planned, states),
        "settings": settings(planned),
        "provenance": provenance(results),
    }


def _table_context(results: pd.DataFrame, table: Table | None, notice: str, stale: Staleness) -> dict[str, Any]:
    classes = class_scores(results)
    class_tables = [
        class_table(classes, metric, notice=notice, stale=stale) for metric in ("iou", "accuracy") if len(classes)
    ]
    return {
        "table_html": Markup(to_html(table)) if table else "",
        "table_files": [f"table1.{suffix}" for suffix in FORMATS] if table else [],
        "table_markdown": to_markdown(table, level=3) if table else "",
        "class_tables": [Markup(to_html(part)) for part in class_tables],
    }


def _boundary_context(results: pd.DataFrame, notice: str, stale: Staleness) -> dict[str, Any]:
    found = boundary_protocols(results, notice, stale)
    return {
        "boundary_tables": [Markup(to_html(table)) for table in found.tables] if found else [],
        "boundary_markdown": to_markdown(found.whole, level=3) if found else "",
        "boundary_files": {f"{found.whole.key}.csv": to_csv(found.whole)} if found else {},
        "boundary_left_out": found.left_out if found else "",
        "boundary_reading": READING,
        "explained_by": EXPLAINED_BY,
    }


def paper_side_by_side(
    results: pd.DataFrame, planned: Sequence[Trial], key: str | None, notice: str, stale: Staleness = FRESH
) -> Table | None:
    """Returns the paper's table with our numbers beside it; None where the suite has none that can be printed."""
    if key != "T1":
        return None
    weightings = list(dict.fromkeys(trial.weighting for trial in planned if trial.weighting))
    models = {trial.model for trial in planned}
    return table_1(
        scores(results),
        costs(results),
        notice=notice,
        stale=stale,
        weightings=weightings,
        models=models,
        timing_size=(planned[0].timing_height, planned[0].timing_width),
    )


def first_sentence(text: str) -> str:
    """Returns what fits on a figure."""
    head, stop, _ = text.partition(". ")
    return head + stop.strip()


def definitions(trial: Trial) -> list[tuple[str, str]]:
    """Returns (name, what it means) of every score and cost, for the image size of `trial`."""
    tolerance = boundary_tolerance_px(trial.height, trial.width)
    return [
        (
            "G, global accuracy",
            "Share of the labelled pixels of a split that are predicted right. Void pixels are left out, here and "
            "in C and mIoU.",
        ),
        (
            "C, class average accuracy",
            "For each class the share of its pixels that are found; the mean over the classes.",
        ),
        (
            "mIoU",
            "For each class the pixels that are both labelled and predicted as it, divided by those that are "
            "either, from one confusion matrix of the whole split; the mean over the classes.",
        ),
        (
            "BF, boundary F1 (protocol paper)",
            "For each image and class the F1 of its predicted against its labelled boundary pixels, matched one to "
            f"one within 0.75 % of the image diagonal ({tolerance:.2f} px at {trial.height} × {trial.width}); the "
            "mean over the classes with a boundary in the labels or in the prediction, then over the images. A "
            "tolerance in pixels shrinks with the image, so BF at two sizes does not compare.",
        ),
        (
            "Loss weights",
            "Median frequency balancing weighs a class by the median of the class frequencies divided by its own, "
            "where a frequency counts only the images that contain the class. Natural frequency weighs all alike.",
        ),
        (
            "Storage multiplier",
            "Memory for what the decoder keeps of the first encoder stage, as the paper counts it: 1 for pooling "
            "indices, the number of classes for reduced maps, 64 for full maps.",
        ),
        (
            "Forward time",
            f"One image of {trial.timing_height} × {trial.timing_width} px on the machine named above, after warm-up. "
            "Table 1 shows the mean of passes in a row, as the paper; the other tables and figures show the median of "
            f"{trial.timing_rounds} rounds of {trial.timing_iterations} passes that take turns with the other models.",
        ),
    ]


def _environment() -> jinja2.Environment:
    """Escapes everything but Markdown, where the filter `md` does; an unknown name in a template is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=lambda name: not (name or "").endswith(".md"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["md"] = escape_markdown
    environment.filters["sentence"] = start_sentence
    environment.filters["with_code"] = with_code
    return environment


def escape_markdown(text: object) -> str:
    """Returns text that Markdown prints as it is: one line, no markup, no HTML, no table border."""
    line = " ".join(str(text).split())
    return html.escape(re.sub(r"([\\`*_\[\]|])", r"\\\1", line), quote=False)


def start_sentence(text: str) -> str:
    """Returns text with a capital at its start, unless its first word is a name such as correspondPixels."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.islower() else text


def with_code(text: str) -> Markup:
    """Returns escaped HTML in which `words in backticks` are code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _made(folder: Path) -> Path:
    """Returns the folder, made where it does not exist; a failure is known before the drawing, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"report folder '{folder}' cannot be made: {error.strerror}; choose another with --out DIR"
        raise ResultsError(message) from None
    return folder


def _write(path: Path, text: str) -> None:
    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8", newline="\n")

    write_atomically(path, write)
