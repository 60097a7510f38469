"""Reasoning is told from the answer, however it is opened and as far as it has come."""

from datetime import UTC, datetime

import pytest

from llamadiff.compare.diff.ignore import NOTHING, Ignore
from llamadiff.compare.document import output_diff
from llamadiff.compare.groups import groups_of
from llamadiff.compare.history import pair_page
from llamadiff.compare.history.entries import Recorded, Side
from llamadiff.compare.history.page import as_html
from llamadiff.compare.history.pair import as_document, as_markdown, compared
from llamadiff.compare.noise import Sample, samples
from llamadiff.compare.reasoning import answer_of, has_answer, reasoning_of
from llamadiff.compare.run import Output, Run, State
from llamadiff.compare.sweep import Axis, grouped, points, similarity
from llamadiff.tui.diffing import Diffing
from llamadiff.tui.screens.compare import _drawn
from llamadiff.tui.thread import Look, Thread

from .history.runs import made, start


def said(text: str, prompt: str = "<s>[USER] Hi [/USER]") -> Output:
    """An output of one token for each character."""
    output = start(count=1).outputs[0]
    output.stamp.prompt_text = prompt
    output.text, output.tokens = text, [1] * len(text)
    output.token_ends = list(range(1, len(text) + 1))
    return output


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<thought>", "</thought>"),
        ("<reasoning>", "</reasoning>"), ("<seed:think>", "</seed:think>"),
        ("[THINK]", "[/THINK]"), ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"), ("◁think▷", "◁/think▷"),
    ],
)  # fmt: skip
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
    assert "<strong>the same</strong> as A" in page and "What do they want?" in page


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


def test_what_was_cut_off_in_its_reasoning_is_compared_with_nothing() -> None:
    cut = made("<think> one thing", "<think> something else altogether", "It is so.")
    one, two, answer = cut.outputs
    emptied = made("<think> done </think> ").outputs[0]
    assert not any(map(has_answer, (one, two, emptied))) and has_answer(answer)
    for pair, said in (
        ((one, two), "neither has an answer"), ((one, answer), "A has no answer"),
        ((answer, two), "B has no answer"), ((emptied, one), "neither has an answer"),
    ):  # fmt: skip
        for ignore in (NOTHING, Ignore(case=True)):
            found = output_diff(*pair, ignore)
            assert (found["answered"], found["equal"]) == (False, False)
            assert found["first_divergence"] is None and not found["words_added"]
        assert similarity(*pair) is None
        compared_ = compared(*pair)
        assert compared_.figures == said and not compared_.pieces and not compared_.equal
        assert Thread().draw(pair[1], pair[0], Look("words", Diffing())).comparison is None
        (shown,) = _drawn(*pair, signs=False).figures
        assert shown.plain.startswith(said)
    assert output_diff(answer, answer)["answered"]
    assert groups_of([one, two, emptied]) == [] and grouped([one, two]) == ()
    assert [it.members for it in groups_of([one, answer, two])] == [(1,)]
    assert [it.words for it in samples(cut.outputs)] == [("It", "is", "so", ".")]
    entry = Recorded(cut, datetime.now(UTC), None, "1", "", ())
    page = as_html([entry])
    assert "neither has an answer" in page and "A has no answer" in page
    assert "<strong>the same</strong>" not in page
    sides = Side(entry, one), Side(entry, two)
    for text in (pair_page.as_html(compared(one, two), sides), as_markdown(compared(one, two), sides)):  # fmt: skip
        assert "neither has an answer" in text and "something else altogether" in text
    document = as_document(compared(one, two), sides)
    assert document["equal"] is False and document["similarity"] is None
    first, other = points(cut, Axis("seed", (0, 1, 2)))[:2]
    assert (first.words, first.similarity, other.groups) == (None, None, ())
    assert first.tokens == 3


def test_reasoning_under_way_is_compared_once_there_is_an_answer() -> None:
    one, two = made("It is so.", "<think> Hm.").outputs
    two.state = State.STREAMING
    thread, look = Thread(), Look("words", Diffing())
    drawn = thread.draw(two, one, look)
    assert drawn.comparison is not None and "no answer" not in drawn.text
    two.state = State.DONE
    drawn = thread.draw(two, one, look)
    assert drawn.comparison is None and "no answer" in drawn.text


def said_in_words(text: str) -> Output:
    return made(text).outputs[0]


def test_one_answer_of_other_tokens_after_reasoning_is_one_text() -> None:
    a, b = said("<think>Hm.</think>\nYes"), said("<think>So.</think>\nYes")
    b.tokens[-1] = 2
    found = output_diff(a, b)
    assert found["equal"] and found["first_divergence"] is None
