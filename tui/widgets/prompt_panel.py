"""The prompt of the selected variant: its texts, its variables, and what the model will see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message

from ..amounts import moment
from ..key_names import with_keys
from ..parts import parts_of, with_part
from ..safe_text import safe_line
from .lines import Line
from .prompt_editor import PromptEditor
from .rendered_layers import short_counts_of
from .rendered_view import RenderedView
from .tab_strip import TabStrip
from .variables_form import VariablesForm

if TYPE_CHECKING:
    from ...compare.preview import Preview
    from ...prompts.document import Prompt, Variable

VARIABLES, RENDERED = "variables", "rendered"
SHOWN = 500
"""Characters of a text that a line of the screen may need."""


class PromptPanel(Vertical):
    """Edits one prompt. The screen tells it what to show.

    What a person types, the whole prompt is given to `edited`, a variable's name and value to
    `valued`, within the key that does it.
    """

    @dataclass
    class TabChanged(Message):
        """Another tab of the panel is shown."""

        key: str

    def __init__(
        self, edited: Callable[[Prompt], None], valued: Callable[[str, str], None]
    ) -> None:
        super().__init__()
        self._edited, self._valued = edited, valued
        self.prompt: Prompt | None = None
        self.tab = "user"
        self._document = ""
        self._rows: list[tuple[Variable, str]] = []
        self._unused: frozenset[str] = frozenset()
        self._drafted: datetime | None = None
        self._cost = self._total = Content()
        self._problem = self._warning = ""

    def compose(self) -> ComposeResult:
        yield Line("prompt-summary")
        with Horizontal(id="prompt-head"):
            yield Line("prompt-title")
            yield TabStrip()
        yield PromptEditor(self._text_edited)
        yield VariablesForm(self._valued)
        yield RenderedView()
        yield Line("prompt-foot")

    @property
    def editor(self) -> PromptEditor:
        return self.query_one(PromptEditor)

    # ---------------------------------------------------------------- showing

    def show(
        self,
        prompt: Prompt,
        rows: Sequence[tuple[Variable, str]],
        *,
        document: str,
        state: str,
        drafted: datetime | None,
        shared_by: Sequence[str],
        missing: frozenset[str],
        unused: frozenset[str],
    ) -> None:
        """Show a prompt with the values of its variables, and whose it is.

        Prompts with the same `document` are one that is being edited. `state` says how it differs
        from its file, `drafted` when it was typed if that was before this start of the app.
        `missing` are names without a value, `unused` are variables nothing uses.
        """
        self.prompt, self._rows, self._document = prompt, list(rows), document
        self._unused, self._drafted = unused, drafted
        parts = parts_of(prompt)
        tabs = [(part.key, part.title) for part in parts]
        count = f" {len(self._rows)}" if self._rows else ""
        tabs += [(VARIABLES, f"Variables{count}"), (RENDERED, "Rendered")]
        strip = self.query_one(TabStrip)
        strip.tabs = tabs
        if self.tab not in dict(tabs):
            self.tab = parts[-1].key
        strip.chosen = self.tab
        title = [(safe_line(prompt.name), "bold $secondary")]
        if state:
            title.append((f" · {state}", "$accent"))
        if len(shared_by) > 1:
            title.append((f" · {', '.join(shared_by)}", "$dim"))
        line = self.query_one("#prompt-title", Line)
        if line.say(Content.assemble(*title)):
            line.refresh(layout=True)
        text = next((part.text for part in parts if part.key == self.tab), None)
        if text is not None:
            self.editor.edit_text(_text_key(document, self.tab), text)
        self.editor.mark_missing(missing)
        self.query_one(VariablesForm).show(self._rows, unused)
        self._show_tab()
        self._show_lines()

    def show_preview(self, preview: Preview) -> None:
        """Show what the prompt costs, and, on its tab, what the model will see."""
        self._cost, self._problem = Content.styled(short_counts_of(preview), "$dim"), ""
        self._warning = ""
        if preview.warnings:
            first, *others = preview.warnings
            self._warning = f"! {f'(1 of {len(others) + 1}) ' * bool(others)}{safe_line(first)}"
        self._total = Content.styled(f"{len(preview.tokens):,} tok", "$dim")
        self.query_one(RenderedView).show_preview(preview)
        self._show_lines()

    def show_problem(self, sentence: str) -> None:
        """Say in the panel why the prompt cannot be used as it is."""
        self._problem = safe_line(with_keys(self, sentence))
        self.query_one(RenderedView).show_problem(self._problem)
        self._show_lines()

    def _show_lines(self) -> None:
        values = Content.assemble(*self._values())
        problem = Content.styled(self._problem, "$error")
        foot = (values, self._cost)
        if self._problem:
            foot = (problem, Content())
        elif self._warning:
            foot = (Content.styled(self._warning, "$warning"), self._total)
        self.query_one("#prompt-foot", Line).say(*foot)
        self._show_summary(values, problem or self._total)

    def _values(self) -> list[tuple[str, str]]:
        said: list[tuple[str, str]] = []
        if self._drafted is not None:
            draft = f"draft of {moment(self._drafted)}, not saved · {{prompt.drop}} drops it"
            said.append((with_keys(self, draft), "$accent"))
        for variable, value in self._rows:
            if said:
                said.append((" · ", "$dim"))
            said += [
                (f"{safe_line(variable.name)} = ", "$dim"),
                (safe_line(value[:SHOWN]), "$secondary"),
            ]
            if variable.name in self._unused:
                said.append((" unused", "underline $warning"))
        return said

    def _show_summary(self, values: Content, right: Content) -> None:
        if self.prompt is None:
            return
        parts = parts_of(self.prompt)
        part = next((part for part in parts if part.key == self.tab), parts[-1])
        left = Content.assemble(
            (safe_line(self.prompt.name), "bold $secondary"),
            (f" {part.title}  ", "$dim"),
            (safe_line(part.text[:SHOWN]), "$foreground"),
        )
        right = Content.assemble(values.truncate(24, ellipsis=True), "   ", right)
        self.query_one("#prompt-summary", Line).say(left, right)

    # ------------------------------------------------------------------- tabs

    def open_tab(self, key: str) -> None:
        """Show another tab, and put the cursor in it if it was in this panel."""
        if self.prompt is None:
            return
        had_focus = self.has_focus_within
        self.tab = key
        strip = self.query_one(TabStrip)
        strip.chosen = key
        for part in parts_of(self.prompt):
            if part.key == key:
                self.editor.edit_text(_text_key(self._document, key), part.text)
        self._show_tab()
        self._show_lines()
        self.post_message(self.TabChanged(key))
        if had_focus and not strip.has_focus:
            self.call_after_refresh(self.focus_tab)

    def next_tab(self) -> None:
        """Show the tab after this one, in a circle."""
        keys = [key for key, _ in self.query_one(TabStrip).tabs]
        if keys:
            self.open_tab(keys[(keys.index(self.tab) + 1) % len(keys)])

    def focus_tab(self) -> None:
        """Put the cursor in what the tab shows."""
        if self.tab == VARIABLES:
            if not self.query_one(VariablesForm).focus_first():
                self.query_one(TabStrip).focus()
        elif self.tab == RENDERED:
            self.query_one(RenderedView).focus()
        else:
            self.editor.focus()

    def _show_tab(self) -> None:
        self.editor.display = self.tab not in (VARIABLES, RENDERED)
        self.query_one(VariablesForm).display = self.tab == VARIABLES
        self.query_one(RenderedView).display = self.tab == RENDERED

    @on(TabStrip.Chosen)
    def _tab_chosen(self, event: TabStrip.Chosen) -> None:
        event.stop()
        self.open_tab(event.key)

    def _text_edited(self) -> None:
        prompt, editor = self.prompt, self.editor
        document, _, key = editor.key.partition("\n")
        if prompt is None or document != self._document:
            return
        part = next((part for part in parts_of(prompt) if part.key == key), None)
        if part is None or part.text == editor.text:
            return
        self.prompt = with_part(prompt, key, editor.text)
        self._edited(self.prompt)


def _text_key(document: str, part: str) -> str:
    return f"{document}\n{part}"
