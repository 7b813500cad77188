"""Reads a YAML file into plain data and the line on which each value stands.

Conventions: YAML 1.2's core rules, so `1e-3` is a number, `no` is a word and `010` is ten. Keys are words
and never repeat, tags are refused, aliases are allowed. Size, nesting and what aliases expand to are
bounded, so that no file can take memory or time that its reader does not expect.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bench.errors import ConfigError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_VALUES = 10_000
MAX_INTEGER_DIGITS = 18  # fits int64

KeyPath = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_CORE = {  # the words of each type, YAML 1.2.2 §10.3.2; whatever else is text
    "null": re.compile(r"(~|null|Null|NULL|)\Z"),
    "bool": re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"),
    "int": re.compile(r"[-+]?[0-9]+\Z"),
    "float": re.compile(
        r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z"
    ),
}


class YamlSource(NamedTuple):
    """The data of a file, its name for messages, and where each value stands.

    `lines` maps the path of a value, such as ("suites", "decoder-variants", "models", 0), to its line,
    counted from 1; () is the first line of the file's content.
    """

    name: str
    data: dict[str, Any]
    lines: dict[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """Returns the line of a path; one that is not there takes its parent's line."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def place(self, path: KeyPath) -> str:
        """Returns "file:line: a.b.c" for a path."""
        where = f"{self.name}:{self.line(path)}"
        return f"{where}: {dotted(path)}" if path else where


def dotted(path: KeyPath) -> str:
    """Returns "suites.decoder-variants.models[0]" for a path, on one line whatever the keys hold."""
    parts = [f"[{key}]" if isinstance(key, int) else f".{shown(key)[1:-1]}" for key in path]
    return "".join(parts).removeprefix(".")


def shown(value: object, limit: int = 60) -> str:
    """Returns a value as a message shows it: as in YAML, on one line, shortened."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 4]}...{text[-1]}"


def read_yaml(path: Path, absent: str = "change to the folder that holds it") -> YamlSource:
    """Reads one YAML file whose content is a mapping.

    Args:
        path: the file.
        absent: what to do where it is not there, for the message.

    Raises:
        ConfigError: no such file, not readable, too large, not UTF-8, or what `parse_yaml` refuses.
    """
    name = str(path) if str(path).isprintable() else repr(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{name}: no such file; {absent}") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{name}: cannot be read: {reason}") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{name}: larger than {MAX_BYTES // 1024} KiB, the most that is read")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(f"{name}:{line}: not UTF-8 text; save the file as UTF-8") from None
    return parse_yaml(text, name)


def parse_yaml(text: str, name: str) -> YamlSource:
    """Parses YAML text; `name` is the file's name in messages.

    Returns:
        Plain dict, list, str, int, float, bool and None, with the line of every value.

    Raises:
        ConfigError: a syntax error, no content, not a mapping, a key that repeats or is not a word, a tag,
            an alias that contains itself, or more than the module's limits.
    """
    try:
        root = _compose(text, name)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        what = _one_line(", ".join(filter(None, (error.context, error.problem))))
        raise ConfigError(f"{where}: not valid YAML: {what}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{name}:{line}: not valid YAML: a character that YAML does not allow") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML lets int() and chr() speak for themselves, e.g. for "\UFFFFFFFF"
        raise ConfigError(f"{name}: not valid YAML: {_one_line(str(error))}") from None
    if root is None:
        raise ConfigError(f"{name}: empty; it must hold a mapping of keys to values")
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{name}:{_line(root)}: must be a mapping of keys to values at the top level")
    walk = _Walk(name)
    walk.lines[()] = _line(root)
    return YamlSource(name, walk.mapping(root, ()), walk.lines)


class _CoreLoader(yaml.SafeLoader):
    """Composes nodes under YAML 1.2's core rules and counts the nesting, which PyYAML leaves to the stack."""

    depth = 0
    yaml_implicit_resolvers = {None: [(_TAG + kind, words) for kind, words in _CORE.items()]}  # noqa: RUF012

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Composes one node, refusing what is nested deeper than MAX_DEPTH."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=self.peek_event().start_mark
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(text: str, name: str) -> yaml.Node | None:
    loader = _CoreLoader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


class _Walk:
    """Turns nodes into data, noting lines and counting values as aliases expand."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[KeyPath, int] = {}
        self.values = 0

    def refuse(self, node: yaml.Node, path: KeyPath, what: str) -> ConfigError:
        where = f"{self.name}:{_line(node)}: "
        return ConfigError(where + (f"{dotted(path)}: {what}" if path else what))

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.refuse(node, (), f"more than {MAX_VALUES} values, aliases expanded")
        if len(path) > MAX_DEPTH:
            raise self.refuse(node, (), f"nested deeper than {MAX_DEPTH} levels, aliases expanded")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self.sequence(node, path)
        assert isinstance(node, yaml.ScalarNode)
        return self.scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        if node.tag != _TAG + "map":
            raise self.refuse(node, path, f"tag {shown(node.tag)} is not allowed")
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            is_scalar = isinstance(key_node, yaml.ScalarNode)
            key = self.scalar(key_node, path) if is_scalar else None
            if not isinstance(key, str):
                got = f", got {shown(key)}" if is_scalar else ""
                raise self.refuse(key_node, path, f"a key must be a word{got}")
            if key in data:
                first = self.lines[(*path, key)]
                what = f"key {shown(key)} appears twice, first on line {first}"
                raise self.refuse(key_node, path, what)
            self.lines[(*path, key)] = _line(key_node)
            data[key] = self.value(value_node, (*path, key))
        return data

    def sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        if node.tag != _TAG + "seq":
            raise self.refuse(node, path, f"tag {shown(node.tag)} is not allowed")
        items = []
        for position, item in enumerate(node.value):
            self.lines[(*path, position)] = _line(item)
            items.append(self.value(item, (*path, position)))
        return items

    def scalar(self, node: yaml.ScalarNode, path: KeyPath) -> str | int | float | bool | None:
        text: str = node.value
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise self.refuse(node, path, "half of a surrogate pair is no character")
            return text
        if kind not in _CORE:
            raise self.refuse(node, path, f"tag {shown(node.tag)} is not allowed")
        if not _CORE[kind].match(text):  # only a written tag gets here, as in `!!int five`
            raise self.refuse(node, path, f"{shown(text)} is no {kind}")
        if kind == "int":
            if len(text.lstrip("+-0")) > MAX_INTEGER_DIGITS:
                raise self.refuse(node, path, f"an integer of more than {MAX_INTEGER_DIGITS} digits")
            return int(text)
        if kind == "float":
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        return None if kind == "null" else text.lower() == "true"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _one_line(text: str, limit: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
