"""Ratings as rows to train on: preferences, and instructions with the answers people wrote."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...prompts.document import Message
from ...prompts.messages import as_json
from ...prompts.rendering.helper import Renderer
from ..conversation import messages_after
from ..errors import CompareError
from ..evaluation.rows import ROW_KEY
from ..history.ratings import Kept
from .source import Source

Form = Literal["preferences", "instructions"]
FORMS: tuple[Form, ...] = ("preferences", "instructions")


@dataclass(frozen=True)
class Exported:
    """How many rows were made, and how many ratings were left out, by what was said."""

    rows: int
    left_out: Counter[str]
    several_prompts: bool
    """Variants were asked in different words, and the rows have the baseline's."""


def export(
    source: Source, kept: Sequence[Kept], form: Form, file: Path, *, replace: bool = False
) -> Exported:
    """Write JSONL that `prompts.datasets` reads, and TRL's trainers do.

    Preferences are `{"prompt": [messages], "chosen": [message], "rejected": [message]}`, TRL's
    conversational preference format (its `DPOTrainer`), of every rating that prefers one answer;
    instructions `{"messages": [messages and the edited answer]}`. The messages are those that the
    baseline was given for the row. What was rated in an evaluation has the row's key beside it.

    Raises CompareError for a file that is there already, one that cannot be written, and where
    nothing could be exported; PromptError where a prompt cannot be made again.
    """
    if file.suffix.lower() not in (".jsonl", ".ndjson"):
        raise CompareError(f"{file} must end in .jsonl: that is what is written.")
    rows = rated_rows(source, kept, form)
    _write(file, rows, replace=replace)
    known = [it for it in kept if source.has(it)]
    left_out = Counter(str(it.answer) for it in known if not _is_of(form, it) and it.answer)
    prompts = {
        (variant.prompt, tuple(variant.values.items())) for variant in source.variants.values()
    }
    return Exported(len(rows), left_out if form == "preferences" else Counter(), len(prompts) > 1)


def rated_rows(source: Source, kept: Sequence[Kept], form: Form) -> list[dict[str, object]]:
    """The rows that `export` writes. Raises CompareError where there are none, and PromptError."""
    wanted = [it for it in kept if source.has(it) and _is_of(form, it)]
    if not wanted:
        what = "no rating prefers an answer" if form == "preferences" else "no answer was edited"
        raise CompareError(f"Nothing is there to export: {what} yet.")
    with Renderer() as renderer:
        made = _Messages(source, renderer)
        return [{**_row(source, it, form, made.of(it.row)), **_key(source, it)} for it in wanted]


def _is_of(form: Form, it: Kept) -> bool:
    return it.answer in ("first", "second") if form == "preferences" else bool(it.edited)


class _Messages:
    """What the baseline was given for each row, made once."""

    def __init__(self, source: Source, renderer: Renderer) -> None:
        self._source, self._renderer = source, renderer
        self._variant = next(iter(source.variants.values()))
        self._used = {it.name for it in self._variant.prompt.variables} | set(
            renderer.template_variables(self._variant.prompt)
        )
        self._made: dict[int, list[dict[str, str]]] = {}

    def of(self, row: int) -> list[dict[str, str]]:
        if row not in self._made:
            self._made[row] = as_json(list(self._messages(row)))
        return self._made[row]

    def _messages(self, row: int) -> Iterator[Message]:
        variant, asked = self._variant, self._source.rows[row]
        values = {**asked.values, **variant.values}
        used = {name: text for name, text in values.items() if name in self._used}
        rendered = self._renderer.render_prompt(variant.prompt, used)
        yield from rendered.messages
        output = asked.turns.get(variant.name)
        if output is not None:
            yield from messages_after(output, rendered.prefill)


def _row(source: Source, it: Kept, form: Form, messages: list[dict[str, str]]) -> dict[str, object]:
    if form == "instructions":
        return {"messages": [*messages, _answer(it.edited)]}
    chosen, rejected = it.first, it.second
    if it.answer == "second":
        chosen, rejected = rejected, chosen
    texts = (source.answers[it.row, it.repeat, name].text for name in (chosen, rejected))
    return dict(zip(("prompt", "chosen", "rejected"), (messages, *([_answer(t)] for t in texts)), strict=True))  # fmt: skip


def _key(source: Source, it: Kept) -> dict[str, str]:
    """By which an adapter trained on the row is known to have seen it."""
    key = source.rows[it.row].key
    return {ROW_KEY: key} if key else {}


def _answer(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _write(file: Path, rows: Sequence[dict[str, object]], *, replace: bool) -> None:
    """All rows or none: a file that was there stays until the new one is whole."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    try:
        if file.exists() and not replace:
            raise CompareError(f"{file} is there already; --replace writes over it.")
        beside.write_text(text, "utf-8", errors="replace")
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CompareError(f"{file} cannot be written: {error.strerror}.") from None
