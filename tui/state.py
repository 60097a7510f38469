"""What the Playground knows: its variants, values and switches, and what the variants said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ..compare.run import Output, Run, State
from ..compare.variants import Variant, variant_names
from ..models.engine.protocol import ModelSettings
from ..prompts.document import Prompt, Variable

View = Literal["off", "words", "tokens", "unified"]
VIEWS: tuple[View, ...] = ("off", "words", "tokens", "unified")
MAX_SCALE = 10.0


@dataclass(frozen=True)
class Setup:
    """What the app is opened with.

    Without `variants` two or three ready ones are made on the bundled model once the first
    frame is on the screen. `values` are for the prompts' variables; those not given have their
    defaults. One `seed` is for all variants; None leaves each its own, 0 by default. `settings`
    are how models are loaded. `cache_dir` and `log_dir` are folders, made when needed.
    """

    cache_dir: Path
    log_dir: Path
    variants: Sequence[Variant] | None = None
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    seed: int | None = None
    exact: bool = False
    settings: ModelSettings | None = None


@dataclass(frozen=True)
class Asked:
    """What an output was made from, to tell whether it still answers what is on the screen."""

    variant: Variant
    values: tuple[tuple[str, str], ...]
    seed: int | None
    exact: bool


@dataclass(frozen=True)
class _Snapshot:
    variants: tuple[Variant, ...]
    selected: str
    baseline: str


class Playground:
    """The state of the Playground screen. Variants are known by name: A, B, C …"""

    def __init__(self, setup: Setup) -> None:
        self.variants: list[Variant] = []
        self.selected = ""
        self.baseline = ""
        self.values: dict[str, str] = dict(setup.values)
        self.seed = setup.seed
        self.exact = setup.exact
        self.live = False
        self.view: View = "words"
        self.outputs: dict[str, Output] = {}
        self.before: dict[str, Output] = {}
        """Each variant's output of the run before: shown until the new one starts to speak."""
        self._asked: dict[str, Asked] = {}
        self._originals: dict[str, Prompt] = {}
        self._used: dict[str, tuple[str, ...]] = {}
        self._undo: list[_Snapshot] = []
        self.open(setup.variants or ())

    def open(self, variants: Iterable[Variant]) -> None:
        """Start with these variants; the first is the baseline and is selected."""
        self.variants = list(variants)
        self.selected = self.baseline = self.variants[0].name if self.variants else ""
        for variant in self.variants:
            self._originals.setdefault(variant.prompt.name, variant.prompt)

    @property
    def seed_shown(self) -> int:
        """The seed the selected variant runs with."""
        if self.seed is not None:
            return self.seed
        variant = self.current
        own = {**variant.prompt.sampling, **variant.sampling} if variant else {}
        seed = own.get("seed", 0)
        return seed if isinstance(seed, int) else 0

    # -------------------------------------------------------------- variants

    @property
    def names(self) -> list[str]:
        return [variant.name for variant in self.variants]

    def get(self, name: str) -> Variant | None:
        return next((variant for variant in self.variants if variant.name == name), None)

    @property
    def current(self) -> Variant | None:
        """The selected variant."""
        return self.get(self.selected)

    def _remember(self) -> None:
        self._undo.append(_Snapshot(tuple(self.variants), self.selected, self.baseline))
        del self._undo[:-100]

    def undo(self) -> bool:
        """Take back the last change of the list; False when there is none left."""
        if not self._undo:
            return False
        last = self._undo.pop()
        self.variants, self.baseline = list(last.variants), last.baseline
        self.selected = last.selected
        return True

    def add(self) -> Variant | None:
        """A copy of the selected variant below it, selected; None when all names are taken."""
        source = self.current
        free = [name for name in variant_names() if name not in self.names]
        if source is None or not free:
            return None
        self._remember()
        copy = replace(source, name=free[0], label="")
        self.outputs.pop(copy.name, None)
        self.variants.append(copy)
        self.selected = copy.name
        return copy

    def remove(self) -> Variant | None:
        """Take the selected variant off the list, unless it is the last one."""
        gone = self.current
        if gone is None or len(self.variants) == 1:
            return None
        self._remember()
        at = self.variants.index(gone)
        del self.variants[at]
        self.selected = self.variants[min(at, len(self.variants) - 1)].name
        if self.baseline == gone.name:
            self.baseline = self.variants[0].name
        return gone

    def update(self, variant: Variant) -> None:
        """Put `variant` in the place of the one that has its name."""
        self._remember()
        self.variants = [variant if old.name == variant.name else old for old in self.variants]
        self._originals.setdefault(variant.prompt.name, variant.prompt)

    def rescale(self, step: float) -> Variant | None:
        """Change the scale of the last adapter in the selected stack; None without one."""
        variant = self.current
        if variant is None or not variant.adapters:
            return None
        scale = round(variant.adapters[-1].scale + step, 3)
        if abs(scale) > MAX_SCALE:
            return None
        changed = variant.with_scale(len(variant.adapters) - 1, scale)
        self.update(changed)
        return changed

    # --------------------------------------------------------------- prompts

    def edited(self, prompt: Prompt) -> bool:
        """Whether a prompt differs from what was opened."""
        return self._originals.get(prompt.name, prompt) != prompt

    def sharing(self, prompt: Prompt) -> list[str]:
        """Names of the variants with this very prompt."""
        return [variant.name for variant in self.variants if variant.prompt == prompt]

    def edit_prompt(self, prompt: Prompt) -> list[str]:
        """Change the selected variant's prompt, and with it that of every variant sharing it.

        Returns the names of those variants. An editor undoes its own edits, so this is no step
        for `undo`, and no step takes it back.
        """
        variant = self.current
        if variant is None or variant.prompt == prompt:
            return []
        old, changed = variant.prompt, self.sharing(variant.prompt)
        self.variants = _with_prompt(self.variants, old, prompt)
        self._undo = [
            replace(step, variants=tuple(_with_prompt(step.variants, old, prompt)))
            for step in self._undo
        ]
        return changed

    def fork_prompt(self) -> Prompt | None:
        """Give the selected variant a prompt of its own; None when nobody shares it."""
        variant = self.current
        if variant is None or len(self.sharing(variant.prompt)) < 2:
            return None
        prompt = replace(variant.prompt, name=f"{variant.prompt.name} {variant.name}", path=None)
        self.update(replace(variant, prompt=prompt))
        return prompt

    # ------------------------------------------------------------- variables

    def set_used(self, prompt: Prompt, names: tuple[str, ...]) -> None:
        """Remember which names a prompt's templates use, until it is looked at again."""
        self._used[prompt.name] = names

    def variables(self, prompt: Prompt) -> list[Variable]:
        """The variables a prompt declares, then those it only uses."""
        declared = {variable.name for variable in prompt.variables}
        used = [name for name in self._used.get(prompt.name, ()) if name not in declared]
        return [*prompt.variables, *map(Variable, used)]

    def value(self, variable: Variable) -> str:
        """What a variable stands for now; empty when it has neither value nor default."""
        return self.values.get(variable.name, variable.default or "")

    def filled(self, variant: Variant) -> Variant:
        """The variant with the values given as the defaults of its prompt's variables.

        Prompts compared in one run need not have the same variables; a value that one of them
        knows nothing of would be a mistake in it.
        """
        prompt = variant.prompt
        variables = tuple(
            replace(variable, default=self.values[variable.name])
            if variable.name in self.values
            else variable
            for variable in self.variables(prompt)
        )
        declared = {variable.name for variable in prompt.variables}
        kept = tuple(v for v in variables if v.name in declared or v.default is not None)
        return replace(variant, prompt=replace(prompt, variables=kept))

    # --------------------------------------------------------------- outputs

    def started(self, run: Run, seed: int | None) -> None:
        """Take the outputs of a new run; those it has none of stay as they are."""
        for output in run.outputs:
            name = output.variant.name
            variant = self.get(name) or output.variant
            if (old := self.outputs.get(name)) is not None and old.text:
                self.before[name] = old
            self.outputs[name] = output
            self._asked[name] = self._ask(variant, self.values, seed, run.exact)

    def shown(self, name: str) -> Output | None:
        """The output to show: the new one, or the one before while the new one has no text."""
        output = self.outputs.get(name)
        if output is not None and not output.text and output.state is not State.DONE:
            return self.before.get(name, output)
        return output

    def stale(self, name: str) -> bool:
        """Whether a variant, its values, the seed or exactness changed since it was run."""
        variant, asked = self.get(name), self._asked.get(name)
        if variant is None or asked is None:
            return False
        return asked != self._ask(variant, self.values, self.seed, self.exact)

    def _ask(
        self, variant: Variant, values: Mapping[str, str], seed: int | None, exact: bool
    ) -> Asked:
        used = {variable.name for variable in self.variables(variant.prompt)}
        kept = tuple(sorted((name, text) for name, text in values.items() if name in used))
        return Asked(replace(variant, label=""), kept, seed, exact)


def _with_prompt(variants: Iterable[Variant], old: Prompt, new: Prompt) -> list[Variant]:
    return [replace(v, prompt=new) if v.prompt == old else v for v in variants]
