"""How a stale number is marked, in tables, figures and words: never by colour alone, always with the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from bench.results.changes import Change, summary
from bench.study.catalog import ROW_TITLES, refined

MARK = "†"
SENTENCE = "measured before settings or source changed."
IN_FIGURES = f"{MARK} Stale: {SENTENCE}"


@dataclass(frozen=True)
class Staleness:
    """Which of the results in a report are stale, and why.

    Attributes:
        digests: of the stale results that are shown.
        changed: the names of what has changed since, in one line.
    """

    digests: frozenset[str] = frozenset()
    changed: str = ""

    @classmethod
    def of(cls, digests: Collection[str], why: Mapping[str, Iterable[Change]]) -> Staleness:
        """Returns the staleness of results, from what has changed since each."""
        return cls(frozenset(digests), summary(change for found in why.values() for change in found))

    @property
    def legend(self) -> str:
        """One or two sentences for below a table or figure; empty where nothing is stale."""
        if not self.digests:
            return ""
        return (
            f"{MARK} Stale: measured under other settings or source than are planned now (changed since: "
            f"{self.changed}), and shown because nothing newer is there. No mean has current and stale runs in it."
        )

    def holds(self, digests: Iterable[str]) -> bool:
        """Whether any of some results is stale."""
        return not self.digests.isdisjoint(digests)

    def sentence(self, digests: Collection[str]) -> str:
        """Returns what to say of a figure that is drawn from some results and names no model; may be empty."""
        if not self.holds(digests):
            return ""
        return f"{'Stale' if self.digests.issuperset(digests) else 'Partly stale'}: {SENTENCE}"

    def titles(self, results: pd.DataFrame) -> dict[str, str]:
        """Returns every row's name as the paper prints it, with MARK where a result of it in `results` is stale."""
        old = results[results["digest"].isin(list(self.digests))]
        made = old["refinement"].fillna("")
        marked = {refined(str(model), str(what)) for model, what in zip(old["model"], made, strict=True)}
        return {row: f"{title} {MARK}" if row in marked else title for row, title in ROW_TITLES.items()}


FRESH = Staleness()
