"""The reasoning that a model writes before its answer, told apart from the answer."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace

from .run import Output, Stamp

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
