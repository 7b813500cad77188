"""What a report says about its figures: pictures, and the groups of them that answer one question."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """One picture of the report, stored as name.svg, name.png and name.pdf."""

    name: str
    heading: str  # what tells it from the others of its group; may be empty
    alt: str
    stale: bool = False  # a name in it is marked


@dataclass(frozen=True)
class FigureGroup:
    """The pictures that answer one question, and their common caption."""

    key: str
    title: str
    caption: str
    pictures: tuple[Picture, ...]  # empty where the results cannot fill them
    missing: str  # what to say then
    wide: bool = False  # takes the whole width of the page
