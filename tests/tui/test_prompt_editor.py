"""The editor of a prompt: what it draws, undo across texts, long texts, pastes, the mouse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.app import App, ComposeResult
from textual.document._document import Selection
from textual.events import Paste
from textual.pilot import Pilot

from llamadiff.prompts.files import MAX_BYTES
from llamadiff.tui.theme import DARK, variables_for
from llamadiff.tui.widgets.prompt_editor import PromptEditor

from .app import screen_text, told


class Page(App[None]):
    CSS = "PromptEditor { padding: 0; }"

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variables_for(DARK)

    def compose(self) -> ComposeResult:
        yield PromptEditor()


@asynccontextmanager
async def editing(text: str, width: int = 40) -> AsyncIterator[tuple[Pilot[None], PromptEditor]]:
    async with Page().run_test(size=(width, 12)) as pilot:
        editor = pilot.app.query_one(PromptEditor)
        editor.cursor_blink = False
        editor.focus()
        editor.edit_text("one", text)
        await pilot.pause()
        yield pilot, editor


def drawn(editor: PromptEditor, *, underlined: bool = False) -> list[str]:
    """The amber parts of every row, or the underlined ones."""
    found, amber = list[str](), editor._theme.syntax_styles["template"].color
    for y in range(editor.size.height):
        for segment in editor.render_line(y):
            style = segment.style
            assert style is not None
            if style.underline if underlined else style.color == amber:
                found.append(segment.text)
    return found


async def test_template_parts_are_amber_over_wrapped_rows_and_other_scripts() -> None:
    async with editing("é {{ ü }} 漢字 {{ b }}{% c %}\n{{ d\n}} e {{ 'long'\n", 20) as (_, editor):
        assert "".join(drawn(editor)) == "{{ ü }}{{ b }}{% c %}{{ d}}{{ 'long'"
    async with editing("words before it {{ a_long_name }} and after", 20) as (_, editor):
        assert drawn(editor) == ["{{ ", "a_long_name }}"]


async def test_names_without_a_value_are_underlined() -> None:
    async with editing("{{ topic }} {{ topci }} topci") as (_, editor):
        assert not drawn(editor, underlined=True)
        editor.mark_missing(frozenset(["topci"]))
        assert drawn(editor, underlined=True) == ["topci"]


async def test_a_control_character_is_a_picture_and_tabs_stop_every_four_cells() -> None:
    async with editing("a\x1b[2Jb\tc\rd") as (pilot, editor):
        assert "a␛[2Jb  c␍d" in screen_text(pilot)
        assert editor.text == "a\x1b[2Jb\tc\rd"


async def test_the_cursor_stands_on_wide_characters_and_after_tabs() -> None:
    async with editing("漢字\tab", 40) as (pilot, editor):
        for column, x in enumerate([0, 2, 4, 8, 9, 10]):
            editor.move_cursor((0, column))
            assert editor.cursor_screen_offset.x == x
        await pilot.click(PromptEditor, offset=(3, 0))
        assert editor.cursor_location == (0, 1)
        await pilot.click(PromptEditor, offset=(9, 0))
        assert editor.cursor_location == (0, 4)


async def test_a_selection_by_mouse_over_rows_is_drawn_and_replaced() -> None:
    async with editing("one two three four five", 12) as (pilot, editor):
        await pilot.mouse_down(PromptEditor, offset=(4, 0))
        await pilot.hover(PromptEditor, offset=(4, 1))
        await pilot.mouse_up(PromptEditor, offset=(4, 1))
        assert editor.selected_text == "two thre"
        selected = editor._theme.selection_style
        assert selected is not None
        boxes = [s.text for y in range(2) for s in editor.render_line(y) if s.style and s.style.bgcolor == selected.bgcolor]  # fmt: skip
        assert boxes == ["two ", "thre"]
        await pilot.press("x")
        assert editor.text == "one xe four five"
        await pilot.press("ctrl+z")
        assert editor.text == "one two three four five"
        assert editor.selected_text == "two thre"


async def test_undo_is_each_texts_own_and_a_change_from_outside_is_a_step() -> None:
    async with editing("first") as (pilot, editor):
        await pilot.press("!")
        editor.edit_text("two", "second")
        await pilot.press("?", "ctrl+z", "ctrl+z")
        assert editor.text == "second"
        editor.edit_text("one", "the first one!")
        assert editor.text == "the first one!"
        await pilot.press("ctrl+z")
        assert editor.text == "first!"
        await pilot.press("ctrl+z")
        assert editor.text == "first"
        await pilot.press("ctrl+y", "ctrl+y")
        assert editor.text == "the first one!"


async def test_undo_steps_outlive_the_program() -> None:
    async with editing("one line") as (pilot, editor):
        await pilot.press("!", "enter", "x", "backspace", "ctrl+z")
        editor.selection = Selection((0, 0), (0, 3))
        await pilot.press("y")
        text, steps = editor.text, editor.undo_steps()["one"]
    async with editing("") as (pilot, editor):
        editor.bring_back("back", text, steps)
        editor.edit_text("back", text)
        for _ in range(9):
            await pilot.press("ctrl+z")
        assert editor.text == "one line"
        for _ in range(9):
            await pilot.press("ctrl+y")
        assert editor.text == text == "y line!\nx"


@pytest.mark.parametrize("steps", [b"", b"\x93\x01\x90", b"\x93\x09\x90\x90", b"{}"], ids=repr)
async def test_steps_that_cannot_be_read_are_none(steps: bytes) -> None:
    async with editing("") as (pilot, editor):
        editor.bring_back("back", "text", steps)
        editor.edit_text("back", "text")
        await pilot.press("ctrl+z")
        assert editor.text == "text"


async def test_old_undo_steps_give_way_to_new_ones() -> None:
    async with editing("") as (pilot, editor):
        for _ in range(8):
            await paste(pilot, editor, "x" * 100_000)
        steps = editor.undo_steps()["one"]
        assert 100_000 < len(steps) < 600_000
        text = editor.text
        editor.bring_back("back", text, steps)
        editor.edit_text("back", text)
        for _ in range(20):
            await pilot.press("ctrl+z")
        assert editor.text == "x" * 300_000


async def paste(pilot: Pilot[None], editor: PromptEditor, text: str) -> None:
    pilot.app.post_message(Paste(text))
    await pilot.pause()


async def test_a_paste_has_one_kind_of_line_end_and_is_one_step() -> None:
    async with editing("a") as (pilot, editor):
        await paste(pilot, editor, "b\rc\r\nd\n")
        assert editor.text == "ab\nc\nd\n"
        await pilot.press("ctrl+z")
        assert editor.text == "a"


async def test_a_paste_too_large_for_a_prompt_is_refused_in_words() -> None:
    async with editing("a") as (pilot, editor):
        await paste(pilot, editor, "é" * (MAX_BYTES // 2))
        assert editor.text == "a"
        assert told(pilot) == "That is too large: a prompt has 1 MB at most."
        await paste(pilot, editor, "é" * (MAX_BYTES // 2 - 1))
        assert len(editor.text) == MAX_BYTES // 2


@pytest.mark.parametrize("text", ["word " * 40_000, "a line of words\n" * 12_500], ids=["one line", "many lines"])  # fmt: skip
async def test_long_texts_are_edited_everywhere(text: str) -> None:
    async with editing(text) as (pilot, editor):
        await pilot.press("!", "ctrl+home", "<", "down", "pagedown", "end", "+", "ctrl+end", "?")
        assert editor.text.startswith("<") and editor.text.endswith("!?")
        assert editor.text.replace("+", "") == f"<{text}!?"
        rows = editor.rows
        fresh = type(rows)(editor.document, rows._width, rows._tab_width)
        assert [[*b] for b in rows._wrap_offsets] == [[*b] for b in fresh._wrap_offsets]
        for _ in range(6):
            await pilot.press("ctrl+z")
        assert editor.text == text


async def test_ends_of_lines_stay_as_they_are() -> None:
    async with editing("a\r\nb\r\n") as (pilot, editor):
        await pilot.press("c", "enter", "d")
        assert editor.text == "a\r\nb\r\nc\r\nd"
        editor.edit_text("one", "a\nb")
        assert editor.text == "a\nb"
