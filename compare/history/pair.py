"""Two outputs against each other, and that as a document: JSON for programs, Markdown for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..diff.ignore import NOTHING, Ignore
from ..diff.ignoring import differ
from ..diff.result import Diff, Look
from ..diff.unified import SIGNS, signed, unified
from ..document import SCHEMA, output_diff, variant_document
from ..reasoning import answer_alone, without_answer
from ..run import Output
from ..shares import percent
from .entries import Side
from .export import code, facts, fenced

if TYPE_CHECKING:
    from ..diff.units import Mode

UNITS: dict[Mode, str] = {"word": "words", "char": "characters", "line": "lines", "token": "tokens"}


@dataclass(frozen=True)
class Pair:
    """How the answer of an output differs from that of the first."""

    first: Output
    other: Output
    texts: tuple[str, str]
    """The answers, without the reasoning before them."""
    diff: Diff
    mode: Mode = "word"
    ignore: Ignore = NOTHING

    @property
    def silent(self) -> str:
        """Which of the two has no answer, so that nothing is compared; empty if both have one."""
        return without_answer(self.first, self.other)

    @property
    def equal(self) -> bool:
        """Whether both give the same answer, but for what is ignored."""
        return self.diff.equal and not self.silent

    @property
    def pieces(self) -> list[tuple[Look, str]]:
        """Both answers in one text; nothing where one has none."""
        return [] if self.silent else unified(self.diff, *self.texts)

    @property
    def unit(self) -> str:
        return UNITS[self.mode]

    @property
    def reasoned(self) -> bool:
        """Whether there is reasoning that takes no part."""
        return self.texts != (self.first.text, self.other.text)

    @property
    def parts(self) -> str:
        """Where the answers part, counted from where the first output begins; empty if nowhere."""
        place = output_diff(self.first, self.other, self.ignore)["first_divergence"]
        if place is None:
            return ""
        if place["token"] is not None:
            return f"parts at token {place['token'] + 1:,}"
        return f"parts at character {place['char'] + 1:,}"

    @property
    def figures(self) -> str:
        """`+31 −4 words · 78 % same · parts at token 7`."""
        if self.silent or self.diff.equal:
            return self.silent or "the same text"
        said = [f"+{self.diff.added:,} −{self.diff.removed:,} {self.unit}"]
        said += [f"{self.diff.moved:,} moved"] if self.diff.moved else []
        said.append(f"{percent(self.diff.similarity)} same")
        return " · ".join([*said, *filter(None, [self.parts])])


def compared(first: Output, other: Output, mode: Mode = "word", ignore: Ignore = NOTHING) -> Pair:
    """Compare the answers of two finished outputs; takes a while for long ones."""
    one, two = answer_alone(first), answer_alone(other)
    ends: dict[str, Sequence[int]] = (
        {"a_ends": one.token_ends, "b_ends": two.token_ends} if mode == "token" else {}
    )
    texts = ("", "") if without_answer(first, other) else (one.text, two.text)
    diff = differ(mode, ignore).update(*texts, a_done=True, b_done=True, **ends)
    return Pair(first, other, (one.text, two.text), diff, mode, ignore)


def as_document(pair: Pair, sides: tuple[Side, Side]) -> dict[str, Any]:
    """What differs, and each side as `run --json` has it, with the run it is of."""
    diff = pair.diff
    return {
        "schema": SCHEMA,
        "a": _side(sides[0]),
        "b": _side(sides[1]),
        "mode": pair.mode,
        "ignore_case": pair.ignore.case,
        "ignore_space": pair.ignore.space,
        "answered": not pair.silent,
        "equal": pair.equal,
        "first_divergence": output_diff(pair.first, pair.other, pair.ignore)["first_divergence"],
        "words_added": diff.words_added,
        "words_removed": diff.words_removed,
        "words_moved": diff.words_moved,
        "similarity": None if pair.silent else diff.similarity,
        "pieces": [{"kind": look, "text": text} for look, text in pair.pieces],
    }


def _side(side: Side) -> dict[str, Any]:
    """Where an output is from, and all about it."""
    recorded, output = side.recorded, side.output
    variant = variant_document([output])
    (said,) = variant.pop("outputs")
    del variant["groups"]
    return {
        "run_id": recorded.run.id,
        "at": recorded.at.isoformat(),
        "llamadiff": recorded.program,
        "note": recorded.note,
        "tags": list(recorded.tags),
        "variables": dict(recorded.run.values),
        "repeat": output.repeat,
        **variant,
        "output": said,
    }


def as_markdown(pair: Pair, sides: tuple[Side, Side]) -> str:
    """What differs in one text, fenced, and what either side is."""
    names = names_of(sides)
    said = [f"# {names[0]} → {names[1]}", pair.figures]
    shown = pair.pieces
    if pair.reasoned:
        said.append("The answers alone are compared, without the reasoning before them.")
    if pair.pieces and not pair.diff.equal:
        marks = [f"{code('…'.join(SIGNS['removed']))} only in the first"]
        marks.append(f"{code('…'.join(SIGNS['added']))} only in the second")
        if pair.diff.moved:
            left, arrived = (code("…".join(SIGNS[it])) for it in ("left", "arrived"))
            marks.append(f"{left} and {arrived} moved")
        said.append(", ".join(marks))
    said += [] if pair.silent else [fenced(signed(shown))]
    for name, side in zip(names, sides, strict=True):
        recorded, output = side.recorded, side.output
        said.append(f"## {name}: {code(output.variant.title)}")
        when = f"- run: {recorded.run.id}, {recorded.at:%Y-%m-%d %H:%M:%S} UTC, llamadiff {recorded.program}"
        tags = [f"- tags: {code(', '.join(recorded.tags))}"] if recorded.tags else []
        note = [f"- note: {code(recorded.note)}"] if recorded.note else []
        end = f"- seed {output.seed}, {len(output.tokens)} tokens, {output.finish_reason or output.state.value}"
        said.append("\n".join([when, *tags, *note, facts(output), end]))
        if prompt := output.stamp.prompt_text:
            said += ["### Prompt", fenced(prompt)]
        if pair.reasoned or pair.ignore:
            said += ["### Output", fenced(output.text)]
    return "\n\n".join(said) + "\n"


def names_of(sides: tuple[Side, Side]) -> tuple[str, str]:
    """What the sides are called: `A` and `B`; with their runs where these tell them apart."""
    one, two = sides
    names = one.output.name, two.output.name
    if names[0] != names[1]:
        return names
    runs = one.recorded.run.id[:6], two.recorded.run.id[:6]
    return f"{names[0]} of {runs[0]}", f"{names[1]} of {runs[1]}"
