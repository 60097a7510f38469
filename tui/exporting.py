"""What can be written to files from a screen: a run, a comparison, or outputs, in several formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .safe_text import safe_line

if TYPE_CHECKING:
    from ..compare.history.entries import Recorded, Side
    from ..compare.run import Output

PICTURE = ".svg"
"""The end of a file that gets a picture of the screen."""


@dataclass(frozen=True)
class Written:
    """What can be written: what it is called, the name proposed for the file, what the formats
    hold in a few words, and by the end of the name what makes the text, on a thread."""

    what: str
    name: str
    about: str
    forms: Mapping[str, Callable[[], str]]


def of_run(recorded: Recorded) -> Written:
    """A run of the history."""
    from ..compare.history.forms import runs_text

    run = recorded.run
    prompt = run.variants[0].prompt.slug if run.variants else "run"
    return Written(
        f"the run {run.id}",
        f"{prompt}-{run.id[:6]}.html",
        ".html .md .json, the screen .svg",
        {
            ".html": lambda: runs_text([recorded], "html"),
            ".md": lambda: runs_text([recorded], "markdown"),
            ".json": lambda: runs_text([recorded], "json"),
        },
    )


def of_pair(first: Side, other: Side) -> Written:
    """A comparison of two outputs."""

    def text(form: str) -> str:
        from ..compare.history.forms import pair_text
        from ..compare.history.pair import compared

        return pair_text(compared(first.output, other.output), (first, other), form)

    names = first.output.name, other.output.name
    return Written(
        " → ".join(names),
        f"{other.output.variant.prompt.slug}-{'-'.join(names)}.html",
        ".html .md .json, the screen .svg",
        {
            ".html": lambda: text("html"),
            ".md": lambda: text("markdown"),
            ".json": lambda: text("json"),
        },
    )


def of_output(output: Output, beside: Sequence[Output], values: Mapping[str, str]) -> Written:
    """An output with its conversation, or all that stand beside it, compared with the first."""

    def conversation(*, words: bool) -> str:
        from ..compare.transcript import as_markdown, as_text

        return as_text(output) if words else as_markdown(output)

    variant = output.variant
    return Written(
        f"{variant.name} · {safe_line(variant.title)}",
        f"{variant.prompt.slug}-{variant.name}.md",
        ".md .txt this conversation, .html .json all outputs, .svg the screen",
        {
            ".md": lambda: conversation(words=False),
            ".txt": lambda: conversation(words=True),
            ".html": lambda: _page(beside, values),
            ".json": lambda: _document(beside, values),
        },
    )


def _page(outputs: Sequence[Output], values: Mapping[str, str]) -> str:
    from datetime import UTC, datetime
    from importlib.metadata import version

    from ..compare.history.page import Column, as_page

    about = [f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"]
    about += [f"{name} = {value}" for name, value in values.items()]
    columns = [Column(output, outputs[0]) for output in outputs]
    return as_page(columns, values, version("llamadiff"), about)


def _document(outputs: Sequence[Output], values: Mapping[str, str]) -> str:
    """As `run --json`; `run_id` is empty where outputs of several runs stand side by side."""
    import json
    from importlib.metadata import version

    from ..compare.conversation import turns_of
    from ..compare.document import conversation_document
    from ..compare.run import Run

    runs: list[Run] = []
    for number in range(max(len(turns_of(it)) for it in outputs)):
        said: list[Output] = []
        for output in outputs:
            for turn in turns_of(output)[number : number + 1]:
                variant = replace(turn.variant, name=output.variant.name)
                said.append(replace(turn, variant=variant))
        keys = {it.run_id for it in said}
        key = keys.pop() if len(keys) == 1 else ""
        runs.append(Run(tuple(it.variant for it in said), values, outputs=said, id=key))
    return json.dumps(conversation_document(runs, version("llamadiff")), indent=2) + "\n"
