"""Recorded runs as one page of HTML that needs nothing else: no script, no other file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..diff.live import diff
from ..diff.unified import unified
from ..reasoning import answer_of
from ..run import Output
from .entries import Recorded

_STYLE = """
:root { color-scheme: light dark; --back: #fafbfc; --fore: #1c2128; --dim: #606b77; --panel: #e9ecf0;
  --accent: #0b63b0; --added: #0a4a29; --added-back: #cdf0dc; --removed: #7d1712;
  --removed-back: #fbdcda; --error: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --back: #0e1116; --fore: #d7dde5; --dim: #8b97a4;
  --panel: #1b222c; --accent: #7cc7ff; --added: #b8f5d2; --added-back: #12301f; --removed: #ffb3b3;
  --removed-back: #3a1a1c; --error: #ff6b6b; } }
body { background: var(--back); color: var(--fore); font: 16px/1.5 system-ui, sans-serif;
  max-width: 1500px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; color: var(--accent); margin: 0 0 .5rem; }
.outputs { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; }
section { background: var(--panel); border-left: 4px solid var(--accent); padding: .8rem 1rem; min-width: 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; unicode-bidi: isolate; margin: .5rem 0; }
ins { color: var(--added); background: var(--added-back); text-decoration: underline; }
del { color: var(--removed); background: var(--removed-back); text-decoration: line-through; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; font-size: .85rem; color: var(--dim); }
dd { margin: 0; overflow-wrap: anywhere; } dt, dd { unicode-bidi: isolate; }
.dim { color: var(--dim); font-size: .9rem; } .error { color: var(--error); }
blockquote { margin: 0; padding-left: .8rem; border-left: 2px solid var(--accent); }
summary { cursor: pointer; color: var(--dim); font-size: .9rem; }
""".strip()


def as_html(runs: Sequence[Recorded]) -> str:
    """The runs under each other, each output beside the others and compared with the first
    variant's: what is only in that is struck through, what that lacks is underlined."""
    title = f"Run {runs[0].run.id}" if len(runs) == 1 else f"{len(runs)} runs"
    body = "\n".join(_run(recorded) for recorded in runs)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>llamadiff · {_text(title)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _run(recorded: Recorded) -> str:
    run = recorded.run
    facts = [("when", f"{recorded.at:%Y-%m-%d %H:%M:%S} UTC"), ("llamadiff", recorded.program)]
    facts += [(name, value) for name, value in run.values.items()]
    facts += [("tags", ", ".join(recorded.tags))] if recorded.tags else []
    parts = [f"<h1>Run {_text(run.id)}</h1>"]
    parts += [f"<pre>{_text(recorded.note)}</pre>"] if recorded.note else []
    parts += [_facts(facts), '<div class="outputs">']
    first = {it.repeat: it for it in run.of(run.variants[0])} if run.variants else {}
    parts += [_output(it, first.get(it.repeat)) for it in run.outputs]
    return "\n".join([*parts, "</div>"])


def _output(output: Output, first: Output | None) -> str:
    variant, stamp = output.variant, output.stamp
    parts = ["<section>", f"<h2>{_text(output.name)} · {_text(variant.title)}</h2>"]
    if output.reply:
        before = output.follows.run_id if output.follows else "a run that is gone"
        parts.append(f'<p class="dim">Reply to {_text(before)}</p>')
        parts.append(f'<blockquote><pre dir="auto">{_text(output.reply)}</pre></blockquote>')
    answer = answer_of(output)
    if reasoning := output.text.removesuffix(answer).strip():
        parts.append(
            "<details><summary>Reasoning</summary>"
            f'<pre dir="auto">{_text(reasoning)}</pre></details>'
        )
    if first is None or first is output:
        parts.append(f'<pre dir="auto">{_text(answer)}</pre>')
    else:
        other = answer_of(first)
        found = diff(other, answer)
        figures = (
            f"same as {_text(first.variant.name)}"
            if found.equal
            else f"+{found.words_added} −{found.words_removed} words, {found.similarity:.0%} same"
        )
        tags = {"added": "ins", "removed": "del"}
        text = "".join(
            f"<{tags[kind]}>{_text(piece)}</{tags[kind]}>" if kind in tags else _text(piece)
            for kind, piece in unified(found, other, answer)
        )
        parts += [f'<p class="dim">{figures}</p>', f'<pre dir="auto">{text}</pre>']
    if output.error:
        parts.append(f'<p class="error">{_text(output.error)}</p>')
    hashes = stamp.adapter_sha256 or (None,) * len(variant.adapters)
    facts = [("model", f"{variant.model_name}, SHA-256 {stamp.model_sha256 or 'unknown'}")]
    facts += [
        ("adapter", f"{adapter}, SHA-256 {digest or 'unknown'}")
        for adapter, digest in zip(variant.adapters, hashes, strict=True)
    ]
    facts += [(f"{key} (own)", value) for key, value in variant.values.items()]
    settings = {**variant.prompt.sampling, **variant.sampling, "seed": output.seed}
    facts.append(("sampling", ", ".join(f"{key} {value}" for key, value in settings.items())))
    facts.append(("result", f"{len(output.tokens)} tokens, {output.finish_reason or output.state.value}"))  # fmt: skip
    facts.append(("llama.cpp", stamp.llama_cpp or "unknown"))
    parts.append(_facts(facts))
    if stamp.prompt_text:
        parts.append(
            f"<details><summary>Prompt · {_text(variant.prompt.name)}</summary>"
            f'<pre dir="auto">{_text(stamp.prompt_text)}</pre></details>'
        )
    return "\n".join([*parts, "</section>"])


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts)
    return f"<dl>{rows}</dl>"


def _text(text: str) -> str:
    """Text that is nothing but text: no markup, no control characters but line ends and tabs."""
    shown = "".join(it if it.isprintable() or it in "\n\t" else _visible(it) for it in text)
    return escape(shown)


def _visible(character: str) -> str:
    """The picture of a control character; what else cannot be printed stays, unless it is half a
    character or turns the direction of writing."""
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    hidden = code < 0xA0 or 0xD800 <= code < 0xE000 or code in _TURNING
    return "\N{REPLACEMENT CHARACTER}" if hidden else character


_TURNING = {0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)}
