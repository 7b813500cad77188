"""Writes the report of one suite and profile: a folder that opens from disk, with no network and no script.

    <out>/<suite>/<profile>/
        index.html                  everything, with the pictures beside it
        report.md                   the same for a terminal or a repository page
        table1.md, .csv, .tex       each of the paper's tables that the suite has: paper, ours, difference
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
from bench.replication.scores import choose, class_scores, why_stale
from bench.reporting.all_models_figure import all_models_group
from bench.reporting.beside_paper import TableSource
from bench.reporting.boundary_protocols import EXPLAINED_BY, READING, boundary_protocols
from bench.reporting.cells import Table
from bench.reporting.cost_table import cost_table
from bench.reporting.deviations import collect_deviations
from bench.reporting.figures import FigureSource, draw_figures
from bench.reporting.further_sections import further_sections
from bench.reporting.glossary import glossary
from bench.reporting.overview import TrialState, provenance, run_facts, trial_states
from bench.reporting.scale import scale_notice
from bench.reporting.settings import settings
from bench.reporting.staleness import Staleness
from bench.reporting.suite_results import FULL, suite_results
from bench.reporting.table_formats import to_csv, to_html, to_markdown
from bench.reporting.table_latex import to_latex
from bench.reporting.table_notes import training_notes
from bench.reporting.table_per_class import class_table
from bench.reporting.tables import side_by_side
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
    everything: pd.DataFrame | None = None,
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
        everything: rows of all suites of the profile, for the figure over all models of a suite that trains nothing;
            None leaves it out.

    Raises:
        UnknownNameError: the study has no such suite, or the suite no such profile.
        ResultsError: a file cannot be written, or a panel cannot be drawn.
    """
    planned = plan(study, suite, profile)
    suite, profile = planned[0].suite, planned[0].profile
    mine = results[(results["suite"] == suite) & (results["profile"] == profile)]
    planned += _optional(study, planned, mine)
    spec = study.suites[suite]
    shown = choose(mine, planned)
    why = why_stale(mine, planned)
    states = trial_states(mine, planned, shown.stale, why)
    stale = Staleness.of(shown.stale, {state.trial.id: why[state.trial.id] for state in states if state.stale_shown})
    folder = made_folder(out / suite / profile)

    notice = scale_notice(planned, spec.tables, plan(study, suite, FULL) if FULL in spec.runs else ())
    panels = panels_dir / suite / profile if panels_dir else None
    key = next(iter(spec.tables), None)
    source = FigureSource(shown.rows, key, first_sentence(notice), panels, stale, planned)
    trains = any(trial.kind == "training" for trial in planned)
    groups = draw_figures(source, folder / "figures")
    if not trains and everything is not None:
        suites = [suite_results(everything, study, name, profile) for name in _suites_in(study, profile)]
        groups.append(all_models_group(suites, suite, folder / "figures"))
    context: dict[str, Any] = {
        "title": spec.title,
        "profile": profile,
        "profile_description": study.profiles[profile].description.rstrip("."),
        "table_title": _table_title(spec.tables),
        "trains": trains,
        "notice": notice,
        "notice_head": notice.partition(": ")[0],
        "notice_rest": notice.partition(": ")[2],
        "problems": list(problems),
        "groups": groups,
        "definitions": glossary(planned),
        "stale_legend": stale.legend,
        "why_command": f"bench status --suite {suite} --profile {profile} --why",
        "costs": cost_table(shown.rows, stale),
        "with_tradeoff": any(group.key == "accuracy-against-cost" for group in groups),
        "deviations": collect_deviations(sources={path for trial in planned for path in trial.sources}),
        "run_command": f"bench run --suite {suite} --profile {profile}",
        "report_command": f"bench report --suite {suite} --profile {profile}",
    }
    of_tables = TableSource(shown.rows, planned, spec.tables, notice, stale)
    tables = side_by_side(of_tables)
    context |= _run_context(shown.rows, planned, states) | _table_context(of_tables, tables)
    context |= (boundaries := _boundary_context(shown.rows, notice, stale))
    context |= (further := further_sections(shown.rows, planned, notice, stale))
    files = {_file(table, suffix): write(table) for table in tables for suffix, write in FORMATS.items()}
    files |= boundaries["boundary_files"] | further["further_files"]
    environment = template_environment()
    for name, template in PAGES.items():
        files[name] = environment.get_template(template).render(context)
    for name, text in files.items():
        write_text(folder / name, text)
    return folder / "index.html"


def _suites_in(study: Study, profile: str) -> list[str]:
    return [name for name, spec in study.suites.items() if profile in spec.runs]


def _run_context(results: pd.DataFrame, planned: Sequence[Trial], states: Sequence[TrialState]) -> dict[str, Any]:
    return {
        "states": states,
        "absent": [state for state in states if not state.shown],
        "present": [state for state in states if state.shown],
        "run": run_facts(results, planned, states),
        "settings": settings(planned),
        "provenance": provenance(results),
    }


def _optional(study: Study, planned: Sequence[Trial], results: pd.DataFrame) -> list[Trial]:
    """Returns those trainings with an optional loss weighting that have a result."""
    suite, profile = planned[0].suite, planned[0].profile
    known = {trial.weighting for trial in planned}
    others = [weighting for weighting in study.suites[suite].optional_weightings if weighting not in known]
    run = set(results["trial"])
    trials = plan(study, suite, profile, weightings=others) if others else []
    return [trial for trial in trials if trial.kind == "training" and trial.id in run]


def _table_title(keys: Sequence[str]) -> str:
    """Returns "Table 1" or "Tables 3 and 2"; empty where there is none."""
    numbers = [key.removeprefix("T") for key in keys]
    return f"Table{'s' * (len(numbers) > 1)} {' and '.join(numbers)}" if numbers else ""


def _file(table: Table, suffix: str) -> str:
    return f"table{table.key.removeprefix('T')}.{suffix}"


def _table_context(source: TableSource, tables: Sequence[Table]) -> dict[str, Any]:
    classes = class_scores(source.results)
    notes = training_notes(source.results, source.trials, source.tables)
    class_tables = [
        class_table(classes, metric, notice=source.notice, stale=source.stale, notes=notes)
        for metric in ("iou", "accuracy")
        if len(classes)
    ]
    return {
        "tables": [(Markup(to_html(table)), [_file(table, suffix) for suffix in FORMATS]) for table in tables],
        "table_markdown": "\n".join(to_markdown(table, level=3) for table in tables),
        "class_tables": [Markup(to_html(part)) for part in class_tables],
        "training_notes": notes,
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


def first_sentence(text: str) -> str:
    """Returns what fits on a figure."""
    head, stop, _ = text.partition(". ")
    return head + stop.strip()


def template_environment() -> jinja2.Environment:
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


def made_folder(folder: Path) -> Path:
    """Returns the folder, made where it does not exist; a failure is known before the drawing, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"report folder '{folder}' cannot be made: {error.strerror}; choose another with --out DIR"
        raise ResultsError(message) from None
    return folder


def write_text(path: Path, text: str) -> None:
    """Writes a text file under a temporary name that is then renamed."""

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8", newline="\n")

    write_atomically(path, write)
