"""Choose a prompt from the library, open one by its path, or go on with a draft."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...prompts.document import Prompt
from ...prompts.errors import PromptError
from ...prompts.library import Library
from ..amounts import moment
from .picker import Choice, Picker

_MEND = "Mend it in an editor, then open this list again."

if TYPE_CHECKING:
    from ...compare.history.drafts import Draft


class PickPrompt(Picker["Prompt | Draft"]):
    """Gives the prompt that was chosen, or the draft: those come first."""

    TITLE_TEXT = "Prompt"
    PLACEHOLDER = "name, or the path of a .toml file"
    SUFFIX = ".toml"

    def __init__(self, library: Library, drafts: Callable[[], Sequence[Draft]]) -> None:
        super().__init__()
        self._library = library
        self._find_drafts = drafts
        self._drafts: dict[str, Draft] = {}

    def load(self) -> Sequence[Choice]:
        self._drafts = {f"draft {draft.id}": draft for draft in self._find_drafts()}
        drafts = [
            Choice(key, draft.prompt.name, f"draft of {moment(draft.at)}, {_file(draft.prompt)}")
            for key, draft in self._drafts.items()
        ]
        return drafts + [
            Choice(
                str(it.path),
                it.name,
                it.description,
                f"{it.problem}. {_MEND}" if it.problem else "",
            )
            for it in self._library.entries()
        ]

    async def take(self, key: str) -> None:
        if key in self._drafts:
            self.dismiss(self._drafts[key])
            return
        try:
            prompt = await asyncio.to_thread(self._library.resolve, key)
        except PromptError as error:
            self.problem(str(error))
        else:
            self.dismiss(prompt)


def _file(prompt: Prompt) -> str:
    return f"not saved in {prompt.path.name}" if prompt.path else "in no file"
