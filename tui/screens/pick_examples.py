"""Choose few-shot examples out of a dataset, with the tokens that each costs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from ...models.errors import ModelError
from ...prompts.datasets import SUFFIXES, Row, VariableRow, read_rows
from ...prompts.document import Example, Prompt
from ...prompts.errors import PromptError
from ...prompts.examples import guessed_columns, nearest_examples, pick_examples, row_example
from ..dialog_keys import EXAMPLES_KEYS
from ..paths import expanded
from ..safe_text import safe_line
from ..sentences import for_app
from ..widgets.lines import shortened
from ..widgets.safe_input import SafeInput
from .dialog import Dialog
from .paths import complete

MOST_ROWS = 500
"""Rows of a dataset that are listed: its first ones."""

AT_ONCE = 4
"""Rows that `r` and `l` choose."""

Count = Callable[[str], Awaitable[int]]


class PickExamples(Dialog[tuple[Example, ...]]):
    """Gives the examples that were chosen, in the order of the dataset."""

    TITLE_TEXT = "Examples from a dataset, for a copy of this variant"
    DEFAULT_CSS = "#examples-cost { margin-top: 1; color: $secondary; }"
    KEYS_TEXT = (
        "{examples.complete} to the rows · {examples.choose} choose · {examples.random} at random"
        " · {examples.likest} likest · enter take · {dialog.cancel} cancel"
    )
    BINDINGS: ClassVar[list[BindingType]] = [*EXAMPLES_KEYS]

    def __init__(self, prompt: Prompt, count: Count) -> None:
        super().__init__()
        self._prompt = prompt
        self._count = count
        self._path = ""
        self._seed = -1
        self._rows: list[tuple[Row, Example]] = []
        self._chosen: set[int] = set()
        self._costs: dict[int, int] = {}

    def body(self) -> Iterable[Widget]:
        yield SafeInput(
            placeholder="path of a .jsonl or .csv file", id="examples-path", compact=True
        )
        yield OptionList(classes="dialog-scroll", markup=False, compact=True)
        yield Static(id="examples-cost", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    # ------------------------------------------------------------------- rows

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip() == self._path and self._chosen:
            self._take()
        else:
            self.run_worker(partial(self._open, event.value.strip()), group="open", exclusive=True, exit_on_error=False)  # fmt: skip

    async def _open(self, typed: str) -> None:
        try:
            rows = await asyncio.to_thread(_first_rows, expanded(typed))
        except PromptError as error:
            self.problem(for_app(str(error)))
            return
        made = [(row, example) for row in rows if (example := self._example(row)) is not None]
        if not made:
            self.problem(_no_examples(rows))
            return
        self.problem("")
        self._path, self._rows, self._chosen, self._costs = typed, made, set(), {}
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self._line(number)) for number in range(len(made))])
        options.highlighted = 0
        options.focus()
        self._show_cost()
        self.call_after_refresh(self._fit)
        self.run_worker(self._weigh, group="weigh", exclusive=True, exit_on_error=False)

    def _example(self, row: Row) -> Example | None:
        """A row's own example; of a row of variables, this prompt's question with its values."""
        example = row_example(row)
        if example is None and isinstance(row, VariableRow) and row.expected is not None:
            return row_example(row, self._prompt.user, "{{ expected }}")
        if example is None and (columns := guessed_columns(row.values)):
            asked, answered = columns
            return row_example(row, f"{{{{ {asked} }}}}", f"{{{{ {answered} }}}}")
        return example

    async def _weigh(self) -> None:
        """Count the tokens of every row's texts, those seen first."""
        from ...models.engine.client import EngineError

        options = self.query_one(OptionList)
        try:
            await self._weigh_rows(options)
        except (ModelError, EngineError) as error:
            self.problem(for_app(str(error)))

    async def _weigh_rows(self, options: OptionList) -> None:
        for number, (_, example) in enumerate(self._rows):
            self._costs[number] = await self._count(f"{example.user}\n{example.assistant}")
            options.replace_option_prompt_at_index(number, self._line(number))
            if number in self._chosen:
                self._show_cost()

    def _line(self, number: int) -> Content:
        row, example = self._rows[number]
        said = row.example or example
        cost = self._costs.get(number)
        return Content.assemble(
            ("[x] " if number in self._chosen else "[ ] ", "bold $accent"),
            (f"{'…' if cost is None else cost:>5} tok  ", "$dim"),
            shortened(said.user.strip()[-200:], 40), ("  →  ", "$dim"),
            (shortened(said.assistant.strip()[:200], 18), "$secondary"),
        )  # fmt: skip

    def _show_cost(self) -> None:
        chosen = len(self._chosen)
        cost = sum(self._costs.get(number, 0) for number in self._chosen)
        said = f"{chosen} of {len(self._rows):,} chosen · {cost:,} tokens besides the template's"
        self.query_one("#examples-cost", Static).update(said)

    # ------------------------------------------------------------------- keys

    def action_complete(self) -> None:
        field, options = self.query_one(Input), self.query_one(OptionList)
        if not field.has_focus:
            field.focus()
            return
        found = [path for suffix in SUFFIXES for path in complete(field.value, suffix)]
        if field.value.strip() == self._path and self._rows:
            options.focus()
        elif found:
            field.value = found[0]
            field.cursor_position = len(field.value)

    def action_choose(self) -> None:
        options = self.query_one(OptionList)
        if options.has_focus and options.highlighted is not None:
            self._chosen ^= {options.highlighted}
            options.replace_option_prompt_at_index(
                options.highlighted, self._line(options.highlighted)
            )
            self._show_cost()

    def action_random(self) -> None:
        """Choose other rows each time."""
        self._seed += 1
        self._choose(pick_examples([row for row, _ in self._rows], AT_ONCE, self._seed))

    def action_likest(self) -> None:
        """Choose the rows most like what the prompt asks."""
        self._choose(nearest_examples([row for row, _ in self._rows], self._prompt.user, AT_ONCE))

    def _choose(self, rows: Sequence[Row]) -> None:
        options = self.query_one(OptionList)
        if not options.has_focus:
            return
        wanted = {id(row) for row in rows}
        self._chosen = {i for i, (row, _) in enumerate(self._rows) if id(row) in wanted}
        for number in range(len(self._rows)):
            options.replace_option_prompt_at_index(number, self._line(number))
        options.highlighted = min(self._chosen, default=0)
        self._show_cost()

    @on(Input.Changed)
    def _typed(self) -> None:
        self.problem("")

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if not self._chosen:
            self.action_choose()
        self._take()

    def _take(self) -> None:
        self.dismiss(tuple(self._rows[number][1] for number in sorted(self._chosen)))


def _no_examples(rows: Sequence[Row]) -> str:
    if not rows:
        return "There are no rows in it."
    columns = safe_line(", ".join(rows[0].values))
    return (
        f"Its columns are {columns}; call those that were asked and answered question and answer."
    )


def _first_rows(path: Path) -> Sequence[Row]:
    return [*islice(read_rows(path), MOST_ROWS)]
