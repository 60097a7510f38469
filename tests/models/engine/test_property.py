"""Random histories of the engine, each answer held against a reference that has no history.

`make test` plays the same few histories every time. A wider run, with histories of its own:
`pytest tests/models/engine/test_property.py --hypothesis-seed=1 --timeout=3600`.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from llamadiff.models.engine.chunks import plan
from llamadiff.models.engine.client import EngineError
from llamadiff.models.engine.protocol import (
    AdapterUse,
    Delta,
    Event,
    Failed,
    Finished,
    ModelSettings,
    Prefill,
    Request,
)

from ...conftest import Heard, until
from .histories import (
    EDITS,
    MOMENTS,
    PATIENCE_S,
    SIGNALS,
    STACKS,
    Command,
    Edit,
    Overheard,
    Reference,
    commands,
    lane,
    off,
    touch,
    without_end,
)

SETTINGS = ModelSettings(n_ctx=768)
BITS = 1e-9
"""Of differences between logits, which are float32: less than their last bit."""
SAME = 1e-6
"""Of log-probabilities from the same logits: the two sides add up the exponentials their own way."""
NEAR = 0.3
"""On average, of log-probabilities from batches of another shape and with flash attention: a few
hundredths, single ones 0.2. A wrong cache is off by more."""


# ---------------------------------------------------------------------------- what must be true


class Histories(RuleBasedStateMachine):
    """One engine, what was asked of it so far, and what its answers must be."""

    base: Path
    adapters: Mapping[str, str]
    reference: Reference
    folder: Path

    asked: Bundle[Command] = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.engine = Overheard(self.folder / "engine.log", self.note)
        self.over: set[int] = set()
        self.late: list[Event] = []
        self.first: dict[bytes, list[object]] = {}
        self.prefilled: dict[object, list[list[int]]] = {}
        self.loop.run(self.load())

    def teardown(self) -> None:
        try:
            assert self.loop.run(self.engine.tokenize(self.model, "x", add_special=False)).tokens
            self.nothing_comes_after_an_end()
        finally:
            self.loop.run(self.engine.close())
            self.loop.close()

    async def load(self) -> None:
        self.model = await self.engine.load(self.base, SETTINGS)
        self.prefilled.clear()

    def note(self, events: Sequence[Event]) -> None:
        """See every event that the worker sends, before the client does."""
        for event in events:
            if isinstance(event, (Prefill, Delta, Finished, Failed)) and event.id in self.over:
                self.late.append(event)
            if isinstance(event, (Finished, Failed)):
                self.over.add(event.id)

    @invariant()
    def nothing_comes_after_an_end(self) -> None:
        assert not self.late

    # ------------------------------------------------------------------------------- rules

    @rule(target=asked, command=commands())
    def submit(self, command: Command) -> Command:
        self.loop.run(self.alone(command))
        return command

    @rule(target=asked, command=asked, edit=EDITS)
    def edit(self, command: Command, edit: Edit) -> Command:
        edited = [replace(it, tokens=edit.of(it.tokens)) for it in command]
        self.loop.run(self.alone(edited))
        return edited

    @rule(target=asked, command=asked, chunk=st.integers(0, 7), first=st.booleans())
    def touch(self, command: Command, chunk: int, first: bool) -> Command:
        touched = [replace(it, tokens=touch(it.tokens, chunk, first)) for it in command]
        self.loop.run(self.alone(touched))
        return touched

    @rule(target=asked, command=asked, stacks=st.lists(STACKS, min_size=1, max_size=4))
    def swap(self, command: Command, stacks: list[list[tuple[str, float]]]) -> Command:
        swapped = [
            replace(it, adapters=tuple(AdapterUse(*use) for use in stacks[i % len(stacks)]))
            for i, it in enumerate(command)
        ]
        self.loop.run(self.alone(swapped))
        return swapped

    @rule(command=asked)
    def again(self, command: Command) -> None:
        self.loop.run(self.alone(command))

    @rule(command=asked, which=st.sets(st.integers(0, 7), min_size=1), after=MOMENTS)
    def cancel(self, command: Command, which: set[int], after: int) -> None:
        requests = self.sent(without_end(command))
        chosen = [it.id for i, it in enumerate(requests) if i in which]
        self.loop.run(self.disturbed(requests, after, lambda: self.engine.cancel(chosen), chosen))

    @rule(command=asked, name=SIGNALS, after=MOMENTS)
    def crash(self, command: Command, name: signal.Signals, after: int) -> None:
        requests = self.sent(without_end(command))
        self.loop.run(self.crashed(requests, name, after))

    @rule(command=asked, name=SIGNALS, told=st.booleans())
    def crash_idle(self, command: Command, name: signal.Signals, told: bool) -> None:
        """The worker dies between commands; the next one comes before or after that is known."""
        self.loop.run(self.crashed_idle(self.sent(command), name, told))

    @rule(first=asked, second=asked, after=MOMENTS)
    def overlap(self, first: Command, second: Command, after: int) -> None:
        self.loop.run(self.overlapped(self.sent(first), self.sent(second), after))

    # ------------------------------------------------------------------------------ playing

    def sent(self, command: Command) -> list[Request]:
        """The command's requests under ids of their own, adapters by their paths."""
        return [
            replace(
                it,
                id=self.engine.new_id(),
                adapters=tuple(replace(a, path=self.adapters[a.path]) for a in it.adapters),
            )
            for it in command
        ]

    async def alone(self, command: Command) -> None:
        """Run a command with nothing beside it; it must say what it said before."""
        requests = self.sent(command)
        heard = await self.play(requests)
        assert not any(it.reason in (None, "cancelled") for it in heard)
        self.check(requests, heard)
        said: list[object] = [(it.tokens, it.logprobs, it.text, it.reason) for it in heard]
        assert self.first.setdefault(msgspec.json.encode(command), said) == said

    async def disturbed(
        self, requests: list[Request], after: int, act: Callable[[], None], cancelled: list[int]
    ) -> None:
        heard = await self.play(requests, {after: act})
        for request, it in zip(requests, heard, strict=True):
            assert it.reason != "cancelled" or request.id in cancelled
        self.check(requests, heard)

    async def crashed(self, requests: list[Request], name: signal.Signals, after: int) -> None:
        pid = self.engine.pid
        assert pid
        killed: list[int] = []

        def kill() -> None:
            killed.append(pid)
            os.kill(pid, name)

        heard = await self.play(requests, {after: kill})
        if killed:
            self.check(requests, heard, name.name)
            await until(lambda: self.engine.pid != pid)
            await self.load()
        else:
            self.check(requests, heard)

    async def crashed_idle(self, requests: list[Request], name: signal.Signals, told: bool) -> None:
        pid = self.engine.pid
        assert pid
        os.kill(pid, name)
        if not told:
            self.check(requests, await self.unheard(requests), name.name)
        await until(lambda: self.engine.pid != pid)
        if told:
            assert all(it.failure and not it.tokens for it in await self.unheard(requests))
        await self.load()

    async def unheard(self, requests: list[Request]) -> list[Heard]:
        """Play to a worker that has died; a refusal of all requests at once is told as theirs."""
        try:
            return await self.play(requests)
        except EngineError as error:
            return [Heard(failure=str(error)) for _ in requests]

    async def overlapped(self, first: list[Request], second: list[Request], after: int) -> None:
        begun = asyncio.Event()

        async def follow() -> list[Heard]:
            await begun.wait()
            return await self.play(second)

        async def lead() -> list[Heard]:
            heard = await self.play(first, {after: begun.set})
            begun.set()
            return heard

        a, b = await asyncio.gather(lead(), follow())
        self.check(first, a)
        self.check(second, b)

    async def play(
        self, requests: list[Request], acts: Mapping[int, Callable[[], None]] | None = None
    ) -> list[Heard]:
        """Run requests to their ends; once as many tokens or other events as in `acts` came, act."""
        heard = {request.id: Heard() for request in requests}
        for request in requests:
            self.prefilled.setdefault(lane(request), []).append(request.tokens)
        count, todo = 0, sorted((acts or {}).items())
        async with asyncio.timeout(PATIENCE_S):
            async for events in self.engine.generate(self.model, requests):
                for event in events:
                    it = heard[event.id]
                    assert it.reason is None and it.failure is None, f"{event} after the end"
                    match event:
                        case Prefill():
                            it.prefills.append(event)
                        case Delta():
                            assert len(event.ends) == len(event.tokens)
                            count += max(0, len(event.tokens) - 1)
                            it.ends += [len(it.text) + end for end in event.ends]
                            it.text += event.text
                            it.tokens += event.tokens
                            it.logprobs += event.logprobs
                        case Finished():
                            it.reason, it.timings = event.reason, event.timings
                        case Failed():
                            it.failure = event.message
                    count += 1
                    while todo and todo[0][0] <= count:
                        todo.pop(0)[1]()
        return list(heard.values())

    # ----------------------------------------------------------------------------- checking

    def check(
        self, requests: list[Request], heard: list[Heard], crashed: str | None = None
    ) -> None:
        """Everything that holds of requests that were given to the engine together."""
        for request, it in zip(requests, heard, strict=True):
            if it.failure is None:
                assert it.reason and it.timings
                assert it.timings.prefill_tokens == len(request.tokens)
                assert it.timings.decode_tokens == len(it.tokens)
            else:
                assert crashed and "\n" not in it.failure
                assert crashed in it.failure or (not it.tokens and "engine" in it.failure)
            self.check_text(request, it)
            self.check_tokens(request, it)
        self.check_reuse(requests, heard)
        self.check_equals(requests, heard)

    def check_text(self, request: Request, it: Heard) -> None:
        """The text is the pieces of the tokens, up to a stop string; no token is left unsaid."""
        assert len(it.ends) == len(it.tokens)
        assert it.ends == sorted(it.ends) and all(end <= len(it.text) for end in it.ends)
        assert len(it.logprobs) == (len(it.tokens) if request.logprobs else 0)
        stopped = self.reference.stopped(it.tokens, request.stop)
        whole = self.reference.text(it.tokens)
        if it.failure:
            assert stopped is None and whole.startswith(it.text.rstrip("\ufffd"))
        elif stopped is not None:
            assert it.reason == "stop" and stopped == (len(it.tokens), it.text)
        else:
            assert it.text == whole
        if it.reason == "length":
            assert len(it.tokens) == request.sampling.max_tokens
        if it.reason == "context":
            assert len(request.tokens) + len(it.tokens) == self.model.info.n_ctx + 1

    def check_tokens(self, request: Request, it: Heard) -> None:
        """Exact outputs are the reference's; the others score as they do there, nearly."""
        finished = it.reason not in (None, "cancelled")
        if not (it.tokens or finished):
            return
        if not request.exact:
            if request.logprobs and it.tokens:
                want = self.reference.answer(request, it.tokens)
                assert sum(off(it, want)) / len(it.tokens) < NEAR
            return
        if finished:
            want = self.reference.answer(request)
        else:
            most = replace(request.sampling, max_tokens=len(it.tokens))
            want = self.reference.answer(replace(request, sampling=most))
        stopped = self.reference.stopped(want["tokens"], request.stop)
        count = len(want["tokens"]) if stopped is None else stopped[0]
        assert it.tokens == want["tokens"][:count]
        if finished:
            assert it.reason == (want["reason"] if stopped is None else "stop")
        assert all(difference < SAME for difference in off(it, want))
        for mine, (logprob, top) in zip(it.logprobs, want["logprobs"], strict=False):
            assert [token for token, _ in mine.top] == [token for token, _ in top]
            highest, wanted = mine.top[0][1], top[0][1]
            gaps = [highest - p for p in (mine.logprob, *(p for _, p in mine.top))]
            assert gaps == pytest.approx(
                [wanted - p for p in (logprob, *(p for _, p in top))], abs=BITS
            )

    def check_reuse(self, requests: list[Request], heard: list[Heard]) -> None:
        """What was reused ends with a chunk and is shared with a prompt of the same lane."""
        for request, it in zip(requests, heard, strict=True):
            reused = {event.reused for event in it.prefills}
            if it.timings:
                reused.add(it.timings.prefill_reused)
            others = list(self.prefilled[lane(request)])
            others.remove(request.tokens)
            for length in reused - {0}:
                assert length in plan(len(request.tokens))
                assert any(other[:length] == request.tokens[:length] for other in others)
            ends = [event.done for event in it.prefills]
            assert ends == sorted(set(ends)) and set(ends) <= set(plan(len(request.tokens)))

    def check_equals(self, requests: list[Request], heard: list[Heard]) -> None:
        """Equal requests of one command say the same, as far as both of them got."""
        firsts: dict[bytes, Heard] = {}
        for request, it in zip(requests, heard, strict=True):
            twin = firsts.setdefault(msgspec.json.encode(replace(request, id=0)), it)
            count = min(len(it.tokens), len(twin.tokens))
            assert it.tokens[:count] == twin.tokens[:count]
            assert it.logprobs[:count] == twin.logprobs[:count]
            if {it.reason, twin.reason}.isdisjoint({None, "cancelled"}):
                assert (len(it.tokens), it.text) == (len(twin.tokens), twin.text)


@pytest.fixture(scope="module")
def reference(base: Path) -> Iterator[Reference]:
    it = Reference(base, SETTINGS.n_ctx, 1)
    yield it
    it.close()


def test_any_history_leaves_the_answers_as_they_are(
    pytestconfig: pytest.Config,
    base: Path,
    support: Path,
    sentiment: Path,
    reference: Reference,
    tmp_path: Path,
) -> None:
    class Here(Histories):
        pass

    Here.base, Here.folder, Here.reference = base, tmp_path, reference
    Here.adapters = {"support": str(support), "sentiment": str(sentiment)}
    wide = pytestconfig.getoption("--hypothesis-seed") is not None
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=300 if wide else 8,
            stateful_step_count=12 if wide else 10,
            derandomize=not wide,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink) if wide else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )
