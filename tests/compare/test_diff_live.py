"""The live diff: always true to both texts, and at the end that of the finished texts."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llamadiff.compare.diff import live
from llamadiff.compare.diff.ignore import NOTHING, Ignore
from llamadiff.compare.diff.ignoring import differ
from llamadiff.compare.diff.live import LiveDiff, diff
from llamadiff.compare.diff.result import Diff
from llamadiff.compare.diff.unified import unified
from llamadiff.compare.diff.units import Mode, split

MODES: list[Mode] = ["word", "char", "line", "token"]
WORDS = ["the ", "a ", "dog", "cat ", "runs", ". ", ", ", "\n", "\n\n", "é", "猫", "  ", "3.5 "]
loose_texts = st.lists(st.sampled_from(WORDS), max_size=60).map("".join)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    """Two texts, the second often the first with changes."""
    a = draw(loose_texts)
    if draw(st.booleans()):
        return a, draw(loose_texts)
    units = split(a, "word")
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(units)))
        units[at : at + draw(st.integers(0, 6))] = draw(st.lists(st.sampled_from(WORDS)))
    return a, "".join(units)


def token_ends(text: str) -> list[int]:
    """Tokens of one to three characters, some of which add no text."""
    ends = [min(len(text), end + end % 3) for end in range(1, len(text) + 3, 2)]
    return [*ends, len(text)] if text else []


def arrivals(a: str, b: str, rng: random.Random, longest: int) -> Iterator[tuple[int, int]]:
    """How much of each text has arrived, step by step, at uneven speeds."""
    i = j = 0
    pace = rng.choice([0.1, 0.5, 0.5, 0.9])
    while i < len(a) or j < len(b):
        if rng.random() < pace:
            i = min(len(a), i + rng.randint(0, longest))
        else:
            j = min(len(b), j + rng.randint(0, longest))
        yield i, j


def stream(
    mode: Mode, a: str, b: str, seed: int, longest: int = 9
) -> Iterator[tuple[Diff, str, str]]:
    """A live diff of two texts as they arrive: each state with the texts so far."""
    rng = random.Random(seed)
    differ = LiveDiff(mode)
    a_ends, b_ends = token_ends(a), token_ends(b)
    late = rng.random() < 0.5  # a text that is all there is not always known to be done

    def update(i: int, j: int, a_done: bool, b_done: bool) -> tuple[Diff, str, str]:
        found = differ.update(
            a[:i],
            b[:j],
            a_done=a_done,
            b_done=b_done,
            a_ends=[end for end in a_ends if end <= i],
            b_ends=[end for end in b_ends if end <= j],
        )
        return found, a[:i], b[:j]

    for i, j in arrivals(a, b, rng, longest):
        a_done, b_done = i == len(a) and not late, j == len(b) and not late
        if not (a_done and b_done):
            yield update(i, j, a_done, b_done)
    yield update(len(a), len(b), True, True)


def touches_a_word(text: str, spans: list[tuple[int, int]]) -> bool:
    """Whether a span holds a part of a word, be it the point of a number."""
    words = [it.span() for it in re.finditer(r"\w+(?:['’.,]\w+)*", text)]
    return any(start < end2 and start2 < end for start, end in spans for start2, end2 in words)


def check(found: Diff, a: str, b: str, *, streaming: bool) -> None:
    """What holds of every diff of these two texts."""
    i = j = 0
    counts = {"equal": 0, "ahead": 0}
    for span in found.spans:
        assert (span.a_start, span.b_start) == (i, j), "spans are in order and without holes"
        assert span.a_start < span.a_end or span.b_start < span.b_end, "no span is empty"
        i, j = span.a_end, span.b_end
        if span.kind == "equal":
            assert a[span.a_start : span.a_end] == b[span.b_start : span.b_end]
            counts["equal"] += span.a_end - span.a_start
        if span.kind == "added":
            assert span.a_start == span.a_end
        if span.kind == "removed":
            assert span.b_start == span.b_end
        if span.kind == "ahead":
            assert streaming
            counts["ahead"] += span.a_end - span.a_start + span.b_end - span.b_start
    assert (i, j) == (len(a), len(b)), "spans cover both texts"
    kinds = [span.kind for span in found.spans]
    assert "ahead" not in kinds or set(kinds[kinds.index("ahead") :]) == {"ahead"}

    segments = unified(found, a, b)
    if not streaming:
        kinds = {"added", "arrived"}, {"removed", "left"}
        assert "".join(text for kind, text in segments if kind not in kinds[0]) == a
        assert "".join(text for kind, text in segments if kind not in kinds[1]) == b
    gone = [(it.a_start, it.a_end) for it in found.spans if it.kind == "removed"]
    new = [(it.b_start, it.b_end) for it in found.spans if it.kind == "added"]
    assert (found.words_removed > 0) <= touches_a_word(a, gone)
    assert (found.words_added > 0) <= touches_a_word(b, new)
    compared = len(a) + len(b) - counts["ahead"]
    assert found.similarity == pytest.approx(2 * counts["equal"] / compared if compared else 1)
    assert 0 <= found.similarity <= 1

    parted = found.first_divergence
    if parted is not None:
        assert a[:parted] == b[:parted]
        assert a[parted : parted + 1] != b[parted : parted + 1]
    elif not streaming:
        assert a == b
    assert found.complete is not streaming
    assert found.equal is (not streaming and a == b)
    if a == b:
        assert {span.kind for span in found.spans} <= {"equal"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("window", [3, live.WINDOW])
@settings(max_examples=150, deadline=None)
@given(pair=pairs(), seed=st.integers(0, 2**32))
@example(pair=("a 3.5 a . . \n3.5 ", "a 3.5 a 3.5 the "), seed=0)
def test_live_is_true_to_the_texts_and_ends_as_from_scratch(
    mode: Mode, window: int, pair: tuple[str, str], seed: int
):
    a, b = pair
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "WINDOW", window)
        patch.setattr(live, "LINE_WINDOW", window)
        states = list(stream(mode, a, b, seed))
        for found, a_text, b_text in states[:-1]:
            check(found, a_text, b_text, streaming=True)
        check(*states[-1], streaming=False)
        assert states[-1][0] == diff(a, b, mode, a_ends=token_ends(a), b_ends=token_ends(b))


def prose(rng: random.Random, count: int, vocabulary: int = 600) -> list[str]:
    """Words with a few frequent ones among many rare, and some punctuation."""
    words = [f"w{min(vocabulary, int(rng.paretovariate(0.7)))}" for _ in range(count)]
    return [word + rng.choice([" "] * 8 + [", ", ". ", ".\n\n"]) for word in words]


def edited(words: list[str], rng: random.Random, every: int) -> list[str]:
    """The same words with about one change in `every`, up to eight words long."""
    result: list[str] = []
    index = 0
    while index < len(words):
        if rng.random() < 1 / every:
            index += rng.randint(0, 8)
            result += prose(rng, rng.randint(0, 8))
        else:
            result.append(words[index])
            index += 1
    return result


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("every", [1, 5, 40])
def test_long_texts_in_any_mode(mode: Mode, every: int):
    rng = random.Random(every)
    words = prose(rng, 1500)
    a = "".join(words)
    b = "".join(edited(words, rng, every) if every > 1 else prose(rng, 1500))
    last: Diff | None = None
    for step, (found, a_text, b_text) in enumerate(stream(mode, a, b, every, longest=120)):
        if step % 20 == 0 or found.complete:
            check(found, a_text, b_text, streaming=not found.complete)
        last = found
    assert last == diff(a, b, mode, a_ends=token_ends(a), b_ends=token_ends(b))


def test_what_is_not_reached_is_ahead_and_never_added():
    text = "".join(prose(random.Random(0), 400))
    differ = LiveDiff()
    for end in range(0, len(text), 7):
        found = differ.update(text[: end // 5], text[:end], a_done=False, b_done=False)
        assert {span.kind for span in found.spans} <= {"equal", "ahead"}
        assert found.words_added == found.words_removed == 0
        assert found.first_divergence is None
        assert found.similarity == 1


def test_a_finished_short_text_makes_the_rest_of_the_other_added():
    differ = LiveDiff()
    found = differ.update("It rains.", "It rains. And it", a_done=False, b_done=False)
    assert [span.kind for span in found.spans] == ["equal", "ahead"]
    found = differ.update("It rains.", "It rains. And it pours ", a_done=True, b_done=False)
    assert unified(found, "It rains.", "It rains. And it pours ") == [
        ("equal", "It rains."),
        ("added", " And it pours"),
        ("ahead", " "),
    ]
    assert (found.words_added, found.first_divergence, found.complete) == (3, 9, False)


def test_a_word_still_being_written_is_not_a_difference():
    found = LiveDiff().update("many dogs bark", "many do", a_done=False, b_done=False)
    assert [(span.kind, span.b_end) for span in found.spans] == [("equal", 7), ("ahead", 7)]


def test_a_number_still_being_written_is_compared_when_it_is_whole():
    differ = LiveDiff()
    differ.update("It costs 3", "It costs 3", a_done=False, b_done=False)
    a, b = "It costs 3.1 now or", "It costs 3.2 now or"
    found = differ.update(a, b, a_done=False, b_done=False)
    assert unified(found, a, b) == [
        ("equal", "It costs "),
        ("removed", "3.1"),
        ("added", "3.2"),
        ("equal", " now or"),
    ]


def test_a_long_insertion_is_found_again_while_streaming():
    rng = random.Random(3)
    words, inserted = prose(rng, 3000, 5000), [f"new{i} " for i in range(600)]
    a, b = "".join(words), "".join(words[:100] + inserted + words[100:])
    differ = LiveDiff()
    found = differ.update("", "", a_done=False, b_done=False)
    for end in range(0, len(a), 150):
        found = differ.update(a[:end], b[:end], a_done=False, b_done=False)
    assert found.words_added == 600
    assert found.words_removed == 0


def test_a_chance_word_far_ahead_does_not_pull_the_texts_apart():
    a, b = "one two the ", "one two three four five six seven eight nine the "
    found = LiveDiff().update(a, b, a_done=False, b_done=False)
    assert found.words_added <= 1


def test_nothing_new_gives_the_same_object():
    differ = LiveDiff()
    first = differ.update("a b", "a c", a_done=False, b_done=False)
    assert differ.update("a b", "a c", a_done=False, b_done=False) is first
    assert differ.update("a b", "a c", a_done=True, b_done=False) is not first


def test_a_text_that_did_not_grow_starts_afresh():
    differ = LiveDiff()
    differ.update("one two", "one two three", a_done=True, b_done=True)
    again = differ.update("six", "six seven", a_done=True, b_done=True)
    assert again == diff("six", "six seven")
    assert differ.update("six", "six", a_done=False, b_done=False).complete is False


def test_token_mode_needs_the_ends():
    with pytest.raises(ValueError, match="token"):
        LiveDiff("token").update("a", "b", a_done=True, b_done=True, a_ends=[1])


def compared_per_unit(mode: Mode, a: str, b: str, steps: int, ignore: Ignore = NOTHING) -> float:
    """Units compared for each unit that arrives, both texts arriving alike."""
    growing = differ(mode, ignore)
    for step in range(1, steps + 1):
        a_text, b_text = a[: len(a) * step // steps], b[: len(b) * step // steps]
        growing.update(a_text, b_text, a_done=step == steps, b_done=step == steps)
    unit: Mode = "line" if mode == "line" else "word"
    return growing.units_compared / (len(split(a, unit)) + len(split(b, unit)))


@pytest.mark.parametrize("every", [1, 12])
@pytest.mark.parametrize("mode", ["word", "char", "line"])
def test_the_work_per_word_does_not_grow_with_the_length(mode: Mode, every: int):
    """Over the first 500 words the window is still filling, over 5,000 it is always full."""

    def cost(count: int) -> float:
        rng = random.Random(7)
        words = prose(rng, count)
        other = edited(words, rng, every) if every > 1 else prose(rng, count)
        return compared_per_unit(mode, "".join(words), "".join(other), count // 8)

    assert cost(5000) <= 1.5 * cost(500)
