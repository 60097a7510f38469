"""What commands that run variants share: repeats, replies, and JSON as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from .printing import print_json

if TYPE_CHECKING:
    from ...compare.run import Output, Run

replies_option = click.option(
    "--reply",
    "replies",
    multiple=True,
    metavar="TEXT",
    help="Say this to every answer and run the next turn; repeat to go on.",
    callback=lambda context, parameter, replies: _that_say_something(replies),
)
stream_option = click.option(
    "--stream",
    is_flag=True,
    help="With --json: a line for each piece of text as it comes, the document last.",
)


def repeat_option(what: str) -> Callable[..., Callable[..., object]]:
    """`--repeat N`, with what it does in words."""
    return click.option("--repeat", default=1, type=click.IntRange(1, 1000), metavar="N", help=what)


def _that_say_something(replies: Sequence[str]) -> Sequence[str]:
    if not all(map(str.strip, replies)):
        raise click.UsageError("A reply has to say something.")
    return replies


def teller(stream: bool, as_json: bool) -> Callable[[Run, Output, str], None] | None:
    """What to call with each piece of text; None where it is not streamed."""
    if stream and not as_json:
        raise click.UsageError("--stream goes with --json.")
    return _tell if stream else None


def _tell(run: Run, output: Output, text: str) -> None:
    """A line for each piece of text; of a conversation each with its turn, from 2 on."""
    from ...compare.conversation import turns_of

    if text:
        turn = {"turn": len(turns_of(output))} if output.follows else {}
        print_json({"variant": output.variant.name, "repeat": output.repeat, **turn, "text": text})
