"""Put together a stack of adapters: switch them on, scale them, open one by its path."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.events import Key
from textual.widgets import Input, OptionList

from ...compare.errors import CompareError
from ...compare.spec import parse_adapter
from ...compare.variants import StackedAdapter, Variant
from ...models.adapters.peft_config import CONFIG, is_peft_folder
from ...models.catalog import AdapterEntry
from ...models.engine.client import EngineError
from ...models.errors import ModelError
from ..conversion import places, readable
from ..dialog_keys import ADAPTERS_KEYS, TICKED_KEYS
from ..fit import misfits
from ..library import obstacle
from ..paths import expanded
from ..safe_text import safe_line
from ..sentences import for_app
from ..session import Session
from ..state import MAX_SCALE
from ..widgets.lines import EMPTY
from .odd import tell_odd
from .picker import Choice, Picker

Stack = tuple[StackedAdapter, ...]


class TickList(OptionList):
    """Leaves enter to the dialog; a click takes a line."""

    BINDINGS: ClassVar[list[BindingType]] = [*TICKED_KEYS]


class PickAdapters(Picker[Stack]):
    """Gives the new stack, once the session found that it fits the variant's model.

    Enter is done with what is ticked, and with what is typed; where nothing has been ticked nor
    taken off, with the line under the cursor.
    """

    PLACEHOLDER = "name or path of an adapter, with @0.5 for a scale"
    SUFFIX = ".gguf"
    MARKER = CONFIG
    LIST = TickList
    KEYS_TEXT = (
        "type to filter · {adapters.toggle} on/off · {adapters.down}{adapters.up} scale · enter done"
        " · {adapters.run} run · {dialog.cancel} cancel"
    )
    BINDINGS: ClassVar[list[BindingType]] = [*ADAPTERS_KEYS]

    def __init__(
        self,
        variant: Variant,
        session: Session,
    ) -> None:
        super().__init__()
        self._session = session
        self._catalog = session.catalog
        self._variant = variant
        self.stack: list[StackedAdapter] = list(variant.adapters)
        self._touched = False
        self.runs = False
        """Whether the variants are to be run with what is taken."""
        self._converted: dict[Path, Path] = {}
        """Where the adapters of PEFT folders are."""

    def title_text(self) -> str:
        return f"Adapters of {self._variant.name}, on {safe_line(self._variant.model_name)}"

    def load(self) -> Sequence[Choice]:
        self._catalog.scan()
        adapters = self._catalog.adapters()
        folders = [Path(adapter.path) for adapter in adapters if adapter.is_peft]
        self._converted = places(folders, self._variant.model, self._session.cache_dir)
        known = {it.path for it in adapters} | {str(it) for it in self._converted.values()}
        added = {str(a.path): a.name for a in self.stack if str(a.path) not in known}
        files = [Path(it.path) for it in adapters if not it.problem and not it.is_peft]
        problems = misfits([*map(Path, added), *files], self._variant.model)
        problems |= {it.path: said for it in adapters if (said := obstacle(it))}
        choices = [
            *(Choice(path, name, "given", problems.get(path, "")) for path, name in added.items()),
            *(Choice(it.path, it.name, _about(it), problems.get(it.path, "")) for it in adapters),
        ]
        return sorted(choices, key=lambda choice: bool(choice.problem))

    def line(self, choice: Choice, *, beside: Content = EMPTY) -> Content:
        adapter = self._in_stack(choice.key)
        if adapter is None:
            return Content.assemble(("[ ] ", "$dim"), super().line(choice))
        order = self.stack.index(adapter) + 1
        scale = (f"  ◂{adapter.scale:g}▸", "bold $accent")
        place = (f" #{order}" if len(self.stack) > 1 else "", "$dim")
        line = super().line(choice, beside=Content.assemble(scale, place))
        return Content.assemble(("[x] ", "bold $success"), line)

    def _in_stack(self, key: str) -> StackedAdapter | None:
        path = self._converted.get(Path(key), Path(key))
        return next((adapter for adapter in self.stack if adapter.path == path), None)

    async def take(self, key: str) -> None:
        self._touched = True
        adapter = self._in_stack(key)
        if adapter is None:
            await self._tick(key)
        else:
            self.stack.remove(adapter)
            self._show_taken(key)

    async def _tick(self, key: str) -> bool:
        """Put an adapter on the stack; False when it cannot be, which is told."""
        self.problem("checking …")
        notes: tuple[str, ...] = ()
        try:
            names = {choice.key: choice.name for choice in self.choices}
            folder = expanded(key)
            if is_peft_folder(folder):
                usable = await readable(
                    folder, self._variant.model, self._session.cache_dir, self.problem
                )
                path, notes = usable.path, usable.notes
                self._converted[folder] = path
                new = StackedAdapter(names.get(key, folder.resolve().name), path)
            else:
                new = await asyncio.to_thread(parse_adapter, key, self._catalog)
                new = replace(new, name=names.get(str(new.path), new.name))
            stack = _with(self.stack, new)
            odd = await self._session.check(self._variant, stack)
        except (CompareError, ModelError, EngineError) as error:
            if self.is_attached:
                self.problem(for_app(str(error)))
            return False
        if not self.is_attached:
            return False
        self.problem("")
        tell_odd(self.app, (*notes, *odd))
        self.stack = list(stack)
        taken = next(it for it in stack if it.path.resolve() == new.path.resolve())
        if all(self._in_stack(choice.key) != taken for choice in self.choices):
            self.choices = [Choice(str(taken.path), taken.name, "given"), *self.choices]
        self._touched = True
        self._show_taken(next(c.key for c in self.choices if self._in_stack(c.key) == taken))
        return True

    def _show_taken(self, key: str) -> None:
        self.query_one(Input).value = ""
        self.fill()
        self.highlight(key)

    async def choose(self) -> None:
        await self._done(run=False)

    async def _done(self, *, run: bool) -> None:
        key = None
        if self.typed:
            key = self.chosen()
            if not key:
                return
        elif not self.stack and not self._touched:
            key = self.highlighted()
        if key and self._in_stack(key) is None and not await self._tick(key):
            return
        self.runs = run
        self.dismiss(tuple(self.stack))

    def action_done(self) -> None:
        self._choose()

    def action_run(self) -> None:
        """Be done, and have the variants run."""
        work = partial(self._done, run=True)
        self.run_worker(work, group="choose", exclusive=True, exit_on_error=False)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        event.prevent_default()
        self.action_switch()

    def on_key(self, event: Key) -> None:
        """What is typed anywhere goes to the field."""
        field = self.query_one(Input)
        if not field.has_focus and event.is_printable and event.character:
            event.stop()
            field.focus()
            field.insert_text_at_cursor(event.character)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not super().check_action(action, parameters):
            return False
        typing = bool(self.typed) and self.query_one(Input).has_focus
        return not (action in ("switch", "rescale") and typing)

    def action_move(self, step: int) -> None:
        """Go to the list, where space switches on and off; from what is typed to its best match."""
        options = self.query_one(OptionList)
        if options.has_focus or not self.typed:
            super().action_move(step)
        options.focus()

    def action_switch(self) -> None:
        if key := self.highlighted():
            self.run_worker(
                partial(self.take, key), group="choose", exclusive=True, exit_on_error=False
            )

    def action_rescale(self, step: float) -> None:
        key = self.highlighted()
        adapter = self._in_stack(key) if key else None
        if adapter is not None and abs(scale := round(adapter.scale + step, 3)) <= MAX_SCALE:
            self._touched = True
            self.stack[self.stack.index(adapter)] = replace(adapter, scale=scale)
            self.fill()


def _about(adapter: AdapterEntry) -> str:
    rank = f"rank {adapter.rank}" if adapter.rank else ""
    kind = "PEFT" if adapter.is_peft else ""
    return " · ".join(part for part in (kind, rank, adapter.base or "", adapter.source) if part)


def _with(stack: Sequence[StackedAdapter], new: StackedAdapter) -> Stack:
    """The stack with an adapter added; one that is in it already gets the new scale."""
    same = [adapter.path.resolve() == new.path.resolve() for adapter in stack]
    if not any(same):
        return (*stack, new)
    return tuple(
        replace(adapter, scale=new.scale) if is_same else adapter
        for adapter, is_same in zip(stack, same, strict=True)
    )
