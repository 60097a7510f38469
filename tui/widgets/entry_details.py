"""What is known of one entry of the Library, and why it cannot be used."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ..details import Details
from ..key_names import with_keys
from ..safe_text import safe_text
from .facts import Facts

MOST_TEXT = 20_000
"""Characters of each text of a prompt that are shown."""


class EntryDetails(VerticalScroll):
    """A problem, facts and texts, one below the other."""

    DEFAULT_CSS = """
    EntryDetails {
        Static { height: auto; }
        .entry-problem, .entry-progress { margin-bottom: 1; display: none; }
        .entry-problem { color: $error; }
        .entry-progress { color: $dim; }
        .entry-texts { margin-top: 1; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Static(classes="entry-problem", markup=False)
        yield Static(classes="entry-progress", markup=False)
        yield Facts()
        yield Static(classes="entry-texts", markup=False)

    def say(
        self,
        problem: str,
        title: str = "",
        details: Details | None = None,
        texts: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Show a problem, and details and texts if these are given too. Ids of keys may be in what is
        said."""
        widget = self.query_one(".entry-problem", Static)
        widget.update(f"✗ {with_keys(self, problem)}" if problem else "")
        widget.display = bool(problem)
        if details is not None:
            facts = self.query_one(Facts)
            facts.title = with_keys(self, title)
            facts.facts = [(label, with_keys(self, said)) for label, said in details]
            self._show_texts(texts)
        self.scroll_home(animate=False)

    def wait(self, progress: str) -> None:
        """Show what is being done with the entry, until that is empty."""
        widget = self.query_one(".entry-progress", Static)
        widget.update(progress)
        widget.display = bool(progress)
        self.scroll_home(animate=False)

    def _show_texts(self, texts: Sequence[tuple[str, str]]) -> None:
        widget = self.query_one(".entry-texts", Static)
        parts = [
            ((f"{field}\n" if field else "", "$dim"), f"{safe_text(text[:MOST_TEXT])}\n\n")
            for field, text in texts
        ]
        widget.update(Content.assemble(*(it for part in parts for it in part)))
        widget.display = bool(texts)
