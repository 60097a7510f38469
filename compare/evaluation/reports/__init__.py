"""Reports: an evaluation's document as a page, a text, JSON or JUnit's XML.

All are made from what `evaluation_document` gives, and from nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...errors import CompareError

Document = Mapping[str, Any]


def _html(document: Document) -> str:
    from .page import html

    return html(document)


def _markdown(document: Document) -> str:
    from .text import markdown

    return markdown(document)


def _junit(document: Document) -> str:
    from .junit import junit

    return junit(document)


def _json(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


FORMS: Mapping[str, Callable[[Document], str]] = {
    ".html": _html,
    ".md": _markdown,
    ".json": _json,
    ".xml": _junit,
}


def check_report(path: Path) -> None:
    """Raise CompareError for a name that says no form of report, or a folder there is not."""
    if path.suffix.lower() not in FORMS:
        raise CompareError(f"{path}: a report's name ends in {', '.join(FORMS)}.")
    if not path.parent.is_dir():
        raise CompareError(f"{path}: there is no folder {path.parent}.")


def write_report(path: Path, document: Document) -> None:
    """Write a report of the form that the file's name says. Raises CompareError."""
    check_report(path)
    text = FORMS[path.suffix.lower()](document)
    try:
        path.write_bytes(text.encode("utf-8", "replace"))
    except OSError as error:
        raise CompareError(f"{path} cannot be written: {error.strerror}.") from None
