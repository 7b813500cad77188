"""The sections of a suite's page that not every suite has: checkerboard patterns, the other choice of a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from bench.reporting.comparisons.checkpoint_choice import checkpoint_choices, checkpoint_table, selections
from bench.reporting.staleness import Staleness
from bench.reporting.tables.checkerboard import READING, checkerboard_table
from bench.reporting.tables.formats import to_csv, to_markdown
from bench.reporting.tables.html import to_html
from bench.study.trials import Trial


def further_sections(results: pd.DataFrame, planned: Sequence[Trial], notice: str, stale: Staleness) -> dict[str, Any]:
    """Returns what the templates need: headings are "" and tables None or "" where a suite has no such section.

    Args:
        results: rows of one suite and profile, one configuration of each trial.
        planned: its trials.
        notice: what to put on top of tables, from `scale_notice`.
        stale: which results are to be marked as stale.

    Returns: by name; `further_files` are texts by the name of the file.
    """
    trainings = [trial for trial in planned if trial.kind == "training"]
    measured = any(trial.checkerboard for trial in trainings)
    pattern = checkerboard_table(results, notice=notice, stale=stale) if measured else None
    choice = checkpoint_table(checkpoint_choices(results, stale), trainings, stale) if trainings else None
    return {
        "checkerboard_title": "Checkerboard patterns" if measured else "",
        "checkerboard_reading": READING,
        "checkerboard_html": Markup(to_html(pattern)) if pattern else "",
        "checkerboard_markdown": to_markdown(pattern, level=3) if pattern else "",
        "checkpoint_title": "Checkpoint chosen by {1} instead of {0}".format(*selections(trainings))
        if trainings
        else "",
        "checkpoint_choice": choice,
        "further_files": {f"{pattern.key}.csv": to_csv(pattern)} if pattern else {},
    }
