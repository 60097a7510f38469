"""Text nobody vouches for never reaches the terminal as it is."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from llamadiff.tui.safe_text import safe_growth, safe_line, safe_text


@given(st.text())
def test_no_control_character_is_left_and_none_moves(text: str) -> None:
    safe = safe_text(text)
    assert len(safe) == len(text)
    for before, after in zip(text, safe, strict=True):
        if unicodedata.category(after) in ("Cc", "Cs"):
            assert after in "\n\t"
        if unicodedata.category(before)[0] in "LNP":
            assert after == before


def test_escape_sequences_are_visible_and_harmless() -> None:
    assert safe_text("\x1b[2Jhi\x07\x9b31m") == "␛[2Jhi␇�31m"
    assert safe_text("a\u202eb\u2066c") == "a�b�c"


def test_a_line_stays_a_line() -> None:
    assert safe_line("a\nb\tc\x1b") == "a b c␛"


def test_a_joiner_that_joins_nothing_takes_no_letter_away() -> None:
    for text in ("a\u200db", "\u200dx", "م\u200dن", "👩\u200dab", "क\u094d\u200dष"):
        assert safe_text(text) == text.replace("\u200d", "\u200c")
    for text in ("👩\u200d🚀", "👩🏽\u200d🚀", "❤\ufe0f\u200d🔥", "👩\u200d"):
        assert safe_text(text) == text


@given(st.lists(st.sampled_from(["a", "👩", "🏽", "\u200d", "\ufe0f", "\x1b", "🚀", "\n"])))
def test_a_growing_text_is_made_safe_as_a_whole(pieces: list[str]) -> None:
    text = safe = ""
    for piece in pieces:
        text += piece
        safe = safe_growth(safe, text)
        assert safe == safe_text(text)
