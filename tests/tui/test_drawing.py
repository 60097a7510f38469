"""A diff as text: true to both texts, the same however it came about, folded where it is equal."""

from __future__ import annotations

import random
import statistics
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamadiff.compare.diff.live import LiveDiff, diff
from llamadiff.compare.diff.result import same_start
from llamadiff.tui.drawing import Drawing, folded
from llamadiff.tui.widgets.output_text import Mark

from ..compare.test_diff_live import arrivals, edited, pairs, prose

WAYS = [{}, {"unified": True}, {"fold": True}, {"unified": True, "fold": True, "signs": True}]


def drawn(a: str, b: str, **ways: bool) -> Drawing:
    drawing = Drawing(**ways)
    drawing.update(diff(a, b), a, b)
    return drawing


@pytest.mark.parametrize("ways", WAYS)
@settings(max_examples=150, deadline=None)
@given(pair=pairs(), seed=st.integers(0, 2**32))
def test_drawn_step_by_step_as_at_once(ways: dict[str, bool], pair: tuple[str, str], seed: int):
    a, b = pair
    live, drawing = LiveDiff(), Drawing(**ways)
    for i, j in arrivals(a, b, random.Random(seed), 9):
        found = live.update(a[:i], b[:j], a_done=False, b_done=False)
        drawing.update(found, a[:i], b[:j])
        assert [mark.start for mark in drawing.marks[1:]] == [m.end for m in drawing.marks[:-1]]
        assert (drawing.marks[-1].end if drawing.marks else 0) == len(drawing.text)
    drawing.update(live.update(a, b, a_done=True, b_done=True), a, b)
    once = drawn(a, b, **ways)
    assert (drawing.text, drawing.marks, drawing.stops) == (once.text, once.marks, once.stops)


@settings(max_examples=150, deadline=None)
@given(pair=pairs())
def test_a_place_is_found_in_the_baseline_and_back(pair: tuple[str, str]):
    a, b = pair
    for ways in WAYS:
        drawing = drawn(a, b, **ways)
        for stop in drawing.stops:
            assert drawing.from_base(stop.a) <= stop.start
            assert 0 <= drawing.base_at(stop.start) <= len(a)
        places = [drawing.from_base(offset) for offset in range(len(a) + 1)]
        assert places == sorted(places) and all(0 <= p <= len(drawing.text) for p in places)


def test_a_removal_and_what_stands_in_its_place_are_one_difference():
    drawing = drawn("the red fox runs", "the blue fox runs fast", unified=True)
    assert [drawing.text[s.start : s.end] for s in drawing.stops] == ["red│blue", " fast"]
    plain = drawn("one two three four", "one three four")
    assert [(s.start, s.end) for s in plain.stops] == [(4, 4)]


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        ("a red fox", "a blue fox", "a red│blue fox"),
        ("red", "blue", "red│blue"),
        ("a red\n\nfox", "a\nblue fox", None),
        ("a fox", "a blue fox", "a blue fox"),
        ("a blue fox", "a fox", "a blue fox"),
    ],
)
def test_what_replaces_a_removal_is_kept_apart_from_it(a: str, b: str, text: str | None):
    one = drawn(a, b, unified=True)
    assert text is None or one.text == text
    for ways in ({}, {"unified": True, "signs": True}):
        assert "│" not in drawn(a, b, **ways).text, "not in the other text alone, nor beside signs"
    marks = [(one.text[m.start : m.end], m.kind) for m in one.marks]
    for (gone, kind), (new, other) in pairwise(marks):
        assert (kind, other) != ("removed", "added") or gone[-1].isspace() or new[0].isspace()


def test_long_equal_parts_are_folded_but_for_a_few_words():
    same = " ".join(f"w{n}" for n in range(20))
    drawing = drawn(f"{same} old {same}", f"{same} new {same}", fold=True)
    assert drawing.text == "[⋯ 17 equal words] w17 w18 w19 new w0 w1 w2 [⋯ 17 equal words]"
    lines = drawn("x\n\n" * 9 + "old" + "\n\nx" * 9, "x\n\n" * 9 + "new" + "\n\nx" * 9, fold=True)
    assert lines.text == "x\n\n" * 9 + "new" + "\n\nx" * 9, "nine words but three are too few"


def test_what_is_folded_over_lines_has_a_line_of_its_own():
    same = "one two three four five six\nseven eight nine ten eleven twelve thirteen fourteen "
    drawing = drawn("a " + same + "b", "c " + same + "d", fold=True)
    assert drawing.text == "c one two three \n[⋯ 8 equal words]\ntwelve thirteen fourteen d"


def test_lines_are_folded_as_lines():
    text = "".join(f"line {n}\n" for n in range(9))
    assert folded(text, first=False, last=True, lines=True) == (21, 63, "[⋯ 6 equal lines]")
    assert folded("a\nb\nc\nd\n", first=False, last=True, lines=True) is None


def test_the_end_of_a_growing_text_is_not_folded():
    same = " ".join(f"w{n}" for n in range(40))
    live, drawing = LiveDiff(), Drawing(fold=True)
    drawing.update(live.update(same, same, a_done=False, b_done=False), same, same)
    assert drawing.text == same
    drawing.update(live.update(same, same, a_done=True, b_done=True), same, same)
    assert drawing.text == "[⋯ 40 equal words]"


def test_what_is_fixed_is_not_drawn_again():
    rng = random.Random(2)
    words = prose(rng, 3000)
    a, b = "".join(words), "".join(edited(words, rng, 12))
    live, drawing = LiveDiff(), Drawing()
    before: list[Mark] = []
    new: list[int] = []
    for end in range(1000, len(a), 40):
        drawing.update(live.update(a[:end], b[:end], a_done=False, b_done=False), a[:end], b[:end])
        new.append(len(drawing.marks) - same_start(before, drawing.marks))
        before = list(drawing.marks)
    assert len(before) > 400 and statistics.median(new) < 60
