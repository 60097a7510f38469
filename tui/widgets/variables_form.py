"""The values of a prompt's variables, a small editor each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ..safe_text import safe_line
from .safe_text_area import SafeTextArea

if TYPE_CHECKING:
    from ...prompts.document import Variable


class ValueEditor(SafeTextArea):
    """Edits one value; as high as its text, up to a few lines."""

    HELP = (
        "The value of this variable, for every prompt that uses it. Tab goes to the next one, as do "
        "up and down at the first and last line."
    )

    def __init__(
        self, variable: Variable, value: str, edited: Callable[[ValueEditor], None]
    ) -> None:
        hint = variable.description or ("" if variable.default is not None else "no value yet")
        super().__init__(value, placeholder=Content(safe_line(hint)), edited=partial(edited, self))
        self.variable = variable

    def on_mount(self) -> None:
        self.move_cursor(self.document.end)

    def action_cursor_down(self, select: bool = False) -> None:
        if select or not self.cursor_at_last_line:
            super().action_cursor_down(select)
        else:
            self._go(1)

    def action_cursor_up(self, select: bool = False) -> None:
        if select or not self.cursor_at_first_line:
            super().action_cursor_up(select)
        else:
            self._go(-1)

    def _go(self, step: int) -> None:
        editors = list(self.screen.query(ValueEditor))
        at = editors.index(self) + step
        if 0 <= at < len(editors):
            editors[at].focus()


class VariablesForm(VerticalScroll, can_focus=False):
    """A row for each variable; `edited` is told the name and value of what a person changes."""

    DEFAULT_CSS = """
    VariablesForm {
        height: 1fr;
        Horizontal { height: auto; }
        Static { width: 16; color: $dim; padding: 0 1 0 0; }
        Static.none { width: 1fr; }
        .name.-unused { color: $warning; text-style: underline; }
        ValueEditor { height: auto; max-height: 6; width: 1fr; background: $surface; }
        ValueEditor:focus { background: $panel; }
    }
    """

    def __init__(self, edited: Callable[[str, str], None]) -> None:
        super().__init__()
        self._edited = edited
        self._rows: list[tuple[Variable, str]] = []
        self._unused: frozenset[str] = frozenset()

    def show(self, rows: Sequence[tuple[Variable, str]], unused: frozenset[str]) -> None:
        """Show these variables with their values; an editor that holds its value is left alone.

        Those that no template uses are `unused` and said to be.
        """
        rows = list(rows)
        if unused != self._unused:
            self._unused = unused
            for label, (variable, _) in zip(self.query(".name"), self._rows, strict=False):
                label.set_class(variable.name in unused, "-unused")
                assert isinstance(label, Static)
                label.update(self._label(variable))
        if [variable for variable, _ in rows] != [variable for variable, _ in self._rows]:
            self._rows = rows
            self.refresh(recompose=True)
            return
        self._rows = rows
        for editor, (_, value) in zip(self.query(ValueEditor), rows, strict=False):
            if editor.text != value:
                editor.load_text(value)

    def compose(self) -> ComposeResult:
        if not self._rows:
            yield Static(
                "No variables; write {{ name }} in the prompt to have one.", classes="none"
            )
        for variable, value in self._rows:
            with Horizontal():
                classes = "name -unused" if variable.name in self._unused else "name"
                yield Static(self._label(variable), markup=False, classes=classes)
                yield ValueEditor(variable, value, self._value_edited)

    def _label(self, variable: Variable) -> str:
        name = safe_line(variable.name)
        return f"{name}\nunused" if variable.name in self._unused else name

    def _value_edited(self, editor: ValueEditor) -> None:
        self._edited(editor.variable.name, editor.text)

    def focus_first(self) -> bool:
        """Put the cursor in the first value; False when there is none."""
        editors = self.query(ValueEditor)
        if editors:
            editors.first().focus()
        return bool(editors)
