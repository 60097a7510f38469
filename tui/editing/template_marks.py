"""Which parts of a text are template: expressions, statements and comments, over several lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

Kind = Literal["template", "comment"]
Mark = tuple[int, int, Kind]
"""Start, end and kind of a part of a line."""


class State(NamedTuple):
    """What a line begins in: the opening mark, the quote in it, and its open braces."""

    inside: str = ""
    quote: str = ""
    depth: int = 0


TEXT = State()
_CLOSING = {"{{": "}}", "{%": "%}", "{#": "#}"}
_OPENING = re.compile(r"\{\{[^{}\"']*\}\}|\{\{|\{%|\{#")
"""What begins a part; an expression without strings and braces is found as a whole."""
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_ENDRAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_ENDS = re.compile(r"""\}\}|%\}|[{}"']""")
_NAME = re.compile(
    r"""
    "(?:\\.|[^"\\])*"? | '(?:\\.|[^'\\])*'?             # a string, passed over
    | (?<![\w.]) (?P<name>[A-Za-z_]\w*) (?!\w|\s*=(?!=))  # a name that is not given a value here
    """,
    re.VERBOSE,
)


def scan(line: str, state: State) -> tuple[list[Mark], State]:
    """The template parts of a line that begins in `state`, and the state after it.

    As jinja2 reads them: quotes and braces in an expression hide what would end it, and nothing
    counts between raw and endraw. An expression or statement that nothing ends reaches to the next
    empty line at most, so that a `{{` just typed does not colour all that follows.
    """
    if state is TEXT and "{" not in line:
        return [], TEXT
    if not line.strip() and state.inside in ("{{", "{%"):
        return [], TEXT
    marks: list[Mark] = []
    at = start = 0
    while True:
        if state.inside == "":
            opening = _OPENING.search(line, at)
            if opening is None:
                return marks, TEXT
            start, at = opening.span()
            if at - start > 2:
                marks.append((start, at, "template"))
                continue
            raw = _RAW.match(line, start)
            if raw is not None:
                marks.append((start, raw.end(), "template"))
                at, state = raw.end(), State("raw")
            else:
                state = State(opening.group())
        elif state.inside == "raw":
            end = _ENDRAW.search(line, at)
            if end is None:
                return marks, state
            marks.append((end.start(), end.end(), "template"))
            at, state = end.end(), TEXT
        else:
            kind: Kind = "comment" if state.inside == "{#" else "template"
            at, state = _leave(line, at, state)
            marks.append((start, at, kind))
            if state.inside:
                return marks, state


def _leave(line: str, at: int, state: State) -> tuple[int, State]:
    """Where what a person is inside of ends, and the state there."""
    inside, quote, depth = state
    if inside == "{#":
        end = line.find("#}", at)
        return (len(line), state) if end < 0 else (end + 2, TEXT)
    while True:
        if quote:
            while at < len(line) and line[at] != quote:
                at += 2 if line[at] == "\\" else 1
            if at >= len(line):
                return len(line), State(inside, quote, depth)
            at, quote = at + 1, ""
        found = _ENDS.search(line, at)
        if found is None:
            return len(line), State(inside, quote, depth)
        mark = found.group()
        if mark == _CLOSING[inside] and not depth:
            return found.end(), TEXT
        at = found.start() + 1
        if mark in "\"'":
            quote = mark
        elif mark == "{":
            depth += 1
        elif mark != "%}":
            depth = max(0, depth - 1)


class TemplateMarks:
    """The marks of a text's lines, looked for where they are asked for.

    What each line begins in is known at all times; an edit looks at the lines it changed and goes
    on for as long as they change what the next line begins in.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._states: list[State] = [TEXT]
        self._marks: dict[int, list[Mark]] = {}
        self._follow(0, len(lines) - 1)

    def changed(self, top: int, old_bottom: int) -> None:
        """Lines `top` to `old_bottom` have become others, as many as the text has more now."""
        added = len(self._lines) - len(self._states)
        self._states[top + 1 : old_bottom + 1] = [TEXT] * (old_bottom - top + added)
        self._marks.clear()
        self._follow(top, old_bottom + added)

    def _follow(self, row: int, bottom: int) -> None:
        """Find the states after `row`, to `bottom` and on until they are the ones known."""
        lines, states = self._lines, self._states
        state = states[row]
        while row + 1 < len(lines):
            _, state = scan(lines[row], state)
            row += 1
            if row == len(states):
                states.append(state)
            elif row > bottom and states[row] == state:
                return
            states[row] = state

    def of(self, row: int) -> list[Mark]:
        """The marks of a line."""
        marks = self._marks.get(row)
        if marks is None:
            marks = self._marks[row] = scan(self._lines[row], self._states[row])[0]
        return marks


def names_in(line: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where a template part of a line looks up names."""
    for found in _NAME.finditer(line, start, end):
        if found["name"]:
            yield found.span("name")
