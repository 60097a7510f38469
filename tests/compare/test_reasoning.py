"""Reasoning is told from the answer, however it is opened and as far as it has come."""

import pytest

from llamadiff.compare.reasoning import MARKS, answer_of, reasoning_of
from llamadiff.compare.run import Output

from .history.runs import start


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
