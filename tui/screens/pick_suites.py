"""Tick the suites whose rows must not be learned, or choose the one to run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, TypeVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input, OptionList

from ...compare.errors import MISTAKES
from ...compare.evaluation.reading import load_suite
from ..dialog_keys import SUITES_KEYS
from ..paths import expanded
from ..sentences import for_app
from ..suites_listed import Listed, find_suites
from ..widgets.lines import EMPTY
from .picker import Choice, Picker

Suites = tuple[Path, ...]
Result = TypeVar("Result")


class _OfSuites(Picker[Result]):
    """Has all suites to choose from; the one that is `called` as the rows comes first, then those
    named `first`."""

    PLACEHOLDER = "name, or the path of a .toml file"
    SUFFIX = ".toml"

    def __init__(self, folders: Sequence[Path], first: Suites, called: str = "") -> None:
        super().__init__()
        self._folders, self._first, self._called = folders, first, called

    def load(self) -> Sequence[Choice]:
        found = find_suites(self._folders, self._first)
        place = {path: number for number, path in enumerate(self._first)}
        found.sort(key=lambda it: (it.path.stem != self._called, place.get(it.path, len(place))))
        return [_choice(it) for it in found]

    async def readable(self, key: str) -> Path | None:
        path = expanded(key).absolute()
        try:
            await asyncio.to_thread(load_suite, path)
        except MISTAKES as mistake:
            self.problem(for_app(str(mistake)))
            return None
        return path if self.is_attached else None


class ChooseSuite(_OfSuites[Path]):
    """Gives the file of a suite."""

    TITLE_TEXT = "A suite to run with the adapter and without"

    async def take(self, key: str) -> None:
        path = await self.readable(key)
        if path is not None:
            self.dismiss(path)


class PickSuites(_OfSuites[Suites]):
    """Gives the ticked ones; space ticks, and takes the tick back."""

    TITLE_TEXT = "Suites whose rows must not be learned"
    KEYS_TEXT = (
        "type to filter, or a path ({picker.complete} completes) · {suites.toggle} on/off · enter done"
        " · {dialog.cancel} cancel"
    )
    BINDINGS: ClassVar[list[BindingType]] = [*SUITES_KEYS]

    def __init__(self, folders: Sequence[Path], ticked: Suites) -> None:
        super().__init__(folders, ticked)
        self.ticked = list(ticked)

    def line(self, choice: Choice, *, beside: Content = EMPTY) -> Content:
        mark = ("[x] ", "bold $success") if Path(choice.key) in self.ticked else ("[ ] ", "$dim")
        return Content.assemble(mark, super().line(choice, beside=beside))

    async def take(self, key: str) -> None:
        path = await self.readable(key)
        if path is None:
            return
        if path in self.ticked:
            self.ticked.remove(path)
        else:
            self.ticked.append(path)
        if all(choice.key != str(path) for choice in self.choices):
            self.choices = [Choice(str(path), path.stem, "given"), *self.choices]
        self.query_one(Input).value = ""
        self.fill()
        self.highlight(str(path))

    async def choose(self) -> None:
        if self.typed and (key := self.chosen()):
            await self.take(key)
        elif not self.typed:
            self.dismiss(tuple(self.ticked))

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        event.prevent_default()
        self.action_switch()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not super().check_action(action, parameters):
            return False
        return action != "switch" or not self.typed

    def action_switch(self) -> None:
        if key := self.highlighted():
            self.run_worker(self.take(key), group="choose", exclusive=True, exit_on_error=False)


def _choice(it: Listed) -> Choice:
    return Choice(str(it.path), it.name, it.about, it.problem)
