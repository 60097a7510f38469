"""The undo steps of a text as bytes, so that they outlive the program."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from textual.document._document import EditResult, Location, Selection
from textual.document._edit import Edit
from textual.document._history import EditHistory

MOST_STEPS = 100
MOST_CHARACTERS = 500_000
"""What is kept of the newest steps; older ones are forgotten."""

Span = tuple[Location, Location]


class Step(msgspec.Struct, array_like=True):
    """One edit: what stood between two places was replaced."""

    text: str
    start: Location
    end: Location
    replaced: str
    new_end: Location
    keeps_selection: bool
    before: Span
    after: Span


class Log(msgspec.Struct, array_like=True):
    """The steps that can be taken back and done again, each a few edits, the newest last."""

    version: int
    undo: list[list[Step]]
    redo: list[list[Step]]


VERSION = 1


def new_history() -> EditHistory:
    """Steps as a person sees them: a pause of two seconds or a hundred characters ends one."""
    return EditHistory(MOST_STEPS, 2.0, 100)


def pack(history: EditHistory) -> bytes:
    """The newest steps of a history."""
    undo, room = _newest(history.undo_stack, MOST_CHARACTERS)
    redo, _ = _newest(history.redo_stack, room)
    return msgspec.msgpack.encode(Log(VERSION, undo, redo))


def unpack(data: bytes) -> EditHistory:
    """The history that `pack` was given; an empty one for what it did not write."""
    history = new_history()
    try:
        log = msgspec.msgpack.decode(data, type=Log)
    except msgspec.MsgspecError:
        return history
    if log.version == VERSION:
        history._undo_stack.extend([_edit(step) for step in steps] for steps in log.undo)
        history._redo_stack.extend([_edit(step) for step in steps] for steps in log.redo)
        history.checkpoint()
    return history


def _newest(stack: Iterable[list[Edit]], room: int) -> tuple[list[list[Step]], int]:
    """The last batches of edits that have `room` characters together, and the room left."""
    kept: list[list[Step]] = []
    for edits in reversed([*stack]):
        steps = [_step(edit) for edit in edits]
        room -= sum(len(step.text) + len(step.replaced) for step in steps)
        if room < 0:
            break
        kept.append(steps)
    return kept[::-1], max(0, room)


def _step(edit: Edit) -> Step:
    result, before, after = edit._edit_result, edit._original_selection, edit._updated_selection
    assert result is not None
    return Step(
        edit.text,
        edit.top,
        edit.bottom,
        result.replaced_text,
        result.end_location,
        edit.maintain_selection_offset,
        _span(before or Selection.cursor(edit.top)),
        _span(after or Selection.cursor(result.end_location)),
    )


def _span(selection: Selection) -> Span:
    return selection.start, selection.end


def _edit(step: Step) -> Edit:
    edit = Edit(step.text, step.start, step.end, step.keeps_selection)
    edit._edit_result = EditResult(step.new_end, step.replaced)
    edit._original_selection = Selection(*step.before)
    edit._updated_selection = Selection(*step.after)
    return edit
