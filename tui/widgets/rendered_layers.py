"""The three layers of a rendered prompt as text to draw: its messages, its text, its tokens."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
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
    """A layer of a preview under its counts; `ids` shows the tokens' numbers.

    The chat has the warnings in full. Takes some 0.1 s for 200 KB, in steps that let other threads
    work.
    """
    page = _Page()
    page.add(layer, "chosen")
    page.add(f" · {counts_of(preview)}", "title")
    page.add("\n")
    if preview.warnings and layer != "chat":
        count = len(preview.warnings)
        page.add(f"! {count} warning{'s' * (count != 1)}, under chat", "warning")
        page.add("\n")
    for warning in preview.warnings if layer == "chat" else ():
        page.add(f"! {warning}", "warning")
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
        end = self._at + len(text)
        if kind and text:
            self.marks.append(Mark(self._at, end, kind))
        self.parts.append(text)
        self._at = end


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
    text, odd = preview.text, _odd_kinds(preview)
    shown: dict[str, str] = {}
    start = 0
    for number, (token, end) in enumerate(zip(preview.tokens, preview.starts[1:], strict=True)):
        piece = text[start:end]
        start = end
        kind = odd.get(number) or ("even" if number & 1 else "")
        drawn = shown.get(piece)
        if drawn is None:
            drawn = shown[piece] = piece.replace("\n", f"{NEWLINE}\n")
        if not ids:
            page.add(drawn, kind)
            continue
        page.add(drawn.removesuffix("\n") or "…", kind)
        page.add(f"⟨{token}⟩", "id")
        if drawn.endswith("\n"):
            page.add("\n")


def _odd_kinds(preview: Preview) -> dict[int, str]:
    """How tokens are marked that are special or look like it, by their places."""
    kinds = {token: _kind(preview, token) for token in preview.special}
    for start, end in preview.lookalikes:
        first = max(0, bisect_right(preview.starts, start) - 1)
        for token in range(first, bisect_left(preview.starts, end)):
            kinds.setdefault(token, "lookalike")
    return kinds


def _special_marks(preview: Preview) -> list[Mark]:
    """Special tokens, and what only looks like them, in the order of the text."""
    return sorted([*_specials(preview), *(Mark(*span, "lookalike") for span in preview.lookalikes)])


def _specials(preview: Preview) -> Iterator[Mark]:
    for token in preview.special:
        yield Mark(preview.starts[token], preview.starts[token + 1], _kind(preview, token))


def _kind(preview: Preview, token: int) -> str:
    """Whether a special token is the template's or written in a message."""
    return "special" if preview.in_message(token) is None else "written"
