"""Rows to train on that a suite asks: what is learned by heart proves nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from ..errors import CompareError
from ..evaluation.rows import SuiteRow, suite_rows
from ..evaluation.suite import Suite
from .examples import Example
from .findings import SHOWN, Case, Finding, Kind
from .normal import normal

if TYPE_CHECKING:
    from ...prompts.library import Library
    from ...prompts.rendering.helper import Renderer

TELLING = 4
"""Words from which on a text that stands inside another is no coincidence."""


@dataclass(frozen=True)
class HeldOut:
    """The rows of a suite, and the columns that its prompts ask about."""

    suite: Suite
    rows: Sequence[SuiteRow]
    asked: Collection[str]

    def inputs(self, row: SuiteRow) -> list[str]:
        """What a row asks, but for its form, the longest part first."""
        said = [text for name, text in row.values.items() if name in self.asked]
        said += [reply for _, reply in row.turns]
        return sorted({normal(text) for text in said} - {""}, key=lambda it: (-len(it), it))


def held_out(suite: Suite, library: Library, renderer: Renderer) -> HeldOut:
    """A suite's rows, all of them. Raises CompareError or PromptError."""
    rows = suite_rows(suite)
    wanted = dict.fromkeys(
        str(prompt)
        for spec in suite.variants
        for prompt in spec.axes.get("prompt", (suite.defaults.get("prompt", ""),))
        if prompt
    )
    used: set[str] = set()
    for name in wanted:
        prompt = library.resolve(name)
        used |= {it.name for it in prompt.variables} | set(renderer.template_variables(prompt))
    asked = used & rows[0].values.keys()
    if not asked:
        asked = rows[0].values.keys() - set(suite.dataset.tags)
    if not asked:
        raise CompareError(f"{suite.path}: its rows ask nothing, so there is nothing to hold out.")
    return HeldOut(suite, rows, asked)


def leaks(examples: Sequence[Example], suites: Iterable[HeldOut]) -> Iterator[Finding]:
    """For each suite the examples that it asks: rows of its dataset, and inputs that hold all that
    one of its rows asks, form aside."""
    inputs = _Inputs(examples)
    for them in suites:
        cases = _cases(examples, inputs, them)
        if cases:
            yield Finding(
                Kind.LEAKED, len(cases), tuple(cases[:SHOWN]), grave=True, subject=them.suite.name
            )


def _cases(examples: Sequence[Example], inputs: _Inputs, them: HeldOut) -> list[Case]:
    keys = {row.key: row.line for row in them.rows}
    found = {place: keys[it.key] for place, it in enumerate(examples) if it.key in keys}
    for row in them.rows:
        for place in inputs.holding(them.inputs(row)):
            found.setdefault(place, row.line)
    file = them.suite.dataset.file
    return [
        Case(examples[place].line, "\n".join(examples[place].asked), line, file)
        for place, line in sorted(found.items())
    ]


class _Inputs:
    """The normalised inputs of examples, to be searched."""

    def __init__(self, examples: Sequence[Example]) -> None:
        parts = [[text for text in map(normal, it.asked) if text] for it in examples]
        self._texts = [f" {' '.join(each)} " for each in parts]
        self._all = "\n".join(self._texts)
        self._starts = [0, *accumulate(len(text) + 1 for text in self._texts)]
        self._whole: dict[str, list[int]] = {}
        for place, each in enumerate(parts):
            for text in dict.fromkeys([" ".join(sorted(each)), *each]):
                self._whole.setdefault(text, []).append(place)

    def holding(self, asked: Sequence[str]) -> list[int]:
        """The examples that ask all of it: with enough words anywhere in their input, else as one
        whole text of it."""
        if not asked:
            return []
        if len(" ".join(asked).split()) < TELLING:
            return self._whole.get(" ".join(sorted(asked)), [])
        longest, *others = asked
        wanted = [f" {text} " for text in others]
        return [
            place
            for place in self._with(f" {longest} ")
            if all(text in self._texts[place] for text in wanted)
        ]

    def _with(self, text: str) -> Iterator[int]:
        at = self._all.find(text)
        while at >= 0:
            place = bisect_right(self._starts, at) - 1
            yield place
            at = self._all.find(text, self._starts[place + 1])
