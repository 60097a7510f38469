"""Reasoning is told from the answer, however it is opened and as far as it has come."""

from datetime import UTC, datetime

import pytest

from llamadiff.compare.diff.ignore import Ignore
from llamadiff.compare.document import output_diff
from llamadiff.compare.groups import groups_of
from llamadiff.compare.history.entries import Recorded
from llamadiff.compare.history.page import as_html
from llamadiff.compare.noise import Sample
from llamadiff.compare.reasoning import MARKS, answer_of, reasoning_of
from llamadiff.compare.run import Output, Run
from llamadiff.compare.sweep import grouped, similarity
from llamadiff.tui.diffing import Diffing
from llamadiff.tui.thread import Look, Thread

from .history.runs import made, start


def said(text: str, prompt: str = "<s>[USER] Hi [/USER]") -> Output:
    """An output of one token for each character."""
    output = start(count=1).outputs[0]
    output.stamp.prompt_text = prompt
    output.text, output.tokens = text, [1] * len(text)
    output.token_ends = list(range(1, len(text) + 1))
    return output


@pytest.mark.parametrize(("opening", "closing"), MARKS)
def test_what_stands_between_the_marks_is_no_answer(opening: str, closing: str) -> None:
    whole = f"{opening}\nWhy?\n{closing}\n\nBecause."
    output = said(whole)
    reasoning = reasoning_of(output)
    assert reasoning and reasoning.done
    assert answer_of(output) == "Because."
    assert reasoning.tokens == len(f"{opening}\nWhy?\n{closing}")
    # the template, or a prefill, has opened it
    opened = said(f"Why?\n{closing}\n\nBecause.", f"<s>Hi{opening}\n")
    assert answer_of(opened) == "Because."
    # and cut off at any place it is never taken for the answer
    for end in range(len(opening), len(whole) - len("\n\nBecause.")):
        cut = reasoning_of(said(whole[:end]))
        assert cut and not cut.done and cut.end == end


def test_text_about_the_marks_is_an_answer() -> None:
    for text in ("Write <think> and </think>.", "", "Yes. <think>no</think>"):
        assert reasoning_of(said(text)) is None and answer_of(said(text)) == text
    # as Qwen 3's template closes it when no reasoning is wanted
    assert reasoning_of(said("Yes.", "<s>Hi<think>\n\n</think>\n\n")) is None


THINKING = "Dogs, I think.", "What do they want? Hm.", "Let me see: it is about dogs, or cats."


def thought(*answers: str) -> Run:
    """A run whose outputs reason differently before they say these, a variant for each."""
    texts = (f"<think> {it} </think> " for it in THINKING)
    return made(*(next(texts) + answer for answer in answers))


def test_answers_alone_are_compared_grouped_and_measured() -> None:
    same, other = thought("It is so.", "It is so.").outputs, thought("It is so.", "It is not.")
    assert [it.members for it in groups_of(same)] == [(0, 1)] and groups_of(same)[0].same
    assert [len(it.members) for it in groups_of(other.outputs)] == [1, 1]
    assert similarity(*same) == 1 > similarity(*other.outputs)
    assert [(it.count, it.output) for it in grouped(same)] == [(2, same[0])]
    assert Sample.of(same[0]).words == Sample.of(same[1]).words == ("It", "is", "so", ".")
    page = as_html(
        [Recorded(thought("It is so.", "It is so."), datetime.now(UTC), None, "1", "", ())]
    )
    assert "same as A" in page and "What do they want?" in page


def test_where_answers_part_is_counted_from_the_outputs_start() -> None:
    one, two = (said_in_words("<think> one two </think> It is " + end) for end in ("red.", "no."))
    found = output_diff(one, two)
    char = len("<think> one two </think> It is ")
    assert found["first_divergence"] == {"token": 6, "char": char} and not found["equal"]
    loosely = output_diff(one, two, Ignore(case=True))["first_divergence"]
    assert loosely == {"token": 6, "char": char}
    assert found["words_added"] == found["words_removed"] == 1
    drawn = Thread().draw(two, one, Look("words", Diffing()))
    assert drawn.comparison is not None and drawn.comparison.first_token == 6
    equal = output_diff(*thought("It is so.", "It is so.").outputs)
    assert equal["equal"] and equal["first_divergence"] is None


def said_in_words(text: str) -> Output:
    return made(text).outputs[0]
