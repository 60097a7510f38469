"""Moved words: found where they are whole and unchanged, marked on both sides, counted apart."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamadiff.compare.diff.live import LiveDiff, diff
from llamadiff.compare.diff.moves import LEAST_WORDS
from llamadiff.compare.diff.unified import unified
from llamadiff.compare.diff.units import Mode, split

from .test_diff_live import check

FOX = "The quick brown fox jumps over the lazy dog near the river. "
MARKET = "Every morning she walks to the old market and buys bread, cheese and olives. "
END = "Nothing else happened that day."
MARKS = {"removed": "[-{}]", "added": "[+{}]", "left": "[~{}]", "arrived": "{{~{}~}}"}


def marked(a: str, b: str, mode: Mode = "word") -> str:
    shown = unified(diff(a, b, mode), a, b)
    return "".join(MARKS.get(kind, "{}").format(text) for kind, text in shown)


def test_a_sentence_that_changed_its_place_is_moved():
    assert marked(FOX + MARKET + END, MARKET + FOX + END) == (f"[~{FOX}]{MARKET}{{~{FOX}~}}{END}")


@pytest.mark.parametrize("mode", ["word", "char", "line", "token"])
def test_moved_words_are_counted_apart(mode: Mode):
    a, b = FOX + "\n" + MARKET + "\n" + END, MARKET + "\n" + FOX + "\n" + END
    ends = [[at + len(unit) for at, unit in _offsets(split(text, "word"))] for text in (a, b)]
    found = LiveDiff(mode).update(a, b, a_done=True, b_done=True, a_ends=ends[0], b_ends=ends[1])
    assert (found.words_added, found.words_removed) == (0, 0)
    assert found.words_moved in (12, 14)


def _offsets(units: list[str]) -> list[tuple[int, str]]:
    at, found = 0, list[tuple[int, str]]()
    for unit in units:
        found.append((at, unit))
        at += len(unit)
    return found


def test_words_around_a_move_stay_added_and_removed():
    a = f"Once upon a time there was this. {FOX}{MARKET}{END}"
    b = f"{MARKET}{END} And yet it did, as {FOX}said so."
    shown = marked(a, b)
    assert f"[~{FOX}]" in shown and f"{{~{FOX}~}}" in shown
    assert "[-Once upon a time there was this. ]" in shown and "[+said so" in shown


def test_a_turn_of_phrase_is_no_move():
    a, b = "At the end of the day " + MARKET, MARKET + "Then at the end of the day"
    assert "~" not in marked(a, b)
    assert "~" not in marked("a b c d e f " + MARKET, MARKET + "a b c d e f")


def test_white_space_within_must_be_the_same():
    other = FOX.replace(" over ", "\n\nover ")
    assert f"[~{FOX}]" not in marked(FOX + MARKET, MARKET + other)


def test_nothing_is_moved_while_the_texts_grow():
    found = LiveDiff().update(FOX + MARKET + END, MARKET + FOX, a_done=True, b_done=False)
    assert all(span.moved is None for span in found.spans) and found.words_moved == 0


def test_each_place_is_told_in_the_other_text():
    a, b = FOX + MARKET + END, MARKET + FOX + END
    left, arrived = (span for span in diff(a, b).spans if span.moved is not None)
    assert (left.moved, arrived.moved) == (len(MARKET), 0)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=12), st.lists(st.integers(0, 9), max_size=12))
def test_what_is_moved_is_the_same_on_both_sides_and_taken_once(one: list[int], two: list[int]):
    rng = random.Random(5)
    sentences = [
        " ".join(f"word{rng.randint(0, 30)}" for _ in range(rng.randint(2, 9))) + ". "
        for _ in range(10)
    ]
    a, b = ("".join(sentences[index] for index in order) for order in (one, two))
    found = diff(a, b)
    check(found, a, b, streaming=False)
    left = [span for span in found.spans if span.look == "left"]
    arrived = [span for span in found.spans if span.look == "arrived"]
    assert len(left) == len(arrived)
    from_a = {(s.a_start, s.moved): a[s.a_start : s.a_end] for s in left}
    in_b = {(s.moved, s.b_start): b[s.b_start : s.b_end] for s in arrived}
    assert from_a == in_b
    assert all(len(text.split()) >= LEAST_WORDS for text in from_a.values())
    assert found.words_moved == sum(len(text.split()) for text in in_b.values())


def test_text_that_repeats_itself_does_not_take_long():
    a = "one two three four five six " * 2000
    b = "start of it. " + "two three four five six seven " * 2000
    found = diff(a, b)
    assert found.complete
