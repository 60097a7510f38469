"""Texts of any length and kind are tokenized, on every vocabulary that llama.cpp ships."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.models.engine.stretches import stretches
from llamadiff.models.engine.tokenizing import LONGEST, MARK, RUN, Tokenizer, pieces_of

from ...conftest import ROOT

SOURCES = ROOT / ".venv" / "llama.cpp"
NAMES = sorted(
    path.stem.removeprefix("ggml-vocab-") for path in SOURCES.glob("models/ggml-vocab-*.gguf")
)
NORMALIZED = {"bert-bge", "nomic-bert-moe"}
"""Vocabularies whose tokens do not say how a text was spelled and spaced."""
WITHOUT_EXAMPLES = {"aquila", "baichuan", "gpt-neox", "nomic-bert-moe"}
CHARACTERS = ("a", "1", " ", "\n")
LONG = 100_000
"""Past `LONGEST`, and of many `RUN`s; what is longer is more pieces of the same."""
PROSE = "".join(
    (ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "models/hashing.py")
)
MORE_PROSE = PROSE + "".join(
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/architecture.md")
)


class Letters:
    """A vocabulary whose ids are the characters' code points; 1 is set before, 2 after a text."""

    def __init__(self, special: Sequence[str] = (), adds_space: bool = False) -> None:
        self._special = special
        self._space = " " if adds_space else ""
        self.asked: list[str] = []

    def special_texts(self) -> Sequence[str]:
        return self._special

    def adds_space(self) -> bool:
        return bool(self._space)

    def plain_tokens(self, text: str, add_special: bool) -> list[int]:
        self.asked.append(text)
        ids = [ord(letter) + 10 for letter in self._space + text]
        return [1, *ids, 2] if add_special else ids


@given(
    st.text(alphabet="ab<s>\n 1é", max_size=400),
    st.integers(8, 40),
    st.integers(3, 12),
)
def test_pieces_are_the_text_and_none_is_too_long(text: str, longest: int, run: int) -> None:
    pieces = pieces_of(text, ["<s>"], longest, run)
    assert "".join(pieces) == text
    assert all(len(piece) <= longest for piece in pieces)
    assert len(pieces) == 1 or all(pieces)


@given(st.lists(st.sampled_from(["<s>", "a", "1", " ", "b<"]), max_size=200))
def test_no_special_token_is_cut_in_two(parts: list[str]) -> None:
    text = "".join(parts)
    pieces = pieces_of(text, ["<s>"], 24, 6)
    assert sum(piece.count("<s>") for piece in pieces) == text.count("<s>")


def test_pieces_end_behind_a_line_or_else_behind_a_word() -> None:
    assert pieces_of("one two\nthree four\nfive", [], 20, 99) == ["one two\nthree four\n", "five"]
    assert pieces_of("one two, three four", [], 16, 99) == ["one two, three", " four"]
    assert pieces_of("好" * 10, [], 4, 99) == ["好" * 4, "好" * 4, "好" * 2]


def test_a_run_of_blanks_or_digits_is_cut() -> None:
    assert pieces_of("a" + " " * 7 + "b", [], 99, 3) == ["a" + " " * 3, " " * 3, " b"]
    assert pieces_of("a1234", [], 99, 3) == ["a123", "4"]
    assert pieces_of("a123", [], 99, 3) == ["a123"]


@pytest.mark.parametrize("text", ["", "word " * (LONGEST // 5), " " * (RUN - 1)])
def test_what_is_not_too_long_goes_whole(text: str) -> None:
    vocabulary = Letters()
    assert Tokenizer(vocabulary).tokenize([text], True) == Letters().plain_tokens(text, True)
    assert vocabulary.asked == [text]


@pytest.mark.parametrize("text", ["好" * (3 * LONGEST), "a" + "1" * (2 * RUN) + "<s>", " " * RUN])
@pytest.mark.parametrize("adds_space", [False, True])
@pytest.mark.parametrize("add_special", [False, True])
def test_what_is_set_around_a_text_is_set_once(
    text: str, adds_space: bool, add_special: bool
) -> None:
    vocabulary = Letters(["<s>"], adds_space)
    tokens = Tokenizer(vocabulary).tokenize([text], add_special)
    assert tokens == vocabulary.plain_tokens(text, add_special)
    assert max(len(asked) for asked in vocabulary.asked[:-1]) <= LONGEST + len(MARK)


class Pairs(Letters):
    """A vocabulary with one token for a word's last letter and the blank behind it."""

    def plain_tokens(self, text: str, add_special: bool) -> list[int]:
        self.asked.append(text)
        return [ord(piece[0]) * 2 + len(piece) - 1 for piece in re.findall(r"z |.", text, re.S)]


@pytest.mark.parametrize("ending", ["a", "z"])
def test_stretches_are_joined_only_where_no_token_lies_across_them(ending: str) -> None:
    text = " ".join(f"{word:x}word{ending}" for word in range(3000))
    assert len(stretches(text)) > 4
    assert Tokenizer(Pairs()).tokenize([text], False) == Pairs().plain_tokens(text, False)


def test_no_token_lies_across_two_texts_and_no_space_comes_between() -> None:
    tokens = Tokenizer(Pairs()).tokenize(["az", " b"], False)
    assert tokens == [ord(letter) * 2 for letter in "az b"]
    spaced = Letters(adds_space=True)
    assert Tokenizer(spaced).tokenize(["a", "b"], True) == [1, 42, 107, 108, 2]


def test_what_is_edited_is_all_that_is_asked_for_again() -> None:
    words = [f"{word:x}word" for word in range(30_000)]
    vocabulary = Letters()
    tokenizer = Tokenizer(vocabulary)
    tokenizer.tokenize([" ".join(words)], False)
    cold = sum(map(len, vocabulary.asked))
    for place in (0, 15_000, 29_999):
        words[place] += "é"
        vocabulary.asked.clear()
        tokenizer.tokenize([" ".join(words)], False)
        assert 0 < sum(map(len, vocabulary.asked)) < cold / 20


def path_of(name: str) -> Path:
    return SOURCES / "models" / f"ggml-vocab-{name}.gguf"


def examples(name: str) -> list[tuple[str, list[int]]]:
    """The texts and token ids that llama.cpp's own test of a vocabulary goes by."""
    inputs, outputs = (Path(f"{path_of(name)}.{end}") for end in ("inp", "out"))
    if not inputs.exists():
        return []
    texts = inputs.read_bytes().decode().split("\n__ggml_vocab_test__\n")
    if not texts[-1]:
        texts.pop()  # as llama.cpp's test does
    lines = outputs.read_text().splitlines()
    assert len(texts) == len(lines)
    return [(t, [int(i) for i in line.split()]) for t, line in zip(texts, lines, strict=True)]


def tokens_of(name: str) -> tuple[list[Any], list[Any], Any, Any]:
    """What a process of its own answers: characters, examples, prose in pieces, and edits."""
    asks: list[dict[str, Any]] = [
        {"do": "count", "text": letter, "times": LONG} for letter in CHARACTERS
    ]
    asks += [{"do": "ids", "text": text} for text, _ in examples(name)]
    asks += [{"do": "cut", "text": PROSE}, {"do": "edit", "text": MORE_PROSE}]
    *rest, prose, edits = answers_of(name, asks)
    return rest[: len(CHARACTERS)], rest[len(CHARACTERS) :], prose, edits


def answers_of(name: str, asks: Sequence[dict[str, Any]]) -> list[Any]:
    """What `vocabularies.py` answers for a vocabulary."""
    script = Path(__file__).with_name("vocabularies.py")
    done = subprocess.run(
        [sys.executable, str(script), str(path_of(name))],
        input=json.dumps(asks), capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, f"{name}: {done.returncode} {done.stderr[-2000:]}"
    return json.loads(done.stdout)


Answers = dict[str, Future[tuple[list[Any], list[Any], Any, Any]]]


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    """What every vocabulary answers; two are asked at a time, and a test waits for its own."""
    assert NAMES, f"{SOURCES} is missing; run `make .venv/llama.cpp`."
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(tokens_of, name) for name in NAMES}


def test_the_vocabularies_are_there(answers: Answers) -> None:
    assert {name for name in NAMES if not examples(name)} == WITHOUT_EXAMPLES
    assert len(NAMES) >= 19


@pytest.mark.parametrize("name", NAMES)
def test_a_long_run_of_one_character_is_tokenized(name: str, answers: Answers) -> None:
    for letter, (count, the_same) in zip(CHARACTERS, answers[name].result()[0], strict=True):
        assert the_same or name in NORMALIZED, repr(letter)
        assert 0 < count <= LONG + 1 or (name in NORMALIZED and letter.isspace()), repr(letter)


@pytest.mark.parametrize("name", NAMES)
def test_prose_in_pieces_has_the_tokens_of_the_whole(name: str, answers: Answers) -> None:
    cut, whole = answers[name].result()[2]
    assert cut == whole


@pytest.mark.parametrize("name", NAMES)
def test_an_edited_text_has_the_tokens_of_the_whole_and_little_is_asked_again(
    name: str, answers: Answers
) -> None:
    wrong, asked = answers[name].result()[3]
    assert wrong == 0
    assert asked < 0.1


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_EXAMPLES])
def test_tokens_are_those_of_the_examples(name: str, answers: Answers) -> None:
    wanted = examples(name)
    assert wanted
    for (text, ids), found in zip(wanted, answers[name].result()[1], strict=True):
        assert found == ids, text
