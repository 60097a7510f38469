"""The one error a person meets when a prompt cannot be used."""

from __future__ import annotations


class PromptError(Exception):
    """A mistake in a prompt, a template or a value, said in one sentence.

    `source` is the file or prompt it is in, `line` counts from 1 (in the file, or in the field for
    a template), `field` is the key such as `user` or `output.stop`. Each is None where unknown.
    Control and invisible characters in the message are shown as escapes, so that text from a file
    or a model can be quoted on a terminal.
    """

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        line: int | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(_visible(message))
        self.source = source
        self.line = line
        self.field = field


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
