"""The versions of a prompt: when each was, what it was used for, and how any two differ."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...compare.errors import CompareError
from ...prompts.document import Prompt
from ..amounts import moment
from ..keys import VERSION_KEYS
from ..safe_text import safe_line
from ..widgets.changes_view import ChangesView
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Line
from .ask import Ask
from .page import Page
from .styles import styles

if TYPE_CHECKING:
    from ...compare.history.entries import RunEntry
    from ...compare.history.history import History
    from ...compare.history.versions import Version

NOW = "now"
MOST_RUNS = 4
"""How many of a version's runs are shown."""


class Versions(Page[Prompt]):
    """Gives the version to go on with. Every version is compared with the marked one."""

    DEFAULT_CSS = styles("versions.tcss")
    PANES: ClassVar[str] = "#versions-list, #versions-changes"
    BINDINGS: ClassVar[list[BindingType]] = [*VERSION_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = "OptionList"
    HELP = (
        "What this prompt was whenever it was run or saved, kept by itself. The other side shows what "
        "changed from the version marked ◂ to the chosen one: struck through is gone, underlined "
        "is new. Going back to a version is an edit: ctrl+z in the editor takes it back."
    )

    def __init__(self, prompt: Prompt, history: History) -> None:
        super().__init__()
        self._prompt = prompt
        self._history = history
        self._versions: Sequence[Version] = ()
        self._marked = NOW

    def compose(self) -> ComposeResult:
        yield Line("versions-title")
        with Horizontal(id="versions-body"):
            with Vertical(id="versions-list"):
                yield OptionList(markup=False, compact=True)
            with Vertical(id="versions-changes"):
                yield Line("versions-between")
                yield ChangesView()
                yield Static(id="versions-runs", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        left = Content.assemble(
            ("llamadiff", "bold $primary"), "  Versions of ", safe_line(self._prompt.name)
        )
        self.query_one("#versions-title", Line).say(left)
        self.query_one(KeyBar).hints = [
            ("versions.restore", "go back to it"), ("versions.mark", "compare with it"),
            ("versions.leave", "back"), ("versions.name", "name"),
            ("versions.scroll_up versions.scroll_down", "scroll"),
        ]  # fmt: skip
        self.run_worker(self._load(), group="load", exit_on_error=False)

    async def _load(self, at: int | None = None) -> None:
        try:
            self._versions = await asyncio.to_thread(self._history.versions, self._prompt)
        except CompareError as error:
            self.tell_error(error)
        self._show(await self._newest_that_differs() if at is None else at)

    async def _newest_that_differs(self) -> int:
        """The row of the newest version that says something else than the editor, 0 for none."""
        from ...compare.history.versions import changes

        for row, version in enumerate(self._versions, start=1):
            try:
                before = await self._prompt_of(str(version.id))
            except CompareError:
                return 0
            if await asyncio.to_thread(changes, before, self._prompt):
                return row
        return 0

    def _show(self, at: int) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        rows = [(NOW, "now", "in the editor", "")]
        for version in self._versions:
            time = f"{self._number(version)}  {moment(version.at)}"
            runs = f"{version.runs} run{'s' * (version.runs != 1)}" if version.runs else ""
            about = " · ".join(it for it in (runs, "saved" * version.saved) if it)
            rows.append((str(version.id), time, about, safe_line(version.name)))
        width = max(len(time) for _, time, _, _ in rows)
        for key, time, about, name in rows:
            mark = "◂" if key == self._marked else " "
            line = Content.assemble(
                (f"{mark} ", "bold $accent"), f"{time:<{width}}",
                (f"  {name}" if name else "", "bold"), (f"  {about}", "$dim"),
            )  # fmt: skip
            options.add_option(Option(line, id=key))
        options.highlighted = min(at, len(rows) - 1)

    def _chosen(self) -> str:
        options = self.query_one(OptionList)
        if options.highlighted is None:
            return NOW
        return options.get_option_at_index(options.highlighted).id or NOW

    def _named(self, key: str) -> str:
        version = next((it for it in self._versions if str(it.id) == key), None)
        if version is None:
            return "now"
        return safe_line(version.name) or f"{self._number(version)}, {moment(version.at)}"

    def _number(self, version: Version) -> str:
        """`v1` for the oldest."""
        return f"v{len(self._versions) - self._versions.index(version)}"

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        self.run_worker(self._compare, group="compare", exclusive=True, exit_on_error=False)

    async def _compare(self) -> None:
        from ...compare.history.versions import changes

        marked, chosen = self._marked, self._chosen()
        if marked == chosen == NOW and len(self._versions) == 0:
            between, found = "", []
        else:
            between = f"from {self._named(marked)} to {self._named(chosen)}"
            try:
                await self._show_runs(chosen)
                before, after = await self._prompt_of(marked), await self._prompt_of(chosen)
                found = await asyncio.to_thread(changes, before, after)
            except CompareError as error:
                self.tell_error(error)
                return
        self.query_one("#versions-between", Line).say(Content.styled(between, "$dim"))
        otherwise = "There is no difference." if between else "There is no version yet: run the prompt, or save it."  # fmt: skip
        self.query_one(ChangesView).show(found, otherwise)

    async def _show_runs(self, chosen: str) -> None:
        """Say below what differs which runs had the chosen version."""
        from ...compare.history.entries import Wanted

        runs: list[RunEntry] = []
        if chosen != NOW:
            wanted = Wanted(version=int(chosen))
            runs = await asyncio.to_thread(partial(self._history.page, wanted, limit=MOST_RUNS + 1))
        lines = [_run_line(run, int(chosen)) for run in runs[:MOST_RUNS]]
        if len(runs) > MOST_RUNS:
            lines.append(f"older: llamadiff history list --version {chosen}")
        below = self.query_one("#versions-runs", Static)
        below.update("\n".join(lines))
        below.display = bool(lines)

    async def _prompt_of(self, key: str) -> Prompt:
        if key == NOW:
            return self._prompt
        return await asyncio.to_thread(self._history.version, int(key), self._prompt.path)

    # ------------------------------------------------------------------- keys

    def action_restore(self) -> None:
        self.run_worker(self._restore, group="restore", exclusive=True, exit_on_error=False)

    async def _restore(self) -> None:
        chosen = self._chosen()
        try:
            self.dismiss(None if chosen == NOW else await self._prompt_of(chosen))
        except CompareError as error:
            self.tell_error(error)

    def action_mark(self) -> None:
        self._marked = self._chosen()
        self._show(self.query_one(OptionList).highlighted or 0)

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_name(self) -> None:
        version = next((it for it in self._versions if str(it.id) == self._chosen()), None)
        if version is None:
            self.app.notify(
                "What is in the editor is a version once it is run or saved.", timeout=4
            )
            return
        title = f"Name of {self._number(version)}, {moment(version.at)}"
        name = await self.app.push_screen_wait(Ask(title, version.name, "name"))
        if name is not None:
            try:
                await asyncio.to_thread(self._history.name_version, version.id, name.strip())
            except CompareError as error:
                self.tell_error(error)
            await self._load(self.query_one(OptionList).highlighted)

    def action_scroll(self, pages: int) -> None:
        view = self.query_one(ChangesView)
        view.scroll_page_down() if pages > 0 else view.scroll_page_up()

    def action_leave(self) -> None:
        self.dismiss(None)


def _run_line(run: RunEntry, version: int) -> str:
    """A run in a line: when, and which of its variants had the version."""
    had = [safe_line(f"{it.name} {it.label or it.stack}") for it in run.variants if it.version == version]  # fmt: skip
    return f"run {run.id[:8]} · {moment(run.at)} · {', '.join(had)}"
