"""What people rated, as rows to train on: the file that an export writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .paths import private

if TYPE_CHECKING:
    from ..compare.history.history import History
    from ..compare.history.ratings import Rated

Form = Literal["preferences", "instructions"]


@dataclass(frozen=True)
class RatedRows:
    """Rows that can be made of the ratings of an evaluation or a run."""

    what: Rated
    form: Form
    count: int
    name: str

    @property
    def key(self) -> str:
        return f"{self.what.key}-{self.form}"

    @property
    def about(self) -> str:
        one = self.count == 1
        if self.form == "preferences":
            made = "rating that prefers an answer" if one else "ratings that prefer an answer"
        else:
            made = "answer rewritten" if one else "answers rewritten"
        return f"{self.count:,} {made} · the {self.what.kind} {self.what.key}"


def rated_rows(history: History) -> list[RatedRows]:
    """All that there are, the last rated first. Reads a file."""
    found: list[RatedRows] = []
    for it in history.ratings.counts():
        name = f"ratings of {it.name or it.what.key}"
        if it.preferred:
            found.append(RatedRows(it.what, "preferences", it.preferred, name))
        if it.edited:
            found.append(RatedRows(it.what, "instructions", it.edited, name))
    return found


def export_rated(history: History, it: RatedRows, folder: Path) -> Path:
    """Write them to a file in `folder`, in the place of what was there. Raises what a person is told."""
    from ..compare.rating.export import export
    from ..compare.rating.source import load_source

    file = private(folder) / f"{it.key}.jsonl"
    kept = history.ratings.all(it.what)
    export(load_source(history, it.what), kept, it.form, file, replace=True)
    return file
