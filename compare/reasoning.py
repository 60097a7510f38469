"""The reasoning that a model writes before its answer, told apart from the answer."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace

from .run import Output, Stamp, State

MARKS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("◁think▷", "◁/think▷"),
)
"""How chat templates and models write where reasoning begins and ends: DeepSeek R1, Qwen 3 and most
others the first; then what Seed-OSS, Magistral, Command A, Sky-T1 and Kimi write."""


@dataclass(frozen=True)
class Reasoning:
    """Characters 0 to `end` of an output, marks and the blanks behind them included.

    `tokens` is how many they took; not `done`, the answer has not begun yet.
    """

    end: int
    tokens: int
    done: bool


def opened_in(prompt_text: str) -> tuple[str, str] | None:
    """The marks of the reasoning that a prompt ends in the middle of, as templates and prefills
    open it; None if it does not."""
    tail = prompt_text[-100:].rstrip()
    return next((marks for marks in MARKS if tail.endswith(marks[0])), None)


def reasoning_of(output: Output) -> Reasoning | None:
    """The reasoning an output begins with; None if it begins with its answer."""
    text, at = output.text, 0
    marks = opened_in(output.stamp.prompt_text)
    if marks is None:
        at = len(text) - len(text.lstrip())
        marks = next((marks for marks in MARKS if text.startswith(marks[0], at)), None)
    if marks is None:
        return None
    close = text.find(marks[1], at)
    done = close >= 0
    end = close + len(marks[1]) if done else len(text)
    tokens = bisect_right(output.token_ends, end)
    while done and text[end : end + 1].isspace():
        end += 1
    return Reasoning(end, tokens, done)


def answer_of(output: Output) -> str:
    """What an output says, without the reasoning before it."""
    reasoning = reasoning_of(output)
    return output.text if reasoning is None else output.text[reasoning.end :]


def has_answer(output: Output) -> bool:
    """Whether an output has come to its answer. One that was cut off in its reasoning, or said
    nothing after it, has none: there is nothing to compare it by."""
    reasoning = reasoning_of(output)
    return reasoning is None or reasoning.end < len(output.text)


def is_answered(output: Output) -> bool:
    """Whether an output is finished and has an answer."""
    return output.state is State.DONE and has_answer(output)


def without_answer(first: Output, other: Output) -> str:
    """Which of two outputs has no answer, in words, and so cannot be compared; empty if both have."""
    one, two = (name if not has_answer(it) else "" for it, name in _named(first, other))
    if one and two:
        return "neither has an answer"
    return f"{one or two} has no answer" if one or two else ""


def _named(first: Output, other: Output) -> tuple[tuple[Output, str], tuple[Output, str]]:
    if first.name == other.name:
        return (first, "the first"), (other, "the second")
    return (first, first.name), (other, other.name)


def answer_alone(output: Output) -> Output:
    """An output that says the answer alone, in text, tokens and their ends; itself where it begins
    with its answer."""
    reasoning = reasoning_of(output)
    if reasoning is None:
        return output
    first = bisect_right(output.token_ends, reasoning.end)
    return replace(
        output,
        text=output.text[reasoning.end :],
        tokens=output.tokens[first:],
        token_ends=[end - reasoning.end for end in output.token_ends[first:]],
        stamp=Stamp(),
    )
