"""Requests timed where they arrive: at the client, event by event."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..engine.client import Engine, EngineError, StreamEvent
from ..engine.loads import LoadedModel
from ..engine.protocol import Delta, Failed, Finished, Request
from ..errors import ModelError


@dataclass
class Stream:
    """What came of one request. Times are seconds since it was sent."""

    first_s: float = 0.0
    last_s: float = 0.0
    arrivals: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    """When tokens came, and how many."""
    threads: int = 0
    """The fewest that computed."""

    def add(self, at: float, count: int) -> None:
        if not self.arrivals:
            self.first_s = at
        self.last_s = at
        self.arrivals.append((at, count))


def hear(streams: Mapping[int, Stream], events: Iterable[StreamEvent], at: float) -> None:
    """Note events that came at this time, by the ids of the requests. Raises as `listen`."""
    for event in events:
        match event:
            case Delta(tokens=[_, *_] as tokens):
                streams[event.id].add(at, len(tokens))
            case Finished():
                streams[event.id].threads = event.timings.threads
            case Failed():
                raise (ModelError if event.refused else EngineError)(event.message)
            case _:
                pass


async def listen(engine: Engine, model: LoadedModel, requests: Sequence[Request]) -> list[Stream]:
    """Run requests to their ends. Raises ModelError for what is refused, EngineError."""
    streams = {request.id: Stream() for request in requests}
    sent = time.perf_counter()
    async for events in engine.generate(model, requests):
        hear(streams, events, time.perf_counter() - sent)
    return list(streams.values())


def tokens_per_s(streams: Sequence[Stream]) -> float:
    """Tokens of all streams per second, from when all have begun until the first has ended.

    Raises EngineError when there is no such time: the streams came one after the other.
    """
    begin = max(stream.first_s for stream in streams)
    end = min(stream.last_s for stream in streams)
    if end <= begin:
        raise EngineError("The streams did not overlap, so they have no common speed.")
    count = sum(n for stream in streams for at, n in stream.arrivals if begin < at <= end)
    return count / (end - begin)
