"""A text held as lines, each character of it kept as it was opened."""

from __future__ import annotations

from textual.document._document import Document, EditResult, Location, Newline


def plain_ends(text: str) -> str:
    """Typed or pasted text with one kind of line end: terminals paste a carriage return."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class EditedText(Document):
    """Lines end at `\\n`, or at `\\r\\n` where the whole text has no other; nothing else ends one."""

    def __init__(self, text: str) -> None:
        ends = text.count("\n")
        self._newline: Newline = "\r\n" if ends and text.count("\r\n") == ends else "\n"
        self._lines = self._split(text)
        self._text: str | None = text

    def _split(self, text: str) -> list[str]:
        if self._newline == "\r\n":
            text = text.replace("\r\n", "\n")
        return text.split("\n")

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = self._newline.join(self._lines)
        return self._text

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        (top, left), (bottom, right) = sorted((start, end))
        lines = self._lines
        replaced = self.get_text_range(start, end)
        before = lines[top][:left] if top < len(lines) else ""
        after = lines[bottom][right:] if bottom < len(lines) else ""
        inserted = self._split(text)
        inserted[0] = before + inserted[0]
        end_location = top + len(inserted) - 1, len(inserted[-1])
        inserted[-1] += after
        lines[top : bottom + 1] = inserted
        self._text = None
        return EditResult(end_location, replaced)

    def get_text_range(self, start: Location, end: Location) -> str:
        (top, left), (bottom, right) = sorted((start, end))
        lines = self._lines[top : bottom + 1]
        if bottom < self.line_count:
            lines[-1] = lines[-1][:right]
        else:
            lines.append("")
        lines[0] = lines[0][left:]
        return self._newline.join(lines)
