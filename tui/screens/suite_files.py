"""What changes files and the history from the Evaluate screen: edit, copy, open, remove."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.widgets import Input

from ...compare.errors import CompareError
from ...compare.evaluation.shipped import files_of
from ..external import edit_file
from ..paths import private
from ..removing import question, remove
from ..safe_text import safe_line
from ..sentences import for_app
from ..suites_listed import Listed, Past
from ..widgets.item_table import ItemTable
from .confirm import Confirm
from .pick_suite import PickSuite
from .searched_list import SearchedList

if TYPE_CHECKING:
    from .evaluate_actions import EvaluateActions


class SuiteFiles(SearchedList):
    """The part of the Evaluate screen that keeps suites and evaluations in order."""

    def __init__(self, home: EvaluateActions) -> None:
        super().__init__()
        self._home = home
        self._folders = home.suite_folders
        self._opened: list[Path] = []
        """Suites that were opened by their paths."""

    def look(self, choose: object = None) -> None:
        """Read the files of suites and the history once more; `choose` is what to have chosen."""
        raise NotImplementedError

    @property
    def table(self) -> ItemTable:
        return self.query_one(ItemTable)

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_file(self) -> None:
        path = await self.app.push_screen_wait(PickSuite())
        if path is not None:
            self._opened.append(path)
            self.query_one(Input).value = ""
            self.look(path)

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_edit(self) -> None:
        item = self.table.chosen
        path = Path(item.entry.path) if isinstance(item, Past) else getattr(item, "path", None)
        if path is None:
            return
        if isinstance(item, Listed) and item.origin == "ships":
            path = await self._copied(path)
            if path is None:
                return
        problem = edit_file(self.app, path) if path.is_file() else f"There is no file {path} any more."  # fmt: skip
        if problem:
            self.tell_error(problem)
        self.look(path if not isinstance(item, Past) else None)

    async def _copied(self, path: Path) -> Path | None:
        """A copy of a suite that ships among the person's own, with the files that it names; what is
        there stays."""
        folder = next(iter(self._folders))
        copy = folder / path.name
        if copy.exists():
            return copy
        sentence = f"This one ships with llamadiff and stays as it is. The copy goes to {safe_line(str(folder))}."
        if not await self.app.push_screen_wait(Confirm("Edit a copy of this suite?", sentence, "copy")):  # fmt: skip
            return None
        try:
            for file in reversed(files_of(path)):  # the suite last: it is whole once it is there
                there = folder / file.relative_to(path.parent.resolve())
                private(there.parent)
                if not there.exists():
                    there.write_bytes(file.read_bytes())
        except OSError as error:
            self.tell_error(CompareError(f"{folder} cannot be written: {error.strerror}."))
            return None
        return copy

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_remove(self) -> None:
        item, history = self.table.chosen, self._home.history
        if not isinstance(item, Past) or history is None:
            return
        if item.share is not None or item.entry.running:
            self.app.notify("It is running; stop it first.", timeout=3)
            return
        title = f"Remove the evaluation of {safe_line(item.entry.suite)}?"
        if not await self.app.push_screen_wait(Confirm(title, question(0), "remove")):
            return
        try:
            await asyncio.to_thread(remove, history, self._home.prompts_cache, [item.entry.key])  # fmt: skip
        except CompareError as error:
            self.tell_error(error)
        self.look()

    def tell_error(self, error: object) -> None:
        super().tell_error(for_app(str(error)))
