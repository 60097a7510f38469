"""Rows of an edited text: no wider than the screen, and the same however they came about."""

from hypothesis import given
from hypothesis import strategies as st
from textual.document._document import Location
from textual.document._document_navigator import DocumentNavigator
from textual.geometry import Offset

from llamadiff.tui.editing.document import EditedText, plain_ends
from llamadiff.tui.editing.rows import Rows, breaks_of, width_of_row

LETTERS = st.sampled_from("abc   \t\té漢字😀e\u0301ᄒ-\u200d\x1b")
LINES = st.text(LETTERS, max_size=120)
TEXTS = st.text(st.one_of(LETTERS, st.just("\n")), max_size=160)
WIDTHS = st.integers(4, 15)
TAB = 4


def rows_of(line: str, width: int) -> list[str]:
    starts = [0, *breaks_of(line, width, TAB)]
    return [line[a:b] for a, b in zip(starts, [*starts[1:], len(line)], strict=True)]


def test_words_go_to_the_next_row_whole_with_the_blanks_after_them() -> None:
    assert rows_of("one two three", 8) == ["one two ", "three"]
    assert rows_of("one two  three", 8) == ["one ", "two  ", "three"]
    assert rows_of("an extraordinary day", 7) == ["an ", "extraor", "dinary ", "day"]
    assert rows_of("ab   漢字漢字", 6) == ["ab   ", "漢字漢", "字"]


@given(LINES, WIDTHS)
def test_rows_lose_nothing_and_none_is_too_wide(line: str, width: int) -> None:
    rows = rows_of(line, width)
    assert "".join(rows) == line
    assert all(rows) or not line
    assert all(width_of_row(row, TAB) <= width for row in rows)


@given(TEXTS, WIDTHS, st.data())
def test_an_edit_gives_the_same_rows_as_breaking_the_whole(
    text: str, width: int, data: st.DataObject
) -> None:
    document = EditedText(text)
    rows = Rows(document, width, TAB)
    for _ in range(4):
        start, end = sorted((data.draw(locations(document)), data.draw(locations(document))))
        if data.draw(st.booleans()):
            end = start
        inserted = data.draw(st.one_of(LINES, TEXTS))
        result = document.replace_range(start, end, inserted)
        rows.wrap_range(start, end, result.end_location)
        again = Rows(EditedText(document.text), width, TAB)
        assert [list(b) for b in rows._wrap_offsets] == [list(b) for b in again._wrap_offsets]
        assert rows.height == again.height == sum(map(len, rows.lines))


def locations(document: EditedText) -> st.SearchStrategy[Location]:
    return st.integers(0, document.line_count - 1).flatmap(
        lambda row: st.tuples(st.just(row), st.integers(0, len(document[row])))
    )


@given(TEXTS, WIDTHS, st.data())
def test_places_on_the_screen_and_in_the_text_are_each_others_inverse(
    text: str, width: int, data: st.DataObject
) -> None:
    document = EditedText(text.replace("\u200d", ""))
    rows = Rows(document, width, TAB)
    x, y = data.draw(st.integers(0, 20)), data.draw(st.integers(0, 40))
    found = rows.offset_to_location(Offset(x, y))
    assert rows.offset_to_location(rows.location_to_offset(found)) == found
    line, column = found
    assert 0 <= column <= len(document[line])


@given(TEXTS, WIDTHS)
def test_going_down_visits_every_row(text: str, width: int) -> None:
    document = EditedText(text)
    rows = Rows(document, width, TAB)
    navigator, at = DocumentNavigator(rows), (0, 0)
    for y in range(rows.height):
        assert rows.location_to_offset(at).y == y
        at = navigator.get_location_below(at)
    assert at == document.end


@given(st.text(st.sampled_from("ab\n\r\x0b\x85\u2028"), max_size=30), st.data())
def test_a_text_is_kept_to_the_character_and_an_edit_can_be_taken_back(
    text: str, data: st.DataObject
) -> None:
    document = EditedText(text)
    assert document.text == text
    start, end = sorted((data.draw(locations(document)), data.draw(locations(document))))
    result = document.replace_range(start, end, plain_ends(data.draw(TEXTS)))
    document.replace_range(start, result.end_location, result.replaced_text)
    assert document.text == text
