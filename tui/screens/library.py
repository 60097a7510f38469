"""The Library: models, adapters and prompts, to look through, to take and to keep in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from ...models.catalog import Catalog, ModelEntry
from ...models.errors import ModelError, named
from ...prompts.errors import PromptError
from ...prompts.library import PromptEntry
from ..details import of_entry, whole
from ..keys import LIBRARY_KEYS, SEARCHED_KEYS
from ..library import COLUMNS, Column, Entry, Tab, arranged, fitting, obstacle
from ..safe_text import safe_line
from ..sentences import for_app
from ..widgets.entry_details import EntryDetails
from ..widgets.entry_table import EntryTable
from ..widgets.key_bar import Hint, KeyBar
from ..widgets.lines import Line
from ..widgets.safe_input import SafeInput
from ..widgets.tab_strip import TabStrip
from .ask import Ask
from .name_prompt import NamePrompt
from .prompt_actions import PromptActions
from .searched_list import SearchedList
from .styles import styles

DETAILS_PAUSE_S = 0.12
PROGRESS_S = 0.1


class Filter(SafeInput):
    """Leaves the keys that sort to the screen: no name has them."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character not in ("<", ">", "=") and super().check_consume_key(key, character)


class Library(SearchedList):
    """What is on this disk. Typing filters, enter takes into the selected variant."""

    DEFAULT_CSS = styles("library.tcss")
    PLACE: ClassVar[str] = "library"
    PANES: ClassVar[str] = "#library-list, #library-details"
    BINDINGS: ClassVar[list[BindingType]] = [*SEARCHED_KEYS, *LIBRARY_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = ""
    HELP = (
        "Prompts, and the models and adapters on this disk: the bundled ones, and what Hugging Face, llama.cpp, "
        "LM Studio, Ollama, GPT4All and Jan keep. Typing filters by name, type, source or path. "
        "✗ marks what cannot be used; the details say why. Prompts are your own and those that ship; "
        "they are found by their words and, as #tag, by tag. Nothing here is ever deleted."
    )

    def __init__(self, playground: PromptActions, catalog: Catalog) -> None:
        super().__init__()
        self._playground = playground
        self._catalog = catalog
        self._prompts = playground.session.library
        self.tab: Tab = "models"
        self.found: dict[Tab, Sequence[Entry]] = {"models": (), "adapters": (), "prompts": ()}
        self._order: dict[Tab, tuple[Column, bool]] = {}
        """By which column a list is sorted, and whether from the largest on; as found without."""
        self._scanning = False
        self._progress = (0, 0)
        self._pause: Timer | None = None
        self._filter = ""
        self._asked = ""
        self._refusal = ""
        """Why the chosen entry was not taken, or that this is being looked into."""

    def compose(self) -> ComposeResult:
        yield Line("library-title")
        with Horizontal(id="library-head"):
            yield TabStrip()
            yield Filter(placeholder="type to filter", id="library-filter", compact=True)
            yield Static(id="library-place", markup=False)
        with Horizontal(id="library-body"):
            with Horizontal(id="library-list"):
                yield EntryTable()
            yield EntryDetails(id="library-details")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(TabStrip).can_focus = False
        self.query_one(Input).focus()
        self.set_interval(PROGRESS_S, self._show_title)
        self.action_again()
        self.show()

    # ---------------------------------------------------------------- showing

    def show(self) -> None:
        """Show the tab, filtered and sorted."""
        column, descending = self._order.get(self.tab, (None, False))
        self._filter = self.query_one(Input).value
        entries = fitting(self.found[self.tab], self._filter)
        if column is not None:
            entries = arranged(entries, column, descending=descending)
        self.query_one(EntryTable).show(entries, COLUMNS[self.tab], column, descending=descending)
        strip = self.query_one(TabStrip)
        strip.tabs = [(tab, f"{tab.capitalize()} {len(self.found[tab]):,}") for tab in COLUMNS]
        strip.chosen = self.tab
        self._show_title()
        self.show_hints()

    def show_hints(self) -> None:
        tabs = list(COLUMNS)
        other = tabs[(tabs.index(self.tab) + 1) % len(tabs)]
        reading = self.details.has_focus
        own: list[Hint] = [
            ("library.duplicate", "duplicate"), ("library.rename", "rename"),
            ("library.tags", "tags"),
        ]  # fmt: skip
        self.query_one(KeyBar).hints = [
            ("library.use", "use"), ("list.leave", "back"), ("library.tab", other),
            *(own * (self.tab == "prompts")), ("list.details", "list" if reading else "details"),
            ("library.sort_left library.sort_right", "sort"), ("library.turn", "turn"),
            ("library.again", "look again"),
        ]  # fmt: skip

    def _show_title(self) -> None:
        done, total = self._progress
        if self._scanning:
            counted = f" {done:,} of {total:,} files" if total else ""
            right = Content.assemble(("● ", "$warning"), f"looking{counted}")
        else:
            every = [entry for entries in self.found.values() for entry in entries]
            bad = sum(obstacle(entry) is not None for entry in every)
            unusable = f" · {bad:,} cannot be used" if bad else ""
            right = Content.assemble(("● ", "$success"), "ready", (unusable, "$dim"))
        variant = self._playground.playground.current
        into = f"  for {variant.name} · {safe_line(variant.title)}" if variant else ""
        left = Content.assemble(("llamadiff", "bold $primary"), "  Library", (into, "$dim"))
        self.query_one("#library-title", Line).say(left, right)

    @on(EntryTable.Chosen)
    def _chosen(self, event: EntryTable.Chosen) -> None:
        table = self.query_one(EntryTable)
        self.query_one("#library-place", Static).update(table.place if table.entries else "")
        entry = event.entry
        self._asked = str(entry.path) if entry else ""
        self._refusal = ""
        self.details.wait("")
        if self._pause is not None:
            self._pause.stop()
        if entry is None:
            nothing = (
                "Nothing fits the filter; {list.leave} takes it back."
                if self.found[self.tab]
                else self._nothing()
            )
            self.details.say("", nothing, [])
            return
        self.details.say(self._problem(entry), entry.name, of_entry(entry))
        if obstacle(entry) is None:
            self._pause = self.set_timer(DETAILS_PAUSE_S, lambda: self._look_into(entry))

    def _nothing(self) -> str:
        if self._scanning:
            return "Looking …"
        return f"There are no {self.tab} on this disk."

    def _problem(self, entry: Entry) -> str:
        problem = obstacle(entry)
        return for_app(_mended(entry, safe_line(problem))) if problem else ""

    def _look_into(self, entry: Entry) -> None:
        self.run_worker(
            partial(self._details, entry), group="details", exclusive=True, exit_on_error=False
        )

    async def _details(self, entry: Entry) -> None:
        """Read the whole header of the chosen entry and show what it says."""
        problem, details, texts = "", of_entry(entry), list[tuple[str, str]]()
        try:
            details, texts = await asyncio.to_thread(whole, entry)
        except (ModelError, PromptError) as error:
            said = named(str(error), Path(entry.path), entry.name)
            problem = for_app(_mended(entry, said))
        if self._asked == str(entry.path):
            self.details.say(problem or self._refusal, entry.name, details, texts)

    # ----------------------------------------------------------------- scanning

    def action_again(self) -> None:
        """Look through all places once more."""
        if not self._scanning:
            self._scanning, self._progress = True, (0, 0)
            self._show_title()
            self.run_worker(self._scan(), group="scan", exit_on_error=False)

    async def _scan(self) -> None:
        try:
            await self._list_prompts()
            self.found |= await asyncio.to_thread(self._look)
        finally:
            self._scanning = False
        self.show()

    async def _list_prompts(self) -> None:
        self.found["prompts"] = await asyncio.to_thread(self._prompts.entries)
        self.show()

    def _look(self) -> dict[Tab, Sequence[Entry]]:
        self._catalog.scan(self._advance)
        return {"models": self._catalog.models(), "adapters": self._catalog.adapters()}

    def _advance(self, done: int, total: int) -> None:
        self._progress = (done, total)

    def tell_mistake(self, sentence: str) -> None:
        self.details.say(sentence)

    # ------------------------------------------------------------------- keys

    def action_next_list(self) -> None:
        tabs = list(COLUMNS)
        self._open(tabs[(tabs.index(self.tab) + 1) % len(tabs)])

    def _open(self, tab: Tab) -> None:
        if tab != self.tab:
            self.tab = tab
            self.show()

    def action_sort(self, step: int) -> None:
        """Sort by the column to the left or to the right, in its own direction."""
        columns = COLUMNS[self.tab]
        column, _ = self._order.get(self.tab, (None, False))
        at = columns.index(column) + step if column else min(step, 0)
        self._sort(columns[at % len(columns)])

    def _sort(self, column: Column) -> None:
        self._order[self.tab] = (column, column.descending)
        self.show()

    def action_turn(self) -> None:
        column, descending = self._order.get(self.tab, (COLUMNS[self.tab][0], False))
        self._order[self.tab] = (column, not descending)
        self.show()

    def action_use(self) -> None:
        """Take the chosen entry, once the field has had the keys typed before."""
        self.query_one(Input).call_later(self._use_chosen)

    def _use_chosen(self) -> None:
        if self.query_one(Input).value != self._filter:
            self.show()
        entry = self.query_one(EntryTable).chosen
        if entry is not None:
            self.run_worker(
                partial(self._use, entry), group="use", exclusive=True, exit_on_error=False
            )

    async def _use(self, entry: Entry) -> None:
        """Take an entry into the selected variant, and go there; or say why not."""
        if obstacle(entry) is not None:
            self.details.say(self._problem(entry))
            self.app.bell()
            return
        self._refuse("")
        self.details.wait("checking …")
        if isinstance(entry, PromptEntry):
            problem = await self._playground.use_prompt(entry.path)
        elif isinstance(entry, ModelEntry):
            problem = await self._playground.use_model(entry.name, Path(entry.path))
        else:
            wait = self.details.wait
            problem = await self._playground.use_adapter(entry.name, Path(entry.path), wait)
        if not self.is_current:
            return
        self.details.wait("")
        if problem:
            self._refuse(problem)
        else:
            self.app.pop_screen()

    # ---------------------------------------------------------------- prompts

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not super().check_action(action, parameters):
            return False
        if action in ("duplicate", "rename", "tags"):
            return self.tab == "prompts"
        return True

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_duplicate(self) -> None:
        entry = self._chosen_prompt()
        if entry is None:
            return
        dialog = Ask(f"File name for a copy of {safe_line(entry.name)}", f"{entry.slug}-2", "name")
        slug = await self.app.push_screen_wait(dialog)
        if slug:
            await self._change(entry, lambda: self._prompts.duplicate(entry, slug.strip()))

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_rename(self) -> None:
        entry = self._chosen_prompt()
        if entry is None:
            return
        names = await self.app.push_screen_wait(NamePrompt(entry))
        if names is not None:
            slug, name = names
            await self._change(entry, lambda: self._prompts.rename(entry, slug, name))

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_tags(self) -> None:
        entry = self._chosen_prompt()
        if entry is None:
            return
        title = f"Tags of {safe_line(entry.name)}, with blanks between them"
        tags = await self.app.push_screen_wait(
            Ask(title, " ".join(entry.tags), "tags", adding=True)
        )
        if tags is not None:
            await self._change(
                entry, lambda: self._prompts.set_tags(entry, tags.replace(",", " ").split())
            )

    def _chosen_prompt(self) -> PromptEntry | None:
        entry = self.query_one(EntryTable).chosen
        return entry if isinstance(entry, PromptEntry) else None

    async def _change(self, entry: PromptEntry, change: Callable[[], PromptEntry]) -> None:
        """Change a prompt's file, and choose it again; or say why it cannot be."""
        try:
            changed = await asyncio.to_thread(change)
        except PromptError as error:
            self._refuse(for_app(str(error)))
            return
        if not entry.path.exists():
            self._playground.moved(entry.path, changed.path)
        await self._list_prompts()
        self.query_one(EntryTable).choose(changed.path)

    def _refuse(self, sentence: str) -> None:
        self._refusal = sentence
        self.details.say(sentence)

    # ------------------------------------------------------------------ events

    @on(Input.Changed, "#library-filter")
    def _typed(self) -> None:
        self.show()

    @on(TabStrip.Chosen)
    def _tab_chosen(self, event: TabStrip.Chosen) -> None:
        self._open(cast("Tab", event.key))

    @on(EntryTable.Sorted)
    def _title_clicked(self, event: EntryTable.Sorted) -> None:
        if event.column is self._order.get(self.tab, (None, False))[0]:
            self.action_turn()
        else:
            self._sort(event.column)

    @on(EntryTable.Taken)
    def _taken(self) -> None:
        self.action_use()


def _mended(entry: Entry, problem: str) -> str:
    """A problem, and for a prompt what to do about it."""
    mend = f"{problem.rstrip('.')}. Mend it in an editor; {{library.again}} looks again."
    return mend if isinstance(entry, PromptEntry) else problem
