"""Templates that try to escape, never end or take gigabytes are stopped while streams go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import Delta, Request, Sampling
from llamadiff.prompts.document import Message, Prompt
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.rendering.helper import Renderer
from llamadiff.prompts.rendering.limits import DEADLINE_S

from ..conftest import until

ENDLESS = Sampling(max_tokens=100_000, logit_bias=dict.fromkeys(range(8), -100.0))
HOSTILE = {
    "a loop": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "a call that never lets go": "{{ 10 ** (10 ** 9) }}",
    "gigabytes at once": "{{ 'a' * 2000000000 }}",
    "gigabytes by and by": "{% set ns = namespace(a=['x' * 1000]) %}{% for i in range(60) %}"
    "{% set ns.a = ns.a + ns.a %}{% endfor %}",
    "endless output": "{% for i in range(99999) %}{{ 'a' * 99999 }}{% endfor %}",
    "an escape by class": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "an escape by format": "{{ '{0.__class__.__init__.__globals__}'.format(messages) }}",
    "an escape by a helper": "{{ raise_exception.__globals__.items() }}",
    "an escape by another helper": "{{ strftime_now.__globals__.os.getcwd() }}",
    "an escape by a type": "{{ namespace.__init__.__globals__ }}",
    "an escape by dict": "{{ dict.mro() }}",
    "an escape by namespace": "{% set ns = namespace(__class__=1) %}",
    "calls without end": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
}


class Streaming:
    """Four endless streams; `tokens` counts what they said."""

    def __init__(self, engine: Engine, model: LoadedModel) -> None:
        self.tokens = 0
        self._engine, self._model = engine, model
        self._task = asyncio.create_task(self._stream())

    async def _stream(self) -> None:
        ids = (await self._engine.tokenize(self._model, "Dogs", add_special=False)).tokens
        while True:
            requests = [Request(self._engine.new_id(), ids, sampling=ENDLESS) for _ in range(4)]
            async for events in self._engine.generate(self._model, requests):
                self.tokens += sum(len(e.tokens) for e in events if isinstance(e, Delta))

    def close(self) -> None:
        self._task.cancel()


@pytest.fixture
async def streaming(engine: Engine, model: LoadedModel) -> AsyncIterator[Streaming]:
    it = Streaming(engine, model)
    yield it
    it.close()


async def test_streams_go_on_while_hostile_templates_are_stopped(streaming: Streaming) -> None:
    await until(lambda: streaming.tokens > 20)
    chat = [Message("user", "u")]
    with Renderer() as renderer:
        for name, template in HOSTILE.items():
            await asyncio.to_thread(renderer.render_messages, Prompt("X", user="hi"))
            before, began = streaming.tokens, time.monotonic()
            with pytest.raises(PromptError):
                await asyncio.to_thread(
                    renderer.render_chat, template, chat, bos_token="", eos_token=""
                )
            took = time.monotonic() - began
            assert took < DEADLINE_S + 2, name
            prompt = Prompt("X", user=template)
            with pytest.raises(PromptError):
                await asyncio.to_thread(renderer.render_messages, prompt)
            await until(lambda before=before: streaming.tokens > before)
            if took > DEADLINE_S / 2:
                assert streaming.tokens - before > 20, name


async def test_a_template_that_hangs_leaves_the_event_loop_alone(streaming: Streaming) -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    turning = asyncio.create_task(turn())
    with Renderer() as renderer, pytest.raises(PromptError, match="took longer"):
        prompt = replace(Prompt("X"), user=HOSTILE["a call that never lets go"])
        await asyncio.to_thread(renderer.render_messages, prompt)
    turning.cancel()
    assert turns > 10
