"""What an adapter's file says of how it was trained: the one place that knows the keys.

docs/decision.md lists them. All are optional, and a file that has none was trained all the same.
Time and memory, which differ from run to run, may be in the card beside the file instead, so that
equal trainings give equal files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError, plain
from ..gguf.header import Header, read_header
from ..hashing import sha256_file
from .provenance import BASE_SHA256

if TYPE_CHECKING:
    from gguf import GGUFWriter

_KEY = "llamadiff.training."
ROWS = f"{_KEY}rows"
TOKENS = f"{_KEY}tokens"
STEPS = f"{_KEY}steps"
STEP = f"{_KEY}step"
SECONDS = f"{_KEY}seconds"
PEAK_BYTES = f"{_KEY}peak_bytes"
PARAMETERS = f"{_KEY}parameters"
LOSS_STEPS = f"{_KEY}loss.steps"
LOSSES = f"{_KEY}loss.values"
DATA_SHA256 = f"{_KEY}data.sha256"
DATA_CHECKS = f"{_KEY}data.checks"
DATA_KEYS = f"{_KEY}data.keys"
METHOD = f"{_KEY}method"
SETTINGS = f"{_KEY}settings"
VERSIONS = f"{_KEY}versions"
VALIDATION_STEPS = f"{_KEY}validation.steps"
VALIDATIONS = f"{_KEY}validation.values"

_CARD_OF, _CARD_SECONDS, _CARD_PEAK = "adapter-sha256", "training-seconds", "training-peak-bytes"
CARD_BEGINS = f"---\n{_CARD_OF}: ".encode()
"""So does every card."""
_CARD_HEAD = 1 << 12
"""Bytes of a card that its head is looked for in."""

_TEXTS = "arr[str]"


@dataclass(frozen=True)
class Training:
    """How an adapter came to be; None or empty is what nobody wrote down.

    `rows` are the different examples trained on, `tokens` all that went through the model, prompts
    included, each as often as it did. `losses` are pairs of step and nats per learned token,
    `peak_bytes` the most memory that its processes had. `base_sha256` is the hash of the base
    (hashing.model_sha256), `data_sha256` that of the data file's bytes; `data_checks` are the
    sentences that the checks of the data ended with, `data_keys` the keys of suites' rows that were
    among it. `validations` are as `losses`, of rows that were held out; `method` is sft or dpo,
    `step` the one whose weights the file has, `settings` are each `name=value` and `versions` those
    of the tools, as `torch 2.13.0`.
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
    method: str | None = None
    step: int | None = None
    validations: tuple[tuple[int, float], ...] = ()
    settings: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()

    def record(self, writer: GGUFWriter) -> None:
        """Add it to a file's metadata; the base's hash is the converter's to write."""
        counts = {
            ROWS: self.rows,
            TOKENS: self.tokens,
            STEPS: self.steps,
            STEP: self.step,
            PEAK_BYTES: self.peak_bytes,
            PARAMETERS: self.parameters,
        }
        for key, count in counts.items():
            if count is not None:
                writer.add_uint64(key, count)
        if self.seconds is not None:
            writer.add_float64(SECONDS, self.seconds)
        curves = (
            (LOSS_STEPS, LOSSES, self.losses),
            (VALIDATION_STEPS, VALIDATIONS, self.validations),
        )
        for steps, values, pairs in curves:
            if pairs:
                writer.add_array(steps, [step for step, _ in pairs])
                writer.add_array(values, [loss for _, loss in pairs])
        for key, text in ((DATA_SHA256, self.data_sha256), (METHOD, self.method)):
            if text:
                writer.add_string(key, plain(text))
        lists = {
            DATA_CHECKS: self.data_checks,
            DATA_KEYS: self.data_keys,
            SETTINGS: self.settings,
            VERSIONS: self.versions,
        }
        for key, texts in lists.items():
            if texts:
                writer.add_array(key, [plain(text) for text in texts])


def read_training(path: Path) -> Training:
    """What the file at `path` says; what is of another type or no sensible number is left out.

    Time and memory that it does not have are taken from its card, where one is beside it. Raises
    ModelError for what is no GGUF file.
    """
    long = (LOSS_STEPS, LOSSES, VALIDATION_STEPS, VALIDATIONS, DATA_KEYS)
    header = read_header(path, tensors=False, arrays=long)
    seconds, peak_bytes = _seconds(header), _count(header, PEAK_BYTES)
    if seconds is None and peak_bytes is None:
        seconds, peak_bytes = _from_card(path)
    return Training(
        rows=_count(header, ROWS),
        tokens=_count(header, TOKENS),
        steps=_count(header, STEPS),
        seconds=seconds,
        peak_bytes=peak_bytes,
        parameters=_count(header, PARAMETERS),
        losses=_losses(header, LOSS_STEPS, LOSSES),
        base_sha256=_text(header, BASE_SHA256),
        data_sha256=_text(header, DATA_SHA256),
        data_checks=_texts(header, DATA_CHECKS),
        data_keys=_texts(header, DATA_KEYS),
        method=_text(header, METHOD),
        step=_count(header, STEP),
        validations=_losses(header, VALIDATION_STEPS, VALIDATIONS),
        settings=_texts(header, SETTINGS),
        versions=_texts(header, VERSIONS),
    )


def training_of(path: Path) -> Training:
    """As `read_training`, and nothing for a file that cannot be read."""
    try:
        return read_training(path)
    except ModelError:
        return Training()


def card_of(path: Path) -> Path:
    """Where the card of the adapter at `path` is."""
    return path.with_suffix(".md")


def card_head(path: Path, seconds: float, peak_bytes: int) -> str:
    """The first lines of the card of the adapter at `path`, which say whose card it is."""
    digest = sha256_file(path, None)
    lines = (
        f"{_CARD_OF}: {digest}",
        f"{_CARD_SECONDS}: {seconds:.3f}",
        f"{_CARD_PEAK}: {peak_bytes}",
    )
    return "\n".join(("---", *lines, "---", ""))


def _from_card(path: Path) -> tuple[float | None, int | None]:
    """Seconds and peak memory as the adapter's card has them; None where there is none of it."""
    try:
        with card_of(path).open("rb") as file:
            head, _, _ = file.read(_CARD_HEAD).removeprefix(b"---\n").partition(b"\n---\n")
        lines = head.decode().splitlines()
        said = dict(line.split(": ", 1) for line in lines)
        if said[_CARD_OF] != sha256_file(path, None):
            return None, None
        seconds, peak = float(said[_CARD_SECONDS]), int(said[_CARD_PEAK])
    except (OSError, ValueError, KeyError, ModelError):
        return None, None
    return (seconds if 0 < seconds < math.inf else None), (peak if peak > 0 else None)


def _count(header: Header, key: str) -> int | None:
    value = header.metadata.get(key)
    return value if type(value) is int and value > 0 else None


def _seconds(header: Header) -> float | None:
    value = header.metadata.get(SECONDS)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 < value < math.inf else None
    return None


def _losses(header: Header, at: str, of: str) -> tuple[tuple[int, float], ...]:
    steps, values = header.metadata.get(at), header.metadata.get(of)
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
