"""Who computes when: loads beside streams, what is on the screen first, and who makes room."""

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.frames import decode_events, frame
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import (
    BACKGROUND,
    AdapterUse,
    Command,
    Delta,
    Event,
    Failed,
    Finished,
    Generate,
    Load,
    Loaded,
    ModelSettings,
    Request,
    Sampling,
    Unloaded,
)
from llamadiff.models.errors import ModelError

from ...conftest import listen, until
from .asking import bits, ids, request

Shapes = Callable[[str, str], Path]


async def test_streams_go_on_while_another_model_is_loaded(
    engine: Engine, random_model: Shapes
) -> None:
    small, large = [
        await asyncio.to_thread(random_model, shape, "Q4_0") for shape in ("4M", "143M")
    ]
    model = await engine.load(small)
    heard: list[Delta] = []
    asked = request(engine, list(range(300, 340)), n=3_000)
    stream = asyncio.create_task(listen(engine, model, [asked], heard.append))
    await until(lambda: len(heard) > 1)
    during = 0
    while not during and not stream.done():
        marks: list[int] = []
        await engine.unload(large)
        await engine.load(large, on_progress=lambda f, marks=marks: marks.append(len(heard)))
        during = marks[-1] - marks[0]
    assert during, "no token came while it was loaded"
    (it,) = await stream
    assert len(it.tokens) == 3_000
    assert {loaded.path for loaded in engine.residents} == {small.resolve(), large.resolve()}


async def test_a_load_that_nobody_waits_for_any_more_is_stopped(
    engine: Engine, model: LoadedModel, random_model: Shapes
) -> None:
    path = await asyncio.to_thread(random_model, "143M", "Q4_0")
    begun = asyncio.Event()
    first = asyncio.create_task(engine.load(path, on_progress=lambda f: begun.set()))
    second = asyncio.create_task(engine.load(path))
    await begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await second).path == path.resolve(), "another caller still waited"
    await engine.unload(path)
    begun.clear()
    third = asyncio.create_task(engine.load(path, on_progress=lambda f: begun.set()))
    await begun.wait()
    third.cancel()
    await until(third.done)
    assert [it.path for it in engine.residents] == [model.path]
    (heard,) = await listen(engine, model, [request(engine, await ids(engine, model))])
    assert len(heard.tokens) == 64
    assert (await engine.load(path)).path == path.resolve()


@pytest.mark.parametrize("tuned", [False, True])
async def test_what_is_on_the_screen_goes_first(
    engine: Engine, model: LoadedModel, support: Path, tuned: bool
) -> None:
    """The background stands still while a request of the screen runs, and is done all the same."""
    tokens = await ids(engine, model)
    behind = 0
    seen: list[int] = []

    def count(delta: Delta) -> None:
        nonlocal behind
        behind += len(delta.tokens)

    sweep = asyncio.create_task(
        listen(
            engine,
            model,
            [request(engine, tokens, n=900, seed=i, priority=BACKGROUND) for i in range(4)],
            count,
        )
    )
    await until(lambda: behind > 40)
    adapters = (AdapterUse(str(support)),) if tuned else ()
    (urgent,) = await listen(
        engine,
        model,
        [request(engine, tokens, n=300, adapters=adapters)],
        lambda delta: seen.append(behind),
    )
    assert len(urgent.tokens) == 300
    assert not sweep.done()
    assert seen[-1] - seen[0] < 40, "the background went on beside it"
    assert [len(it.tokens) for it in await sweep] == [900] * 4


async def test_a_request_that_starts_later_joins_the_running_batch(
    engine: Engine, model: LoadedModel
) -> None:
    tokens = await ids(engine, model)
    seen: list[int] = []
    first = asyncio.create_task(
        listen(
            engine,
            model,
            [request(engine, tokens, n=900), request(engine, tokens, n=20, seed=1)],
            lambda delta: seen.extend(delta.tokens),
        )
    )
    await until(lambda: len(seen) > 30)
    joined = await listen(engine, model, [request(engine, tokens, n=50, seed=2)])
    assert not first.done(), "the later one should have ended beside the first"
    assert [len(it.tokens) for it in (await first) + joined] == [900, 20, 50]
    await until(lambda: engine.counters.decode_calls > 0)
    assert engine.counters.decode_calls < 910, "their tokens should have shared the calls"


async def test_a_short_prompt_is_not_kept_waiting_by_a_long_one(
    engine: Engine, model: LoadedModel, support: Path
) -> None:
    tokens = await ids(engine, model)
    long = (tokens * 100)[:900]
    order: list[int] = []
    requests = [
        request(engine, long, n=5),
        request(engine, tokens, n=5, adapters=(AdapterUse(str(support)),)),
    ]
    await listen(engine, model, requests, lambda delta: order.append(delta.id))
    assert order[0] == requests[1].id


async def test_two_models_at_once_do_not_disturb_each_other(
    engine: Engine, model: LoadedModel, random_model: Shapes
) -> None:
    other = await engine.load(await asyncio.to_thread(random_model, "4M", "Q4_0"))
    ours, theirs = await ids(engine, model), list(range(300, 700))

    def ask(tokens: list[int]) -> list[Request]:
        return [request(engine, tokens, n=150, logprobs=1) for _ in range(2)]

    alone = [
        [bits(it) for it in await listen(engine, model, ask(ours))],
        [bits(it) for it in await listen(engine, other, ask(theirs))],
    ]
    together = await asyncio.gather(
        listen(engine, model, ask(ours)), listen(engine, other, ask(theirs))
    )
    assert [[bits(it) for it in heard] for heard in together] == alone


async def test_a_full_context_ends_the_output_or_is_shifted(engine: Engine, base: Path) -> None:
    model = await engine.load(base, ModelSettings(n_ctx=256))
    shifting = await engine.load(base, ModelSettings(n_ctx=256, context_shift=True))
    tokens = await ids(engine, model)
    (ends,) = await listen(engine, model, [request(engine, tokens, n=700)])
    assert ends.reason == "context"
    assert len(ends.tokens) == 256 - len(tokens) + 1
    goes_on = await listen(engine, shifting, [request(engine, tokens, n=700) for _ in range(2)])
    for it in goes_on:
        assert it.reason == "length"
        assert len(it.tokens) == 700
        assert it.tokens[: len(ends.tokens)] == ends.tokens
    assert goes_on[0].tokens == goes_on[1].tokens
    (again,) = await listen(engine, shifting, [request(engine, tokens, n=100)])
    assert again.tokens == ends.tokens[:100], "what was shifted must not be taken for the prompt"


# ----------------------------------------------------------------------- a memory that is full

SMALL_MACHINE = """
    import sys
    from llamadiff.models.engine import context, native, residents, worker

    free = [{free}]
    residents.available_memory = lambda: free[0]

    def counted(kind, name, size):
        make, close = kind.__init__, kind.close
        def init(self, *args):
            make(self, *args)
            free[0] -= size
        def shut(self):
            close(self)
            free[0] += size
        kind.__init__, kind.close = init, shut

    counted(native.Model, "model", 20_000_000)
    counted(context.Context, "context", {context})
    worker.main()
"""
"""A worker on a machine whose free memory is a number: models and contexts take a fixed part."""


class SmallMachine:
    """A worker spoken to in frames, on a machine with little memory."""

    def __init__(self, free: int, context: int = 1_000_000) -> None:
        script = textwrap.dedent(SMALL_MACHINE).format(free=free, context=context)
        self._process = subprocess.Popen(
            [sys.executable, "-c", script, "2", "0"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def send(self, command: Command) -> None:
        assert self._process.stdin
        self._process.stdin.write(frame(command))
        self._process.stdin.flush()

    def until(self, *kinds: type) -> list[Event]:
        """Events up to the first of one of these kinds."""
        assert self._process.stdout
        events: list[Event] = []
        while not any(isinstance(event, kinds) for event in events):
            head = self._process.stdout.read(4)
            events += decode_events(self._process.stdout.read(int.from_bytes(head, "big")))
        return events

    def load(self, number: int, path: Path, keep: list[int] | None = None) -> list[Event]:
        self.send(Load(number, str(path), ModelSettings(), keep or []))
        return self.until(Loaded, Failed)


def test_the_model_unused_for_longest_makes_room(
    base: Path, closing: list[Callable[[], object]]
) -> None:
    machine = SmallMachine(free=48_000_000)
    closing.append(machine.close)
    assert not [e for e in machine.load(1, base) if isinstance(e, Failed | Unloaded)]
    assert not [e for e in machine.load(2, base) if isinstance(e, Failed | Unloaded)]
    machine.send(Generate(1, [Request(9, [5, 6, 7], sampling=Sampling(max_tokens=3))]))
    machine.until(Finished)
    gone = [e.model for e in machine.load(3, base) if isinstance(e, Unloaded)]
    assert gone == [2]
    gone = [e.model for e in machine.load(4, base, keep=[1]) if isinstance(e, Unloaded)]
    assert gone == [3]


def test_a_model_that_is_kept_or_busy_stays(
    base: Path, closing: list[Callable[[], object]]
) -> None:
    machine = SmallMachine(free=28_000_000)
    closing.append(machine.close)
    machine.load(1, base)
    events = machine.load(2, base, keep=[1])
    (refused,) = [e for e in events if isinstance(e, Failed)]
    assert refused.refused and "of memory" in refused.message
    never_end = Sampling(max_tokens=2000, logit_bias=dict.fromkeys(range(8), -100.0))
    machine.send(Generate(1, [Request(9, [5, 6, 7], sampling=never_end)]))
    machine.until(Delta)
    (refused,) = [e for e in machine.load(3, base) if isinstance(e, Failed)]
    assert "of memory" in refused.message


async def test_a_model_that_made_room_is_loaded_again_when_asked_for(
    engine: Engine, model: LoadedModel
) -> None:
    engine._dispatch([Unloaded(model.key)])
    assert engine.residents == []
    again = await engine.load(model.path)
    assert again.key != model.key
    with pytest.raises(ModelError, match="not loaded"):
        await engine.tokenize(LoadedModel(99, model.path, model.info), "a", add_special=False)
