"""What an evaluation asks: its prompts, tried before anything runs and made as they are needed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ...models.engine.client import LoadedModel
from ...models.engine.samplers import parse_value
from ...prompts.errors import PromptError
from ..checks.code import Code
from ..conversation import given_turns
from ..errors import MISTAKES, CompareError
from ..prepare import Prepared
from ..run import Output, State
from ..runner import Runner
from ..variants import Variant
from .answers import Asked
from .plan import Group, Plan
from .variants import called

AT_ONCE = 8
"""Prompts that are made at once."""
TRIED = 3
"""Rows of which one at least must make a prompt of each variant."""


class Asking:
    """The prompts of a plan."""

    def __init__(self, runner: Runner, plan: Plan) -> None:
        self.runner = runner
        self.plan = plan
        self._used: dict[str, set[str]] = {}
        """By a variant's name, the variables that its prompt has."""

    @property
    def checked(self) -> bool:
        return bool(self._used)

    async def check(self) -> None:
        """See that the plan can be run: files that fit, and rows that give the prompts what they use.

        Raises CompareError, ModelError, PromptError or EngineError.
        """
        for named in self.plan.suite.checks:
            if isinstance(named.check, Code):
                await asyncio.to_thread(named.check.make_ready)
        kept: list[LoadedModel] = []
        for variant in (*self.plan.variants, *self.plan.judges.values()):
            kept.append(await self.runner.load(variant, keep=kept))
        self._used = await asyncio.to_thread(self._find_used)
        columns = set(self.plan.rows[0].values)
        for variant in self.plan.variants:
            used = self._used[variant.name] - variant.values.keys()
            if not used & columns:
                raise CompareError(
                    f"{self.plan.suite.path}: the prompt {variant.prompt.name} of variant "
                    f"{variant.name} asks about no column of the dataset; it uses "
                    f"{', '.join(sorted(used)) or 'no variables'}, the dataset has "
                    f'{", ".join(sorted(columns))}: write columns = {{ VARIABLE = "COLUMN" }}.'
                )
        for variant in self.plan.variants:
            await self._try(variant)

    async def _try(self, variant: Variant) -> None:
        """Raise what is wrong with a variant's prompt, where it is wrong for every row tried."""
        wrong: PromptError | None = None
        for place in range(min(TRIED, len(self.plan.rows))):
            output = Output(variant, 0, 0)
            given_turns(output, self.plan.rows[place].turns)
            try:
                await self._prepared(output, place)
                return
            except CompareError:  # this row is too long, and says nothing of others
                return
            except PromptError as error:
                wrong = wrong or error
        if wrong is not None:
            said = f"{self.plan.suite.path}: variant {called(variant)}: {wrong}"
            raise CompareError(said if said.endswith("?") else f"{said}.")

    def _find_used(self) -> dict[str, set[str]]:
        return {
            variant.name: {it.name for it in variant.prompt.variables}
            | set(self.runner.renderer.template_variables(variant.prompt))
            for variant in self.plan.variants
        }

    async def prepare(self, groups: Sequence[Group]) -> dict[Group, list[Asked]]:
        """What is asked, each prompt rendered once for all variants that share it."""
        asked = {group: self.asked(group) for group in groups}
        shared: dict[tuple[object, ...], list[Asked]] = {}
        for each in asked.values():
            for it in each:
                variant = it.output.variant
                own = tuple(sorted(variant.values.items()))
                key = (it.place, variant.model, id(variant.prompt), own)
                shared.setdefault(key, []).append(it)

        at_once = asyncio.Semaphore(AT_ONCE)

        async def prepare(them: list[Asked]) -> None:
            first = them[0]
            try:
                async with at_once:
                    ready = await self._prepared(first.output, first.place)
            except MISTAKES as mistake:
                for it in them:
                    it.output.state, it.output.error = State.FAILED, str(mistake)
                    it.output.refused = True
                return
            for it in them:
                it.ready = ready

        await asyncio.gather(*map(prepare, shared.values()))
        return asked

    def asked(self, group: Group) -> list[Asked]:
        variants = {variant.name: variant for variant in self.plan.variants}
        found: list[Asked] = []
        for place, name, repeat in group.places:
            variant = variants[name]
            own = {**variant.prompt.sampling, **variant.sampling}.get("seed", 0)
            seed = int(str(parse_value("seed", own))) + repeat
            found.append(Asked(place, Output(variant, repeat, seed)))
            given_turns(found[-1].output, self.plan.rows[place].turns)
        return found

    async def _prepared(self, output: Output, place: int) -> Prepared:
        used = self._used[output.variant.name]
        values = {k: v for k, v in self.plan.rows[place].values.items() if k in used}
        return await self.runner.prepare(output.variant, values, output=output)
