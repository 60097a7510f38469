"""The pane of text: appends in little work, marks, follows the end, keeps its place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection

from llamadiff.tui.widgets.output_text import Mark, OutputText
from llamadiff.tui.widgets.wrapping import break_lines

WORDS = "Dogs are loyal companions that live with people and guard homes. "


class Page(App[None]):
    CSS = """
    OutputText { height: 10; width: 30; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
    .output-text--added { text-style: underline; }
    """

    def compose(self) -> ComposeResult:
        yield OutputText()


@asynccontextmanager
async def page() -> AsyncIterator[tuple[OutputText, Pilot[None]]]:
    async with Page().run_test(size=(60, 20)) as pilot:
        text = pilot.app.query_one(OutputText)
        text.focus()
        yield text, pilot


def drawn(text: OutputText) -> list[str]:
    return [text.render_line(y).text.rstrip() for y in range(text.size.height)]


def underlined(text: OutputText) -> str:
    return "".join(
        segment.text
        for y in range(text.size.height)
        for segment in text.render_line(y)
        if segment.style and segment.style.underline
    )


async def test_appending_equals_showing_the_whole() -> None:
    async with page() as (text, _):
        whole = WORDS * 5 + "漢字😀\n\ttab\n" + WORDS * 3
        for end in range(0, len(whole) + 1, 7):
            text.show(whole[:end], growing=True)
        text.show(whole)
        grown = text.lines()
        text.clear()
        text.show(whole)
        assert text.lines() == grown
        assert len(grown) > 20


async def test_appending_breaks_only_what_is_new() -> None:
    async with page() as (text, _):
        whole = ""
        for _ in range(400):
            whole += WORDS
            text.show(whole, growing=True)
        lines = len(text.lines())
        assert text.lines_broken < 3 * lines
        before = text.lines_broken
        text.show(whole + "more", growing=True)
        assert text.lines_broken - before <= 2


async def test_control_characters_are_never_drawn() -> None:
    async with page() as (text, _):
        text.show("safe \x1b]52;c;eA==\x07 \x9b2J")
        assert text.text == "safe ␛]52;c;eA==␇ �2J"
        text.show("safe \x1b]52;c;eA==\x07 \x9b2J and \x1b more")
        assert "\x1b" not in "".join(drawn(text))
        assert "␛ more" in " ".join(drawn(text))


async def test_marks_are_drawn_where_they_are_and_move_with_the_text() -> None:
    async with page() as (text, _):
        text.show("one two three", [Mark(4, 7, "added")])
        assert underlined(text) == "two"
        text.show("one two three", [Mark(4, 7, "added"), Mark(8, 13, "added")])
        assert underlined(text) == "twothree"
        text.show("one two three", [])
        assert underlined(text) == ""


async def test_a_mark_runs_over_the_end_of_a_line() -> None:
    async with page() as (text, _):
        text.show(WORDS, [Mark(5, 40, "added")])
        assert underlined(text).replace(" ", "") == WORDS[5:40].replace(" ", "")


async def test_wide_characters_keep_their_cells() -> None:
    async with page() as (text, _):
        text.show("漢字" * 20)
        strip = text.render_line(0)
        assert strip.cell_length == text.size.width
        assert len(strip.text.rstrip()) == text.size.width // 2 - 1


async def test_it_follows_the_end_while_growing() -> None:
    async with page() as (text, pilot):
        for n in range(1, 40):
            text.show(WORDS * n, growing=True)
            await pilot.pause()
            assert text.lines()[-1] in drawn(text)
        text.show(WORDS * 40)
        await pilot.pause()
        assert text.scroll_offset.y == 0, "what is complete is read from the start"


async def test_it_stays_where_a_person_scrolled_and_follows_again_at_the_end() -> None:
    async with page() as (text, pilot):
        text.show(WORDS * 30, growing=True)
        await pilot.pause()
        text.scroll_to(y=3, animate=False)
        await pilot.pause()
        assert not text.following
        text.show(WORDS * 31, growing=True)
        await pilot.pause()
        assert text.scroll_offset.y == 3
        text.scroll_end(animate=False)
        await pilot.pause()
        assert text.following
        text.show(WORDS * 60, growing=True)
        await pilot.pause()
        assert text.lines()[-1] in drawn(text)


async def test_the_scrollable_height_grows_in_steps_and_ends_exact() -> None:
    async with page() as (text, _):
        heights: set[int] = set()
        for n in range(1, 60):
            text.show(WORDS * n, growing=True)
            heights.add(text.virtual_size.height)
        pages = len(text.lines()) // text.size.height
        assert len(heights) <= pages + text.size.height
        text.show(WORDS * 59)
        assert text.virtual_size.height == len(text.lines())


async def test_text_replaced_from_the_middle_is_laid_out_from_there() -> None:
    alphabet = ["one ", "two", " ", "\n", "\t", "漢字", "extraordinarily" * 5, "e\u0301", "\u0301"]
    chance = Random(3)
    async with page() as (text, _):
        for _ in range(300):
            start = "".join(chance.choices(alphabet, k=chance.randrange(60)))
            for _ in range(2):
                end = "".join(chance.choices(alphabet, k=chance.randrange(20)))
                text.show(start + end, growing=True)
                whole = break_lines(text.text, text.size.width - 2)
                assert text._lines == whole
                assert drawn(text) == fresh(text)


def fresh(text: OutputText) -> list[str]:
    text._strips.clear()
    return drawn(text)


async def test_a_change_at_the_end_breaks_little_and_keeps_the_place() -> None:
    async with page() as (text, pilot):
        text.show(WORDS * 200 + "gone", growing=True)
        await pilot.pause()
        text.scroll_to(y=30, animate=False)
        await pilot.pause()
        before = text.lines_broken
        text.show(WORDS * 200 + "come and more", growing=True)
        await pilot.pause()
        assert text.lines_broken - before < 6
        assert (text.following, text.scroll_offset.y) == (False, 30)
        text.show("Other. " + WORDS * 200, growing=True)
        assert text.following, "nothing is left of what was looked at"


async def test_another_text_is_shown_from_where_one_was() -> None:
    async with page() as (text, pilot):
        text.show(WORDS * 30)
        await pilot.pause()
        text.scroll_to(y=0, animate=False)
        text.show("Other. " + WORDS * 30)
        await pilot.pause()
        assert drawn(text)[0].startswith("Other.")


async def test_a_new_width_breaks_the_text_anew() -> None:
    async with page() as (text, pilot):
        text.show(WORDS * 5)
        narrow = len(text.lines())
        text.styles.width = 60
        await pilot.pause()
        assert len(text.lines()) < narrow
        assert " ".join(" ".join(text.lines()).split()) == " ".join((WORDS * 5).split())


async def test_a_text_shown_while_hidden_is_there_later() -> None:
    async with page() as (text, pilot):
        text.display = False
        await pilot.pause()
        text.show(WORDS)
        text.display = True
        await pilot.pause()
        assert drawn(text)[0].startswith("Dogs are loyal")


async def test_what_keeps_words_apart_is_not_copied() -> None:
    async with page() as (text, _):
        text.show("a red│blue fox\n│ is a line", [Mark(5, 6, "between")])
        assert text.lines()[0] == "a red│blue fox"
        found = text.get_selection(Selection(Offset(0, 0), None))
        assert found == ("a redblue fox\n│ is a line", "\n")
        assert text.get_selection(Selection(Offset(4, 0), Offset(8, 0))) == ("dbl", "\n")
