"""`llamadiff history run`: a recorded run made again, and compared with what was said then."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from ...compare.conversation import lost
from ...compare.diff.ignore import NOTHING
from ...compare.document import output_diff, run_document
from ...compare.errors import CompareError
from ...compare.hashes import FileHashes, changed_files
from ...compare.run import Output, Run, State
from ..paths import cache_dir
from ..safe_text import safe_line, safe_text
from .diff import compare, painted, summary
from .options import Asked
from .printing import data, note, print_json
from .session import carry_out_run, open_history, raise_failed

if TYPE_CHECKING:
    from ...compare.history.entries import Recorded


def run_again(name: str, *, history: bool, as_json: bool) -> int:
    """1 when an output differs from what it was, else 0.

    Raises CompareError, ModelError or PromptError for what cannot be run any more, EngineError.
    """
    with open_history() as kept:
        recorded = kept.recorded(kept.find(name))
    then = recorded.run
    if gone := [output.name for output in then.outputs if lost(output)]:
        raise CompareError(
            f"The run {then.id} cannot be run again: what {', '.join(gone)} repl"
            f"{'y' if len(gone) > 1 else 'ies'} to is not in the history any more."
        )

    async def look() -> list[str]:
        return await changed_files(then, FileHashes(cache_dir()))

    changed = asyncio.run(look())
    for sentence in changed:
        note(sentence)
    now = carry_out_run(_settings(recorded, history=history), again(then), hashes=as_json)
    raise_failed(now)
    pairs = list(zip(then.outputs, now.outputs, strict=True))
    if as_json:
        against = [
            {
                **output_diff(a, b),
                "same": same(a, b),
                "a": f"{then.id}:{a.name}",
                "b": f"{now.id}:{b.name}",
            }
            for a, b in pairs
        ]
        document = {
            **run_document(now, version("llamadiff")),
            "again": then.id,
            "changed_files": changed,
            "against_then": against,
        }
        print_json(document, indent=True)
    else:
        for before, after in pairs:
            _print(before, after)
        note(f"{then.id} again, as {now.id}")
    return 0 if all(same(a, b) for a, b in pairs) else 1


def _print(then: Output, now: Output) -> None:
    """An output, marked where it is not what was said then."""
    if same(then, now):
        how = "same as then" if then.state is State.DONE else "same, as far as it went then"
        text = safe_text(now.text)
    else:
        diff = compare(then.text, now.text, "word", NOTHING)
        how, text = f"{summary(diff)} to then", painted(diff, then.text, now.text)
    data(f"── {now.name} · {safe_line(now.variant.title)} · seed {now.seed} · {how} ──")
    data(text, raw=True)  # made safe piece by piece


def same(then: Output, now: Output) -> bool:
    """Whether an output is what it was; of one that was not finished, as far as it had come."""
    if then.state in (State.CANCELLED, State.STREAMING):
        return now.text.startswith(then.text)
    return (then.text, then.tokens) == (now.text, now.tokens)


def again(run: Run) -> Run:
    """The same variants, values, seeds and switches, with nothing said yet; what went on from
    another output goes on from it once more."""
    new = Run(run.variants, dict(run.values), run.exact, run.logprobs)
    new.outputs += [
        Output(it.variant, it.repeat, it.seed, follows=it.follows, reply=it.reply, run_id=new.id)
        for it in run.outputs
    ]
    return new


def _settings(recorded: Recorded, *, history: bool) -> Asked:
    """How the models were loaded, where all were alike: the context counts for the bits."""
    infos = [output.stamp.info for output in recorded.run.outputs if output.stamp.info]
    asked = Asked(history=history)
    if len({(info.n_ctx, info.kv_type) for info in infos}) == 1:
        asked = replace(asked, ctx_size=infos[0].n_ctx, kv_type=infos[0].kv_type)
    return asked
