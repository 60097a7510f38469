"""What an adapter's file says of how it was trained: the one place that knows the keys.

docs/decision.md lists them. All are optional, and a file that has none was trained all the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError, plain
from ..gguf.header import Header, read_header
from .provenance import BASE_SHA256

if TYPE_CHECKING:
    from gguf import GGUFWriter

_KEY = "llamadiff.training."
ROWS = f"{_KEY}rows"
TOKENS = f"{_KEY}tokens"
STEPS = f"{_KEY}steps"
SECONDS = f"{_KEY}seconds"
PEAK_BYTES = f"{_KEY}peak_bytes"
PARAMETERS = f"{_KEY}parameters"
LOSS_STEPS = f"{_KEY}loss.steps"
LOSSES = f"{_KEY}loss.values"
DATA_SHA256 = f"{_KEY}data.sha256"
DATA_CHECKS = f"{_KEY}data.checks"
DATA_KEYS = f"{_KEY}data.keys"

_TEXTS = "arr[str]"


@dataclass(frozen=True)
class Training:
    """How an adapter came to be; None or empty is what nobody wrote down.

    `rows` are the different examples trained on, `tokens` all that went through the model, prompts
    included, each as often as it did. `losses` are pairs of step and nats per learned token,
    `peak_bytes` the most memory that the process had. `base_sha256` is the hash of the base
    (hashing.model_sha256), `data_sha256` that of the data file's bytes; `data_checks` are the
    sentences that the checks of the data ended with, `data_keys` the keys of suites' rows that were
    among it.
    """

    rows: int | None = None
    tokens: int | None = None
    steps: int | None = None
    seconds: float | None = None
    peak_bytes: int | None = None
    parameters: int | None = None
    losses: tuple[tuple[int, float], ...] = ()
    base_sha256: str | None = None
    data_sha256: str | None = None
    data_checks: tuple[str, ...] = ()
    data_keys: tuple[str, ...] = ()

    def record(self, writer: GGUFWriter) -> None:
        """Add it to a file's metadata; the base's hash is the converter's to write."""
        counts = {
            ROWS: self.rows,
            TOKENS: self.tokens,
            STEPS: self.steps,
            PEAK_BYTES: self.peak_bytes,
            PARAMETERS: self.parameters,
        }
        for key, count in counts.items():
            if count is not None:
                writer.add_uint64(key, count)
        if self.seconds is not None:
            writer.add_float64(SECONDS, self.seconds)
        if self.losses:
            writer.add_array(LOSS_STEPS, [step for step, _ in self.losses])
            writer.add_array(LOSSES, [loss for _, loss in self.losses])
        if self.data_sha256:
            writer.add_string(DATA_SHA256, plain(self.data_sha256))
        if self.data_checks:
            writer.add_array(DATA_CHECKS, [plain(said) for said in self.data_checks])
        if self.data_keys:
            writer.add_array(DATA_KEYS, [plain(key) for key in self.data_keys])


def read_training(path: Path) -> Training:
    """What the file at `path` says; what is of another type or no sensible number is left out.

    Raises ModelError for what is no GGUF file.
    """
    header = read_header(path, tensors=False, arrays=(LOSS_STEPS, LOSSES, DATA_KEYS))
    return Training(
        rows=_count(header, ROWS),
        tokens=_count(header, TOKENS),
        steps=_count(header, STEPS),
        seconds=_seconds(header),
        peak_bytes=_count(header, PEAK_BYTES),
        parameters=_count(header, PARAMETERS),
        losses=_losses(header),
        base_sha256=_text(header, BASE_SHA256),
        data_sha256=_text(header, DATA_SHA256),
        data_checks=_texts(header, DATA_CHECKS),
        data_keys=_texts(header, DATA_KEYS),
    )


def training_of(path: Path) -> Training:
    """As `read_training`, and nothing for a file that cannot be read."""
    try:
        return read_training(path)
    except ModelError:
        return Training()


def _count(header: Header, key: str) -> int | None:
    value = header.metadata.get(key)
    return value if type(value) is int and value > 0 else None


def _seconds(header: Header) -> float | None:
    value = header.metadata.get(SECONDS)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 < value < math.inf else None
    return None


def _losses(header: Header) -> tuple[tuple[int, float], ...]:
    steps, values = header.metadata.get(LOSS_STEPS), header.metadata.get(LOSSES)
    if not isinstance(steps, tuple) or not isinstance(values, tuple) or len(steps) != len(values):
        return ()
    pairs = tuple(zip(steps, values, strict=True))
    if not all(type(step) is int and isinstance(loss, float) for step, loss in pairs):
        return ()
    return tuple((int(step), float(loss)) for step, loss in pairs if math.isfinite(float(loss)))


def _text(header: Header, key: str) -> str | None:
    value = header.metadata.get(key)
    return plain(value) if isinstance(value, str) and value else None


def _texts(header: Header, key: str) -> tuple[str, ...]:
    value = header.metadata.get(key)
    if header.types.get(key) != _TEXTS or not isinstance(value, tuple):
        return ()
    return tuple(plain(str(text)) for text in value)
