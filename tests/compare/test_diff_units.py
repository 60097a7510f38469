"""Units: nothing is lost, and growing gives what splitting at once gives."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.compare.diff.units import UnitBuffer, split

MODES: list[Literal["word", "char", "line"]] = ["word", "char", "line"]
NASTY = "ab1 .,'’-\n\r\t\u0301\u200d\u093f\ufe0f猫ไ👩👧🏽🇩🇪é\u1100\x1c\u3000_²"
texts = st.one_of(st.text(), st.text(alphabet=NASTY), st.text(alphabet="ab \n."))


@pytest.mark.parametrize("mode", MODES)
@given(text=texts)
def test_units_joined_are_the_text(mode: Literal["word", "char", "line"], text: str):
    units = split(text, mode)
    assert "".join(units) == text
    assert all(units)


@pytest.mark.parametrize("mode", MODES)
@given(pieces=st.lists(texts, max_size=8))
def test_growing_gives_the_units_of_the_whole(
    mode: Literal["word", "char", "line"], pieces: list[str]
):
    buffer = UnitBuffer(mode)
    settled: list[str] = []
    for piece in pieces:
        buffer.append(piece)
        now = [core for _, core in buffer.cores(0, buffer.settled)]
        assert now[: len(settled)] == settled, "a settled core changed"
        settled = now
    whole = split("".join(pieces), mode)
    assert [buffer.unit(i) for i in range(len(buffer.ends))] == whole
    assert [core for _, core in buffer.cores(0, len(settled))] == settled


@pytest.mark.parametrize("char", ["a", "猫", "\u0301", " ", "\n", "1.", "a’", "🇩", "👩\u200d"])
def test_no_repetition_makes_the_tail_that_is_split_again_long(char: str):
    for mode in ("word", "char"):
        assert max(map(len, split(char * 20_000, mode))) < 10_000


def test_words_carry_the_space_after_them():
    assert split("  The dog’s 3.5 kg, ok?\n\nyes", "word") == [
        "  ",
        "The ",
        "dog’s ",
        "3.5 ",
        "kg",
        ", ",
        "ok",
        "?\n\n",
        "yes",
    ]


def test_scripts_without_spaces_count_characters_as_words():
    assert split("猫が寝る。", "word") == ["猫", "が", "寝", "る", "。"]


def test_marks_stay_with_their_base():
    assert split("e\u0301a", "char") == ["e\u0301", "a"]
    assert split("👩🏽\u200d🚀!🇩🇪", "char") == ["👩🏽\u200d🚀", "!", "🇩🇪"]
    assert split("नमस्ते दुनिया", "word") == ["नमस्ते ", "दुनिया"]


def test_lines_keep_their_ends():
    assert split("a\n\nb\r\nc", "line") == ["a\n", "\n", "b\r\n", "c"]


def test_tokens_come_from_their_ends():
    buffer = UnitBuffer("token")
    buffer.append("The do", [3])
    assert buffer.ends == [3, 6]
    assert buffer.settled == 1
    buffer.append("gs 🐕", [3, 8, 8, 10])
    assert [buffer.unit(i) for i in range(len(buffer.ends))] == ["The", " dogs", " 🐕"]
    assert buffer.settled == 3
    with pytest.raises(ValueError, match="tokens"):
        split("x", "token")
