"""Pages of HTML that need nothing else, no script and no other file: their frame, style and parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ..diff.result import Look
from ..shares import percent

Facts = Sequence[tuple[str, str]]

_STYLE = """
:root { color-scheme: light dark; --back: #f4f6f8; --card: #ffffff; --fore: #1c2128; --dim: #59636e;
  --line: #d5dbe2; --accent: #0b63b0; --added: #0a4a29; --added-back: #cdf0dc; --removed: #7d1712;
  --removed-back: #fbdcda; --moved: #5b2a86; --moved-back: #eadcf8; --error: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --back: #0e1116; --card: #161b22; --fore: #d7dde5;
  --dim: #8b97a4; --line: #2b333e; --accent: #7cc7ff; --added: #b8f5d2; --added-back: #12301f;
  --removed: #ffb3b3; --removed-back: #3a1a1c; --moved: #d9bdf7; --moved-back: #2d1f40;
  --error: #ff6b6b; } }
* { box-sizing: border-box; }
body { background: var(--back); color: var(--fore); font: 16px/1.55 system-ui, sans-serif;
  max-width: 100rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0; color: var(--accent); overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: 0; }
header { margin: 0 0 1rem; }
header ~ header { margin-top: 4rem; }
.dim { color: var(--dim); font-size: .875rem; overflow-wrap: anywhere; }
.note { margin: .5rem 0; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
.said { margin: .25rem 0 .75rem; padding: .4rem .9rem; border-left: 3px solid var(--accent);
  max-width: 60rem; }
.said .who { color: var(--dim); font-size: .8rem; }
.error { color: var(--error); }
.figures { font-size: .9rem; color: var(--dim); margin-bottom: .4rem; }
.result { margin-top: .5rem; }
.figures strong { color: var(--fore); font-variant-numeric: tabular-nums; }
ins { color: var(--added); background: var(--added-back); text-decoration: underline;
  text-underline-offset: .15em; }
del { color: var(--removed); background: var(--removed-back); text-decoration: line-through; }
ins.moved, del.moved { color: var(--moved); background: var(--moved-back); }
ins.moved { text-decoration: underline dotted; }
ins, del { border-radius: 2px; }
ins.after { margin-left: .25em; }
.legend { margin: .75rem 0; color: var(--dim); font-size: .875rem; }
.legend > * { margin-right: 1rem; }
.outputs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
  gap: 0 1rem; margin-top: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: .9rem 1.1rem; margin-bottom: 1rem; min-width: 0; }
.outputs > .card { display: grid; grid-template-rows: subgrid; row-gap: .6rem; align-content: start; }
.card > .said { margin: 0; align-self: start; }
details { margin: .25rem 0; color: var(--dim); font-size: .9rem; }
summary { cursor: pointer; }
details .text { margin-top: .5rem; padding-left: .9rem; border-left: 3px solid var(--line); }
.switch { position: absolute; opacity: 0; }
label { display: inline-block; padding: .15rem .8rem; border: 1px solid var(--line); color: var(--dim);
  border-radius: 6px; cursor: pointer; font-size: .875rem; margin-right: .4rem; }
#beside:checked ~ label[for=beside], #one:checked ~ label[for=one] { color: var(--accent);
  border-color: var(--accent); font-weight: 600; text-decoration: underline; }
.switch:focus-visible ~ label { outline: 1px dotted var(--dim); }
#one:checked ~ .beside, #beside:checked ~ .one-text { display: none; }
.one-text { max-width: 60rem; margin-top: .6rem; }
.one-text .legend { margin-top: 0; }
.beside { display: grid; grid-template-columns: 1fr 1fr; margin-top: .6rem; padding: 0;
  border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
.beside > * { padding: .15rem 1.1rem .15rem 2rem; min-width: 0; position: relative; }
.beside > :nth-child(even) { border-left: 1px solid var(--line); }
.beside > :nth-child(-n+2) { padding: .7rem 1.1rem .4rem; }
.beside > .gap { padding: .35rem; } .beside > .end { padding: .4rem 2rem .6rem; font-size: .8rem; }
.beside .minus::before, .beside .plus::before { position: absolute; left: .8rem; font-weight: 700; }
.beside .minus::before { content: "−"; color: var(--removed); }
.beside .plus::before { content: "+"; color: var(--added); }
.beside del { text-decoration: underline dashed; text-underline-offset: .15em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; font-size: .875rem;
  margin: .3rem 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; } dt, dd { unicode-bidi: isolate; }
.stamps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  gap: 0 2rem; }
.stamps > div { margin-bottom: .8rem; }
@media (max-width: 44rem) {
  .both { display: none; } .both + .one-text, #beside:checked ~ .one-text { display: block; }
  label, .beside { display: none; } dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .3rem; } }
@media print { label { display: none; } .card, .beside { break-inside: avoid; } }
""".strip()

_TAGS: dict[Look, str] = {"added": "ins", "removed": "del", "arrived": "ins", "left": "del"}


def page(title: str, body: Iterable[str], heights: Iterable[int] = ()) -> str:
    """A whole page. `title` is text, `body` HTML; it has cards of so many rows."""
    rules = "".join(f"\n.of-{it} {{ grid-row: span {it}; }}" for it in sorted(set(heights)))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)} · llamadiff</title>\n<style>\n{_STYLE}{rules}\n</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def header(title: str, about: Sequence[str], note: str = "") -> str:
    """What a page is of, with facts about it in a line, and what a person noted."""
    noted = f'<p class="note text" dir="auto">{text(note)}</p>' if note else ""
    return f'<header><h1>{text(title)}</h1><p class="dim">{text(" · ".join(about))}</p>{noted}</header>'


def name(called: str, title: str, about: str) -> str:
    """Which output this is; `about` tells more than its title, if it does."""
    more = f'<p class="dim">{text(about)}</p>' if about != title else ""
    return f"<div><h2>{text(called)} · {text(title)}</h2>{more}</div>"


def said(who: str, words: str) -> str:
    """What a person said."""
    return (
        f'<div class="said"><span class="who">{text(who)}</span>'
        f'<div class="text" dir="auto">{text(words)}</div></div>'
    )


def block(words: str) -> str:
    """HTML of words, with their line ends, as a paragraph or more."""
    return f'<div class="text" dir="auto">{words}</div>'


def folded(title: str, words: str) -> str:
    """Text under a title that unfolds it."""
    return f"<details><summary>{text(title)}</summary>{block(text(words))}</details>"


def figures(counts: tuple[int, int, int], unit: str, same: float, parts: str) -> str:
    """Units added, removed and moved, the share that is the same, and where two texts part."""
    added, removed, moved = counts
    shown = [f"<strong>+{added:,}</strong> <strong>−{removed:,}</strong> {text(unit)}"]
    shown += [f"<strong>{moved:,}</strong> moved"] if moved else []
    shown.append(f"<strong>{percent(same)}</strong> same")
    shown += [text(parts)] if parts else []
    return f'<p class="figures">{" · ".join(shown)}</p>'


def marked(pieces: Iterable[tuple[Look, str]]) -> str:
    """HTML of pieces of a diff: removed and added ones are marked, moved ones as such, and what is
    added stands a little apart from what was removed directly before it."""
    shown: list[str] = []
    gone = ""
    for look, words in pieces:
        touches = look == "added" and gone and not any(map(str.isspace, (gone[-1], words[0])))
        shown.append(mark(look, words, after=bool(touches)))
        gone = words if look == "removed" else ""
    return "".join(shown)


def mark(look: Look, words: str, *, after: bool = False) -> str:
    """HTML of one piece; `after` another mark that it would touch."""
    tag = _TAGS.get(look)
    if tag is None or not words:
        return text(words)
    kind = "moved" if look in ("left", "arrived") else "after" if after else ""
    opening = f'{tag} class="{kind}"' if kind else tag
    return f"<{opening}>{text(words)}</{tag}>"


def legend(removed: str, added: str, *, moved: bool) -> str:
    """What the marks mean, in them."""
    shown = [f"<del>{text(removed)}</del>", f"<ins>{text(added)}</ins>"]
    shown += ['<span><del class="moved">moved</del> <ins class="moved">moved</ins></span>'] * moved
    return f'<p class="legend">{" ".join(shown)}</p>'


def facts(rows: Facts) -> str:
    """Facts, a line each."""
    lines = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in rows)
    return f"<dl>{lines}</dl>" if lines else ""


def text(words: str) -> str:
    """Text that is nothing but text: no markup, no control characters but line ends and tabs."""
    shown = "".join(it if it.isprintable() or it in "\n\t" else _visible(it) for it in words)
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
