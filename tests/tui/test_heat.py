"""A lens as marked text: places of tokens, marks, words on where outputs part."""

from __future__ import annotations

import math

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from llamadiff.compare.lens import Alternative, LensToken, View
from llamadiff.compare.parting import Parting, Preference
from llamadiff.tui.heat import chance, measures, quoted, token_text
from llamadiff.tui.lens_lines import legend
from llamadiff.tui.parting_words import parting_words
from llamadiff.tui.widgets.heat_text import HeatText

from .app import screen_text


def token(text: str, a: float = -1.0, b: float = -1.0, rank: int = 1) -> LensToken:
    top = (Alternative(1, b"x", -0.5),)
    return LensToken(1, text.encode(), View(a, rank, 1.0, top), View(b, 1, 4.0, top))


def test_tokens_have_their_places_in_the_text() -> None:
    it = token_text([b"Hi", b" \n", "☺".encode()[:1], "☺".encode()[1:], b"\x1b[2J", b"\xff"])
    assert it.text == "Hi ↵\n☺␛[2J\N{REPLACEMENT CHARACTER}"
    assert [it.text[s:e] for s, e in zip(it.starts, it.ends, strict=True)] == [
        "Hi", " ↵\n", "☺", "☺", "␛[2J", "\N{REPLACEMENT CHARACTER}",
    ]  # fmt: skip
    assert token_text([]).text == ""


def test_marks_say_direction_and_amount() -> None:
    difference, chance_a, _, rank_a, _, _, entropy_b = measures("A", "B")
    tokens = [token("x", b=-1 + delta) for delta in (0, 0.05, 0.11, 0.8, 2.5, -0.11, -0.8, -2.5)]
    assert [difference.kind(it) for it in tokens] == [
        "",
        "",
        "up1",
        "up2",
        "up3",
        "down1",
        "down2",
        "down3",
    ]
    likely = [token("x", math.log(p)) for p in (0.9, 0.4, 0.05, 0.005)]
    assert [chance_a.kind(it) for it in likely] == ["", "much1", "much2", "much3"]
    late = [token("x", rank=n) for n in (1, 2, 4, 11)]
    assert [rank_a.kind(it) for it in late] == ["", "much1", "much2", "much3"]
    assert entropy_b.kind(token("x")) == "much3"


def test_chances_and_tokens_are_short() -> None:
    assert [chance(math.log(p)) for p in (1, 0.5, 0.0123, 0.00123, 1e-9)] == [
        "100 %", "50.0 %", "1.2 %", "0.12 %", "<0.01 %",
    ]  # fmt: skip
    assert quoted(b" a\n\tb") == "“ a↵→b”"
    assert quoted(b"x" * 100, 5) == "“xxxx…”"


CATS, DOGS = token(" cats"), token(" dogs")


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        (Preference(-1.0, -2.0, 0.01), Preference(-2.0, -1.0, 0.0), "a change of mind"),
        (Preference(-1.0, -2.0, 0.01), Preference(-1.0, -1.2, 0.0), "Both find “ cats” likelier"),
        (Preference(-2.0, -1.0, 0.01), Preference(-1.0, -1.2, 0.0), "the other's token likelier"),
        (Preference(-1.2, -1.21, 0.02), Preference(-1.0, -3.0, 0.0), "For A it is a toss-up: 30 % against 30 %."),
        (Preference(-1.2, -1.2, 0.0), Preference(-1.0, -3.0, 0.0), "only a tie would be a toss-up"),
        (Preference(-1.2, -1.3, 0.0), Preference(-1.0, -3.0, 0.0), "1.11 times as likely: 30 % against 27 %"),
    ],
)  # fmt: skip
def test_words_on_a_parting_are_those_of_the_figures(
    a: Preference, b: Preference, says: str
) -> None:
    words = " ".join(parting_words(Parting(6, CATS, DOGS, (a, b)), "A", "B", ("stop", "stop")))
    assert says in words and "They part at token 7: A says “ cats”, B “ dogs”." in words
    assert ("change of mind" in words) <= (a.gap * b.gap != 0)
    if a.is_noise:
        assert "mind" not in words


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("stop", "has ended"), ("length", "was cut off at its length limit"),
        ("context", "was cut off where the context was full"), ("cancelled", "was stopped"),
    ],
)  # fmt: skip
def test_words_on_an_end_say_what_it_came_from(reason: str, says: str) -> None:
    for parting, names, reasons in (
        (Parting(6, None, DOGS), "AB", (reason, "stop")),
        (Parting(6, DOGS, None), "BA", ("stop", reason)),
    ):
        first, *_ = parting_words(parting, *names, reasons)
        assert first == f"They part at token 7: A {says}, B goes on with “ dogs”."


def test_what_is_within_rounding_has_no_mark() -> None:
    difference, chance_a, *_ = measures("A", "B", rounding=0.75)
    tokens = [token("x", b=-1 + delta) for delta in (0.05, 0.7, 0.75, 0.8, -0.7, -0.8)]
    assert [difference.kind(it) for it in tokens] == ["", "", "", "up2", "", "down2"]
    assert chance_a.kind(tokens[0]) == "much1"


def test_the_legend_says_what_is_not_marked_and_where_there_is_little_room() -> None:
    for rounding, said in ((0.0, set[bool]()), (0.02, {True, False}), (0.3, {True})):
        ways = [way.plain for way in legend(measures("A", "B", rounding)[0], "B")]
        assert {f"beyond rounding, {rounding:.2g}" in way for way in ways} - {False} == said - {
            False
        }
        assert (False in said or not said) is any("rounding" not in way for way in ways)
    assert len(ways[-1]) < 64, "beside the facts of a token on 120 columns"


class Alone(App[None]):
    def compose(self) -> ComposeResult:
        yield HeatText()


@pytest.mark.painted
async def test_ten_thousand_tokens_are_drawn_a_screen_at_a_time() -> None:
    app = Alone()
    async with app.run_test(size=(60, 20)) as pilot:
        heat = app.query_one(HeatText)
        drawn: list[int] = []
        real = heat._strip

        def counted(start: int, end: int, base: object):  # type: ignore[no-untyped-def]
            drawn.append(start)
            return real(start, end, base)  # type: ignore[arg-type]

        heat._strip = counted  # type: ignore[method-assign]
        heat.focus()
        heat.show(token_text([f" word{i}".encode() for i in range(10_000)]), lambda token: "up1")
        await pilot.pause()
        for keys, at_most in ((["pagedown"], 45), (["right"] * 5, 15), (["end"], 45)):
            drawn.clear()
            await pilot.press(*keys)
            await pilot.pause()
            assert 0 < len(drawn) <= at_most, keys
        assert heat.cursor == 9_999 and "word9999" in screen_text(pilot)


WORDS = ["👩‍🚀 ", "é\u0301", "日本", "\u202eevil", "שלום", "\x07", "a\tb ", "x" * 90]


async def test_any_text_keeps_the_screens_columns() -> None:
    app = Alone()
    pieces = [bytes([byte]) for word in WORDS * 4 for byte in word.encode()]
    async with app.run_test(size=(40, 20)) as pilot:
        heat = app.query_one(HeatText)
        heat.focus()
        heat.show(token_text(pieces), lambda token: ("up1", "down2")[token % 2])
        await walk(pilot, heat)
        assert not any(it in screen_text(pilot) for it in "\u202e\x07")


async def walk(pilot: Pilot[None], heat: HeatText) -> None:
    for key in ["down"] * 8 + ["right"] * 40 + ["up"] * 8:
        await pilot.press(key)
        for y in range(heat.size.height):
            assert heat.render_line(y).cell_length == heat.size.width
