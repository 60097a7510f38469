"""Lines of a growing text: as wide as allowed, and the same however it arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from llamadiff.tui.widgets import wrapping
from llamadiff.tui.widgets.wrapping import break_lines, width_of

TEXTS = st.text(st.sampled_from("ab  \n\té漢字😀e\u0301ᄒ-"), max_size=80)


def lines(text: str, width: int) -> list[str]:
    return [text[start:end] for start, end in break_lines(text, width)]


def test_words_stay_whole_and_blanks_hang_over_the_edge() -> None:
    assert lines("one two three", 7) == ["one two ", "three"]
    assert lines("one\n\ntwo", 7) == ["one", "", "two"]


def test_a_word_wider_than_the_line_is_cut() -> None:
    assert lines("an extraordinary day", 6) == ["an ", "extrao", "rdinar", "y day"]


def test_ideographs_break_anywhere_and_count_two_cells() -> None:
    assert lines("漢字漢字漢字", 5) == ["漢字", "漢字", "漢字"]
    assert lines("ab 漢字", 5) == ["ab 漢", "字"]


def test_a_grapheme_is_never_cut() -> None:
    assert lines("e\u0301" * 4, 2) == ["e\u0301" * 2, "e\u0301" * 2]
    assert lines("👩‍👧" * 3, 4) == ["👩‍👧" * 2, "👩‍👧"]


@given(TEXTS, st.integers(1, 15))
def test_lines_are_in_order_and_lose_nothing_but_newlines(text: str, width: int) -> None:
    assert "".join(lines(text, width)) == text.replace("\n", "")


@given(TEXTS, st.integers(4, 15))
def test_no_line_is_too_wide(text: str, width: int) -> None:
    assert all(width_of(line.rstrip(" \t")) <= width for line in lines(text, width))


@given(st.lists(TEXTS, max_size=8), st.integers(1, 15))
def test_growing_is_the_same_as_breaking_the_whole(pieces: list[str], width: int) -> None:
    text, broken = "", break_lines("", width)
    for piece in pieces:
        text += piece
        start, _ = broken.pop()
        broken += break_lines(text, width, start)
    assert broken == break_lines(text, width)


def test_width_agrees_with_the_terminal() -> None:
    assert width_of("a漢😀") == cell_len("a漢😀") == 5


@given(st.text(st.sampled_from("ab  \té漢"), max_size=60), st.integers(1, 12))
def test_text_of_narrow_characters_breaks_as_any_text(text: str, width: int) -> None:
    fast = break_lines(text, width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wrapping, "_is_narrow", lambda *_: False)
        assert break_lines(text, width) == fast
