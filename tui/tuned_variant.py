"""The playground's variant that learns: it has the newest adapter of the training that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..compare.variants import StackedAdapter, Variant

if TYPE_CHECKING:
    from ..prompts.document import Prompt
    from .state import Playground

TUNING = "tuning"


class TunedVariant:
    """Takes part in the list of variants as any other: it can be changed, removed and brought back.

    No variant but those that have an earlier adapter of the training is touched.
    """

    def __init__(self, playground: Playground, name: str) -> None:
        """`name` is that of the adapter."""
        self._playground = playground
        self._name = name
        self._path: Path | None = None
        """The adapter that it has by now."""
        self._label = TUNING
        self.variant = ""
        """Its name in the list; empty where there was no room."""
        self.apart = False
        """It is asked another question than the baseline."""

    def add(
        self, base: Path, base_name: str, prompt: Prompt | None, values: Mapping[str, str]
    ) -> bool:
        """Add it to the list, the base as yet; what was selected stays selected.

        It is asked what a variant with this prompt is, or the selected one where that is None.
        Without such a variant it has the prompt, and is asked what the baseline is; where that has
        not all of its variables, it has these values.
        """
        playground, selected = self._playground, self._playground.current
        if selected is None:
            return False
        alike = [selected, *playground.variants] if prompt is None else playground.variants
        like = next((it for it in alike if prompt in (None, it.prompt)), None)
        playground.selected = (like or selected).name
        made = playground.add() if like or prompt is None else playground.add_with(prompt)
        playground.selected = selected.name
        if made is None:
            return False
        own = made.values if like is not None else self._as_baseline(values)
        whole = replace(
            made, model=base, model_name=base_name, adapters=(), label=TUNING, values=own,
            beginning=None,
        )  # fmt: skip
        playground.change_all(lambda it: whole if it.name == whole.name else it)
        self.variant = made.name
        return True

    def _as_baseline(self, values: Mapping[str, str]) -> Mapping[str, str]:
        """The baseline's own of these values, which are known to all else; these, where it cannot be
        asked them."""
        playground = self._playground
        baseline = playground.get(playground.baseline)
        known = playground.values.variables(baseline.prompt) if baseline is not None else ()
        self.apart = not values.keys() <= {it.name for it in known}
        if self.apart or baseline is None:
            return values
        return {name: text for name, text in baseline.values.items() if name in values}

    def follow(self, path: Path, label: str) -> list[str]:
        """Have this adapter in the place of the one before; the names of the variants that have it."""
        before, old, self._path, self._label = self._path, self._label, path, label

        def change(it: Variant) -> Variant:
            if before is None:
                if it.name != self.variant or it.label != old:
                    return it
                return replace(it, adapters=(*it.adapters, StackedAdapter(self._name, path)), label=label)  # fmt: skip
            if all(adapter.path != before for adapter in it.adapters):
                return it
            stack = tuple(replace(a, path=path) if a.path == before else a for a in it.adapters)
            return replace(it, adapters=stack, label=label if it.label == old else it.label)

        self._playground.change_all(change)
        return [it.name for it in self._playground.variants if any(a.path == path for a in it.adapters)]  # fmt: skip
