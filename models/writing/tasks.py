"""What the process that writes files is told, and what it says: one JSON document a line."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Stage = Literal["hashing", "merging", "quantizing"]


class StackedFile(msgspec.Struct, frozen=True):
    """An adapter file, the name it is known by, and the scale it is merged with."""

    path: str
    name: str
    scale: float


class Merge(msgspec.Struct, frozen=True, tag=True):
    """Write a base model, of one file or several, with a stack of adapters merged into it.

    Changed tensors keep their type; with `loose` those of few bits become F16, to be quantized
    next, or F32 if that is what `loose` says. `cache_dir` remembers the hashes of files.
    """

    base: list[str]
    base_name: str
    title: str
    stack: list[StackedFile]
    out: str
    cache_dir: str
    loose: Literal["F16", "F32"] | None = None


class Quantize(msgspec.Struct, frozen=True, tag=True):
    """Quantize a model by the recipe that `file_type` (llama_ftype) numbers.

    After a merge, what is rounded away of its change is measured.
    """

    source: str
    out: str
    file_type: int
    requantize: bool


Step = Merge | Quantize


class Progress(msgspec.Struct, frozen=True, tag=True):
    """`done` of `total`: bytes while hashing and merging, tensors while quantizing."""

    stage: Stage
    done: int
    total: int


class Done(msgspec.Struct, frozen=True, tag=True):
    """All steps are done. `rounding` is what rounding missed of a merge's change, as a share of it;
    None without a merge, or when it changes nothing. `idle` are the adapters that change nothing."""

    rounding: float | None = None
    idle: list[str] = []


class Refused(msgspec.Struct, frozen=True, tag=True):
    """What was asked for cannot be done; one sentence says why."""

    message: str


Report = Progress | Done | Refused

_steps: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[Step])
_report: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Report)


def line(document: list[Step] | Report) -> bytes:
    """A document as it travels."""
    return msgspec.json.encode(document) + b"\n"


def read_steps(text: bytes) -> list[Step]:
    return _steps.decode(text)


def read_report(text: bytes) -> Report:
    return _report.decode(text)
