"""The three layers of a rendered prompt as text to draw: its messages, its text, its tokens."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..safe_text import safe_text
from .output_text import Mark
from .wrapping import Line, break_lines

if TYPE_CHECKING:
    from ...compare.preview import Preview

Layer = Literal["chat", "text", "tokens"]
LAYERS: tuple[Layer, ...] = ("chat", "text", "tokens")
NEWLINE = "⏎"


class Drawing(NamedTuple):
    """A text, its marks, and its lines at a width."""

    text: str
    marks: list[Mark]
    width: int
    lines: list[Line]


def draw(preview: Preview, layer: Layer, *, ids: bool, width: int) -> Drawing:
    """A layer of a preview under its counts and warnings; `ids` shows the tokens' numbers.

    Takes some 0.1 s for 200 KB, in steps that let other threads work.
    """
    page = _Page()
    page.add(layer, "chosen")
    page.add(f" · {counts_of(preview)}", "title")
    page.add("\n")
    for warning in preview.warnings:
        page.add(f"! {warning}", "problem")
        page.add("\n")
    page.add("\n")
    match layer:
        case "chat":
            _chat(page, preview)
        case "text":
            _text(page, preview)
        case "tokens":
            _tokens(page, preview, ids)
    text = safe_text("".join(page.parts))
    return Drawing(text, page.marks, width, break_lines(text, width))


def counts_of(preview: Preview) -> str:
    """`system 9 · user 5 · template 9 · 23 of 1,024 tokens`; examples are counted together."""
    return " · ".join([*_by_part(preview), f"{len(preview.tokens):,} of {preview.n_ctx:,} tokens"])


def short_counts_of(preview: Preview) -> str:
    """`system 9 · user 5 · 23/1,024 tok`: without what the template adds."""
    *parts, _ = _by_part(preview)
    return " · ".join([*parts, f"{len(preview.tokens):,}/{preview.n_ctx:,} tok"])


def _by_part(preview: Preview) -> list[str]:
    said: dict[str, int] = {}
    examples = sum(part.name.startswith("example ") for part in preview.parts)
    for part in preview.parts:
        name = part.name
        if name.startswith("example "):
            name = f"{examples} example{'s' * (examples > 1)}"
        said[name] = said.get(name, 0) + part.tokens
    return [f"{name} {count:,}" for name, count in said.items()]


class _Page:
    """A text that grows, with the marks on it."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.marks: list[Mark] = []
        self._at = 0

    def add(self, text: str, kind: str = "") -> None:
        if kind and text:
            self.marks.append(Mark(self._at, self._at + len(text), kind))
        self.parts.append(text)
        self._at += len(text)


def _chat(page: _Page, preview: Preview) -> None:
    rows = [(message.role, message.content) for message in preview.messages]
    if preview.prefill:
        rows.append(("start of the answer", preview.prefill))
    costs = [*preview.message_tokens, *(p.tokens for p in preview.parts if p.name == "prefill")]
    for number, ((who, content), cost) in enumerate(zip(rows, costs, strict=True)):
        found = number >= len(preview.spans) or preview.spans[number] is not None
        page.add(
            f"{who} · {_tokens_in_words(cost) if found else 'not as it is in the text'}", "title"
        )
        page.add(f"\n{content}\n\n")


def _tokens_in_words(count: int) -> str:
    return f"{count:,} token{'s' * (count != 1)}"


def _text(page: _Page, preview: Preview) -> None:
    at = 0
    for mark in _special_marks(preview):
        page.add(preview.text[at : mark.start])
        page.add(preview.text[mark.start : mark.end], mark.kind)
        at = mark.end
    page.add(preview.text[at:])


def _tokens(page: _Page, preview: Preview, ids: bool) -> None:
    starts, text = preview.starts, preview.text
    looks = [(mark.start, mark.end) for mark in _special_marks(preview) if mark.kind == "lookalike"]
    begins = [start for start, _ in looks]
    for number, token in enumerate(preview.tokens):
        start, end = starts[number], starts[number + 1]
        piece = text[start:end]
        kind = "even" if number % 2 else ""
        if number in preview.special:
            kind = _kind(preview, number)
        elif looks and (at := bisect_right(begins, start) - 1) >= 0 and start < looks[at][1]:
            kind = "lookalike"
        if not ids:
            page.add(piece.replace("\n", f"{NEWLINE}\n"), kind)
            continue
        line = "\n" if piece.endswith("\n") else ""
        piece = piece.replace("\n", f"{NEWLINE}\n").removesuffix("\n")
        page.add(piece or "…", kind)
        page.add(f"⟨{token}⟩", "id")
        page.add(line)


def _special_marks(preview: Preview) -> list[Mark]:
    """Special tokens, and what only looks like them, in the order of the text."""
    return sorted([*_specials(preview), *(Mark(*span, "lookalike") for span in preview.lookalikes)])


def _specials(preview: Preview) -> Iterator[Mark]:
    for token in preview.special:
        yield Mark(preview.starts[token], preview.starts[token + 1], _kind(preview, token))


def _kind(preview: Preview, token: int) -> str:
    """Whether a special token is the template's or written in a message."""
    return "special" if preview.in_message(token) is None else "written"
