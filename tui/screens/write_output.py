"""Write an output with its conversation to a file whose path is typed, with completion."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ...compare.run import Output
from ..paths import expanded
from ..safe_text import safe_line
from .path_picker import PathPicker


class WriteOutput(PathPicker[Path]):
    """Gives the path that was written to."""

    PLACEHOLDER = "path of a .md or .txt file"
    SUFFIX = (".md", ".txt")
    KEYS_TEXT = (
        ".md with its stamp, .txt the words alone · tab completes · enter write · esc cancel"
    )

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def title_text(self) -> str:
        return f"Write {self._output.variant.name} · {safe_line(self._output.variant.title)} to"

    def proposed(self) -> str:
        return f"{self._output.variant.prompt.slug}-{self._output.variant.name}.md"

    async def take(self, key: str) -> None:
        if not key or key.endswith("/") or expanded(key).is_dir():
            self.problem("Give the name of a file.")
            return
        path = expanded(key)
        if path.suffix not in self.SUFFIX:
            path = path.with_name(f"{path.name}.md")
        if path.exists() and path != self.confirmed:
            self.confirmed = path
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
