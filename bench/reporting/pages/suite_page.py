"""Writes the report of one suite and profile: a folder that opens from disk, with no network.

    <out>/<suite>/<profile>/
        index.html                  everything, with the pictures beside it; whole without script too
        report.md                   the same for a terminal or a repository page
        table1.md, .csv, .tex       each of the paper's tables that the suite has: paper, ours, difference
        boundary_protocols.csv      boundary F1 under every protocol
        pairs.csv                   differences of every two models, seed by seed
        figures/                    each figure as PNG, SVG and PDF

overview_page.py writes the page that leads to all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from bench.data import dataset_of
from bench.replication.scores import class_scores
from bench.reporting.comparisons.model_pairs import READING as PAIRS_READING
from bench.reporting.comparisons.model_pairs import pair_tables, pairs_csv
from bench.reporting.comparisons.suite_results import SuiteResults
from bench.reporting.definitions.glossary import glossary
from bench.reporting.figures.all_models import all_models_group
from bench.reporting.figures.comparison_panels import slider
from bench.reporting.figures.groups import FigureGroup
from bench.reporting.figures.source import FigureSource
from bench.reporting.figures.suite_figures import start_figures
from bench.reporting.pages.cell_details import page_data
from bench.reporting.pages.claims_section import ClaimSection, claims_section
from bench.reporting.pages.further_sections import further_sections
from bench.reporting.pages.report_source import ReportSource
from bench.reporting.provenance.citation import CITATIONS
from bench.reporting.provenance.deviations import collect_deviations
from bench.reporting.provenance.overview import TrialState, provenance, run_facts, trial_states
from bench.reporting.provenance.settings import settings
from bench.reporting.provenance.trial_records import trial_records
from bench.reporting.rendering import first_sentence, made_folder, write_pages, write_text
from bench.reporting.tables.beside_paper import TableSource
from bench.reporting.tables.boundary_protocols import EXPLAINED_BY, READING, boundary_protocols
from bench.reporting.tables.cells import Table
from bench.reporting.tables.formats import to_csv, to_markdown
from bench.reporting.tables.html import to_html
from bench.reporting.tables.latex import to_latex
from bench.reporting.tables.machine_costs import cost_table
from bench.reporting.tables.notes import training_notes
from bench.reporting.tables.paper_tables import side_by_side
from bench.reporting.tables.per_class import class_table
from bench.reporting.tables.verdicts import image_intervals, with_image_intervals, with_verdicts
from bench.reporting.verdict_marks import MEANING_OF_NUMBERS, legend
from bench.study.catalog import METRIC_TITLES
from bench.study.trials import Trial

FORMATS = {"csv": to_csv, "md": to_markdown, "tex": to_latex}
PAGES = {"report.md": "report.md", "index.html": "report.html"}  # file: template
OVERVIEW = "../../index.html"


def write_report(source: ReportSource, out: Path, *, suite: str, profile: str) -> Path:
    """Writes the report folder and returns the path of its index.html.

    A stale result, one under other settings or source than the study has now, is shown where nothing current is
    there, and marked.

    Args:
        source: the results of this suite and profile, and of the others, which some claims and figures need as well.
        out: folder of all reports; made where it does not exist.
        suite: its name; letter case, '-' and '_' do not matter, here and below.
        profile: its name.

    Raises:
        UnknownNameError: the study has no such suite, or the suite no such profile.
        ResultsError: a file cannot be written, or a panel cannot be drawn.
    """
    shown = source.suite(suite, profile)
    folder = made_folder(out / shown.suite / shown.profile)
    figures = _figure_source(source, shown)
    wait = start_figures(figures, folder / "figures")  # they take longest, and need one processor of several
    context = _head_context(source, shown) | _run_context(shown)
    context |= {"claims": _claims(source, shown), "slider": slider(figures, folder)}
    context |= (tables := _table_context(source, shown, folder))
    context |= (boundaries := _boundary_context(shown))
    context |= (further := further_sections(shown.rows, shown.planned, shown.notice, shown.stale))
    context |= _figure_context(source, shown, folder, wait())
    context |= (pairs := _pairs_context(shown))
    parts = (tables["table_files"], boundaries["boundary_files"], further["further_files"], pairs["pair_files"])
    files = {name: text for part in parts for name, text in part.items()}
    for name, text in files.items():
        write_text(folder / name, text)
    return write_pages(folder, PAGES, context)


def _head_context(source: ReportSource, shown: SuiteResults) -> dict[str, Any]:
    head, _, rest = shown.notice.partition(": ")
    where = f"--suite {shown.suite} --profile {shown.profile}"
    return {
        "title": shown.title,
        "profile": shown.profile,
        "profile_description": source.study.profiles[shown.profile].description.rstrip("."),
        "overview": OVERVIEW,
        "table_title": _table_title(shown.tables),
        "trains": bool(shown.trainings),
        "notice": shown.notice,
        "notice_head": head,
        "notice_rest": rest,
        "problems": source.problems_of(shown.suite, shown.profile),
        "classes": class_legend(shown.trainings),
        "definitions": glossary(shown.planned),
        "stale_legend": shown.stale.legend,
        "deviations": collect_deviations(sources={path for trial in shown.planned for path in trial.sources}),
        "citation_items": CITATIONS,
        "why_command": f"bench status {where} --why",
        "report_command": f"bench report {where}",
    }


def _figure_source(source: ReportSource, shown: SuiteResults) -> FigureSource:
    panels = source.folder / "_panels" / shown.suite / shown.profile if source.folder else None
    key = next(iter(shown.tables), None)
    notice = first_sentence(shown.notice)
    return FigureSource(shown.rows, key, notice, panels, shown.stale, shown.planned, source.readers.confusion)


def _figure_context(
    source: ReportSource, shown: SuiteResults, folder: Path, groups: list[FigureGroup]
) -> dict[str, Any]:
    if not shown.trainings:
        groups = [*groups, all_models_group(source.suites_in(shown.profile), shown.suite, folder / "figures")]
    return {
        "groups": groups,
        "costs": cost_table(shown.rows, shown.stale),
        "with_tradeoff": any(group.key == "accuracy-against-cost" for group in groups),
    }


def _run_context(shown: SuiteResults) -> dict[str, Any]:
    states = trial_states(shown.stored, shown.planned, shown.stale.digests, shown.why)
    absent = [state for state in states if not state.shown]
    return {
        "states": states,
        "absent": absent,
        "left_to_do": left_to_do(absent, f"--suite {shown.suite} --profile {shown.profile}"),
        "present": [state for state in states if state.shown],
        "run": run_facts(shown.rows, shown.planned, states),
        "settings": settings(shown.planned),
        "provenance": provenance(shown.rows),
    }


def left_to_do(absent: Sequence[TrialState], where: str) -> list[tuple[str, str]]:
    """Returns the commands that give the trials which are not in a report a result, each with what it does."""
    bad = [state for state in absent if state.status not in ("missing", "stale")]
    found = [(f"bench run {where}", "runs what is left")] if len(bad) < len(absent) else []
    return found + ([(f"bench retry {where}", "tries again what ended badly")] if bad else [])


def _claims(source: ReportSource, shown: SuiteResults) -> ClaimSection | None:
    """Returns the claims that are about the tables of a suite first of all."""
    if not shown.tables:
        return None
    mine = [found for found in source.claims(shown.profile) if found.claim.tables[0] in shown.tables]
    return claims_section(mine, shown.notice)


def _table_title(keys: Sequence[str]) -> str:
    """Returns "Table 1" or "Tables 3 and 2"; empty where there is none."""
    numbers = [key.removeprefix("T") for key in keys]
    return f"Table{'s' * (len(numbers) > 1)} {' and '.join(numbers)}" if numbers else ""


def _file(table: Table, suffix: str) -> str:
    return f"table{table.key.removeprefix('T')}.{suffix}"


def _table_context(source: ReportSource, shown: SuiteResults, folder: Path) -> dict[str, Any]:
    """Returns the paper's tables with ours beside them, those per class, and what is behind their cells."""
    of_tables = TableSource(shown.rows, shown.planned, shown.tables, shown.notice, shown.stale)
    judged = source.verdicts(shown.suite, shown.profile)
    intervals = image_intervals(shown.rows, source.readers.intervals if shown.tables else None)
    tables = [
        with_image_intervals(with_verdicts(table, judged.by_place), intervals) for table in side_by_side(of_tables)
    ]
    notes = training_notes(shown.rows, shown.planned, shown.tables)
    class_tables = _class_tables(of_tables, notes)
    records = trial_records(shown.rows, source.folder, folder)
    return {
        "tables": [(Markup(to_html(table)), [_file(table, suffix) for suffix in FORMATS]) for table in tables],
        "table_markdown": "\n".join(to_markdown(table, level=3) for table in tables),
        "table_files": {_file(table, suffix): write(table) for table in tables for suffix, write in FORMATS.items()},
        "class_tables": [Markup(to_html(table)) for table in class_tables],
        "training_notes": notes,
        "verdict_problem": judged.problem,
        "number_counts": judged.counts,
        "number_legend": legend(MEANING_OF_NUMBERS) if shown.tables else [],
        "records": records,
        "data": page_data([*tables, *class_tables], records),
    }


def _pairs_context(shown: SuiteResults) -> dict[str, Any]:
    tables = pair_tables(shown) if len(shown.models) > 1 else []
    return {
        "pair_tables": tables,
        "pair_reading": PAIRS_READING,
        "pair_headings": ("First − second", *METRIC_TITLES.values(), "Runs"),
        "pair_files": {"pairs.csv": pairs_csv(tables, shown.notice)} if tables else {},
    }


def _class_tables(source: TableSource, notes: Sequence[str]) -> list[Table]:
    classes = class_scores(source.results)
    return [
        class_table(classes, metric, notice=source.notice, stale=source.stale, notes=notes)
        for metric in ("iou", "accuracy")
        if len(classes)
    ]


def _boundary_context(shown: SuiteResults) -> dict[str, Any]:
    found = boundary_protocols(shown.rows, shown.notice, shown.stale)
    return {
        "boundary_tables": [Markup(to_html(table)) for table in found.tables] if found else [],
        "boundary_markdown": to_markdown(found.whole, level=3) if found else "",
        "boundary_files": {f"{found.whole.key}.csv": to_csv(found.whole)} if found else {},
        "boundary_left_out": found.left_out if found else "",
        "boundary_reading": READING,
        "explained_by": EXPLAINED_BY,
    }


class ClassColour(NamedTuple):
    """A class and the colour of its pixels in pictures of labels, as #rrggbb."""

    name: str
    colour: str


class ClassLegend(NamedTuple):
    """The classes of a data set in its order, void last."""

    dataset: str
    entries: tuple[ClassColour, ...]


def class_legend(trainings: Sequence[Trial]) -> ClassLegend | None:
    """Returns the classes that some trainings of one suite learn; None without any training."""
    if not trainings:
        return None
    dataset = dataset_of(trainings[0].dataset, trainings[0].dataset_options)
    colours = ["#" + "".join(f"{int(level):02x}" for level in colour) for colour in dataset.palette]
    names = (*dataset.class_names, "void, neither trained nor scored")  # the palette's last colour
    return ClassLegend(dataset.title, tuple(map(ClassColour, names, colours)))
