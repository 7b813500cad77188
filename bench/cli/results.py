"""`bench report`: what came out, beside the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from bench.cli.options import ONE_PROFILE, ONE_SUITE, RESULTS, options, planned, study_of
from bench.cli.output import counted
from bench.errors import ResultsError, one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.replication.statistics import Interval
    from bench.scoring.stored import Counts
    from bench.study.config import Study


@click.command()
@options(ONE_SUITE, ONE_PROFILE, RESULTS)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="reports",
    show_default=True,
    metavar="DIR",
    help="Folder of reports; each suite and profile has its own below it.",
)
@click.pass_context
def report(ctx: click.Context, suite: str | None, profile: str | None, results: Path, out: Path) -> None:
    """Write the reports and the overview of all of them: web pages that need no network, and Markdown.

    The page of a suite has the paper's tables beside ours with a verdict on every number, the paper's claims, figures,
    and where each number comes from; its folder also holds the tables as Markdown, CSV and LaTeX. A group of suites has
    a page of its own. The overview, DIR/index.html, shows everything in the results folder, whatever was rendered.
    """
    from bench.reporting.pages.group_page import write_group_report
    from bench.reporting.pages.overview_page import write_overview
    from bench.reporting.pages.report_source import Readers, ReportSource
    from bench.reporting.pages.suite_page import write_report
    from bench.results.store import load_results

    study = study_of(ctx)
    found = planned(study, suite, profile, results)
    stored = load_results(results)
    for problem in stored.problems:
        click.echo(f"warning: {problem}", err=True)
    if stored.rows.empty and not stored.problems:
        raise ResultsError(f"no results in '{results}' yet; run `bench run --suite {found[0][0].suite}` first")
    counts = _CountsReader(results)
    readers = Readers(counts.counts, counts.intervals, counts.confusion)
    source = ReportSource(stored.rows, study, results, stored.problems, readers)
    for trials in found:
        click.echo(f"report: {write_report(source, out, suite=trials[0].suite, profile=trials[0].profile)}")
    for group, scale in _groups(study, suite, [(trials[0].suite, trials[0].profile) for trials in found]):
        click.echo(f"report: {write_group_report(source, out, group=group, profile=scale)}")
    click.echo(f"overview: {write_overview(source, out)}")
    for reason, trainings in counts.unread.items():
        number = counted(len(trainings), "training")
        click.echo(f"warning: no intervals over images and no confusion matrix of {number}, {reason}", err=True)


def _groups(study: Study, wanted: str | None, written: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Returns every group that is wanted, or that has a suite among those written, with their profiles."""
    from bench.study.trials import suites_of

    return [
        (group, profile)
        for group, suites in study.groups.items()
        if wanted is None or suites_of(study, wanted) == suites
        for profile in dict.fromkeys(profile for suite, profile in written if suite in suites)
    ]


class _Summary(NamedTuple):
    """What a report makes of the counts of one training: its whole confusion matrix, and intervals over images."""

    class_names: Sequence[str]
    confusion: NDArray[np.int64]
    intervals: Mapping[tuple[str, str], Interval]


class _CountsReader:
    """Reads what trials counted on single images, by "ID-DIGEST"; a report does without where there is nothing.

    Attributes:
        unread: by reason, the trainings whose counts could not be read.
    """

    def __init__(self, results: Path) -> None:
        from bench.scoring.stored import files_by_trial

        self._files = files_by_trial(results)
        self._summaries: dict[str, _Summary | None] = {}
        self.unread: dict[str, set[str]] = {}

    def counts(self, key: str) -> Counts | None:
        """Returns the counts of every test image, boundaries by the protocol that is reported."""
        from bench.replication.scores import DEFAULT_PROTOCOL
        from bench.scoring.stored import read_counts

        try:
            return read_counts(self._files[key], [DEFAULT_PROTOCOL])
        except KeyError:
            return None
        except ResultsError as error:
            self._note(key, error)
            return None

    def intervals(self, key: str) -> Mapping[tuple[str, str], Interval]:
        """Returns the bootstrap intervals of the scores over the test images."""
        found = self._summary(key)
        return found.intervals if found else {}

    def confusion(self, key: str, refinement: str) -> tuple[Sequence[str], NDArray[np.int64]] | None:
        """Returns the names of the classes and the confusion matrix of the whole test split."""
        from bench.scoring.stored import read_confusion

        if not refinement:
            found = self._summary(key)
            return (found.class_names, found.confusion) if found else None
        try:
            return read_confusion(self._files[key], refinement) if key in self._files else None
        except ResultsError as error:
            self._note(key, error)
            return None

    def _summary(self, key: str) -> _Summary | None:
        """Reads the counts of a training once for all that a report makes of them, without keeping every image."""
        from bench.scoring.bootstrap import image_intervals

        if key not in self._summaries:
            counts = self.counts(key)
            of_all = counts and _Summary(counts.class_names, counts.confusion.sum(axis=0), image_intervals(counts))
            self._summaries[key] = of_all or None
        return self._summaries[key]

    def _note(self, key: str, error: ResultsError) -> None:
        self.unread.setdefault(one_line(error), set()).add(key)
