"""What the process that trains is told, and what it tells: a JSON document per line."""

from __future__ import annotations

from typing import Any

import msgspec

from .estimate import Estimate
from .settings import TuningSettings


class Job(msgspec.Struct, frozen=True, tag=True):
    """Train an adapter. Paths are absolute.

    `base` is the GGUF file that the adapter is for; with `weights`, a Hugging Face folder, those
    are trained on instead of the file's. `rows` is a file of `rows.write_rows`. `work` is the
    training's own folder, where checkpoints are; with `resume` it goes on from the last one there,
    if there is one. The finished adapter is written to `out`, its card beside it.

    `reference` are the engine's log-probabilities, in nats, of the second and further tokens of
    the first row (of a preference, the chosen one) under the base alone; with none, nothing is
    held against them. `data_sha256` is the hash of the file that the rows were made of, if any, and
    `data_checks` the sentences that their checks ended with, `data_keys` the keys of suites' rows among them; `threads` 0 is the number of physical
    cores.
    """

    base: str
    rows: str
    work: str
    out: str
    cache_dir: str
    settings: TuningSettings
    weights: str | None = None
    resume: bool = False
    name: str | None = None
    reference: tuple[float, ...] = ()
    data_sha256: str | None = None
    data_checks: tuple[str, ...] = ()
    data_keys: tuple[str, ...] = ()
    threads: int = 0


class Pause(msgspec.Struct, frozen=True, tag=True):
    """Save a checkpoint at the end of the step, and wait."""


class GoOn(msgspec.Struct, frozen=True, tag=True):
    """Go on after a pause."""


class Stop(msgspec.Struct, frozen=True, tag=True):
    """End now, and finish the best adapter so far."""


Command = Pause | GoOn | Stop


class Estimated(msgspec.Struct, frozen=True, tag=True):
    """What the training will take: calculated before it starts, and `measured` after some steps."""

    estimate: Estimate
    measured: bool = False


class Begun(msgspec.Struct, frozen=True, tag=True):
    """The base is loaded and the first step begins. `step` steps have been done before.

    `settings` are complete, nothing in them is 0 for llamadiff's choice.
    """

    settings: TuningSettings
    step: int
    steps: int
    parameters: int
    device: str
    precision: str
    losses: list[tuple[int, float]] = []
    validations: list[tuple[int, float]] = []


class Stepped(msgspec.Struct, frozen=True, tag=True):
    """Steps were done: their losses (nats per learned token, or per pair) since the last message.

    `rate` is the learning rate, `tokens_per_s` counts all tokens of the rows, `memory_bytes` is what
    the processes have now together (on GPUs, what torch has on the one with the most), `left_s` what
    the rest will take.
    """

    losses: list[tuple[int, float]]
    rate: float
    tokens_per_s: float
    memory_bytes: int
    left_s: float


class Validated(msgspec.Struct, frozen=True, tag=True):
    """The loss of the rows held out after `step` steps.

    Of preferences also the mean margin, in nats, by which the model leans towards the chosen
    answers more than the base does, and the share of pairs in which it does.
    """

    step: int
    loss: float
    best: bool
    margin: float | None = None
    right: float | None = None


class Saved(msgspec.Struct, frozen=True, tag=True):
    """A checkpoint of this step is kept; its adapter is converted and can be loaded.

    Of these files the last two stay, and the best one.
    """

    step: int
    adapter: str


class Paused(msgspec.Struct, frozen=True, tag=True):
    """Nothing is computed until the training is told to go on."""

    step: int


class Done(msgspec.Struct, frozen=True, tag=True):
    """The adapter is written. `why` is steps, patience or stopped; `step` that of the adapter.

    `peak_bytes` is the most memory that each process had, added up; on GPUs, that torch had on one.
    """

    adapter: str
    card: str
    why: str
    step: int
    steps: int
    seconds: float
    peak_bytes: int


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The training ended without an adapter; one sentence says why.

    `kept` is the converted adapter of the last checkpoint, if there is one.
    """

    message: str
    kept: str | None = None


Report = Estimated | Begun | Stepped | Validated | Saved | Paused | Done | Failed

_command: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Command)
_job = msgspec.json.Decoder(Job)
_report: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Report)


def line(document: Job | Command | Report) -> bytes:
    """A document as it travels."""
    return msgspec.json.encode(document) + b"\n"


def read_job(text: bytes) -> Job:
    return _job.decode(text)


def read_command(text: bytes) -> Command:
    return _command.decode(text)


def read_report(text: bytes) -> Report:
    return _report.decode(text)
