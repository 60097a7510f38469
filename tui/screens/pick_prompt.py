"""Choose a prompt from the library, or open one by its path."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ...prompts.document import Prompt
from ...prompts.errors import PromptError
from ...prompts.library import Library
from .picker import Choice, Picker


class PickPrompt(Picker[Prompt]):
    """Gives the prompt that was chosen."""

    TITLE_TEXT = "Prompt"
    PLACEHOLDER = "name, or the path of a .toml file"
    SUFFIX = ".toml"

    def __init__(self, library: Library) -> None:
        super().__init__()
        self._library = library

    def load(self) -> Sequence[Choice]:
        return [
            Choice(str(it.path), it.name, it.description, it.problem or "")
            for it in self._library.entries()
        ]

    async def take(self, key: str) -> None:
        try:
            prompt = await asyncio.to_thread(self._library.resolve, key)
        except PromptError as error:
            self.problem(str(error))
        else:
            self.dismiss(prompt)
