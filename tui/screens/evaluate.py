"""Evaluate: suites to run, and evaluations already made."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from ...compare.errors import MISTAKES, CompareError
from ...compare.evaluation.asking import check_prompts
from ...compare.evaluation.planning import Instead, plan_of
from ...compare.evaluation.reading import load_suite
from ...compare.spec import Defaults
from ...models.engine.client import EngineError
from ..evaluating import Evaluating, opened
from ..keys import EVALUATE_KEYS, SEARCHED_KEYS
from ..safe_text import safe_line
from ..sentences import for_app
from ..suites_listed import (
    MOST_PAST,
    THEIRS,
    Listed,
    Past,
    Told,
    about_how_long,
    find_suites,
    listed_items,
    told_of_plan,
    unfinished,
)
from ..widgets.entry_details import EntryDetails
from ..widgets.item_table import ItemTable
from ..widgets.key_bar import Hint, KeyBar
from ..widgets.lines import Line
from ..widgets.safe_input import SafeInput
from .evaluation import Evaluation
from .page import covered
from .styles import styles
from .suite_files import SuiteFiles

if TYPE_CHECKING:
    from ...compare.evaluation.plan import Plan
    from ...compare.history.evaluations import Evaluations
    from ...compare.history.evaluations_listed import Entry
    from .evaluate_actions import EvaluateActions

DETAILS_PAUSE_S = 0.06
PROGRESS_S = 0.5


class Evaluate(SuiteFiles):
    """Chooses what to evaluate, and which evaluation to look at."""

    DEFAULT_CSS = styles("evaluate.tcss")
    PLACE: ClassVar[str] = "evaluate"
    PANES: ClassVar[str] = "#evaluate-list, #evaluate-details"
    BINDINGS: ClassVar[list[BindingType]] = [*SEARCHED_KEYS, *EVALUATE_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = ""
    HELP = (
        "A suite puts the rows of a dataset to several variants, checks the answers, and says "
        "which variant is better, by how much and how sure. Typing searches. Suites of your own "
        "are .toml files in the folder that the list names; docs/suites.md "
        "says what is in one."
    )

    def __init__(self, home: EvaluateActions) -> None:
        super().__init__(home)
        self._suites: list[Listed] = []
        self._entries: list[Entry] = []
        self._own = True
        """A suite is run with its own variants, not the playground's."""
        self._told: tuple[object, Told] | None = None
        self._pause: Timer | None = None
        self._choose = home.last_item
        """What is to be chosen once the list is there."""

    def compose(self) -> ComposeResult:
        yield Line("evaluate-title")
        with Horizontal(id="evaluate-head"):
            yield SafeInput(placeholder="type to search", id="evaluate-field", compact=True)
            yield Static(id="evaluate-place", markup=False)
        with Horizontal(id="evaluate-body"):
            with Horizontal(id="evaluate-list"):
                yield ItemTable()
            yield EntryDetails(id="evaluate-details")
        yield KeyBar()

    def on_mount(self) -> None:
        self.table.can_focus = False
        self.query_one(Input).focus()
        self.set_interval(PROGRESS_S, self._show_progress)
        self._show_title()
        self.look()

    @property
    def kept(self) -> Evaluations | None:
        return self._home.history.evaluations if self._home.history is not None else None

    # ----------------------------------------------------------------- the list

    def on_screen_resume(self) -> None:
        self.look()

    def look(self, choose: object = None) -> None:
        self._choose = self._choose if choose is None else choose
        self.run_worker(self._look, group="look", exclusive=True, exit_on_error=False)

    async def _look(self) -> None:
        kept = self.kept
        if kept is not None:
            try:
                self._entries = await asyncio.to_thread(kept.entries, MOST_PAST)
            except CompareError as error:
                self.tell_error(error)
        paths = [*self._opened, *(Path(it.path) for it in self._entries)]
        self._suites = await asyncio.to_thread(find_suites, self._folders, paths)
        self._told = None
        if self._choose is None and self._home.last_item is None:
            self._choose = next((it.key for it in self._entries[:1] if Past(it).stopped), None)
        self._show()
        if self._choose is not None:
            self.table.choose(self._choose)
            self._choose = None

    def _show(self) -> None:
        running, it = dict[str, tuple[float, bool]](), self._home.busy
        if it is not None and it.key is not None:
            running[it.key] = it.share, it.paused
        typed = self.query_one(Input).value
        self.table.show(
            listed_items(
                self._suites, self._entries, typed, running, next(iter(self._folders), None)
            )
        )
        self._show_title()
        self.show_hints()

    def _show_progress(self) -> None:
        if not covered(self) and self._home.busy is not None:
            self._show()

    @on(Input.Changed, "#evaluate-field")
    def _typed(self) -> None:
        self._show()

    def _show_title(self) -> None:
        it = self._home.busy
        right = Content.assemble(("● ", "$success"), "ready")
        if it is not None:
            said = f"{'paused' if it.paused else 'running'} {safe_line(it.plan.suite.name)} {100 * it.share:.0f} %"
            right = Content.assemble(("● ", "$accent"), said)
        left = Content.assemble(("llamadiff", "bold $primary"), "  Evaluate")
        self.query_one("#evaluate-title", Line).say(left, right)

    def show_hints(self) -> None:
        item, reading = self.table.chosen, self.details.has_focus
        own: list[Hint] = []
        if isinstance(item, Listed):
            others = "playground's variants" if self._own else "suite's variants"
            own = [("evaluate.run", "run"), ("evaluate.whose", others), ("evaluate.edit", "edit")]
            own = own if reading else [("evaluate.open", "read"), *own]
        elif isinstance(item, Past):
            own = [("evaluate.open", "open")]
            going = item.share is not None or item.entry.running
            own += [("evaluate.run", "go on" if item.stopped else "run again")] * (not going)
            own += [("evaluate.edit", "edit")] + [("evaluate.remove", "remove")] * (not going)
        self.query_one(KeyBar).hints = [
            *own, ("evaluate.file", "other file"),
            ("list.details", "list" if reading else "details"), ("list.leave", "back"),
        ]  # fmt: skip

    # -------------------------------------------------------------- the details

    @on(ItemTable.Chosen)
    def _chosen(self) -> None:
        self.query_one("#evaluate-place", Static).update(self.table.place)
        self.show_hints()
        item = self.table.chosen
        key = (self.table.key_of(item), self._own) if item is not None else None
        self._home.last_item = key and key[0]
        if self._told is not None and self._told[0] == key:
            return
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(DETAILS_PAUSE_S, self._look_into)

    def _look_into(self) -> None:
        self.run_worker(self._details, group="details", exclusive=True, exit_on_error=False)

    async def _details(self) -> None:
        item, details = self.table.chosen, self.details
        if item is None:
            folder = safe_line(str(next(iter(self._folders), "")))
            details.say(
                "",
                "Nothing fits the search; {list.leave} takes it back.",
                [("your suites", folder)],
            )
            return
        told = await self._told_of(item)
        self._told = (self.table.key_of(item), self._own), told
        texts = [("", item.about)] if isinstance(item, Listed) and item.about else []
        details.say(told.problem, told.title, told.facts, texts)

    async def _told_of(self, item: object) -> Told:
        """What there is to say of an item, and the plan it stands for."""
        kept = self.kept
        try:
            if isinstance(item, Listed):
                instead = None if self._own else self._home.instead()
                told = await asyncio.to_thread(self._of_suite, item, instead)
                return replace(told, problem=await self._unasked(told.plan))
            assert isinstance(item, Past) and kept is not None
            plan = await asyncio.to_thread(kept.plan, item.entry.key)
        except (*MISTAKES, OSError) as mistake:
            title = item.name if isinstance(item, Listed) else getattr(item, "entry").suite  # noqa: B009
            asks = [] if self._own or not isinstance(item, Listed) else [("asks", THEIRS)]
            return Told(safe_line(for_app(str(mistake))), safe_line(title), asks)
        began = f"{item.entry.at.astimezone():%Y-%m-%d %H:%M}"
        facts = [("begun", began), ("state", item.state)]
        facts += [("changed", f"{item.changes}, since the one before")] * bool(item.changes)
        facts += [("file", item.entry.path)]
        facts += told_of_plan(plan, own=True)[1:]
        return Told("", plan.suite.name, facts, plan)

    def _of_suite(self, item: Listed, instead: Instead | None) -> Told:
        """Reads files; on a thread."""
        plan = self._plan(item.path, instead)
        took = about_how_long(self.kept, plan, self._entries)
        before = unfinished(self.kept, plan, self._entries)
        facts = [("starts", f"with {{evaluate.run}}, in the background; {took}")]
        facts += [("before", before)] * bool(before) + [("file", str(item.path))]
        return Told("", plan.suite.name, [*facts, *told_of_plan(plan, own=instead is None)], plan)

    async def _unasked(self, plan: Plan | None) -> str:
        """Why no row of a plan can be asked, as far as that is known without a model; else empty."""
        try:
            runner = await self._home.session.runner()
            if plan is not None:
                await asyncio.to_thread(check_prompts, plan, runner.renderer)
        except MISTAKES as mistake:
            return safe_line(for_app(str(mistake)))
        except EngineError:  # told on the playground, and by F5
            pass
        return ""

    def _plan(self, path: Path, instead: Instead | None) -> Plan:
        """Reads files; on a thread. Raises what a person is told."""
        exact = instead is not None and self._home.playground.exact
        suite = load_suite(path)
        return plan_of(
            suite, self._defaults, self._home.settings,
            instead=instead, kept=self.kept, exact=exact,
        )  # fmt: skip

    @property
    def _defaults(self) -> Defaults:
        session = self._home.session
        return Defaults(catalog=session.catalog, library=session.library)

    # --------------------------------------------------------------- evaluating

    def action_open(self) -> None:
        """Look at an evaluation; of a suite read what it asks, which starts nothing."""
        item = self.table.chosen
        if isinstance(item, Past):
            self.run_worker(
                partial(self._open, item), group="open", exclusive=True, exit_on_error=False
            )
        elif item is not None:
            self.details.focus()

    @on(ItemTable.Taken)
    def _taken(self) -> None:
        self.action_open()

    async def _open(self, item: Past) -> None:
        running = self._home.evaluating
        if running is not None and running.key == item.entry.key and running.state != "failed":
            self.app.push_screen(Evaluation(self._home, running))
            return
        history = self._home.history
        assert history is not None
        try:
            it = await asyncio.to_thread(opened, history, item.entry.key)
        except CompareError as error:
            self.tell_error(error)
            return
        self.app.push_screen(Evaluation(self._home, it))

    def action_start(self) -> None:
        self._start()

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def _start(self) -> None:
        item, busy = self.table.chosen, self._home.busy
        if item is None:
            return
        if busy is not None:
            if isinstance(item, Past) and item.entry.key == busy.key:
                self.app.push_screen(Evaluation(self._home, busy))
            else:
                self.app.notify(f"{busy.plan.suite.name} is running; stop it first.")
            return
        try:
            it = await self._begun(item)
        except (*MISTAKES, OSError) as mistake:
            self.tell_error(mistake)
            return
        if it is None or not await self._home.may_run(it):
            return
        self._home.evaluate(it)
        self.app.push_screen(Evaluation(self._home, it))

    async def _begun(self, item: object) -> Evaluating | None:
        """The evaluation to be run; None where there is none. Raises what a person is told."""
        history = self._home.history
        if isinstance(item, Past) and item.entry.ended is None and history is not None:
            it = await asyncio.to_thread(opened, history, item.entry.key)
            await self._home.check_going_on(it)
            return it
        path = Path(item.entry.path) if isinstance(item, Past) else getattr(item, "path", None)
        if path is None:
            return None
        instead = None if self._own or isinstance(item, Past) else self._home.instead()
        plan = await asyncio.to_thread(self._plan, path, instead)
        others, missing = await asyncio.to_thread(self._home.others_of, plan)
        it = Evaluating(plan, history, others=others)
        it.missing = missing
        it.notes += [*plan.notes, *map(for_app, missing)]
        return it

    # -------------------------------------------------------------------- keys

    def action_whose(self) -> None:
        self._own = not self._own
        self._told = None
        self._chosen()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not super().check_action(action, parameters):
            return False
        item = self.table.chosen
        if action == "remove":
            return isinstance(item, Past)
        if action == "whose":
            return isinstance(item, Listed)
        return True
