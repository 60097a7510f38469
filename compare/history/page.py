"""Recorded runs, or what stands on a screen, as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..conversation import turns_of
from ..reasoning import answer_of, reasoning_of
from ..run import Output
from . import html
from .content import user_text
from .entries import Recorded
from .pair import Pair, compared
from .stamps import apart, facts_of, result_of


@dataclass(frozen=True)
class Column:
    """An output with its conversation, and the one it is compared with, if any."""

    output: Output
    base: Output | None


def as_html(runs: Sequence[Recorded]) -> str:
    """The runs under each other, each output beside the others and compared with the first
    variant's: what is only in that is struck through, what that lacks is underlined."""
    body: list[str] = []
    heights: set[int] = set()
    for recorded in runs:
        run = recorded.run
        firsts = {it.repeat: it for it in run.of(run.variants[0])} if run.variants else {}
        columns = [Column(it, firsts.get(it.repeat)) for it in run.outputs]
        about = [f"run {run.id}", f"{recorded.at:%Y-%m-%d %H:%M:%S} UTC"]
        about += [f"{name} = {value}" for name, value in run.values.items()]
        about += [f"#{tag}" for tag in recorded.tags]
        prompts = dict.fromkeys(variant.prompt.name for variant in run.variants)
        body.append(html.header(" · ".join(prompts), about, recorded.note))
        body += _columns(columns, run.values, recorded.program, heights)
    title = ", ".join(dict.fromkeys(it.run.id for it in runs))
    return html.page(f"Run {title}", body, heights)


def as_page(
    columns: Sequence[Column], values: Mapping[str, str], program: str, about: Sequence[str]
) -> str:
    """Any outputs beside each other; `about` are facts for the head of the page."""
    heights: set[int] = set()
    prompts = dict.fromkeys(it.output.variant.prompt.name for it in columns)
    title = " · ".join(prompts)
    body = [html.header(title, about), *_columns(columns, values, program, heights)]
    return html.page(title, body, heights)


def _columns(
    columns: Sequence[Column], values: Mapping[str, str], program: str, heights: set[int]
) -> list[str]:
    """What was asked, the outputs, and what they were made with."""
    if not columns:
        return []
    asked = [_asked(it.output, values) for it in columns]
    shared = len({it[0] for it in asked}) == 1
    pairs = [_compared(it) for it in columns]
    who = who_said(turns_of(columns[0].output)[0])
    parts = [html.said(who, asked[0][0])] if shared and asked[0][0] else []
    found = [pair for of_turns in pairs for pair in of_turns if pair is not None]
    if found:
        bases = {it.base.name for it in columns if it.base is not None}
        base = bases.pop() if len(bases) == 1 else "the first variant"
        moved = any(pair.diff.moved for pair in found)
        parts.append(html.legend(f"only in {base}", f"not in {base}", moved=moved))
    height = 1 + 2 * max(map(len, asked)) - shared
    heights.add(height)
    parts.append('<div class="outputs">')
    for column, texts, of_turns in zip(columns, asked, pairs, strict=True):
        card = _card(column.output, ["", *texts[1:]] if shared else texts, of_turns, shared)
        parts.append(f'<section class="card of-{height}">{card}</section>')
    outputs = [it.output for it in columns]
    return [*parts, "</div>", *made_with([(it.name, it, program) for it in outputs])]


def _compared(column: Column) -> list[Pair | None]:
    """Each turn with the same one of what it is compared with."""
    turns = turns_of(column.output)
    if column.base is None or column.base is column.output:
        return [None] * len(turns)
    bases = turns_of(column.base)
    return [
        compared(bases[number], turn) if number < len(bases) else None
        for number, turn in enumerate(turns)
    ]


def _card(output: Output, asked: Sequence[str], pairs: Sequence[Pair | None], shared: bool) -> str:
    """An output with all turns before it, a row of the card each."""
    parts = [head(output.name, output)]
    for number, (turn, reply, pair) in enumerate(zip(turns_of(output), asked, pairs, strict=True)):
        if number or not shared:
            parts.append(html.said(who_said(turn), reply))
        parts.append(f"<div>{_turn(turn, pair)}</div>")
    return "".join(parts)


def _turn(output: Output, pair: Pair | None) -> str:
    parts = [thoughts(output)]
    parts += [figures(pair)] if pair else []
    if pair is None or pair.silent:
        parts.append(html.block(html.text(answer_of(output))))
    else:
        parts.append(html.block(html.marked(pair.pieces)))
    parts.append(f'<p class="dim result">{html.text(result_of(output))}</p>')
    if output.error:
        parts.append(f'<p class="error">{html.text(output.error)}</p>')
    return "".join(parts)


def head(name: str, output: Output) -> str:
    """The head of an output; under a label, what that stands for."""
    return html.name(name, output.variant.title, replace(output.variant, label="").title)


def who_said(turn: Output) -> str:
    """What stands above what a person said in a turn."""
    if not turn.reply:
        return "asked"
    return "you" if turn.follows is not None else "you, to a run that is gone"


def thoughts(output: Output, name: str = "") -> str:
    """The reasoning before an answer, folded; empty without."""
    found = reasoning_of(output)
    if found is None or not output.text[: found.end].strip():
        return ""
    whose = f" of {name}" if name else ""
    return html.folded(
        f"Reasoning{whose} · {found.tokens:,} tokens", output.text[: found.end].strip()
    )


def figures(pair: Pair) -> str:
    """In how much two outputs differ, and from where on."""
    if pair.silent:
        return f'<p class="figures">{html.text(pair.silent)}</p>'
    if pair.diff.equal:
        return f'<p class="figures"><strong>the same</strong> as {html.text(pair.first.name)}</p>'
    counts = pair.diff.added, pair.diff.removed, pair.diff.moved
    return html.figures(counts, pair.unit, pair.diff.similarity, pair.parts)


def made_with(outputs: Sequence[tuple[str, Output, str]]) -> list[str]:
    """The stamps of outputs: a name, the output and the version of llamadiff of each."""
    shared, own = apart([facts_of(output, program) for _, output, program in outputs])
    parts = ["<h3>Made with</h3>", html.facts(shared), '<div class="stamps">']
    for (name, _, _), facts in zip(outputs, own, strict=True):
        if facts:
            parts.append(f"<div><strong>{html.text(name)}</strong>{html.facts(facts)}</div>")
    prompts: dict[str, list[str]] = {}
    for name, output, _ in outputs:
        if output.stamp.prompt_text:
            prompts.setdefault(output.stamp.prompt_text, []).append(name)
    parts.append("</div>")
    for prompt, names in prompts.items():
        whose = f" · {', '.join(names)}" if len(prompts) > 1 else ""
        parts.append(html.folded(f"Prompt as the model was given it{whose}", prompt))
    return parts


def _asked(output: Output, values: Mapping[str, str]) -> list[str]:
    """What a person said in each turn."""
    first, *others = turns_of(output)
    variant = first.variant
    return [
        first.reply or user_text(variant.prompt, {**values, **variant.values}),
        *(it.reply for it in others),
    ]
