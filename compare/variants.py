"""What is compared: a base model, an adapter stack, a prompt and sampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..prompts.document import Prompt

SHORT = 16
"""Characters of a beginning that a title shows, the last ones."""


@dataclass(frozen=True)
class StackedAdapter:
    """An adapter in a variant's stack, applied with `scale`."""

    name: str
    path: Path
    scale: float = 1.0

    def __str__(self) -> str:
        return f"{self.name}@{self.scale:g}"


@dataclass(frozen=True)
class Beginning:
    """What an answer is made to begin with: tokens, and the text that they stand for.

    The text tells whether another model knows them by the same ids. `source` is the id of the run
    that said it first; empty where it is a person's own text.
    """

    tokens: tuple[int, ...]
    text: str
    source: str = field(default="", compare=False)

    def __str__(self) -> str:
        words = " ".join(self.text.split())
        return f"“{words}”" if len(words) <= SHORT else f"“…{words[-SHORT:]}”"


@dataclass(frozen=True)
class Variant:
    """One column of the comparison. `sampling` holds only what differs from the prompt's own.

    `values` are those of variables that this variant has its own of; the run's go before the
    defaults, and these before the run's. With a `beginning` it is a branch: its answer starts so,
    and goes on as the model will.
    """

    name: str
    model: Path
    model_name: str
    prompt: Prompt
    adapters: tuple[StackedAdapter, ...] = ()
    sampling: Mapping[str, object] = field(default_factory=dict[str, object])
    label: str = ""
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    beginning: Beginning | None = None

    @property
    def stack(self) -> str:
        """The adapter stack in words: `base`, or `support@0.8+tone@0.3`."""
        return "+".join(map(str, self.adapters)) or "base"

    @property
    def short_title(self) -> str:
        """`label`, or its beginning, the values of its own and the prompt's name."""
        return self.label or " · ".join([*self._begins, *self.values.values(), self.prompt.name])

    @property
    def title(self) -> str:
        """`label`, or its beginning, the prompt's name, the values of its own and the stack."""
        own = [f"{name}={value}" for name, value in self.values.items()]
        return self.label or " · ".join([*self._begins, self.prompt.name, *own, self.stack])

    @property
    def _begins(self) -> list[str]:
        return [str(self.beginning)] if self.beginning else []

    def with_scale(self, index: int, scale: float) -> Variant:
        """The same variant with the adapter at `index` applied at `scale`."""
        stack = list(self.adapters)
        stack[index] = replace(stack[index], scale=scale)
        return replace(self, adapters=tuple(stack))


def variant_names() -> list[str]:
    """The names variants are given, in order: A, B, C …"""
    return [chr(ord("A") + i) for i in range(26)]
