"""Text nobody vouches for never reaches the terminal as it is."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from llamadiff.tui.safe_text import safe_line, safe_text


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
