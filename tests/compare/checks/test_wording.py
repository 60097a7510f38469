"""Checks of words, amounts and likeness, and several as one score."""

import logging
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu import sentence_bleu, sentence_chrf

from llamadiff.compare.checks.amounts import Length, Number, last_number
from llamadiff.compare.checks.likeness import Likeness, Measure
from llamadiff.compare.checks.result import Answer, Check, Result, Scored, Weighted, apply
from llamadiff.compare.checks.structure import Json, Pattern
from llamadiff.compare.checks.wording import Contains, Exact, Normalised, OneOf, normalised


def score(check: Check, text: str, expected: str | None = None) -> float | None:
    return check(Answer(text, expected)).score


def test_exact_is_to_the_character_and_normalised_is_not() -> None:
    assert score(Exact(), "Paris", "Paris") == 1 and score(Exact(), "Paris.", "Paris") == 0
    assert score(Exact("Rome"), "Paris", "Paris") == 0
    for text in ("paris", " Paris. ", "“PARIS”", "**Paris**!", "Ｐａｒｉｓ"):
        assert score(Normalised(), text, "Paris") == 1, text
    for text in ("Paris, France", "Pari", ""):
        assert score(Normalised(), text, "Paris") == 0, text
    assert normalised("Straße  und\tMaße") == normalised("STRASSE und MASSE")
    assert normalised("...") == "" and normalised("-3 °C") == "3 °c"


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


def test_contains_gives_a_share_and_without_gives_all_or_nothing() -> None:
    both = Contains(("red", "Blue"))
    assert score(both, "red and Blue") == 1 and score(both, "red and blue") == 0.5
    assert score(Contains(("Blue",), ignore_case=True), "BLUE") == 1
    assert "lacks “Blue”" in both(Answer("red")).reason
    never = Contains(("sorry", "cannot"), without=True)
    assert score(never, "Here it is.") == 1 and score(never, "I cannot.") == 0
    assert score(Contains(), "it is 42", "42") == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("Positive.", 1), ("The sentiment is **positive**", 1), ("negative", 0), ("very positive", 0),
     ("positive or negative", 0), ("positively", 0), ("nonpositive", 0), ("", 0)],
)  # fmt: skip
def test_one_of_the_labels(text: str, wanted: float) -> None:
    labels = OneOf(("positive", "negative", "very positive"))
    assert score(labels, text, "Positive") == wanted


def test_labels_without_an_expected_one_and_with_a_strange_one() -> None:
    labels = OneOf(("a", "b+"))
    assert score(labels, "B+", "b+") == 1 and score(labels, "b", "b+") == 0
    assert labels(Answer("it is a")).score is None  # any label would do
    assert score(OneOf(("good", "good enough")), "Good enough!", "good enough") == 1
    assert labels(Answer("a", "c")).score is None
    assert "none of the labels" in labels(Answer("z", "a")).reason
    assert OneOf(("a", "b"))(Answer("a b", "a")).reason == "names “a”, “b”, not one"


@pytest.mark.parametrize(
    ("text", "number"),
    [("The answer is 42.", 42), ("3-4", 4), ("x = -1.5e3", -1500), ("$1,234,567.89", 1234567.89),
     ("5 of 1,23", 23), ("−7 °C", -7), (".5", 0.5), ("1.2.3", 1.2), ("none", None), ("+8", 8)],
)  # fmt: skip
def test_the_last_number(text: str, number: float | None) -> None:
    assert last_number(text) == number


def test_a_number_within_its_tolerance() -> None:
    assert score(Number(), "so 0.3", "= 0.30") == 1 and score(Number(), "so 0.31", "0.3") == 0
    assert score(Number(tolerance=0.1), "0.4", "0.3") == 1
    assert score(Number(tolerance=0.1), "0.41", "0.3") == 0
    assert (
        score(Number(100, relative=0.05), "95") == 1
        and score(Number(100, relative=0.05), "94") == 0
    )
    assert score(Number(), "no idea", "3") == 0 and score(Number(), "3", "no idea") is None
    assert score(Number(), "9" * 400, "3") == score(Number(), "3", "9" * 400) == 0


def test_lengths() -> None:
    assert score(Length(2, 3), "one two") == 1 and score(Length(2, 3), "one") == 0
    assert Length(2, 3)(Answer("a b c d")).reason == "has 4 words, more than 3"
    assert Length(2, 3)(Answer("a")).reason == "has 1 word, fewer than 2"
    assert score(Length(most=3, unit="characters"), "abcd") == 0
    assert Length(most=5, unit="tokens")(Answer("a", tokens=5)).score == 1
    assert score(Length(most=5, unit="tokens"), "a") is None


def test_likeness_equals_its_libraries() -> None:
    said, wanted = "the cat sat on the mat", "a cat sat on a mat"
    assert score(Likeness("chrf"), said, wanted) == pytest.approx(
        sentence_chrf(said, [wanted]).score / 100
    )
    assert score(Likeness("bleu"), said, wanted) == pytest.approx(
        sentence_bleu(said, [wanted]).score / 100
    )
    few = score(Likeness("bleu"), "a cat sat", "a cat sat down")
    assert few == pytest.approx(sentence_bleu("a cat sat", ["a cat sat down"]).score / 100)
    assert score(Likeness("characters"), "kitten", "sitting") == pytest.approx(8 / 13)
    assert score(Likeness("words"), "The Cat sat!", "the dog") == pytest.approx(2 / 5)
    assert Likeness("words")(Answer(said, said)).reason == "token F1 100.0 %"


@pytest.mark.parametrize("measure", ["characters", "chrf", "bleu", "words"])
def test_likeness_of_nothing_and_of_anything(measure: Measure) -> None:
    check = Likeness(measure)
    for said, wanted in (("", ""), ("", "a"), ("a", ""), ("…", "!"), ("\x00\u202e👩‍👩‍👧", "é")):
        found = score(check, said, wanted)
        assert found is not None and 0 <= found <= 1
    assert score(check, "one two three four", "one two three four") == pytest.approx(1)


@dataclass(frozen=True)
class Broken:
    def __call__(self, answer: Answer) -> Result:
        raise OSError("the disk is gone")


def test_several_checks_are_one_weighted_score() -> None:
    answer = Answer("blue", "Blue")
    scored = apply([Weighted(Exact(), 1), Weighted(Normalised(), 3)], answer)
    assert scored.score == 0.75 and [each.passed for each in scored.results] == [False, True]
    for weights in ((), (0.0,), (1.0, -1.0)):
        with pytest.raises(ValueError, match="weights"):
            apply([Weighted(Exact(), weight) for weight in weights], answer)


def test_a_check_that_fails_is_a_result(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        scored = apply([Weighted(Broken()), Weighted(Exact())], Answer("a", "a"))
    assert scored.score is None and scored.results[1].score == 1
    assert scored.results[0].reason == "could not be checked: the disk is gone"
    shown = apply([Weighted(Broken(), 0), Weighted(Exact())], Answer("a", "a"))
    assert isinstance(shown, Scored) and shown.score == 1


@pytest.mark.parametrize(
    "check", [Exact(), Normalised(), Contains(), Number(), Likeness("chrf"), Likeness("words")]
)
def test_without_anything_expected_there_is_no_score(check: Check) -> None:
    assert check(Answer("a 1")).score is None
    assert "says what is expected" in check(Answer("a 1")).reason


@given(st.text(), st.text())
def test_no_text_breaks_a_check(text: str, expected: str) -> None:
    checks = (Exact(), Normalised(), Contains(), Number(), Length(), Likeness("words"), Json(),
              Likeness("characters"), OneOf(("a", expected)), OneOf(("a", "b")))  # fmt: skip
    for check in checks:
        found = check(Answer(text, expected))
        assert found.score is None or 0 <= found.score <= 1
        assert found.reason


def test_a_pattern_is_found_anywhere_or_is_all() -> None:
    assert score(Pattern(r"\d{4}"), "in 1984.") == 1
    assert score(Pattern(r"\d{4}", whole=True), "in 1984.") == 0
    assert score(Pattern("HELLO", ignore_case=True), "hello") == 1


def test_a_wrong_label_is_of_the_right_form() -> None:
    check = OneOf(("good", "bad", "not one"))
    said = {"good": False, "bad": False, "not one": False, "fine": True, "good or bad": True}
    for text, broke in said.items():
        assert OneOf.broke_form(check(Answer(text, expected="good"))) == broke
