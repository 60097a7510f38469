"""The values of the variants' variables, and which variables there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..compare.variants import Variant
    from ..prompts.document import Prompt, Variable


class Values(dict[str, str]):
    """The values given for all variants, by variable; a variant's own go before them."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(given)
        self._used: dict[tuple[Path | None, str], tuple[str, ...]] = {}

    def put(self, given: Mapping[str, str]) -> None:
        """Have these values in place of all there were."""
        self.clear()
        self.update(given)

    def give(self, name: str, value: str, variants: Iterable[Variant]) -> list[str]:
        """Give a variable a value; the names of those of the variants that this changes."""
        users = {
            variant.name: self.of(variant, variable)
            for variant in variants
            for variable in self.variables(variant.prompt)
            if variable.name == name and name not in variant.values
        }
        if all(value == had for had in users.values()):
            return []
        self[name] = value
        return list(users)

    def set_used(self, prompt: Prompt, names: tuple[str, ...]) -> None:
        """Remember which names a prompt's templates use, until it is looked at again."""
        self._used[prompt.path, prompt.name] = names

    def variables(self, prompt: Prompt) -> list[Variable]:
        """The variables a prompt declares, then those it only uses."""

        from ..prompts.document import Variable

        declared = {variable.name for variable in prompt.variables}
        used = [
            name for name in self._used.get((prompt.path, prompt.name), ()) if name not in declared
        ]
        return [*prompt.variables, *map(Variable, used)]

    def missing(self, variant: Variant) -> frozenset[str]:
        """The names a variant's templates use that have neither a default nor a value."""
        return frozenset(
            variable.name
            for variable in self.variables(variant.prompt)
            if variable.default is None
            and variable.name not in self
            and variable.name not in variant.values
        )

    def unused(self, prompt: Prompt) -> frozenset[str]:
        """The variables a prompt declares and no template of it uses, once that is known."""
        used = self._used.get((prompt.path, prompt.name))
        return frozenset(
            v.name for v in prompt.variables if used is not None and v.name not in used
        )

    def of(self, variant: Variant, variable: Variable) -> str:
        """What a variable stands for now; empty when it has neither value nor default."""
        shared = self.get(variable.name, variable.default or "")
        return variant.values.get(variable.name, shared)

    def filled(self, variant: Variant) -> Variant:
        """The variant with the values given as the defaults of its prompt's variables.

        Prompts compared in one run need not have the same variables; a value that one of them
        knows nothing of would be a mistake in it.
        """
        prompt = variant.prompt
        variables = tuple(
            replace(variable, default=self[variable.name]) if variable.name in self else variable
            for variable in self.variables(prompt)
        )
        declared = {variable.name for variable in prompt.variables}
        kept = tuple(v for v in variables if v.name in declared or v.default is not None)
        return replace(variant, prompt=replace(prompt, variables=kept))

    def declared(self, variant: Variant) -> Prompt:
        """The variant's prompt, with the values given to variables that it does not declare."""

        from ..prompts.document import Variable

        prompt = variant.prompt
        names = {variable.name for variable in prompt.variables}
        given = {**self, **variant.values}
        added = [
            Variable(variable.name, given[variable.name])
            for variable in self.variables(prompt)
            if variable.name not in names and variable.name in given
        ]
        return replace(prompt, variables=(*prompt.variables, *added)) if added else prompt

    def known_to(self, variants: Iterable[Variant]) -> dict[str, str]:
        """The values given that apply to one of these variants."""
        known = {
            variable.name
            for it in variants
            for variable in self.variables(it.prompt)
            if variable.name not in it.values
        }
        return {name: text for name, text in self.items() if name in known}
