"""Ask which words to keep where a prompt was changed here and on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...prompts.document import Prompt
from ..dialog_keys import BOTH_KEYS
from ..safe_text import safe_line
from ..widgets.changes_view import ChangesView
from .dialog import Dialog

if TYPE_CHECKING:
    from ...prompts.merge import Conflict


class BothChanged(Dialog[Prompt]):
    """Gives the prompt to go on with: what was changed elsewhere is in both answers."""

    DEFAULT_CSS = "BothChanged ChangesView { height: auto; margin-top: 1; }"
    KEYS_TEXT = (
        "↑↓ · enter take · {both.page_up} {both.page_down} scroll · {dialog.cancel} decide later"
    )
    BINDINGS: ClassVar[list[BindingType]] = [*BOTH_KEYS]

    def __init__(self, conflict: Conflict) -> None:
        super().__init__()
        self._conflict = conflict

    def title_text(self) -> str:
        path = self._conflict.on_disk.path
        return f"{safe_line(path.name if path else '')} was changed on disk too"

    def body(self) -> Iterable[Widget]:
        fields = ", ".join(self._conflict.fields)
        yield Static(
            f"Both changed {fields}. Struck through is what the file says, underlined what you wrote; "
            "all other changes are in already.",
            markup=False,
        )
        yield ChangesView(classes="dialog-scroll")
        yield OptionList(
            Option("keep mine; saving puts it into the file", id="mine"),
            Option("take theirs", id="theirs"),
            markup=False,
            compact=True,
        )

    async def on_mount(self) -> None:
        from ...compare.history.versions import changes

        self.query_one(OptionList).focus()
        conflict = self._conflict
        self.query_one(ChangesView).show(
            await asyncio.to_thread(changes, conflict.theirs, conflict.mine)
        )
        self.call_after_refresh(self._fit)

    def action_page(self, step: int) -> None:
        view = self.query_one(ChangesView)
        view.scroll_page_down() if step > 0 else view.scroll_page_up()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        conflict = self._conflict
        self.dismiss(conflict.mine if event.option.id == "mine" else conflict.theirs)
