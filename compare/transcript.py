"""A conversation with one variant as a text of its own: plain, or Markdown with where it is from."""

from __future__ import annotations

from .conversation import turns_of
from .history.export import code, facts, fenced
from .run import Output


def as_text(output: Output) -> str:
    """What was said, as it is; with more than one turn, each after who said it."""
    first, *others = turns_of(output)
    said = [first.text]
    for turn in others:
        said += [f"YOU: {turn.reply}", f"{turn.variant.name}: {turn.text}"]
    return "\n\n".join(said) + "\n"


def as_markdown(output: Output) -> str:
    """What was asked and said, as it is, under headings, below what the variant is."""
    turns, name = turns_of(output), output.variant.name
    seeds = ", ".join(str(turn.seed) for turn in turns)
    said = [f"# {name}: {code(output.variant.title)}", f"{facts(output)}\n- seed: {seeds}"]
    if asked := turns[0].stamp.prompt_text:
        said += ["## Asked", fenced(asked)]
    for turn in turns:
        if turn.follows is not None:
            said += ["## You", turn.reply]
        said += [f"## {name}", turn.text]
    return "\n\n".join(said) + "\n"
