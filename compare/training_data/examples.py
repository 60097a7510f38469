"""Rows of a dataset, or ratings, as examples: what the prompt is given, and the answer to learn."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ...prompts.datasets import PreferenceRow, Row, read_rows, rows_of
from ...prompts.document import Prompt
from ...prompts.examples import guessed_answer, guessed_question
from ..errors import CompareError
from ..evaluation.rows import EXPECTED, ROW_KEY, SaidRow, Turns, said_rows
from .normal import normal

if TYPE_CHECKING:
    from ...prompts.rendering.helper import Renderer
    from ..history.ratings import Kept
    from ..rating.export import Form
    from ..rating.source import Source

LEAST = 2
"""Rows without which there is nothing to hold out."""

_ASKING = Prompt("without a prompt", user="{{ user }}")
_UNDER_SYSTEM = Prompt("without a prompt", system="{{ system }}", user="{{ user }}")


@dataclass(frozen=True)
class Example:
    """One row: the prompt and the values it is given, the turns after it, and the answer.

    `rejected` is the answer that another was preferred to, None where rows are no preferences.
    `key` is that of the same row in a suite, `suite_row` the one that an exported rating says it is
    of, if it is one. `line` counts from 1 in the file.
    """

    line: int
    key: str
    prompt: Prompt
    values: Mapping[str, str]
    turns: Turns
    answer: str
    rejected: str | None = None
    suite_row: str = ""

    @property
    def asked(self) -> tuple[str, ...]:
        """All that the answer is an answer to, the prompt's own words aside."""
        return (*self.values.values(), *(text for turn in self.turns for text in turn))

    @cached_property
    def input(self) -> str:
        """What was asked but for its form: examples with the same are one question."""
        return json.dumps([normal(text) for text in self.asked], ensure_ascii=False)

    @cached_property
    def answered(self) -> str:
        """The answer but for its form."""
        return normal(self.answer)

    @property
    def rejection(self) -> str | None:
        """The rejected answer but for its form."""
        return None if self.rejected is None else normal(self.rejected)


@dataclass(frozen=True)
class Examples:
    """All rows of one source, of one kind. `source` is the file, or what errors call it."""

    source: Path
    examples: tuple[Example, ...]

    @property
    def preferences(self) -> bool:
        """Rows prefer one answer to another."""
        return self.examples[0].rejected is not None


def read_examples(file: Path, prompt: Prompt | None, renderer: Renderer) -> Examples:
    """The rows of a dataset. With a `prompt` its columns are that prompt's variables, as in a suite;
    without one what the rows say was asked is asked as it is.

    Raises PromptError and CompareError, naming file and line.
    """
    return _examples(file, read_rows(file), prompt, renderer)


def rated_examples(
    source: Source, kept: Sequence[Kept], form: Form, prompt: Prompt | None, renderer: Renderer
) -> Examples:
    """The rows that ratings make, as `rating.export` writes them. Raises as `read_examples`."""
    from ..rating.export import rated_rows

    name = Path(f"the ratings of {source.name or source.what.key}")
    return _examples(name, rows_of(name, rated_rows(source, kept, form)), prompt, renderer)


def _examples(
    file: Path, rows: Iterable[Row], prompt: Prompt | None, renderer: Renderer
) -> Examples:
    used: set[str] = set()
    if prompt is not None:
        declared = {variable.name for variable in prompt.variables}
        used = declared | set(renderer.template_variables(prompt))
    found: list[Example] = []
    unanswered: Row | None = None
    for it in said_rows(file, rows):
        answer = _answer(it.row, it.values, used)
        if answer is None:
            unanswered = unanswered or it.row
        found.append(_example(file, it, prompt, used, answer or ""))
    if len(found) < LEAST:
        has = "one row" if found else "no rows"
        raise CompareError(
            f"{file} has {has}; training needs at least {LEAST}, one to learn and one to validate "
            "with."
        )
    if not any(example.answer.strip() for example in found):
        if unanswered is not None:
            _fail(
                file, unanswered,
                f"the columns {', '.join(unanswered.values)} do not say what was answered; call that "
                "column expected",
            )  # fmt: skip
        raise CompareError(f"{file}: every answer is empty; there is nothing to learn.")
    return Examples(file, tuple(found))


def _example(
    file: Path, it: SaidRow, prompt: Prompt | None, used: set[str], answer: str
) -> Example:
    row, values = it.row, it.values
    rejected = row.rejected if isinstance(row, PreferenceRow) else None
    said = (it.turns, answer, rejected, values.get(ROW_KEY, ""))
    if prompt is not None:
        given = {name: text for name, text in values.items() if name in used and name != EXPECTED}
        if not given:
            _fail(
                file, row,
                f"the prompt {prompt.name} uses none of the columns {', '.join(row.values)}; it uses "
                f"{', '.join(sorted(used)) or 'no variables'}",
            )  # fmt: skip
        return Example(row.line, it.key, prompt, given, *said)
    asked = _asked(file, row, values)
    system = values.get("system", "")
    if system:
        given = {"system": system, "user": asked}
        return Example(row.line, it.key, _UNDER_SYSTEM, given, *said)
    return Example(row.line, it.key, _ASKING, {"user": asked}, *said)


def _answer(row: Row, values: Mapping[str, str], used: set[str]) -> str | None:
    """What a row answers, None where it does not say: `expected` alone may be missing in a row."""
    if EXPECTED in values:
        return values[EXPECTED]
    if "assistant" in values:
        return values["assistant"]
    column = guessed_answer(name for name in values if name not in used)
    return values[column] if column else None


def _asked(file: Path, row: Row, values: Mapping[str, str]) -> str:
    """What a row asks of a model that is given no prompt."""
    if "user" in values:
        return values["user"]
    column = guessed_question(values)
    if column is None:
        _fail(
            file, row,
            f"the columns {', '.join(row.values)} do not say what was asked; call that column user, "
            "or give the prompt whose variables they are",
        )  # fmt: skip
    return values[column]


def _fail(file: Path, row: Row, what: str) -> NoReturn:
    raise CompareError(f"{file}, line {row.line}: {what}.")
