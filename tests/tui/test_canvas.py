"""Only what differs is written, and the terminal shows all of it."""

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from llamadiff.tui.canvas import Canvas, _is_simple

WIDTH, HEIGHT, CUT = 12, 3, 5
STYLES = {"": Style(), "1": Style(bold=True), "4": Style(underline=True)}
TRUECOLOR = ColorSystem.TRUECOLOR
Grid = list[list[tuple[str, str]]]


class Shown:
    """A terminal of a few rows that knows what a canvas writes."""

    def __init__(self) -> None:
        self.grid: Grid = [[(" ", "")] * WIDTH for _ in range(HEIGHT)]

    def read(self, written: str) -> None:
        x = y = 0
        style = ""
        for part in re.findall(r"\x1b\[[\d;]*[A-Za-z]|.", written):
            if part.endswith("H") and len(part) > 1:
                y, x = (int(number) - 1 for number in part[2:-1].split(";"))
            elif part.startswith("\x1b"):
                style = part[2:-1].removeprefix("0;")
            else:
                self.grid[y][x] = (part, style)
                x += 1
        assert style == ""


def strip(cells: list[tuple[str, str]]) -> Strip:
    return Strip([Segment(text, STYLES[style]) for text, style in cells])


def layout(grid: Grid) -> LayoutUpdate:
    return LayoutUpdate([[strip(row)] for row in grid], Region(0, 0, WIDTH, HEIGHT))


def chops(grid: Grid, rows: list[int]) -> ChopsUpdate:
    """These rows, each in two parts, of which the others are not known."""
    parts = [
        {0: strip(row[:CUT]), CUT: strip(row[CUT:])} if y in rows else {0: None, CUT: None}
        for y, row in enumerate(grid)
    ]
    return ChopsUpdate(parts, [(y, 0, WIDTH) for y in rows], [[CUT, WIDTH]] * HEIGHT)


LOOKS = {" ": "", "a": "", "b": "", "A": "1", "B": "1", "_": "4"}
"""Characters, and the style in which each is written."""
ROWS = st.text(st.sampled_from(list(LOOKS)), min_size=WIDTH, max_size=WIDTH)
GRIDS = st.lists(ROWS, min_size=HEIGHT, max_size=HEIGHT).map(
    lambda rows: [[(character, LOOKS[character]) for character in row] for row in rows]
)
UPDATES = st.lists(st.tuples(GRIDS, st.booleans(), st.sets(st.integers(0, HEIGHT - 1))), max_size=4)


def test_a_wide_character_with_a_mark_has_no_cells_of_its_own() -> None:
    assert not _is_simple("か\u3099") and not _is_simple("漢e\u0301")
    assert _is_simple("é – ok")


@given(UPDATES)
def test_the_terminal_shows_what_textual_drew(updates: list[tuple[Grid, bool, set[int]]]) -> None:
    canvas, terminal = Canvas(), Shown()
    terminal.read(canvas.write(layout(terminal.grid), TRUECOLOR))
    wanted = [row.copy() for row in terminal.grid]
    for grid, whole, rows in updates:
        for y in range(HEIGHT) if whole else rows:
            wanted[y] = grid[y]
        update = layout(wanted) if whole else chops(wanted, sorted(rows))
        terminal.read(canvas.write(update, TRUECOLOR))
        assert terminal.grid == wanted
    assert canvas.write(layout(wanted), TRUECOLOR) == ""


def test_a_letter_takes_a_few_bytes_and_what_is_forgotten_is_written_again() -> None:
    canvas = Canvas()
    row: list[tuple[str, str]] = [("a", "")] * WIDTH
    whole = canvas.write(layout([row] * HEIGHT), TRUECOLOR)
    changed = [*row[:7], ("b", ""), *row[8:]]
    assert canvas.write(layout([row, changed, row]), TRUECOLOR) == "\x1b[2;8Hb"
    canvas.forget()
    assert canvas.write(layout([row] * HEIGHT), TRUECOLOR) == whole


def test_on_another_size_all_is_written() -> None:
    """What was written for the size before the terminal may have put elsewhere, or cut off."""
    canvas = Canvas()
    row: list[tuple[str, str]] = [("a", "")] * WIDTH
    whole, lower = layout([row] * HEIGHT), LayoutUpdate([[strip(row)]], Region(0, 0, WIDTH, 1))
    for update in (whole, lower, whole):
        assert canvas.write(update, TRUECOLOR) == Canvas().write(update, TRUECOLOR)
    assert canvas.write(whole, TRUECOLOR) == ""


def test_what_terminals_disagree_about_is_written_with_all_around_it() -> None:
    canvas = Canvas()

    def write(text: str) -> str:
        return canvas.write(LayoutUpdate([[Strip([Segment(text)])]], Region(0, 0, 9, 1)), TRUECOLOR)

    write("abc 漢 def")
    assert write("abd 漢 def") == "\x1b[1;1Habd 漢 def"
    assert write("abd xy def") == "\x1b[1;1Habd xy def"
    assert write("abd xz def") == "\x1b[1;6Hz"
    assert "\x1b7" in write("👋🏽d xz def")
