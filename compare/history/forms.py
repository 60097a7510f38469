"""The formats that runs and comparisons are exported in, by the names of files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CompareError
from .entries import Recorded, Side

if TYPE_CHECKING:
    from .pair import Pair

FORMS = {
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
}


def form_of(path: Path) -> str:
    """The format a file's name asks for. Raises CompareError for a name that asks for none."""
    found = FORMS.get(path.suffix.lower())
    if found is None:
        ends = ", ".join(FORMS)
        raise CompareError(f"{path} could be of any format: have it end in {ends}.")
    return found


def runs_text(runs: Sequence[Recorded], form: str) -> str:
    """Runs in a format."""
    from .export import as_markdown
    from .page import as_html

    if form == "json":
        return _json(runs_document(runs))
    return as_html(runs) if form == "html" else "\n".join(map(as_markdown, runs))


def runs_document(runs: Sequence[Recorded]) -> Any:
    """A run as plain data; a list of several."""
    from .export import as_document

    documents = [as_document(recorded) for recorded in runs]
    return documents if len(documents) > 1 else documents[0]


def pair_text(pair: Pair, sides: tuple[Side, Side], form: str) -> str:
    """A comparison in a format."""
    from .pair import as_document, as_markdown
    from .pair_page import as_html

    if form == "json":
        return _json(as_document(pair, sides))
    return as_html(pair, sides) if form == "html" else as_markdown(pair, sides)


def _json(document: Any) -> str:
    return json.dumps(document, indent=2) + "\n"
