"""Tune: what is to be trained, checked at once; and trainings that did not end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.timer import Timer

from ...compare.errors import MISTAKES
from ...compare.evaluation.shipped import shipped_suites
from ...compare.training_data.shipped import shipped_rows
from ...compare.training_data.words import sentence
from ...compare.tuning.data import CheckedData, check_data
from ...compare.tuning.work import Unfinished, Work, unfinished
from ...models.engine.client import EngineError
from ...models.tuning.extra import missing_extra
from ...prompts.document import Prompt
from ..data_lines import data_lines
from ..key_names import with_keys
from ..keys import TUNE_KEYS
from ..paths import private
from ..recent_files import note_file, recent_files
from ..safe_text import safe_line
from ..sentences import for_app
from ..training import Training
from ..tune_form import MEANS, OTHER_SETTINGS, OWN_LINES, TITLES, Field, Heading, TuneForm, shown
from ..widgets.key_bar import Hint, KeyBar
from ..widgets.lines import Line, Paragraph
from ..widgets.tune_list import Item, TuneList
from .ask_setting import AskSetting
from .confirm import Confirm
from .page import Page, covered
from .pick_data import PickData
from .pick_prompt import PickPrompt
from .pick_suites import PickSuites
from .styles import styles
from .training import TrainingScreen

if TYPE_CHECKING:
    from ...compare.tuning.plan import TuningPlan
    from .tune_actions import TuneActions

CHECK_PAUSE_S = 0.2
SHOWS_PER_S = 4


class Tune(Page[None]):
    """Chooses what to train; every choice is checked in the background."""

    DEFAULT_CSS = styles("tune.tcss")
    PLACE: ClassVar[str] = "tune"
    PANES: ClassVar[str] = "#tune-list, #tune-details"
    BINDINGS: ClassVar[list[BindingType]] = [*TUNE_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = "TuneList"

    def __init__(self, home: TuneActions) -> None:
        super().__init__()
        self._home = home
        self._left: Sequence[Unfinished] = ()
        self._data: CheckedData | None = None
        """What was checked of the form as it is now."""
        self._plan: TuningPlan | None = None
        self._rate = 0.0
        """The learning rate of that."""
        self._stage = ""
        self._problem = ""
        self._missing = ""
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Line("tune-title")
        with Horizontal(id="tune-body"):
            with Horizontal(id="tune-list"):
                yield TuneList()
            with VerticalScroll(id="tune-details"):
                yield Paragraph()
        yield KeyBar()

    def on_mount(self) -> None:
        self.set_interval(1 / SHOWS_PER_S, self._show_title)
        self.look()

    @property
    def table(self) -> TuneList:
        return self.query_one(TuneList)

    @property
    def form(self) -> TuneForm:
        form = self._home.tune_form
        assert form is not None
        return form

    # ----------------------------------------------------------------- the form

    def on_screen_resume(self) -> None:
        if self._home.tune_form is not None:
            self.look()

    def look(self) -> None:
        """Read what can be chosen and gone on with once more."""
        self.run_worker(self._look(), group="look", exclusive=True, exit_on_error=False)

    async def _look(self) -> None:
        home = self._home
        self._missing = await asyncio.to_thread(missing_extra) or ""
        self._left = await asyncio.to_thread(unfinished, home.tuning_places.state)
        current = home.playground.current
        if current is None:
            return
        base, name, folder = current.model, current.model_name, home.adapters_folder
        form = home.tune_form
        if form is None:
            rows = await asyncio.to_thread(shipped_rows)
            form = TuneForm(base, name, folder, suites=tuple(shipped_suites()))
            for path in rows[:1]:
                form = replace(form, data=path, data_name=path.stem)
                form = replace(form, prompt=await asyncio.to_thread(self._prompt_of, form))
        self._take(replace(form, base=base, base_name=name, folder=folder), anew=self._data is None)

    def _prompt_of(self, form: TuneForm) -> Prompt | None:
        """The prompt that is called as the rows that ship are. Reads files."""
        if form.data is None or form.data not in shipped_rows():
            return None
        try:
            return self._home.session.library.resolve(form.data.stem)
        except MISTAKES:
            return None

    def _take(self, form: TuneForm, *, anew: bool = True) -> None:
        """Have this form, and check it where something is another."""
        before, self._home.tune_form = self._home.tune_form, form
        if anew or form != before:
            self._data, self._plan, self._problem, self._stage = None, None, "", "checking"
            if self._pause is not None:
                self._pause.stop()
            self._pause = self.set_timer(CHECK_PAUSE_S, self._check_soon)
        self._show()

    def _check_soon(self) -> None:
        self.run_worker(self._check(), group="check", exclusive=True, exit_on_error=False)

    async def _check(self) -> None:
        session, form = self._home.session, self.form
        try:
            plan = await asyncio.to_thread(form.plan)
            runner = await session.runner()
            folders = self._home.suite_folders
            data = await check_data(runner, plan, session.library, folders, self._progress)
            facts = await asyncio.to_thread(runner.facts, plan.base)
            self._rate = data.settings.complete(facts.embedding, 1).learning_rate
            self._plan, self._data = plan, data
        except (*MISTAKES, EngineError, OSError) as mistake:
            self._problem = safe_line(for_app(str(mistake)))
        self._stage = ""
        self._show()

    def _progress(self, stage: str, share: float, detail: str) -> None:
        self._stage = f"{stage} {detail or f'{100 * share:.0f} %'}"

    # ------------------------------------------------------------------ showing

    def _show(self) -> None:
        if not self.is_attached:
            return
        self.table.show(self._items())
        self._show_title()
        self._show_details()
        self.show_hints()

    def _items(self) -> list[Item]:
        form = self.form
        fields = [Field(key, self._shown(key), key in form.touched) for key in TITLES]
        first = [it for it in fields if it.key not in (*OWN_LINES, "others")]
        newest = [self._home.training] if self._home.training is not None else []
        left = [it for it in self._left if all(it.plan.out != each.plan.out for each in newest)]
        return [
            Heading("What to learn"), *first,
            Heading("How"), *(it for it in fields if it not in first),
            *([Heading(with_keys(self, "The last training: {tune.change} shows it"))] * bool(newest)), *newest,
            *([Heading(with_keys(self, "Not finished: {tune.change} goes on"))] * bool(left)), *left,
        ]  # fmt: skip

    def _shown(self, key: str) -> str:
        return shown(self.form, key, None if self._data is None else self._rate)

    def _show_title(self) -> None:
        if covered(self):
            return
        if self._home.learning is not None:
            self.table.refresh()
        said, style = "ready", "$success"
        if (it := self._home.learning) is not None:
            said, style = f"tuning {safe_line(it.name)} {100 * it.share:.0f} %", "$accent"
        elif self._stage:
            said, style = self._stage, "$warning"
        elif self._problem or self._missing or (self._data is not None and self._data.problem):
            said, style = "cannot be trained", "$error"
        elif self._data is not None and not self._data.report.sound:
            said, style = "something is wrong with the rows", "$warning"
        base = self._home.tune_form.base_name if self._home.tune_form is not None else ""
        left = Content.assemble(
            ("llamadiff", "bold $primary"), "  Tune  ", (safe_line(base), "bold")
        )
        self.query_one("#tune-title", Line).say(left, Content.assemble(("● ", style), said))

    def _show_details(self) -> None:
        if self._data is not None:
            said = data_lines(self._data, self._missing)
        else:
            problems = [it for it in (self._problem, self._missing) if it]
            parts = [Content.styled(f"✗ {with_keys(self, it)}", "$error") for it in problems]
            parts += [Content.styled("The rows are being read and checked …", "$dim")] * bool(self._stage)  # fmt: skip
            said = Content("\n\n").join(parts)
        self.query_one("#tune-details Paragraph", Paragraph).say(said)

    def show_hints(self) -> None:
        """Say which keys matter now."""
        item = self.table.chosen
        own: list[Hint] = [("tune.change", "change"), ("tune.run", "train")]
        if isinstance(item, Field) and item.key == "prompt":
            own.append(("tune.reset", "no prompt" if self.form.prompt else "its prompt"))
        elif isinstance(item, Field) and item.own and item.key != "data":
            own.append(("tune.reset", "as it was"))
        elif isinstance(item, Unfinished):
            own = [("tune.change", "go on"), ("tune.reset", "forget it")]
        elif isinstance(item, Training):
            own = [("tune.change", "show it"), ("tune.run", "train")]
        reading = self.query_one("#tune-details").has_focus
        own = [("tune.run", "train")] if reading else own
        self.query_one(KeyBar).hints = [
            *own, ("tune.details", "choices" if reading else "details"), ("tune.leave", "back"),
        ]  # fmt: skip

    @on(TuneList.Chosen)
    def _line_chosen(self) -> None:
        self.show_hints()

    def on_descendant_focus(self) -> None:
        self.show_hints()

    # ----------------------------------------------------------------- choosing

    @on(TuneList.Taken)
    def _taken(self) -> None:
        self.action_change()

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_change(self) -> None:
        item = self.table.chosen
        if isinstance(item, Unfinished):
            self._start(item.plan, resume=True)
        elif isinstance(item, Training):
            self.app.push_screen(TrainingScreen(self._home, item))
        elif isinstance(item, Field):
            match item.key:
                case "data":
                    await self._choose_data()
                case "prompt":
                    prompt = await self.app.push_screen_wait(
                        PickPrompt(self._home.session.library, lambda: [])
                    )
                    if isinstance(prompt, Prompt):
                        self._take(self.form.chosen("prompt", prompt=prompt))
                case "suites":
                    suites = await self.app.push_screen_wait(
                        PickSuites(self._home.suite_folders, self.form.suites)
                    )
                    if suites is not None:
                        self._take(self.form.chosen("suites", suites=suites))
                case key:
                    await self._ask(key)

    async def _choose_data(self) -> None:
        home = self._home
        state = home.tuning_places.state / "tuning"
        recent = await asyncio.to_thread(recent_files, state)
        chosen = await self.app.push_screen_wait(
            PickData(home.history, recent, state / "rows", self.form.data)
        )
        if chosen is None:
            return
        form = self.form.chosen("data", data=chosen.path, data_name=chosen.name)
        if "prompt" not in form.touched:
            form = replace(form, prompt=await asyncio.to_thread(self._prompt_of, form))
        self._take(form)

    async def _ask(self, key: str) -> None:
        form, means = self.form, MEANS[key]
        if key == "others":
            means = f"{means}; there are {', '.join(OTHER_SETTINGS)}"
        text = await self.app.push_screen_wait(
            AskSetting(f"{TITLES[key]}: {means}", form.text_of(key), self._shown(key), lambda it: form.typed(key, it))
        )  # fmt: skip
        if text is not None:
            self._take(self.form.typed(key, text))

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_reset(self) -> None:
        item, form = self.table.chosen, self.form
        if isinstance(item, Unfinished):
            title = f"Forget the training of {safe_line(item.plan.out.stem)}?"
            said = "Its checkpoints are deleted; an adapter that it has written stays."
            if await self.app.push_screen_wait(Confirm(title, said, "forget it")):
                await asyncio.to_thread(Work(self._home.tuning_places.state, item.plan.out).discard)
                self.look()
        elif isinstance(item, Field):
            match item.key:
                case "data":
                    return
                case "prompt":
                    prompt = None if form.prompt else self._prompt_of(form)
                    form = form.chosen("prompt", prompt=prompt)
                case "suites":
                    form = replace(form, suites=tuple(shipped_suites()))
                case key:
                    form = form.typed(key, "")
            own = {"prompt"} if item.key == "prompt" else set[str]()
            self._take(replace(form, touched=form.touched - {item.key} | own))

    def action_start(self) -> None:
        if self._plan is None or self._data is None:
            self.tell_error(self._problem or "The rows are still being checked.")
        elif problem := self._missing or self._data.problem:
            self.tell_error(for_app(problem))
        else:
            self._begin(replace(self._plan, out=self.form.out), self._data)

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def _begin(self, plan: TuningPlan, data: CheckedData) -> None:
        """Train; where something grave was found, once a person has said so."""
        grave = [it for it in data.report.findings if it.grave]
        if grave and self._home.learning is None:
            title = "Something is wrong with the rows. Train all the same?"
            said = "\n".join(f"✗ {safe_line(sentence(it))}" for it in grave)
            if not await self.app.push_screen_wait(Confirm(title, said, "train")):
                return
        if plan.out.exists():
            title = f"There is an adapter {safe_line(plan.out.stem)} already. Replace it?"
            if not await self.app.push_screen_wait(Confirm(title, str(plan.out), "replace it")):
                return
        try:
            private(plan.out.parent)
        except OSError as error:
            self.tell_error(f"{plan.out.parent} cannot be made: {error.strerror}.")
            return
        state = self._home.tuning_places.state / "tuning"
        await asyncio.to_thread(note_file, state, plan.data)
        self._start(plan, data)

    def _start(
        self, plan: TuningPlan, data: CheckedData | None = None, *, resume: bool = False
    ) -> None:
        busy = self._home.learning
        if busy is not None:
            self.app.notify(f"{busy.name} is being trained; stop it first.")
            return
        it = self._home.make_training(plan, data, resume=resume)
        self._home.train(it)
        self.app.push_screen(TrainingScreen(self._home, it))

    # -------------------------------------------------------------------- keys

    def action_details(self) -> None:
        details = self.query_one("#tune-details")
        (self.table if details.has_focus else details).focus()

    def action_leave(self) -> None:
        if self.query_one("#tune-details").has_focus:
            self.table.focus()
        else:
            self.app.pop_screen()
