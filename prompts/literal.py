"""Text that stands for itself, written so that a template gives exactly it."""

from __future__ import annotations

import re
from collections.abc import Mapping

_BRACE = re.compile(r"\{(?=[{%#]|\Z)")
_NAME = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


def as_template(text: str) -> str:
    """A jinja2 template that gives `text`, whatever is in it.

    An opening brace that begins a tag, or could with what follows, becomes `{{ "{" }}`; text
    without one is unchanged.
    """
    return _BRACE.sub('{{ "{" }}', text)


def keep_names(text: str) -> str:
    """As `as_template`, but a plain `{{ name }}` stays a variable of that name."""
    pieces: list[str] = []
    start = 0
    for match in _NAME.finditer(text):
        pieces += [as_template(text[start : match.start()]), match[0]]
        start = match.end()
    return "".join((*pieces, as_template(text[start:])))


def plain_names(text: str) -> tuple[str, ...]:
    """The names in the plain `{{ name }}` of a template, in order."""
    return tuple(dict.fromkeys(_NAME.findall(text)))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with each plain `{{ name }}` of `values` replaced by that text, literally.

    Whatever else is in the template stays for jinja2.
    """
    return _NAME.sub(
        lambda match: as_template(values[match[1]]) if match[1] in values else match[0], template
    )
