"""A diff that ignores case or white space: true to the real texts, live and at the end."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamadiff.compare.diff import live
from llamadiff.compare.diff.ignore import Ignore
from llamadiff.compare.diff.ignoring import differ
from llamadiff.compare.diff.result import Diff
from llamadiff.compare.diff.unified import unified
from llamadiff.compare.diff.units import Mode

from .test_diff_live import MODES, arrivals, compared_per_unit, edited, prose, token_ends

IGNORES = [Ignore(case=True), Ignore(space=True), Ignore(case=True, space=True)]
PIECES = [
    "the ",
    "The ",
    "THE\n",
    "dog",
    "Dog ",
    "cat\t",
    " ",
    "  ",
    "\n\n",
    ". ",
    "ß",
    "İ",
    "3.5 ",
]
texts = st.lists(st.sampled_from(PIECES), max_size=50).map("".join)
CHANGED = {"removed": "[-{}]", "added": "[+{}]"}


def found_in(a: str, b: str, mode: Mode, ignore: Ignore) -> Diff:
    ends = {"a_ends": token_ends(a), "b_ends": token_ends(b)}
    return differ(mode, ignore).update(a, b, a_done=True, b_done=True, **ends)


def marked(a: str, b: str, mode: Mode = "word", *, case: bool = False, space: bool = False) -> str:
    found = found_in(a, b, mode, Ignore(case, space))
    return "".join(CHANGED.get(kind, "{}").format(text) for kind, text in unified(found, a, b))


def plain(text: str, ignore: Ignore, mode: Mode) -> str:
    """What of a text is compared."""
    if ignore.case:
        one = [(c.casefold(), c.lower(), c) for c in text]
        text = "".join(next(way for way in ways if len(way) == 1) for ways in one)
    if not ignore.space:
        return text
    lines = text.split("\n") if mode == "line" else [text]
    kept = [" ".join(line.split()) for line in lines]
    return "\n".join(line for line in kept if line)


def check(found: Diff, a: str, b: str, mode: Mode, ignore: Ignore) -> None:
    """What holds of every such diff of these texts."""
    i = j = 0
    for span in found.spans:
        assert (span.a_start, span.b_start) == (i, j), "spans are in order and without holes"
        i, j = span.a_end, span.b_end
        texts = a[span.a_start : i], b[span.b_start : j]
        assert any(texts), "no span is empty"
        if span.kind == "equal":
            assert len({" ".join(plain(text, ignore, mode).split()) for text in texts}) == 1
        if span.kind != "equal" and span.kind != "ahead":
            assert "" in texts
    assert (i, j) == (len(a), len(b)), "spans cover both texts"
    if found.complete:
        assert "ahead" not in {span.kind for span in found.spans}
        assert found.equal is (plain(a, ignore, mode) == plain(b, ignore, mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ignore", IGNORES)
@pytest.mark.parametrize("window", [3, live.WINDOW])
@settings(max_examples=80, deadline=None)
@given(a=texts, b=texts, seed=st.integers(0, 2**32))
def test_live_is_true_to_the_texts_and_ends_as_from_scratch(
    mode: Mode, ignore: Ignore, window: int, a: str, b: str, seed: int
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "WINDOW", window)
        patch.setattr(live, "LINE_WINDOW", window)
        growing = differ(mode, ignore)
        a_ends, b_ends = token_ends(a), token_ends(b)
        for i, j in arrivals(a, b, random.Random(seed), 9):
            ends = [end for end in a_ends if end <= i], [end for end in b_ends if end <= j]
            found = growing.update(
                a[:i], b[:j], a_done=False, b_done=False, a_ends=ends[0], b_ends=ends[1]
            )
            check(found, a[:i], b[:j], mode, ignore)
        last = growing.update(a, b, a_done=True, b_done=True, a_ends=a_ends, b_ends=b_ends)
        check(last, a, b, mode, ignore)
        assert last == found_in(a, b, mode, ignore)


@pytest.mark.parametrize("mode", ["word", "char", "line"])
def test_capitals_are_no_difference(mode: Mode):
    assert marked("The Dog ran", "the dog RAN off", mode, case=True).startswith(
        "the dog RAN" if mode != "line" else "[-The"
    )
    assert found_in("ΣΟΦΟΣ ẞ", "σοφος ß", mode, Ignore(case=True)).equal


def test_any_white_space_is_a_space():
    assert marked("a  b\n\nc ", "a b c d", space=True) == "a b c[+ d]"
    assert marked(" x = 1\n\n\ty", "x = 1\ny\nz\n", "line", space=True) == "x = 1\ny[+\nz]\n"
    assert marked("ab", "a b", "char", space=True) == "a[+ ]b"
    assert found_in("", " \n", "word", Ignore(space=True)).equal


def test_white_space_belongs_to_either_token():
    found = differ("token", Ignore(space=True)).update(
        "one two", "one two", a_done=True, b_done=True, a_ends=[3, 7], b_ends=[4, 7]
    )
    assert {span.kind for span in found.spans} == {"equal"}


def test_words_are_counted_as_ever():
    found = found_in("The red  fox", "the BLUE fox\nruns", "char", Ignore(True, True))
    assert (found.words_added, found.words_removed) == (2, 1)
    assert found.first_divergence == 4


def test_the_first_difference_is_told_in_the_baseline():
    assert found_in("a   b", "a c", "word", Ignore(space=True)).first_divergence == 4


def test_nothing_new_gives_the_same_object():
    growing = differ("word", Ignore(space=True))
    first = growing.update("a  b", "a c", a_done=False, b_done=False)
    assert growing.update("a  b", "a c", a_done=False, b_done=False) is first


@pytest.mark.parametrize("every", [1, 12])
def test_the_work_per_word_does_not_grow_with_the_length(every: int):
    def cost(count: int) -> float:
        rng = random.Random(7)
        words = prose(rng, count)
        other = edited(words, rng, every) if every > 1 else prose(rng, count)
        ignore = Ignore(case=True, space=True)
        return compared_per_unit("word", "".join(words), "".join(other), count // 8, ignore)

    assert cost(5000) <= 1.5 * cost(500)
