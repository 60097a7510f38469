"""Keys and pastes come out of the terminal's bytes as Textual's own parser reads them."""

from hypothesis import given
from hypothesis import strategies as st
from textual._xterm_parser import XTermParser
from textual.events import Key, Paste
from textual.message import Message

from llamadiff.tui.pasting import ANSWER, Answered, PasteParser

START, END = "\x1b[200~", "\x1b[201~"
WORDS = st.text(st.sampled_from("abé漢 \t\r\n[20~"), max_size=8)
INPUT = st.lists(
    st.one_of(
        WORDS,
        st.sampled_from(["\x1b[A", "\x1b[1;5H", "\x1bOP"]),
        WORDS.map(lambda t: START + t + END),
    ),
    max_size=6,
).map("".join)


def said(messages: list[Message]) -> list[tuple[str, str | None]]:
    return [
        ("paste", m.text) if isinstance(m, Paste) else (m.key, m.character)
        for m in messages
        if isinstance(m, (Key, Paste)) and (not isinstance(m, Paste) or m.text)
    ]


@given(INPUT, st.lists(st.integers(1, 9), max_size=12))
def test_the_same_keys_and_pastes_in_whatever_pieces(text: str, sizes: list[int]) -> None:
    expected = said([*XTermParser().feed(text)])
    parser, found, at = PasteParser(), list[Message](), 0
    for size in [*sizes, len(text)]:
        found += parser.feed(text[at : at + size]) if at < len(text) else ()
        at += size
    assert said(found) == expected


def test_what_looks_like_keys_in_a_paste_is_text() -> None:
    assert said([*PasteParser().feed(f"{START}a\x1b[Ab\x00{END}c")]) == [
        ("paste", "a\x1b[Ab"), ("c", "c"),
    ]  # fmt: skip


@given(st.lists(st.integers(1, 4), max_size=6))
def test_a_terminals_answer_is_no_key(sizes: list[int]) -> None:
    text, parser, found, at = f"a{ANSWER}\x1b[A{ANSWER}b", PasteParser(), list[Message](), 0
    for size in [*sizes, len(text)]:
        found += parser.feed(text[at : at + size]) if at < len(text) else ()
        at += size
    assert said(found) == [("a", "a"), ("up", None), ("b", "b")]
    assert sum(isinstance(message, Answered) for message in found) == 2
