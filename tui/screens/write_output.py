"""Write an output with its conversation to a file whose path is typed, with completion."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.widgets import Input

from ...compare.run import Output
from ..paths import expanded
from ..safe_text import safe_line
from .paths import complete
from .picker import Choice, Picker


class WriteOutput(Picker[Path]):
    """Gives the path that was written to."""

    PLACEHOLDER = "path of a .md or .txt file"
    KEYS_TEXT = (
        ".md with its stamp, .txt the words alone · tab completes · enter write · esc cancel"
    )

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output
        self._confirmed: Path | None = None
        """A file that is there already and may be written over."""

    def title_text(self) -> str:
        return f"Write {self._output.variant.name} · {safe_line(self._output.variant.title)} to"

    def load(self) -> list[Choice]:
        return []

    async def on_mount(self) -> None:
        variant, field = self._output.variant, self.query_one(Input)
        field.value = f"{variant.prompt.slug}-{variant.name}.md"
        field.cursor_position = len(field.value)
        field.focus()

    def matching(self) -> list[Choice]:
        """The folders and files that what is typed could become."""
        found = [path for path in complete(self.typed, "") if path != self.typed]
        return [Choice(path, path) for path in found if path.endswith(("/", ".md", ".txt"))]

    def action_complete(self) -> None:
        field, key = self.query_one(Input), self.highlighted()
        if key is not None:
            field.value = key
            field.cursor_position = len(key)

    async def choose(self) -> None:
        """Write to what is typed."""
        await self.take(self.typed)

    async def take(self, key: str) -> None:
        if not key or key.endswith("/") or expanded(key).is_dir():
            self.problem("Give the name of a file.")
            return
        path = expanded(key)
        if path.suffix not in (".md", ".txt"):
            path = path.with_name(f"{path.name}.md")
        if path.exists() and path != self._confirmed:
            self._confirmed = path
            self.problem(f"{path} is there already; enter again writes over it.")
            return
        try:
            await asyncio.to_thread(_write, self._output, path)
        except OSError as error:
            self.problem(f"{path} cannot be written: {error.strerror or error}.")
        else:
            self.dismiss(path)


def _write(output: Output, path: Path) -> None:
    from ...compare.transcript import as_markdown, as_text

    text = as_text(output) if path.suffix == ".txt" else as_markdown(output)
    path.write_text(text, "utf-8", errors="replace")
