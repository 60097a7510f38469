"""Everything that a training needs to go on, in one file that is there whole or not at all."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ModelError
from .files import written_whole
from .lora import MADE_IN, Tensors

_LAST = "last.checkpoint"
_FORMAT = 3
_OF_STEP = re.compile(r"(?:best|step)-(\d+)\.\w+")
_KEPT = 2
"""Converted adapters that stay, besides the best: one is being loaded while the next is written."""
_FILES = {
    "base": "base_sha256",
    "data": "data_sha256",
    "folder of the weights": "weights_sha256",
}


@dataclass(frozen=True)
class Origin:
    """What a checkpoint belongs to: going on under another one would be another training.

    How many processes train is none of its `settings`: fewer GPUs may be there to go on with.
    """

    settings: tuple[str, ...]
    base_sha256: str
    data_sha256: str
    weights_sha256: str = ""
    """Of the folder that is trained on instead of the base's file."""


@dataclass
class State:
    """How far a training has come. `seconds` are those that it took, over all its runs."""

    step: int = 0
    adapter: Tensors = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    losses: list[tuple[int, float]] = field(default_factory=list)
    validations: list[tuple[int, float]] = field(default_factory=list)
    reference: dict[str, float] = field(default_factory=dict)
    tokens: int = 0
    seconds: float = 0.0
    peak_bytes: int = 0
    peak_of: tuple[int, str] = (0, "")
    """So many processes, on a device of this type: the peak of others is another figure."""
    best_step: int = 0
    stale: int = 0
    """Validations since the best one."""


class Checkpoints:
    """Keeps the last state and the best adapter in `folder`."""

    def __init__(self, folder: Path, origin: Origin) -> None:
        self._folder, self._origin = folder, origin

    def clear(self) -> None:
        """Forget what another training left. Raises ModelError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for path in (self._folder / _LAST, *self._of_steps()):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise ModelError(
                f"{error.filename} cannot be used: {error.strerror or error}."
            ) from None

    def save(self, state: State) -> None:
        """Keep `state` in place of the last one. Raises ModelError, as when the disk is full."""
        document = {"format": _FORMAT, "origin": asdict(self._origin), "state": vars(state)}
        written_whole(self._folder / _LAST, _packed(document))
        self._sweep(state)

    def save_best(self, step: int, adapter: Tensors) -> None:
        """Keep the weights of the best step so far; the state that names it is saved next."""
        written_whole(self._folder / f"best-{step:06}.adapter", _packed(adapter))

    def best(self, state: State) -> Tensors:
        """The weights of the best step. Raises ModelError when they are gone or damaged."""
        return _read(self._folder / f"best-{state.best_step:06}.adapter")

    def last(self) -> State | None:
        """The last state; None when there is none.

        Raises ModelError, one sentence, for one that is damaged, or of another base, other rows or
        other settings.
        """
        path = self._folder / _LAST
        if not path.exists():
            return None
        document = _read(path)
        origin = document.get("origin", {})
        if document.get("format") != _FORMAT:
            raise ModelError(f"{path} is of another version of llamadiff; start the training anew.")
        for what, name in _FILES.items():
            if origin.get(name) != getattr(self._origin, name):
                raise ModelError(
                    f"The {what} was changed since the checkpoint in {self._folder}; put back what "
                    "was there, or start the training anew."
                )
        before, now = list(origin["settings"]), list(self._origin.settings)
        if before != now:
            other = next(b for b, n in zip(before, now, strict=True) if b != n)
            raise ModelError(
                f"The checkpoint in {self._folder} was made with {other}; go on with the same "
                "settings, or start the training anew."
            )
        return State(**document["state"])

    def converted(self, step: int) -> Path:
        """Where the adapter of a step goes once it is converted."""
        return self._folder / f"step-{step:06}.gguf"

    def _of_steps(self) -> Iterable[Path]:
        return (path for path in self._folder.iterdir() if _OF_STEP.fullmatch(path.name))

    def _sweep(self, state: State) -> None:
        """Delete what no state names any more, and what was left half-written."""
        steps: dict[Path, int] = {}
        for path in self._of_steps():
            match = _OF_STEP.fullmatch(path.name)
            assert match
            steps[path] = int(match[1])
        newest = sorted(step for path, step in steps.items() if path.suffix == ".gguf")[-_KEPT:]
        for path, step in steps.items():
            kept = step == state.best_step or (path.suffix == ".gguf" and step in newest)
            if not kept:
                path.unlink(missing_ok=True)
        for path in self._folder.glob(".*.part"):
            path.unlink(missing_ok=True)
        for path in self._folder.glob(f"{MADE_IN}*"):
            shutil.rmtree(path, ignore_errors=True)


def _packed(document: object) -> memoryview:
    import torch

    buffer = io.BytesIO()
    torch.save(document, buffer)
    return buffer.getbuffer()


def _read(path: Path) -> dict[str, Any]:
    import torch

    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from None
    except Exception:  # whatever torch makes of bytes that are none of its own
        raise ModelError(f"{path} is damaged; start the training anew.") from None
