"""A recorded output as text: what was asked, what was said, and what made it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .amounts import moment
from .safe_text import safe_line
from .thread import YOU
from .widgets.output_text import Mark

if TYPE_CHECKING:
    from ..compare.history.entries import Recorded
    from ..compare.run import Output

MOST_FOUND = 500
"""Words marked in one text."""


@dataclass(frozen=True)
class Told:
    """A text, its marks, and the offset that should be in view."""

    text: str
    marks: list[Mark]
    rest: int


def title_of(recorded: Recorded, output: Output) -> str:
    """Which output of which run: `A · Tell me about · base, 21:03`."""
    return safe_line(f"{output.name} · {output.variant.title}, {moment(recorded.at)}")


def told(recorded: Recorded, output: Output, words: Sequence[str] = ()) -> Told:
    """All there is to say of an output; the first of the words looked for is to be in view."""
    head = [f"{recorded.at.astimezone():%Y-%m-%d %H:%M:%S}"]
    head += [f"#{tag}" for tag in recorded.tags]
    head += [] if recorded.ended else ["goes on"]
    values = {**recorded.run.values, **output.variant.values}
    before = [(" · ".join(head), "id"), (recorded.note, "chosen")]
    before += [(f"{name} = {value}", "id") for name, value in values.items()]
    before += [(f"\n{YOU}{output.reply}", "said")] if output.reply else []
    after = [(output.error or "", "problem")]
    for title, body in (
        ("Prompt", output.stamp.prompt_text), ("Made with", _made_with(recorded, output)),
    ):  # fmt: skip
        after += [("\n" + title, "title"), (body, "")] if body else []
    text, marks = "", list[Mark]()

    def add(parts: Sequence[tuple[str, str]]) -> None:
        nonlocal text
        for part, kind in parts:
            if part:
                marks.append(Mark(len(text), len(text) + len(part), kind))
                text += f"{part}\n"

    add(before)
    said = len(text) + 1
    add([("\n" + output.text, "")])
    add(after)
    found = _found(text, words)
    first = next((mark.start for mark in found if mark.start >= said), 0)
    return Told(text, _over(marks, found), first)


def _over(marks: Sequence[Mark], above: Sequence[Mark]) -> list[Mark]:
    """Marks with others above them: apart from each other and in order."""
    result: list[Mark] = []
    waiting = list(above)
    for mark in marks:
        at = mark.start
        while waiting and waiting[0].start < mark.end:
            top = waiting.pop(0)
            result += [Mark(at, top.start, mark.kind), top] if at < top.start else [top]
            at = top.end
        if at < mark.end:
            result.append(Mark(at, mark.end, mark.kind))
    return [*result, *waiting]


def _found(text: str, words: Sequence[str]) -> list[Mark]:
    """Where the words are that were looked for; the last one may be the beginning of a longer one."""
    if not words:
        return []
    pattern = re.compile("|".join(rf"\b{re.escape(word)}\w*" for word in words), re.IGNORECASE)
    return [
        Mark(match.start(), match.end(), "special")
        for match, _ in zip(pattern.finditer(text), range(MOST_FOUND), strict=False)
    ]


def _made_with(recorded: Recorded, output: Output) -> str:
    """The stamp, a fact a line."""
    variant, stamp, run = output.variant, output.stamp, recorded.run
    hashes = [*stamp.adapter_sha256, *[None] * len(variant.adapters)]
    said = [f"model {variant.model_name}, SHA-256 {stamp.model_sha256 or 'unknown'}"]
    said += [
        f"adapter {adapter}, SHA-256 {sha256 or 'unknown'}"
        for adapter, sha256 in zip(variant.adapters, hashes, strict=False)
    ]
    said.append(f"prompt {variant.prompt.name}")
    settings = {**variant.prompt.sampling, **variant.sampling, "seed": output.seed}
    said.append(", ".join(f"{name} {value}" for name, value in settings.items()))
    result = [f"{len(output.tokens):,} tokens", output.finish_reason or output.state.value]
    if (timings := output.timings) is not None and timings.tokens_per_s is not None:
        result.append(f"{timings.tokens_per_s:,.0f}/s")
    said.append(", ".join(result))
    if info := stamp.info:
        said.append(
            f"{info.n_ctx:,} tokens of context, {info.kv_type}, {info.backend}, "
            f"{info.n_threads} thread{'s' * (info.n_threads != 1)}{', exact' * run.exact}"
        )
    said.append(f"llamadiff {recorded.program}, {stamp.llama_cpp or 'llama.cpp unknown'}")
    return "\n".join([*said, f"run {run.id}"])
