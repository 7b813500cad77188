"""How text becomes a page: the templates, what they escape, and files that are written whole or not at all.

Text that comes from data is escaped by the templates. A file is written under a temporary name and renamed, so that a
reader never sees half a report.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from bench.atomic import write_atomically
from bench.errors import ResultsError

CODE = re.compile(r"`([^`]+)`")  # words in backticks
TEMPLATES = Path(__file__).with_name("templates")


def write_pages(folder: Path, pages: Mapping[str, str], context: Mapping[str, Any]) -> Path:
    """Renders templates into files of a folder; returns the path of the last, which is whole only when all are.

    Args:
        folder: it exists.
        pages: name of the template by that of the file.
        context: what the templates name.
    """
    environment = template_environment()
    path = folder
    for name, template in pages.items():
        path = folder / name
        write_text(path, environment.get_template(template).render(context))
    return path


@cache
def template_environment() -> jinja2.Environment:
    """Escapes everything but Markdown, where the filter `md` does; an unknown name in a template is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=lambda name: not (name or "").endswith(".md"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}
    environment.filters["md"] = escape_markdown
    environment.filters["sentence"] = start_sentence
    environment.filters["with_code"] = with_code
    environment.filters["md_with_code"] = escape_markdown_around_code
    return environment


def escape_markdown(text: object) -> str:
    """Returns text that Markdown prints as it is: one line, no markup, no HTML, no table border."""
    return _escape_line(" ".join(str(text).split()))


def escape_markdown_around_code(text: str) -> str:
    """Returns the same of text whose `words in backticks` stay code; Markdown knows no escapes in there."""
    parts = CODE.split(" ".join(text.split()))  # every other one was in backticks
    return "".join(f"`{part}`" if index % 2 else _escape_line(part) for index, part in enumerate(parts))


def _escape_line(line: str) -> str:
    return html.escape(re.sub(r"([\\`*_\[\]|])", r"\\\1", line), quote=False)


def start_sentence(text: str) -> str:
    """Returns text with a capital at its start, unless its first word is a name such as correspondPixels."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.islower() else text


def with_code(text: str) -> Markup:
    """Returns escaped HTML in which `words in backticks` are code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))


def first_sentence(text: str) -> str:
    """Returns what fits on a figure."""
    head, stop, _ = text.partition(". ")
    return head + stop.strip()


def made_folder(folder: Path) -> Path:
    """Returns the folder, made where it does not exist; a failure is known before the drawing, not after.

    Raises:
        ResultsError: it cannot be made.
    """
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
