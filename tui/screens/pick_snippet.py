"""Choose a part of a prompt to add: an example, a format, steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from textual import on
from textual.widget import Widget
from textual.widgets import OptionList, Static

from ...prompts.errors import PromptError
from ...prompts.snippets import Snippet, load_snippet, snippets
from ..paths import expanded
from ..safe_text import safe_line, safe_text
from ..sentences import for_app
from .picker import Choice, Picker


class PickSnippet(Picker[Snippet]):
    """Gives the snippet that was chosen; shows the words it adds."""

    DEFAULT_CSS = "#snippet-text { margin-top: 1; max-height: 8; color: $secondary; }"
    TITLE_TEXT = "Add to a copy of this variant"
    PLACEHOLDER = "name, or the path of a .toml file"
    SUFFIX = ".toml"
    MOST_LINES = 10

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__()
        self._folders = folders
        self._snippets: dict[str, Snippet] = {}

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Static(id="snippet-text", markup=False)

    def load(self) -> Sequence[Choice]:
        self._snippets = {str(it.part.path): it for it in snippets(self._folders)}
        return [
            Choice(
                key,
                it.name,
                f"{', '.join(it.where)} · {safe_line(it.description)}",
                for_app(it.problem) if it.problem else "",
            )
            for key, it in self._snippets.items()
        ]

    @on(OptionList.OptionHighlighted)
    def _show_text(self, event: OptionList.OptionHighlighted) -> None:
        snippet = self._snippets.get(event.option.id or "")
        self.query_one("#snippet-text", Static).update(safe_text(snippet.text) if snippet else "")
        self.call_after_refresh(self._fit)

    async def take(self, key: str) -> None:
        try:
            snippet = self._snippets.get(key) or load_snippet(expanded(key))
        except PromptError as error:
            self.problem(for_app(str(error)))
            return
        if snippet.problem:
            self.problem(for_app(snippet.problem))
        else:
            self.dismiss(snippet)
