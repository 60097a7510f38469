"""Runs without an engine, as they would have come out of one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.compare.conversation import reply_to
from llamadiff.compare.history.history import History
from llamadiff.compare.run import Output, Run, Stamp, State
from llamadiff.compare.variants import StackedAdapter, Variant
from llamadiff.models.engine.protocol import ModelInfo, Sampling, Timings, TokenLogprob
from llamadiff.prompts.document import Prompt, Variable

INFO = ModelInfo(
    n_ctx=1024, n_ctx_train=1024, n_vocab=1024, n_threads=2, n_ubatch=512, kv_type="f16",
    n_params=7_000_000, size=7_000_000, backend="CPU", n_gpu_layers=0,
    bos="<s>", eos="</s>", add_bos=True, can_rewind=True,
)  # fmt: skip
PROMPT = Prompt("Tell me about", user="Tell {{ topic }}", variables=(Variable("topic", "dogs"),))


def grow(output: Output, text: str) -> None:
    """Let an output say more, a token for each word, as the runner does."""
    output.state = State.STREAMING
    for word in text.split(" "):
        output.text += word + " "
        output.tokens.append(sum(map(ord, word)))
        output.token_ends.append(len(output.text))
        output.logprobs.append(
            TokenLogprob(output.tokens[-1], -0.1, 1, 2.5, [(1, -0.1), (70_000, -2.3)])
        )


def finish(output: Output) -> None:
    output.state, output.finish_reason = State.DONE, "stop"
    output.timings = Timings(0.01, 5, 0, len(output.tokens), 392.5, 2)


def start(
    *, prompt: Prompt = PROMPT, count: int = 2, values: Mapping[str, str] | None = None
) -> Run:
    """A run of so many variants that has been sent to the engine."""
    stack = (StackedAdapter("support", Path("/models/support.gguf"), 0.8),)
    variants = tuple(
        Variant(chr(65 + i), Path("/models/demo.gguf"), "demo-7m", prompt, stack * (i % 2), {"top_k": 3}, "x" * (i % 2), {"tone": "dry"} if i % 2 else {})
        for i in range(count)
    )  # fmt: skip
    run = Run(variants, dict(values or {}), logprobs=2)
    for variant in variants:
        output = Output(variant, 0, 7, run_id=run.id)
        text = prompt.user.replace("{{ topic }}", run.values.get("topic", "dogs"))
        output.stamp = Stamp(
            None, (None,) * len(variant.adapters), text, [1, 5, 40_000], "model",
            Sampling(seed=7, logit_bias={3: -1.5}), INFO, "llama-cpp-python 1",
        )  # fmt: skip
        run.outputs.append(output)
    return run


def made(*texts: str, prompt: Prompt = PROMPT, values: Mapping[str, str] | None = None) -> Run:
    """A run that is over: a variant for each text."""
    run = start(prompt=prompt, count=len(texts), values=values)
    for output, text in zip(run.outputs, texts, strict=True):
        grow(output, text)
        finish(output)
        output.stamp.model_sha256 = "3f9a" + "0" * 60
    return run


def answered(before: Run, reply: str, text: str) -> Run:
    """A run that replies to another; what it was given repeats that."""
    run = reply_to(before, reply)
    for output in run.outputs:
        output.stamp = replace(before.outputs[0].stamp, prompt_text=before.outputs[0].text + reply)
        grow(output, text)
        finish(output)
    return run


def aged(file: Path, ages: Mapping[str, int]) -> None:
    """Have runs be so many days old."""
    with closing(sqlite3.connect(file)) as connection:
        for key, days in ages.items():
            connection.execute(
                "UPDATE runs SET at = at - ? WHERE key = ?", (days * 86_400_000, key)
            )
        connection.commit()


def forget_what_was_replied_to(file: Path) -> None:
    """Have the replies of a database be those of an older llamadiff, which removed runs alone."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE outputs SET follows = NULL")
        connection.commit()


def keep(history: History, *runs: Run) -> None:
    """Have runs that are over written."""
    for run in runs:
        history.begin(run)
        history.end(run)
    history.flush()


@contextmanager
def opened(folder: Path, trouble: list[str] | None = None) -> Iterator[History]:
    """A history; any trouble it tells fails the test, unless it is collected."""
    told: list[str] = []
    history = History(folder, "1.2.3", (told if trouble is None else trouble).append)
    try:
        yield history
    finally:
        history.close()
    if told:
        pytest.fail(told[0])
