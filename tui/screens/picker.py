"""Choose from a list by typing part of a name, or type the path of a file with completion."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.fuzzy import Matcher
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option, OptionDoesNotExist

from ..dialog_keys import PICKER_KEYS
from ..key_names import with_keys
from ..safe_text import safe_line
from ..widgets.lines import EMPTY
from ..widgets.safe_input import SafeInput
from .dialog import Dialog
from .paths import complete, is_path

Result = TypeVar("Result")

MOST_SHOWN = 200
"""Choices shown at a time; typing brings up others."""

MOST_FUZZY = 500
"""Above so many choices the words typed must be in them, letter by letter."""


@dataclass(frozen=True)
class Choice:
    """Something to choose: what it is known by, its name and a few words about it.

    With a `problem` it is shown but cannot be taken.
    """

    key: str
    name: str
    about: str = ""
    problem: str = ""


class SearchInput(SafeInput):
    """Leaves the space bar to the dialog while nothing is typed."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return (key != "space" or bool(self.value)) and super().check_consume_key(key, character)


class Picker(Dialog[Result]):
    """A list that typing narrows down. Subclasses say what there is and what a choice means."""

    KEYS_TEXT = (
        "type a name, or a path ({picker.complete} completes) · {picker.up}{picker.down} · enter take"
        " · {dialog.cancel} cancel"
    )
    BINDINGS: ClassVar[list[BindingType]] = [*PICKER_KEYS]

    PLACEHOLDER = "name or path"
    SUFFIX: str | tuple[str, ...] = ""
    """How the names of the files end that can be taken."""
    MARKER = ""
    """A folder with a file of this name can be taken like a file."""
    LIST: ClassVar[type[OptionList]] = OptionList

    def __init__(self) -> None:
        super().__init__()
        self.choices: Sequence[Choice] = ()
        self.at_first = ""
        """The key of the choice that the cursor is on when it opens; the first one's if there is none."""

    def load(self) -> Sequence[Choice]:
        """What there is to choose from; runs on a thread."""
        raise NotImplementedError

    async def take(self, key: str) -> None:
        """Act on a choice's key or a path; tell a mistake with `problem`."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        yield SearchInput(
            placeholder=self.PLACEHOLDER, id="picker-input", compact=True, select_on_focus=False
        )
        yield self.LIST(id="picker-list", classes="dialog-scroll", markup=False, compact=True)

    async def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.run_worker(self._load(), group="load", exit_on_error=False)

    async def _load(self) -> None:
        self.choices = await asyncio.to_thread(self.load)
        self.fill()
        self.highlight(self.at_first)

    @property
    def typed(self) -> str:
        return self.query_one(Input).value.strip()

    def matching(self) -> list[Choice]:
        """The choices that fit what is typed, best first; for a path the files it could become."""
        typed = self.typed
        if is_path(typed):
            paths = complete(typed, self.SUFFIX, self.MARKER)
            return [Choice(path, path[path.rstrip("/").rfind("/") + 1 :]) for path in paths]
        if not typed:
            return list(self.choices)
        if len(self.choices) > MOST_FUZZY:
            words = typed.casefold().split()
            return [
                c for c in self.choices if all(w in f"{c.name} {c.key}".casefold() for w in words)
            ]
        matcher = Matcher(typed)
        scored = [(matcher.match(f"{choice.name} {choice.key}"), choice) for choice in self.choices]
        ranked = sorted(scored, key=lambda pair: -pair[0])
        return [choice for score, choice in ranked if score > 0]

    def fill(self) -> None:
        """Show the choices that fit."""
        options = self.query_one(OptionList)
        highlighted = options.highlighted
        options.clear_options()
        choices = self.matching()[:MOST_SHOWN]
        options.add_options([Option(self.line(choice), id=choice.key) for choice in choices])
        if choices:
            options.highlighted = min(highlighted or 0, len(choices) - 1)

    def line(self, choice: Choice, *, beside: Content = EMPTY) -> Content:
        """How a choice is shown, on one line; `beside` follows the name."""
        about, bad = with_keys(self, choice.problem) or choice.about, bool(choice.problem)
        return Content.assemble(
            (f"{'✗ ' * bad}{safe_line(choice.name)}", "$dim" if bad else ""),
            beside,
            (f"  {safe_line(about)}" if about else "", "$error" if bad else "$dim"),
        )

    def highlighted(self) -> str | None:
        """The key of the choice under the cursor."""
        options = self.query_one(OptionList)
        if options.highlighted is None or not options.option_count:
            return None
        return options.get_option_at_index(options.highlighted).id

    def highlight(self, key: str) -> None:
        """Put the cursor on a choice that is shown."""
        options = self.query_one(OptionList)
        with suppress(OptionDoesNotExist):
            options.highlighted = options.get_option_index(key)

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_complete(self) -> None:
        field, key = self.query_one(Input), self.highlighted()
        if key is not None and is_path(self.typed):
            field.value = key
            field.cursor_position = len(key)

    @on(Input.Changed, "#picker-input")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.problem("")
        self.fill()

    @on(Input.Submitted, "#picker-input")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Tell in full what the line has no room for."""
        event.stop()
        problems = {choice.key: choice.problem for choice in self.choices}
        self.problem(safe_line(problems.get(event.option_id or "", "")))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose()

    def _choose(self) -> None:
        """Choose without holding up the keys: a check may have to load a model."""
        self.run_worker(self.choose, group="choose", exclusive=True, exit_on_error=False)

    async def choose(self) -> None:
        """Take what is chosen."""
        if key := self.chosen():
            await self.take(key)

    def chosen(self) -> str | None:
        """The key of the choice under the cursor, or what is typed: a folder is opened instead, a
        whole path taken as it is."""
        typed, key = self.typed, self.highlighted()
        if is_path(typed):
            whole = typed.endswith(self.SUFFIX) or key is None
            key = typed if whole else key
            if key is not None and key.endswith("/"):
                self.action_complete()
                return None
        elif key is None:
            key = typed
        return key
