"""The History: runs already made, to search, to mark and compare, and to go on with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.timer import Timer
from textual.widgets import Input, Static

from ...compare.errors import CompareError
from ...compare.history.asking import asked
from ...compare.history.entries import Recorded, RunEntry, Side, Wanted
from ...compare.history.words import terms
from ...compare.run import Output
from ..exporting import of_run
from ..key_names import with_keys
from ..keys import HISTORY_KEYS, SEARCH_KEYS
from ..listed import tabs_of
from ..recorded import title_of, told
from ..removing import question, remove
from ..safe_text import safe_line
from ..widgets.key_bar import Hint, KeyBar
from ..widgets.lines import Line
from ..widgets.output_text import OutputText
from ..widgets.run_table import RunTable
from ..widgets.safe_input import SafeInput
from ..widgets.tab_strip import TabStrip
from .ask import Ask
from .compare import Compare, pairs_of
from .confirm import Confirm
from .page import Page
from .rate import open_rating
from .styles import styles
from .write_output import write

if TYPE_CHECKING:
    from ...compare.history.history import History as Kept

PAGE = 60
SEARCH_PAUSE_S = 0.1
DETAILS_PAUSE_S = 0.05
MOST_OPEN = 8
"""Runs that are kept in memory, whole, to go back and forth between them."""


class SearchField(SafeInput):
    """What to look for; the arrows up and down go to the list."""

    BINDINGS: ClassVar[list[BindingType]] = [*SEARCH_KEYS]
    HELP = (
        "Words that an output or its prompt has to have, the last one may be unfinished, and "
        '"words in quotes" stand together. model:x adapter:x prompt:x label:x tag:x note:x '
        "since:7d until:2026-01-31 leave out all other runs."
    )


class History(Page[Recorded]):
    """Gives the run to go on with."""

    DEFAULT_CSS = styles("history.tcss")
    PLACE: ClassVar[str] = "history"
    PANES: ClassVar[str] = "#history-list, #history-details"
    BINDINGS: ClassVar[list[BindingType]] = [*HISTORY_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = ""
    LATER = "In the list ({history.down})"

    def __init__(self, history: Kept, prompts: Path) -> None:
        """`prompts` is the folder of the caches that long prompts left."""
        super().__init__()
        self._history, self._prompts = history, prompts
        self._wanted = Wanted()
        self._words: Sequence[str] = ()
        self._problem = ""
        self._open: dict[str, Recorded] = {}
        self._shown: Side | None = None
        self._variant: tuple[str, int] = ("", 0)
        """Which output is shown of each run, where the run has it."""
        self._marked: Side | None = None
        self._pause: Timer | None = None
        self._details_pause: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Line("history-title")
        with Horizontal(id="history-head"):
            yield SearchField(
                placeholder="words, model:x adapter:x prompt:x tag:x since:7d",
                id="history-field",
                compact=True,
            )
            yield Static(id="history-place", markup=False)
        with Horizontal(id="history-body"):
            with Vertical(id="history-list"):
                yield Static(id="history-nothing", markup=False)
                yield RunTable()
            with Vertical(id="history-details"):
                yield TabStrip()
                yield OutputText()
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(TabStrip).can_focus = False
        self.table.focus()
        self._show_title()
        self._look()

    @property
    def table(self) -> RunTable:
        return self.query_one(RunTable)

    # ----------------------------------------------------------------- the list

    @on(Input.Changed, "#history-field")
    def _typed(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(SEARCH_PAUSE_S, self._look)

    def _look(self, *, keep: bool = False) -> None:
        """Look for what is typed, from the newest run on."""
        self._wanted, self._problem = asked(self.query_one(Input).value)
        self._words = terms(self._wanted.text)
        self._show_title()
        self.run_worker(
            partial(self._load, keep=keep), group="page", exclusive=True, exit_on_error=False
        )

    async def _load(self, *, keep: bool = False) -> None:
        limit = max(PAGE, len(self.table.runs)) if keep else PAGE
        runs = await self._read(limit, None)
        if runs is not None:
            self.table.show(runs, more=len(runs) == limit, keep=keep)
            nothing = self.query_one("#history-nothing", Static)
            nothing.display = not runs
            typed = self.query_one(Input).value.strip()
            found = "Nothing is found; {history.leave} takes the search back."
            none = "No run yet. {run.start} in the playground makes one."
            nothing.update(with_keys(self, found if typed else none))

    @on(RunTable.NearEnd)
    def _near_end(self) -> None:
        if not any(worker.group in ("page", "more") for worker in self.workers if not worker.is_finished):  # fmt: skip
            self.run_worker(self._load_more(), group="more", exit_on_error=False)

    async def _load_more(self) -> None:
        table, wanted = self.table, self._wanted
        before = list(table.runs)
        runs = await self._read(PAGE, before[-1].number)
        if runs is not None and wanted is self._wanted:
            table.show([*before, *runs], more=len(runs) == PAGE)

    async def _read(self, limit: int, before: int | None) -> list[RunEntry] | None:
        wanted = self._wanted
        try:
            return await asyncio.to_thread(self._history.page, wanted, limit=limit, before=before)
        except CompareError as error:
            self.tell_error(error)
            return None

    def _show_title(self) -> None:
        left = Content.assemble(("llamadiff", "bold $primary"), "  History")
        right = Content()
        if self._problem:
            right = Content.styled(safe_line(self._problem), "$warning")
        elif self._marked is not None:
            right = Content.assemble(
                ("◂ ", "bold $accent"), title_of(self._marked.recorded, self._marked.output)
            )
        self.query_one("#history-title", Line).say(left, right)

    def _show_hints(self) -> None:
        typing = self.query_one(Input).has_focus
        listed: list[Hint] = [
            ("history.mark", "mark"), ("history.diff", "diff"),
            ("history.left history.right", "output"), ("history.write", "write"),
            ("history.rate", "rate"), ("history.remove", "remove"),
        ]  # fmt: skip
        self.query_one(KeyBar).hints = [
            ("history.reopen", "reopen"), ("history.down", "list") if typing else ("history.search", "search"),
            *([] if typing else listed), ("history.tags", "tags"), ("history.note", "note"),
            ("history.leave", "back"),
        ]  # fmt: skip

    # -------------------------------------------------------------- the details

    @on(RunTable.Chosen)
    def _chosen(self, event: RunTable.Chosen) -> None:
        self.query_one("#history-place", Static).update(self.table.place)
        if self._details_pause is not None:
            self._details_pause.stop()
        self._details_pause = self.set_timer(DETAILS_PAUSE_S, self._look_into)

    def _look_into(self) -> None:
        self.run_worker(self._details, group="details", exclusive=True, exit_on_error=False)

    async def _details(self) -> None:
        recorded = await self._whole(self.table.chosen)
        if recorded is not None and recorded.run.outputs:
            self._show_output(recorded)
        else:
            self._shown = None
            self.query_one(TabStrip).tabs = []
            self.query_one(OutputText).clear()

    async def _whole(self, entry: RunEntry | None) -> Recorded | None:
        """A run with its texts."""
        if entry is None:
            return None
        found = self._open.get(entry.id)
        if found is None:
            try:
                found = await asyncio.to_thread(self._history.recorded, entry.id)
            except CompareError as error:
                self.tell_error(error)
                return None
            if found.ended is not None:
                self._open[entry.id] = found
                if len(self._open) > MOST_OPEN:
                    del self._open[next(iter(self._open))]
        return found

    def _show_output(self, recorded: Recorded) -> None:
        """Show the output that was shown of the run before, or the first with the words wanted."""
        outputs = recorded.run.outputs
        here = [it for it in outputs if (it.variant.name, it.repeat) == self._variant]
        if self._words and (self._shown is None or self._shown.recorded.run.id != recorded.run.id):
            here = [it for it in outputs if _says(it, self._words)] or here
        output = (here or outputs)[0]
        self._shown = Side(recorded, output)
        strip = self.query_one(TabStrip)
        strip.tabs = tabs_of(outputs)
        strip.chosen = output.name
        said = told(recorded, output, self._words)
        text = self.query_one(OutputText)
        text.clear()
        text.show(said.text, said.marks, rest=said.rest)

    @on(TabStrip.Chosen)
    def _tab_chosen(self, event: TabStrip.Chosen) -> None:
        if self._shown is not None:
            names = [output.name for output in self._shown.recorded.run.outputs]
            self._go_to(names.index(event.key))

    def _go_to(self, number: int) -> None:
        if self._shown is not None:
            recorded = self._shown.recorded
            outputs = recorded.run.outputs
            output = outputs[number % len(outputs)]
            self._variant = output.variant.name, output.repeat
            self._show_output(recorded)

    def action_step(self, step: int) -> None:
        if self._shown is not None:
            self._go_to(self._shown.recorded.run.outputs.index(self._shown.output) + step)

    def action_rate(self) -> None:
        """Rate the answers of this run two at a time, without knowing whose they are."""
        if self.table.chosen is not None:
            open_rating(self.app, self._history, "run", self.table.chosen.id)

    # -------------------------------------------------------------- comparing

    def action_mark(self) -> None:
        """Mark what is shown; again takes the mark back."""
        same = self._shown is not None and self._marked is not None and self._shown.output is self._marked.output  # fmt: skip
        self._marked = None if same else self._shown
        self.table.marked = self._marked.recorded.run.id if self._marked else ""
        self.table.refresh()
        self._show_title()

    def action_diff(self) -> None:
        if self._shown is None:
            return
        pairs, at = pairs_of(self._shown, self._marked)
        if pairs:
            self.app.push_screen(Compare(pairs, at))
        else:
            self.app.notify(
                "{History.mark} marks an output; {history.diff} then compares another with it.",
                timeout=4,
            )

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_write(self) -> None:
        recorded = await self._whole(self.table.chosen)
        if recorded is not None:
            await write(self.app, of_run(recorded))

    # ---------------------------------------------------------------- changing

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_tags(self) -> None:
        entry = self.table.chosen
        if entry is None:
            return
        dialog = Ask("Tags of this run, with spaces between", " ".join([*entry.tags, ""]).lstrip(), "tags", adding=True)  # fmt: skip
        typed = await self.app.push_screen_wait(dialog)
        if typed is not None:
            tags = [tag.lstrip("#") for tag in typed.replace(",", " ").split()]
            await self._change(entry, lambda: self._history.tag(entry.id, tags))

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_note(self) -> None:
        entry = self.table.chosen
        if entry is None:
            return
        note = await self.app.push_screen_wait(Ask("Note to this run", entry.note, "note"))
        if note is not None:
            await self._change(entry, lambda: self._history.annotate(entry.id, note.strip()))

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_remove(self) -> None:
        entry = self.table.chosen
        if entry is None:
            return
        following = await asyncio.to_thread(self._history.following, [entry.id])
        dialog = Confirm(f"Remove the run of {_when(entry)}?", question(len(following)), "remove")
        if await self.app.push_screen_wait(dialog):
            gone = {entry.id, *following}
            if self._marked is not None and self._marked.recorded.run.id in gone:
                self._marked = None
                self._show_title()
            left = [run for run in self.table.runs if run.id not in gone]
            self.table.show(left, more=self.table.more)  # overwriting takes a while
            await self._change(entry, lambda: remove(self._history, self._prompts, [entry.id]))

    async def _change(self, entry: RunEntry, how: object) -> None:
        assert callable(how)
        try:
            await asyncio.to_thread(how)
        except CompareError as error:
            self.tell_error(error)
        self._open.pop(entry.id, None)
        self._look(keep=True)

    # -------------------------------------------------------------------- keys

    def action_to_list(self, step: int) -> None:
        """From the field to the list."""
        self.table.focus()
        self.table.move(step)

    def action_search(self) -> None:
        self.query_one(Input).focus()

    def action_leave(self) -> None:
        """Out of the details, else take the search back, else to the list and to the playground."""
        field = self.query_one(Input)
        if self.query_one(OutputText).has_focus:
            self.table.focus()
        elif field.value:
            field.value = ""
            self.table.focus()
        elif field.has_focus:
            self.table.focus()
        else:
            self.dismiss(None)

    def action_reopen(self) -> None:
        self.run_worker(self._reopen, group="reopen", exclusive=True, exit_on_error=False)

    @on(RunTable.Taken)
    def _taken(self) -> None:
        self.action_reopen()

    async def _reopen(self) -> None:
        recorded = await self._whole(self.table.chosen)
        if recorded is not None and self.is_current:
            self.dismiss(recorded)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self.set_class(isinstance(event.widget, OutputText), "-reading")
        self._show_hints()


def _says(output: Output, words: Sequence[str]) -> bool:
    said = output.text.casefold()
    return all(word.casefold() in said for word in words)


def _when(entry: RunEntry) -> str:
    from ..amounts import moment

    return moment(entry.at)
