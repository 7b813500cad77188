"""What is checked of every value in a file of claims; a refusal names the file, its line and the claim."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from bench.errors import ConfigError, did_you_mean
from bench.study.yaml_source import KeyPath, YamlSource, shown

MOST_NAMES = 12  # that are listed in one line


@dataclass(frozen=True)
class CheckedFile:
    """A YAML file whose texts may name lists of texts; a path leads to a value in it."""

    source: YamlSource

    @property
    def lists(self) -> dict[str, list[str]]:
        """The named lists."""
        return self.source.data.get("lists", {})

    def texts(self, path: KeyPath, value: Any) -> list[str]:
        """Returns a text, the texts of a list, or those of the list that a text names."""
        if isinstance(value, str) and path[0] != "lists":
            return list(self.lists.get(value, [value]))
        if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
            raise self.refusal(path, f"must be a text or a list of texts, got {shown(value)}")
        if len(set(value)) < len(value):
            raise self.refusal(path, "names something twice")
        return value

    def text(self, path: KeyPath, value: Any) -> str:
        """Returns a text on one line."""
        if not isinstance(value, str) or not value.replace("\n", " ").isprintable():
            raise self.refusal(path, f"must be a text, got {shown(value)}")
        return " ".join(value.split())

    def mapping(self, path: KeyPath, value: Any) -> dict[str, Any]:
        """Returns a mapping."""
        if not isinstance(value, dict):
            raise self.refusal(path, f"must be a mapping, got {shown(value)}")
        return value

    def check_keys(self, path: KeyPath, mapping: dict[str, Any], known: Collection[str]) -> None:
        """Refuses a key that is not known."""
        for name in mapping:
            if name not in known:
                what = f"unknown key {shown(name)}{did_you_mean(name, known)}; known: {_shortened(name, known)}"
                raise self.refusal((*path, name), what)

    def check_name(self, path: KeyPath, what: str, got: str, known: Iterable[str]) -> None:
        """Refuses a name that is not known; `what` it is the name of."""
        names = list(known)
        if got not in names:
            allowed = f"known: {_shortened(got, names)}" if names else f"the file defines no {what}"
            raise self.refusal(path, f"unknown {what} {shown(got)}{did_you_mean(got, names)}; {allowed}")

    def refusal(self, path: KeyPath, what: str) -> ConfigError:
        """Returns the error that says what is wrong at a path."""
        return ConfigError(f"{self.source.place(path)}: {what}")


def _shortened(got: str, names: Collection[str]) -> str:
    """Returns names for a message: all of a few, of many those first that are like the one that was given."""
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    near = difflib.get_close_matches(got, names, n=MOST_NAMES, cutoff=0.4)
    first = [*near, *(name for name in names if name not in near)][:MOST_NAMES]
    return f"{', '.join(first)} and {len(names) - MOST_NAMES} more"
