"""The diff of finished texts, as a reader meets it; and where two texts part."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.compare.diff.divergence import char_divergence, first_token_divergence
from llamadiff.compare.diff.live import diff
from llamadiff.compare.diff.unified import unified
from llamadiff.compare.diff.units import Mode

MARKS = {"equal": "{}", "removed": "[-{}]", "added": "[+{}]"}


def marked(a: str, b: str, mode: Mode = "word") -> str:
    """The unified text with what was removed and added in brackets."""
    return "".join(MARKS[kind].format(text) for kind, text in unified(diff(a, b, mode), a, b))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("I like dogs", "I like dogs.", "I like dogs[+.]"),
        ("dogs bark", "dogs. bark", "dogs[+.] bark"),
        ("the red fox runs", "the blue fox runs", "the [-red][+blue] fox runs"),
        ("the fox", "the red fox", "the [+red ]fox"),
        ("a  b", "a b", "a [- ]b"),
        ("One.\n\nTwo.", "One. Two.", "One.[-\n\n][+ ]Two."),
        ("if x:\n    y()", "if x:\n        y()", "if x:\n    [+    ]y()"),
        ("It costs 3.14 now", "It costs 3.15 now", "It costs [-3.14][+3.15] now"),
        ("I don’t know", "I do know", "I [-don’t][+do] know"),
        ("A cat. A dog.", "A cat. A bird. A dog.", "A cat. [+A bird. ]A dog."),
        ("一只猫在睡觉", "一只狗在睡觉", "一只[-猫][+狗]在睡觉"),
        ("", "new", "[+new]"),
        ("old\n", "", "[-old\n]"),
        ("", "", ""),
    ],
)
def test_words(a: str, b: str, expected: str):
    assert marked(a, b) == expected


def test_islands_inside_a_large_change_are_part_of_it():
    assert marked("Old cats sleep, and they purr.", "Young dogs run, as boys play.") == (
        "[-Old cats sleep, and they purr][+Young dogs run, as boys play]."
    )
    kept = marked("He went to a park", "She went to the park")
    assert kept == "[-He][+She] went to [-a][+the] park"


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("my favourite colour", "my favorite color", "my favo[-u]rite colo[-u]r"),
        ("she was running", "she was runner", "she was runn[-ing][+er]"),
        ("a red car", "a blue car", "a [-red][+blue] car"),
        ("cafe\u0301s open", "cafes open", "caf[-e\u0301][+e]s open"),
    ],
)
def test_characters_within_changed_words(a: str, b: str, expected: str):
    assert marked(a, b, "char") == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("x\nfoo 1\ny\n", "x\nfoo 2\ny\n", "x\n[-foo 1\n][+foo 2\n]y\n"),
        ("x\nabc", "x\nabc\ndef", "x\nabc[+\ndef]"),
        ("x\r\ny\n", "x\ny\n", "x[-\r]\ny\n"),
    ],
)
def test_lines(a: str, b: str, expected: str):
    assert marked(a, b, "line") == expected


def test_tokens_are_not_taken_apart():
    found = diff("a red", "a blue", "token", a_ends=[1, 5, 5], b_ends=[1, 6])
    assert unified(found, "a red", "a blue") == [
        ("equal", "a"),
        ("removed", " red"),
        ("added", " blue"),
    ]
    assert (found.words_added, found.words_removed) == (1, 1)


def test_figures():
    found = diff("the red fox runs", "the blue fox runs fast")
    assert (found.words_added, found.words_removed) == (2, 1)
    assert found.first_divergence == 4
    assert found.similarity == pytest.approx(2 * len("the  fox runs") / (16 + 22))
    assert found.complete and not found.equal
    same = diff("the fox", "the fox")
    assert same.equal and same.similarity == 1 and same.first_divergence is None


def test_a_changed_letter_counts_one_word_on_each_side():
    assert marked("an undoes b", "an Undoer b", "char") == "an [-u][+U]ndoe[-s][+r] b"
    found = diff("an undoes b", "an Undoer b", "char")
    assert (found.words_added, found.words_removed) == (1, 1)


def test_characters_are_not_compared_in_a_change_too_large_to_read():
    def words(digit: str, count: int) -> str:
        return " ".join(f"word{i}x{digit}" for i in range(count))

    short = diff(words("1", 20), words("2", 20), "char").spans
    assert {span.kind for span in short} == {"equal", "removed", "added"}
    long = diff(words("1", 200), words("2", 200), "char").spans
    assert [span.kind for span in long] == ["removed", "added"]


BIG = """
import random, resource, sys
from llamadiff.compare.diff.live import diff
rng = random.Random(1)
a, b = ("".join(f"w{int(rng.paretovariate(0.7)) % 5000:04} " for _ in range(40_000)) for _ in "ab")
diff("x", "y", sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
spans = diff(a, b, sys.argv[1]).spans
assert spans[-1].b_end == len(b) > 200_000
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(grown // (1024 if sys.platform == "darwin" else 1))
"""


@pytest.mark.parametrize("mode", ["word", "char", "line"])
def test_hundreds_of_thousands_of_characters_stay_within_memory(mode: Mode):
    """A bit per pair of words would be 200 MB, one per pair of characters 7 GB."""
    done = subprocess.run(
        [sys.executable, "-c", BIG, mode], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < 120_000, "KiB"


@given(st.text(alphabet="ab"), st.text(alphabet="ab"), st.integers(0, 5))
def test_char_divergence(a: str, b: str, start: int):
    pairs = enumerate(zip(a, b, strict=False))
    expected = next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))
    found = char_divergence(a, b, min(start, expected))
    assert found == (None if a == b else expected)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([], [], None),
        ([1, 2], [1, 2], None),
        ([1, 2], [1, 3], 1),
        ([1], [1, 3], 1),
        ([5, 1], [], 0),
    ],
)
def test_first_token_divergence(a: list[int], b: list[int], expected: int | None):
    assert first_token_divergence(a, b) == expected


def test_nothing_heavy_is_imported_before_a_diff_is_made():
    code = (
        "import sys, llamadiff.compare.diff.live, llamadiff.compare.diff.unified;"
        "sys.exit(any(m in sys.modules for m in ('rapidfuzz', 'numpy', 'textual')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("mode", "counts"), [("word", (2, 1)), ("line", (2, 1)), ("char", (10, 4)), ("token", (3, 1))]
)
def test_units_of_the_mode_are_counted_beside_words(mode: Mode, counts: tuple[int, int]) -> None:
    a, b = "one\ntwo dogs\nfour\n", "one\ntwo cats\nthree\nfour\n"
    ends = ([4, 8, 12, 13, 18], [4, 8, 12, 13, 18, 19, 24]) if mode == "token" else (None, None)
    found = diff(a, b, mode, a_ends=ends[0], b_ends=ends[1])
    assert (found.added, found.removed) == counts and found.moved == 0
    assert (found.words_added, found.words_removed) == ((3, 2) if mode == "line" else (2, 1))
