"""Conversations: an output goes on from one before it, with what a person replied to that."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from ..prompts.document import Message
from .errors import CompareError
from .reasoning import answer_of, opened_in
from .run import Output, Run, State

if TYPE_CHECKING:
    from .variants import Beginning


def turns_of(output: Output) -> list[Output]:
    """The outputs of a conversation up to this one, in the order in which they were said."""
    turns = [output]
    while (before := turns[-1].follows) is not None:
        turns.append(before)
    return turns[::-1]


def lost(output: Output) -> str:
    """The reply whose turn before is not known any more, of the turns up to this one; else empty.

    What the variant was given cannot be made again then.
    """
    return turns_of(output)[0].reply


def can_be_replied_to(output: Output) -> bool:
    """Whether an output is an answer, be it stopped or empty, and all before it is known."""
    if lost(output):
        return False
    return output.state is State.DONE or (output.state is State.CANCELLED and bool(output.text))


def go_on(output: Output, before: Output, reply: str) -> None:
    """Have an output that has not begun yet answer a reply to the one before."""
    output.follows, output.reply = before, reply


def given_turns(output: Output, turns: Sequence[tuple[str, str]]) -> None:
    """Have an output that has not begun yet answer the last of these turns, each an answer that was
    given and the reply to it; the first answers its prompt."""
    at = output
    for answer, reply in reversed(turns):
        before = Output(output.variant, output.repeat, output.seed, State.DONE, answer, given=True)
        go_on(at, before, reply)
        at = before


def reply_to(run: Run, reply: str) -> Run:
    """A run in which each output of `run` is replied to: the same variants, repeats and seeds.

    Raises CompareError for an output that is no answer, or a reply that is blank.
    """
    if not reply.strip():
        raise CompareError("A reply has to say something.")
    following = Run(run.variants, run.values, run.exact, run.logprobs)
    for before in run.outputs:
        if not can_be_replied_to(before):
            name = before.variant.name
            raise CompareError(f"{name} has not answered, so there is nothing to reply to.")
        output = Output(before.variant, before.repeat, before.seed, run_id=following.id)
        go_on(output, before, reply)
        following.outputs.append(output)
    return following


def messages_after(output: Output, prefill: str) -> tuple[Message, ...]:
    """What a chat goes on with after its prompt: each answer before this output, and each reply.

    `prefill` is what every answer begins with. Reasoning is left out, as chat templates do with
    that of turns gone by.
    """
    messages: list[Message] = []
    turns = turns_of(output)
    for before, after in pairwise(turns):
        messages.append(Message("assistant", _began(before, prefill) + answer_of(before)))
        messages.append(Message("user", after.reply))
    return tuple(messages)


def _began(output: Output, prefill: str) -> str:
    """The prefill, without the mark that opens reasoning at its end; none before a given answer."""
    if output.given:
        return ""
    marks = opened_in(output.stamp.prompt_text)
    tail = prefill.rstrip()
    return tail.removesuffix(marks[0]) if marks and tail.endswith(marks[0]) else prefill


def beginning_of(output: Output) -> Beginning | None:
    """What an output is made to begin with; not once more after the answer that began so."""
    begins = output.variant.beginning
    before = turns_of(output)[:-1]
    return None if any(it.variant.beginning == begins for it in before) else begins


def alike(outputs: Sequence[Output]) -> list[list[Output]]:
    """Outputs of one variant in groups that are given the same chat."""
    groups: dict[tuple[int, str], list[Output]] = {}
    for output in outputs:
        groups.setdefault((id(output.follows), output.reply), []).append(output)
    return list(groups.values())
