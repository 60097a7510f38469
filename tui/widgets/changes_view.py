"""How two prompts differ: their fields, and in each the words that are in one of them alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ..safe_text import safe_text

if TYPE_CHECKING:
    from ...compare.history.versions import FieldChange

AROUND = 160
"""Characters shown of what is the same, before and after what differs."""

_STYLES = {
    "added": "underline $added on $added-background",
    "removed": "strike $removed on $removed-background",
    "arrived": "italic underline $moved on $moved-background",
    "left": "italic strike $moved on $moved-background",
}


def drawn(changes: Sequence[FieldChange], *, signs: bool) -> Content:
    """The changes under each other, each below the name of its field; `signs` writes them as `[-a-]`
    and `{+b+}`, for a terminal without colour."""
    from ...compare.diff.unified import SIGNS, unified

    parts: list[tuple[str, str]] = []
    for change in changes:
        if parts:
            parts.append(("\n\n", ""))
        parts.append((f"{change.field}\n", "bold $secondary"))
        segments = unified(change.diff, change.before, change.after)
        for number, (kind, text) in enumerate(segments):
            if kind == "equal":
                text = _shortened(text, first=number == 0, last=number == len(segments) - 1)
            said = safe_text(text)
            if signs and kind in SIGNS:
                said = said.join(SIGNS[kind])
            parts.append((said, _STYLES.get(kind, "")))
    return Content.assemble(*parts)


def _shortened(text: str, *, first: bool, last: bool) -> str:
    """The ends of a text that is the same on both sides, those that lie at a difference."""
    before, after = 0 if first else AROUND, 0 if last else AROUND
    if len(text) <= before + after + AROUND:
        return text
    return f"{text[:before]} … {text[len(text) - after :]}"


class ChangesView(VerticalScroll):
    """Shows them; the arrows scroll."""

    DEFAULT_CSS = """
    ChangesView { height: 1fr; scrollbar-size-vertical: 1; }
    ChangesView > Static { height: auto; }
    """

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def show(self, changes: Sequence[FieldChange], otherwise: str = "There is no difference.") -> None:  # fmt: skip
        """Show these changes, or a sentence where there are none."""
        content = (
            drawn(changes, signs=self.app.no_color)
            if changes
            else Content.styled(otherwise, "$dim")
        )
        self.query_one(Static).update(content)
        self.scroll_home(animate=False)
