"""The worker as a process: streaming, batching, cancelling, dying, and never outliving the app."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import msgspec
import psutil
import pytest

from llamadiff.models.engine.client import Engine, EngineError
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import (
    AdapterUse,
    Delta,
    Finished,
    ModelSettings,
    Prefill,
    Request,
    Sampling,
    file_version,
)
from llamadiff.models.errors import ModelError

from ...conftest import listen, until, workers
from .asking import NEVER_END, ids, request


async def test_four_variants_of_one_stack_decode_as_one_batch(
    engine: Engine, model: LoadedModel
) -> None:
    tokens = await ids(engine, model)
    requests = [
        request(engine, tokens, sampling=Sampling(max_tokens=64, seed=i, logit_bias=NEVER_END))
        for i in range(4)
    ]
    heard = await listen(engine, model, requests)
    assert [len(it.tokens) for it in heard] == [64] * 4
    await until(lambda: engine.counters.decode_calls > 0)
    assert engine.counters.prefill_calls == 1
    assert engine.counters.decode_calls <= 64


async def test_text_streams_in_pieces(engine: Engine, model: LoadedModel) -> None:
    pieces: list[str] = []
    (heard,) = await listen(
        engine,
        model,
        [request(engine, await ids(engine, model), n=900)],
        lambda delta: pieces.append(delta.text),
    )
    assert len(pieces) > 3
    assert "".join(pieces) == heard.text
    assert heard.ends == sorted(heard.ends) and heard.ends[-1] == len(heard.text)
    assert heard.reason == "length" and len(heard.tokens) == 900


async def test_a_stop_string_ends_the_output_and_is_not_shown(
    engine: Engine, model: LoadedModel
) -> None:
    tokens = await ids(engine, model)
    (whole,) = await listen(engine, model, [request(engine, tokens)])
    stop = whole.text[10:16]
    shown: list[str] = []
    (heard,) = await listen(
        engine,
        model,
        [request(engine, tokens, stop=(stop,))],
        lambda delta: shown.append(delta.text),
    )
    assert heard.reason == "stop"
    assert "".join(shown) == whole.text[: whole.text.index(stop)]


async def test_a_grammar_constrains_and_a_wrong_one_fails_alone(
    engine: Engine, model: LoadedModel
) -> None:
    tokens = await ids(engine, model)
    label, broken, recursive, schema, plain = await listen(
        engine,
        model,
        [
            Request(engine.new_id(), tokens, grammar='root ::= "positive" | "negative"'),
            Request(engine.new_id(), tokens, grammar="root ::= ("),
            Request(engine.new_id(), tokens, grammar='root ::= root "a" | "b"'),
            Request(
                engine.new_id(),
                tokens,
                schema='{"type":"object","properties":{"n":{"enum":[1,2]}},"required":["n"]}',
            ),
            request(engine, tokens),
        ],
    )
    assert label.text in ("positive", "negative")
    assert broken.failure and "grammar" in broken.failure
    assert recursive.failure and "grammar" in recursive.failure
    assert set(msgspec.json.decode(schema.text)) == {"n"}
    assert len(plain.tokens) == 64


async def test_logprobs_are_those_of_the_sampled_tokens(engine: Engine, model: LoadedModel) -> None:
    tokens = await ids(engine, model)
    (heard,) = await listen(
        engine, model, [request(engine, tokens, logprobs=5, sampling=Sampling(temperature=0))]
    )
    assert [it.token for it in heard.logprobs][: len(heard.tokens)] == heard.tokens
    for it in heard.logprobs:
        assert len(it.top) == 5
        assert it.top[0] == (it.token, it.logprob)
        assert [p for _, p in it.top] == sorted((p for _, p in it.top), reverse=True)
        assert it.logprob <= 0


async def test_a_prompt_past_the_context_fails_and_a_long_answer_ends_there(
    engine: Engine, base: Path
) -> None:
    small = await engine.load(base, ModelSettings(n_ctx=256))
    tokens = await ids(engine, small)
    long, fills, empty = await listen(
        engine,
        small,
        [
            request(engine, tokens * 40),
            request(engine, tokens, n=2000),
            request(engine, []),
        ],
    )
    assert long.failure and "256" in long.failure
    assert fills.reason == "context" and len(tokens) + len(fills.tokens) == 257
    assert empty.failure and "empty" in empty.failure


async def test_cancel_ends_a_stream_and_leaves_the_others(
    engine: Engine, model: LoadedModel
) -> None:
    tokens = await ids(engine, model)
    first, second = request(engine, tokens, n=900), request(engine, tokens, n=300)
    count = 0

    def stop_first(delta: Delta) -> None:
        nonlocal count
        count += 1
        if count == 20:
            engine.cancel([first.id])

    a, b = await listen(engine, model, [first, second], stop_first)
    assert a.reason == "cancelled" and 0 < len(a.tokens) < 900
    assert b.reason == "length" and len(b.tokens) == 300


async def test_cancel_during_a_long_prefill(engine: Engine, base: Path) -> None:
    model = await engine.load(base, ModelSettings(n_ctx=60_000))
    tokens = (await ids(engine, model)) * 4000
    it = request(engine, tokens[:56_000])
    done: list[Prefill] = []
    async for events in engine.generate(model, [it]):
        for event in events:
            if isinstance(event, Prefill):
                done.append(event)
                if len(done) == 2:
                    engine.cancel([it.id])
            assert not isinstance(event, Delta)
            if isinstance(event, Finished):
                assert event.reason == "cancelled"
    assert done[-1].done < len(tokens) // 2
    (after,) = await listen(engine, model, [request(engine, tokens[:40])])
    assert len(after.tokens) == 64


async def test_leaving_the_stream_cancels_it(engine: Engine, model: LoadedModel) -> None:
    stream = engine.generate(model, [request(engine, await ids(engine, model), n=900)])
    async for _ in stream:
        break
    await stream.aclose()  # type: ignore[attr-defined]
    (after,) = await listen(engine, model, [request(engine, await ids(engine, model))])
    assert len(after.tokens) == 64


@pytest.mark.parametrize("name", ["SIGKILL", "SIGABRT", "SIGSEGV"])
async def test_a_worker_killed_in_a_stream_is_told_and_restarted(
    engine: Engine, model: LoadedModel, name: str
) -> None:
    said: list[str] = []
    engine.on_death = said.append
    tokens = await ids(engine, model)

    def kill(delta: Delta) -> None:
        if engine.pid:
            os.kill(engine.pid, signal.Signals[name])

    (heard,) = await listen(engine, model, [request(engine, tokens, n=900)], kill)
    assert heard.text
    assert heard.failure and name in heard.failure
    assert said == [heard.failure]
    again = await engine.load(model.path)
    (after,) = await listen(engine, again, [request(engine, tokens)])
    assert len(after.tokens) == 64


async def test_a_stalled_reader_never_stalls_decoding(base: Path, tmp_path: Path) -> None:
    """The pipe is not read while 4 × 900 tokens are made; all of it arrives afterwards."""
    from llamadiff.models.engine.frames import decode_events, frame
    from llamadiff.models.engine.protocol import Counters, Generate, Load, Loaded

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "llamadiff.models.engine.worker", "2", "0",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, limit=1024,
    )  # fmt: skip
    assert process.stdin and process.stdout

    async def events() -> list[object]:
        assert process.stdout
        head = await process.stdout.readexactly(4)
        return list(decode_events(await process.stdout.readexactly(int.from_bytes(head, "big"))))

    process.stdin.write(frame(Load(1, str(base), ModelSettings())))
    while not any(isinstance(event, Loaded) for event in await events()):
        pass
    requests = [
        Request(10 + i, [5, 6, 7, 8], sampling=Sampling(max_tokens=900, seed=i, logit_bias=NEVER_END), logprobs=8)
        for i in range(4)
    ]  # fmt: skip
    process.stdin.write(frame(Generate(1, requests)))
    await process.stdin.drain()
    worker = psutil.Process(process.pid)
    busy = [-1.0]

    def asleep() -> bool:
        """The worker has decoded everything: its processor time no longer grows."""
        now = sum(worker.cpu_times()[:2])
        still = now == busy[0] and worker.status() == psutil.STATUS_SLEEPING
        busy[0] = now
        time.sleep(0.3)
        return still and now > 0.2

    await until(asleep)
    tokens = {10 + i: 0 for i in range(4)}
    frames = 0
    while True:
        batch = await events()
        frames += 1
        for event in batch:
            if isinstance(event, Delta):
                assert len(event.tokens) == len(event.ends)
                tokens[event.id] += len(event.tokens)
        if any(isinstance(event, Counters) for event in batch):
            break
    assert tokens == dict.fromkeys(tokens, 900)
    assert frames < 900, "what waited should have been merged"
    process.stdin.close()
    assert await process.wait() == 0


async def test_refusals_are_model_errors(engine: Engine, tmp_path: Path, support: Path) -> None:
    with pytest.raises(ModelError, match=r"missing\.gguf"):
        await engine.load(tmp_path / "missing.gguf")
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"GGUF" + bytes(200))
    with pytest.raises(ModelError, match=r"junk\.gguf"):
        await engine.load(junk)
    with pytest.raises(ModelError, match=r"support\.gguf"):
        await engine.load(support)


async def test_a_bad_adapter_fails_its_own_variant_only(
    engine: Engine, model: LoadedModel, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"nothing")
    tokens = await ids(engine, model)
    bad, good = await listen(
        engine,
        model,
        [
            request(engine, tokens, adapters=(AdapterUse(str(junk)),)),
            request(engine, tokens),
        ],
    )
    assert bad.failure and "junk.gguf" in bad.failure
    assert len(good.tokens) == 64


async def test_a_closed_engine_says_so(engine: Engine, model: LoadedModel) -> None:
    await engine.close()
    with pytest.raises(EngineError):
        await listen(engine, model, [request(engine, [5])])


async def test_more_requests_than_a_lane_holds_all_finish(
    engine: Engine, model: LoadedModel, support: Path
) -> None:
    tokens = await ids(engine, model)
    stacks = [(), *((AdapterUse(str(support), s / 10),) for s in range(1, 7))]
    requests = [request(engine, tokens, n=12, adapters=stack) for stack in stacks for _ in range(3)]
    requests += [request(engine, tokens, n=12) for _ in range(20)]
    heard = await listen(engine, model, requests)
    assert all(len(it.tokens) == 12 for it in heard)


async def test_very_long_runs_of_one_letter_tokenize(engine: Engine, model: LoadedModel) -> None:
    assert (await engine.tokenize(model, "a" * 200_000, add_special=False)).tokens


async def test_unloading_frees_a_model_and_it_can_be_loaded_again(
    engine: Engine, model: LoadedModel
) -> None:
    await engine.unload(model.path)
    assert engine.resident(model.path) is None
    (gone,) = await listen(engine, model, [request(engine, [5, 6])])
    assert gone.failure == "The model is not loaded."
    again = await engine.load(model.path)
    (heard,) = await listen(engine, again, [request(engine, await ids(engine, again))])
    assert len(heard.tokens) == 64


def test_an_app_killed_leaves_no_worker_behind(base: Path, tmp_path: Path) -> None:
    """Killed with SIGKILL in the middle of a stream, within two seconds."""
    script = textwrap.dedent(f"""
        import asyncio, sys
        from pathlib import Path
        from llamadiff.models.engine.client import Engine
        from llamadiff.models.engine.protocol import Request, Sampling
        async def main():
            engine = Engine(Path({str(tmp_path / "log")!r}))
            model = await engine.load(Path({str(base)!r}))
            bias = {{token: -100.0 for token in range(8)}}
            asked = Request(engine.new_id(), [5, 6, 7], sampling=Sampling(max_tokens=1000, logit_bias=bias))
            while True:
                asked = Request(engine.new_id(), [5, 6, 7], sampling=Sampling(max_tokens=1000, logit_bias=bias))
                async for _ in engine.generate(model, [asked]):
                    print(engine.pid, flush=True)
        asyncio.run(main())
    """)
    app = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert app.stdout
    worker = psutil.Process(int(app.stdout.readline()))
    app.kill()
    app.wait()
    worker.wait(timeout=20)


async def test_a_start_that_is_cancelled_leaves_one_worker(engine: Engine, base: Path) -> None:
    first = asyncio.create_task(engine.load(base))
    await asyncio.sleep(0.05)
    first.cancel()
    model = await engine.load(base)
    assert workers(os.getpid()) == [engine.pid]
    (heard,) = await listen(engine, model, [request(engine, await ids(engine, model))])
    assert len(heard.tokens) == 64


async def test_closing_while_it_starts_leaves_no_worker(tmp_path: Path) -> None:
    it = Engine(tmp_path / "log")
    starting = asyncio.create_task(it.start())
    await asyncio.sleep(0.01)
    await it.close()
    await asyncio.gather(starting, return_exceptions=True)
    assert not workers(os.getpid())


async def test_an_adapter_file_replaced_is_loaded_anew(
    engine: Engine, model: LoadedModel, tmp_path: Path, support: Path, sentiment: Path
) -> None:
    file, tokens = tmp_path / "mine.gguf", await ids(engine, model)

    async def say() -> list[int]:
        use = AdapterUse(str(file), 1.0, file_version(file))
        (heard,) = await listen(engine, model, [request(engine, tokens, adapters=(use,))])
        return heard.tokens

    file.write_bytes(support.read_bytes())
    before = await say()
    file.write_bytes(sentiment.read_bytes())
    assert await say() != before
    file.write_bytes(support.read_bytes())
    assert await say() == before


async def test_a_model_file_replaced_is_loaded_anew(
    engine: Engine, base: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(base.read_bytes())
    first = await engine.load(file)
    assert await engine.load(file) is first
    file.write_bytes(base.read_bytes())
    os.utime(file, ns=(1, 1))
    assert engine.resident(file) is None
    again = await engine.load(file)
    assert again.key != first.key


async def test_one_adapter_twice_in_a_stack_is_refused(
    engine: Engine, model: LoadedModel, support: Path
) -> None:
    """llama.cpp would keep only one of them, silently."""
    use = AdapterUse(str(support), 0.5)
    (heard,) = await listen(
        engine, model, [request(engine, await ids(engine, model), adapters=(use, use))]
    )
    assert heard.failure and "twice" in heard.failure


@pytest.mark.parametrize(
    "settings",
    [
        ModelSettings(n_ctx=1),
        ModelSettings(n_ubatch=1),
        ModelSettings(n_ubatch=2**31 - 1),
        ModelSettings(n_threads=100_000),
        ModelSettings(n_ctx=-5),
    ],
)
async def test_settings_that_would_end_the_process_are_refused(
    engine: Engine, base: Path, settings: ModelSettings
) -> None:
    with pytest.raises(ModelError, match="must be from"):
        await engine.load(base, settings)
    assert engine.pid


@pytest.mark.parametrize("settings", [ModelSettings(n_ctx=32), ModelSettings(n_ubatch=64)])
async def test_small_settings_work(engine: Engine, base: Path, settings: ModelSettings) -> None:
    model = await engine.load(base, settings)
    long = (await ids(engine, model)) * 40
    (heard,) = await listen(engine, model, [request(engine, long[: model.info.n_ctx - 10], n=5)])
    assert len(heard.tokens) == 5


@pytest.mark.parametrize(
    "grammar", ["root ::= " + "(" * 200_000, 'root ::= "a\0b"'], ids=["deep", "NUL"]
)
async def test_grammars_that_would_end_the_process_are_refused(
    engine: Engine, model: LoadedModel, grammar: str
) -> None:
    (heard,) = await listen(
        engine, model, [request(engine, await ids(engine, model), grammar=grammar)]
    )
    assert heard.failure and "grammar" in heard.failure


async def test_a_listener_that_fails_does_not_end_the_engine(engine: Engine, base: Path) -> None:
    def fail(fraction: float) -> None:
        raise RuntimeError("listener")

    model = await engine.load(base, on_progress=fail)
    (heard,) = await listen(engine, model, [request(engine, await ids(engine, model))])
    assert len(heard.tokens) == 64
