"""The prompt as the model will see it: its messages, and its text cut into tokens."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from .output_text import Mark, OutputText

if TYPE_CHECKING:
    from ...compare.runner import Preview

_SPECIAL = re.compile(r"<[^<>\s]{1,48}>|\[/?[A-Z_]{2,24}\]")


class RenderedView(OutputText):
    """Shows a preview; special tokens stand out, every other token is shaded."""

    HELP = "The messages with their values filled in, and below them the very tokens."

    def show_preview(self, preview: Preview) -> None:
        """Show what the model would be given."""
        text, marks = rendered(preview)
        self.show(text, marks)

    def show_problem(self, sentence: str) -> None:
        """Show why there is no preview."""
        self.show(sentence, [Mark(0, len(sentence), "problem")])


def rendered(preview: Preview) -> tuple[str, list[Mark]]:
    """The text of the view and its marks (`title`, `special`, `even`)."""
    parts: list[str] = []
    marks: list[Mark] = []
    at = 0

    def add(text: str, kind: str = "") -> None:
        nonlocal at
        if kind and text:
            marks.append(Mark(at, at + len(text), kind))
        parts.append(text)
        at += len(text)

    counts = (*preview.message_tokens, *[0] * len(preview.messages))
    for message, count in zip(preview.messages, counts, strict=False):
        add(f"{message.role} · {count:,} tokens", "title")
        add(f"\n{message.content}\n\n")
    whose = "the model's template" if preview.template_source == "model" else "the plain template"
    add(f"{len(preview.tokens):,} of {preview.n_ctx:,} tokens · {whose}", "title")
    add("\n")
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for number, piece in enumerate(preview.pieces):
        text = decoder.decode(piece, number == len(preview.pieces) - 1)
        add(text, "special" if _SPECIAL.fullmatch(text) else "even" if number % 2 else "")
    return "".join(parts), marks


def counts_of(preview: Preview) -> str:
    """`system 9 · user 5 · 23 tokens`."""
    said = [
        f"{message.role} {count:,}"
        for message, count in zip(preview.messages, preview.message_tokens, strict=True)
    ]
    if len(said) > 3:
        said = [f"{len(said)} messages"]
    return " · ".join([*said, f"{len(preview.tokens):,} tokens"])
