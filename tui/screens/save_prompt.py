"""Save a prompt as a TOML file whose path is typed, with completion."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from textual.app import App

from ...prompts.document import Prompt
from ...prompts.errors import PromptError
from ...prompts.library import SHIPPED, in_words
from ..paths import expanded
from ..safe_text import safe_line
from .path_picker import PathPicker

_SUFFIX = ".toml"


class SavePrompt(PathPicker[Prompt]):
    """Gives the prompt as it is in the file; a name alone is of one among one's own prompts."""

    PLACEHOLDER = "a name, or the path of a .toml file"
    SUFFIX = _SUFFIX
    KEYS_TEXT = "{picker.complete} completes · {picker.up}{picker.down} · enter save · {dialog.cancel} cancel"

    def __init__(self, prompt: Prompt, folder: Path) -> None:
        super().__init__()
        self._prompt = prompt
        self._folder = folder
        self._own = own_file(prompt)

    def title_text(self) -> str:
        return f"Save {safe_line(self._prompt.name)} as"

    def proposed(self) -> str:
        return _short(self._own or self._folder / f"{self._prompt.slug}{_SUFFIX}")

    async def take(self, key: str) -> None:
        path = expanded(key) if "/" in key else self._folder / key
        if not key or key.endswith("/") or path.is_dir():
            self.problem("Give the name of a file.")
            return
        if path.suffix != _SUFFIX:
            path = path.with_name(path.name + _SUFFIX)
        if _is_shipped(path):
            self.problem(
                "The prompts that ship with llamadiff stay as they are; give another path."
            )
        elif path.exists() and path not in (self._own, self.confirmed):
            if await self._is_prompt(path):
                self.confirmed = path
                self.problem(f"{path} is there already; enter again puts this prompt into it.")
        else:
            await self._save(path)

    async def _is_prompt(self, path: Path) -> bool:
        """Whether a prompt is in this file; says so if not, as nothing else is written over."""
        from ...prompts.parse import load_prompt

        try:
            await asyncio.to_thread(load_prompt, path)
        except PromptError as error:
            self.problem(f"This would not be saved over a file that is no prompt: {error}")
            return False
        return True

    async def _save(self, path: Path) -> None:
        try:
            if path.parent == self._folder:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            prompt = _named_for(self._prompt, path)
            saved = await save(self.app, prompt, path, replacing=path == self.confirmed)
        except OSError as error:
            self.problem(f"{self._folder} cannot be made: {error.strerror}.")
        except PromptError as error:
            self.problem(str(error))
        else:
            if saved is not None:
                self.dismiss(saved)


def own_file(prompt: Prompt) -> Path | None:
    """The file the prompt is from, if it may be written to."""
    return None if prompt.path is None or _is_shipped(prompt.path) else prompt.path


async def save(
    app: App[None], prompt: Prompt, path: Path, *, replacing: bool = False
) -> Prompt | None:
    """The prompt as it is in its file now; None where it was left open what that should be.

    Asks where it was changed here and by another program. Raises PromptError.
    """
    from ...prompts.merge import Conflict
    from ...prompts.save import save_prompt
    from .both_changed import BothChanged

    wanted: Prompt | None = prompt
    while wanted is not None:
        try:
            saved = await asyncio.to_thread(save_prompt, wanted, path, replacing=replacing)
        except Conflict as conflict:
            wanted = await app.push_screen_wait(BothChanged(conflict))
        else:
            return replace(saved, path=path)
    return None


def _named_for(prompt: Prompt, path: Path) -> Prompt:
    """Another name for another file, unless the person gave the prompt one already."""
    opened = prompt.loaded and prompt.loaded.prompt.name
    if prompt.path is None or path.stem == prompt.slug or prompt.name != opened:
        return prompt
    return replace(prompt, name=in_words(path.stem))


def _short(path: Path) -> str:
    """A path as a person writes it."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def _is_shipped(path: Path) -> bool:
    return path.resolve().is_relative_to(SHIPPED.resolve())
