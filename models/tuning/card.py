"""The card beside an adapter: how it was trained, in Markdown, times included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..adapters.place import check_adapter_out
from ..adapters.training import CARD_BEGINS, Training, card_head, card_of
from ..errors import ModelError, plain, size_in_words
from ..gguf.facts import ModelFacts
from ..writing.whole import scratch
from .files import written_whole

_ENDS = {
    "steps": "All steps were done.",
    "patience": "It was ended because the loss of the rows held out fell no more.",
    "stopped": "It was stopped by hand.",
}
_SHOWN = 12
"""Losses in the table, at most."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that the card says. `step` is that of the adapter, `device` and `precision` where and in
    what it was trained; `why` and `peak_bytes` are as in tasks.Done."""

    adapter: Path
    base: ModelFacts
    training: Training
    why: str
    step: int
    seconds: float
    peak_bytes: int
    held_out: int
    device: str
    precision: str
    processes: int
    on_gpu: bool


def check_place(out: Path, inputs: Sequence[Path]) -> Path:
    """Where an adapter is to go that is made of the `inputs`: `out`, links followed.

    Raises ModelError where it or its card would replace something else, where its name does not end
    in .gguf, and where no file can be written.
    """
    place = check_adapter_out(out, inputs, 0)
    if place.suffix.lower() != ".gguf":
        raise ModelError(f"{out} does not end in .gguf, by which adapters are found; add it.")
    _check_card(place)
    with scratch(place):
        return place


def _check_card(adapter: Path) -> None:
    """Raise ModelError where something else than a card stands in the card's place."""
    path = card_of(adapter)
    try:
        with path.open("rb") as file:
            is_card = file.read(len(CARD_BEGINS)) == CARD_BEGINS
    except FileNotFoundError:
        return
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from None
    if not is_card:
        raise ModelError(
            f"{path} is there and no card of an adapter, so it is not replaced; give the adapter "
            "another name."
        )


def write_card(card: Card) -> Path:
    """Write the card beside its adapter; where it is. Raises ModelError."""
    path = card_of(card.adapter)
    written_whole(path, _text(card).encode())
    return path


def _text(card: Card) -> str:
    training = card.training
    facts = {
        "Base": f"{card.base.title or card.base.name} ({card.base.path.name}, {card.base.quantization})",
        "Method": training.method or "",
        "Rows": f"{training.rows:,} trained on, {card.held_out:,} held out",
        "Adapter of step": f"{card.step:,}",
        "Tokens": f"{training.tokens:,}",
        "Trained parameters": f"{training.parameters:,}",
        "Time": f"{card.seconds:.1f} s",
        "Peak memory": f"{size_in_words(card.peak_bytes)}{_whose(card)}",
        "Where": f"{card.device}, {card.precision}",
        "Tools": ", ".join(training.versions),
        "Data, SHA-256": training.data_sha256 or "not given",
    }
    lines = [
        card_head(card.adapter, card.seconds, card.peak_bytes),
        f"# {_cell(card.adapter.stem)}",
        "",
        f"A LoRA adapter (GGUF) for {_cell(card.base.title or card.base.name)}, trained with "
        f"llamadiff. {_ENDS[card.why]}",
        "",
        *_table(("", ""), [(name, _cell(text)) for name, text in facts.items()]),
        "",
        "## Settings",
        "",
        *_table(("setting", "value"), [_pair(line) for line in training.settings]),
        "",
        "## Losses",
        "",
        "Nats per learned token, or per pair of preferences.",
        "",
        *_table(("step", "trained on"), _losses(training.losses)),
    ]
    if training.validations:
        lines += ["", *_table(("step", "held out"), _losses(training.validations))]
    if training.data_checks:
        lines += ["", "## Data", "", *(f"- {_cell(said)}" for said in training.data_checks)]
    return "\n".join(lines) + "\n"


def _whose(card: Card) -> str:
    """Of several processes, whose memory is told."""
    if card.processes == 1:
        return ""
    return " on the GPU with the most" if card.on_gpu else f", {card.processes} processes together"


def _losses(losses: tuple[tuple[int, float], ...]) -> list[tuple[str, str]]:
    """Some of the losses, evenly spread, the last one among them."""
    every = max(1, -(-len(losses) // _SHOWN))
    shown = losses[::-1][::every][::-1]
    return [(f"{step:,}", f"{loss:.4f}") for step, loss in shown]


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name, _cell(value)


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> list[str]:
    return [f"| {head[0]} | {head[1]} |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)]


def _cell(text: str) -> str:
    """Text that leaves a table whole and is shown as it is."""
    return plain(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
