"""Asks the judges of a suite: two short questions an answer, each with one word to be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...models.engine.client import EngineError, LoadedModel
from ...models.engine.protocol import BACKGROUND, Failed, Request
from ...prompts.document import OutputRules, Prompt
from ..checks.judge import ITSELF, Judge
from ..errors import MISTAKES
from ..run import Output, State
from ..runner import Runner, apply_event
from ..spec import Defaults, variants_of
from ..variants import Variant
from .answers import Asked
from .plan import Plan
from .suite import Suite, told

_PAIR = Prompt(
    "judge of two",
    system="You compare two answers by this rule: {{ rubric }}",
    user="{{ question }}\n\nAnswer 1: {{ first }}\n\nAnswer 2: {{ second }}\n\nWhich answer is better? Say 1 or 2.",
    output=OutputRules(grammar='root ::= "1" | "2"'),
)
_ALONE = Prompt(
    "judge of one",
    system="You judge answers by this rule: {{ rubric }}",
    user="{{ question }}\n\nAnswer: {{ first }}\n\nDoes the answer keep to the rule? Say {{ second }}.",
    output=OutputRules(grammar='root ::= "yes" | "no"'),
)
_SAMPLING = {"temperature": 0.0, "max_tokens": 4}


def suite_judges(suite: Suite, defaults: Defaults) -> dict[str, Variant]:
    """The model that judges by each rubric of a suite. Raises as `variants_of`."""
    found: dict[str, Variant] = {}
    for number, named in enumerate(suite.checks):
        if isinstance(named.check, Judge):
            judge = named.check
            table = {"model": judge.model} if judge.model else {}
            own = replace(defaults, prompt=None, user="judge", adapters=(), sampling={})
            with told(suite.at("checks", number)):
                (variant,) = variants_of(own, [{**table, "adapter": judge.adapter or "none"}])
            found[judge.rubric] = replace(variant, sampling=_SAMPLING, label="judge")
    return found


async def judge(
    runner: Runner, plan: Plan, asked: Sequence[Asked], baseline: Mapping[tuple[int, int], str]
) -> None:
    """Fill in what the judges say of the answers of one group.

    `baseline` has that variant's answers by row and repeat; beside one that it lacks nothing is
    judged. A judge with a prompt that cannot be made, too long for the context for one, has no say.
    Raises EngineError.
    """
    for rubric, variant in plan.judges.items():
        against: list[tuple[Asked, str | None]] = []
        for it in asked:
            output, other = it.output, plan.rows[it.place].expected
            if output.state is not State.DONE:
                continue
            if rubric in plan.against_baseline:
                other = baseline.get((it.place, output.repeat))
                if output.variant.name == plan.baseline.name:
                    it.judged[rubric] = ITSELF
                if other is None or rubric in it.judged:
                    continue
            against.append((it, other))
        words: list[list[bool | None]] = []
        for swapped in (False, True):
            questions = [
                _question(rubric, plan.rows[it.place].asked, it.answer, other, swapped)
                for it, other in against
            ]
            said = await _said(runner, variant, questions, exact=plan.exact)
            words.append(
                [
                    None if word is None else word == good
                    for word, (*_, good) in zip(said, questions, strict=True)
                ]
            )
        for (it, _), *both in zip(against, *words, strict=True):
            if None not in both:
                it.judged[rubric] = sum(map(bool, both))


def _question(
    rubric: str, asked: str, answer: str, other: str | None, swapped: bool
) -> tuple[Prompt, dict[str, str], str]:
    """The prompt, its values, and what is said by a judge who is for the answer."""
    values = {"rubric": rubric, "question": asked}
    if other is None:
        order = "no or yes" if swapped else "yes or no"
        return _ALONE, {**values, "first": answer, "second": order}, "yes"
    first, second = (other, answer) if swapped else (answer, other)
    return _PAIR, {**values, "first": first, "second": second}, "2" if swapped else "1"


async def _said(
    runner: Runner,
    variant: Variant,
    questions: Sequence[tuple[Prompt, Mapping[str, str], str]],
    *,
    exact: bool,
) -> list[str | None]:
    """What the judge says to each question; None where it cannot be asked."""
    outputs = [Output(replace(variant, prompt=prompt), 0, 0) for prompt, _, _ in questions]
    heard: dict[int, Output] = {}
    requests: list[Request] = []
    model: LoadedModel | None = None
    for output, (_, values, _) in zip(outputs, questions, strict=True):
        try:
            ready = await runner.prepare(output.variant, values)
        except MISTAKES:
            continue
        model = ready.model
        request = runner.request(ready, output, exact=exact, priority=BACKGROUND)
        requests.append(request)
        heard[request.id] = output
    if model is not None:
        async for events in runner.engine.generate(model, requests):
            for event in events:
                apply_event(heard[event.id], event)
                if isinstance(event, Failed) and not event.refused:
                    raise EngineError(event.message)
    return [it.text.strip() if it.state is State.DONE else None for it in outputs]
