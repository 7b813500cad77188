"""What reports are made from: everything in a results folder, with what several pages ask of it answered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.replication.claim_verdicts import ClaimVerdict, claim_verdicts
from bench.reporting.comparisons.drive_scores import Read
from bench.reporting.comparisons.suite_results import SuiteResults, suite_results
from bench.reporting.figures.source import ReadConfusion
from bench.reporting.tables.verdicts import PaperVerdicts, ReadIntervals, paper_verdicts
from bench.study.config import Study


@dataclass(frozen=True)
class Readers:
    """What reads the counts of single images, by "ID-DIGEST" of a training; None leaves out what is made of them.

    Attributes:
        counts: those of every image.
        intervals: bootstrap intervals of the scores.
        confusion: the confusion matrix of the whole test split.
    """

    counts: Read | None = None
    intervals: ReadIntervals | None = None
    confusion: ReadConfusion | None = None


class ReportSource:
    """Results and the study that they belong to.

    Args:
        rows: of any suites and profiles in the stored columns, those of single images left out.
        study: from `load_study`.
        folder: that of the results, with the panels below it; None: numbers lead to no file, and there are no panels.
        problems: a line for each file that could not be read.
        readers: of what `rows` leave out.
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        study: Study,
        folder: Path | None = None,
        problems: Sequence[str] = (),
        readers: Readers | None = None,
    ) -> None:
        self.rows, self.study, self.folder, self.problems = rows, study, folder, list(problems)
        self.readers = readers or Readers()
        self._suites: dict[tuple[str, str], SuiteResults] = {}
        self._verdicts: dict[tuple[str, str], PaperVerdicts] = {}
        self._claims: dict[str, list[ClaimVerdict]] = {}

    def suite(self, suite: str, profile: str) -> SuiteResults:
        """Returns what there is of a suite in a profile.

        Raises:
            UnknownNameError: the study has no such suite, or the suite no such profile.
        """
        if (suite, profile) not in self._suites:
            self._suites[suite, profile] = suite_results(self.rows, self.study, suite, profile)
        return self._suites[suite, profile]

    def suites_in(self, profile: str) -> list[SuiteResults]:
        """Returns every suite that has a profile, in the order of the study."""
        return [self.suite(name, profile) for name, spec in self.study.suites.items() if profile in spec.runs]

    def verdicts(self, suite: str, profile: str) -> PaperVerdicts:
        """Returns the verdicts on the numbers of a suite in a profile against the paper."""
        if (suite, profile) not in self._verdicts:
            shown = self.suite(suite, profile)
            self._verdicts[suite, profile] = paper_verdicts(shown.stored, shown.planned, self.study)
        return self._verdicts[suite, profile]

    def claims(self, profile: str) -> list[ClaimVerdict]:
        """Returns the verdicts on all claims of the paper by the results of a profile."""
        if profile not in self._claims:
            rows = self.rows[self.rows["profile"] == profile]
            self._claims[profile] = claim_verdicts(rows, self.study, profile)
        return self._claims[profile]

    def problems_of(self, suite: str, profile: str) -> list[str]:
        """Returns the lines about files in the folder of a suite and profile: of a damaged file no more is known."""
        if self.folder is None:
            return list(self.problems)
        return [problem for problem in self.problems if problem.startswith(f"'{self.folder / suite / profile}/")]
