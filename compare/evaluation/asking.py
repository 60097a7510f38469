"""What an evaluation asks: its prompts, tried before anything runs and made as they are needed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ...models.engine.client import LoadedModel
from ...models.engine.samplers import parse_value
from ...prompts.errors import PromptError
from ...prompts.rendering.helper import Renderer
from ..checks.code import Code
from ..conversation import given_turns
from ..errors import MISTAKES, CompareError
from ..prepare import Prepared
from ..run import Output, State
from ..runner import Runner
from ..variants import Variant
from .answers import Asked
from .plan import Group, Plan
from .rows import columns_of
from .variants import called

AT_ONCE = 8
"""Prompts that are made at once."""
TRIED = 3
"""Rows of which one at least must make a prompt of each variant."""


def check_prompts(plan: Plan, renderer: Renderer) -> dict[str, set[str]]:
    """The variables that the prompt of each variant has, by its name. Needs no model; use on a thread.

    Raises CompareError for a prompt that uses no column of the dataset, and for one that cannot be
    made of any of the first rows: a variable is without a value there, or its template is wrong.
    """
    found: dict[str, set[str]] = {}
    columns = set(columns_of(plan.rows))
    for variant in plan.variants:
        prompt = variant.prompt
        found[variant.name] = known = {it.name for it in prompt.variables}
        known |= set(renderer.template_variables(prompt))
        used = known - variant.values.keys()
        if not used & columns:
            raise CompareError(
                f"{plan.suite.path}: the prompt {prompt.name} of variant {variant.name} asks about no "
                f"column of the dataset; it uses {', '.join(sorted(used)) or 'no variables'}, the "
                f'dataset has {", ".join(sorted(columns))}: write columns = {{ VARIABLE = "COLUMN" }}.'
            )
        rows = (row.values for row in plan.rows[:TRIED])
        cases = [{**{k: v for k, v in row.items() if k in known}, **variant.values} for row in rows]
        wrong = renderer.render_prompts(prompt, cases)
        if isinstance(wrong[0], PromptError) and all(isinstance(it, PromptError) for it in wrong):
            raise _cannot_ask(plan, variant, wrong[0])
    return found


def _cannot_ask(plan: Plan, variant: Variant, wrong: PromptError) -> CompareError:
    said = f"{plan.suite.path}: variant {called(variant)}: {wrong}"
    return CompareError(said if said.endswith("?") else f"{said}.")


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
        self._used = await asyncio.to_thread(check_prompts, self.plan, self.runner.renderer)
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
            raise _cannot_ask(self.plan, variant, wrong)

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
