"""Asks the judges of a suite: two short questions an answer, each with one word to be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...models.engine.client import EngineError, LoadedModel
from ...models.engine.protocol import BACKGROUND, Failed, Request
from ...prompts.document import OutputRules, Prompt
from ..checks.judge import Judge
from ..errors import MISTAKES
from ..reasoning import answer_of
from ..run import Output, State
from ..runner import Runner, apply_event
from ..spec import Defaults, variants_of
from ..variants import Variant
from .answers import Asked
from .rows import SuiteRow
from .suite import Suite

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
    for named in suite.checks:
        if isinstance(named.check, Judge):
            judge = named.check
            table = {"model": judge.model} if judge.model else {}
            own = replace(defaults, prompt=None, user="judge", adapters=(), sampling={})
            (variant,) = variants_of(own, [{**table, "adapter": judge.adapter or "none"}])
            found[judge.rubric] = replace(variant, sampling=_SAMPLING, label="judge")
    return found


async def judge(
    runner: Runner,
    judges: Mapping[str, Variant],
    asked: Sequence[Asked],
    rows: Sequence[SuiteRow],
    *,
    exact: bool,
) -> None:
    """Fill in what the judges say of the answers of one group.

    One with a prompt that cannot be made, too long for the context for one, has no say. Raises
    EngineError.
    """
    answered = [it for it in asked if it.output.state is State.DONE]
    for rubric, variant in judges.items():
        for it in answered:
            it.judged[rubric] = 0
        for swapped in (False, True):
            questions = [_question(rubric, it, rows[it.place], swapped) for it in answered]
            said = await _said(runner, variant, questions, exact=exact)
            for it, (_, _, good), word in zip(answered, questions, said, strict=True):
                if word is None:
                    it.judged.pop(rubric, None)
                elif rubric in it.judged:
                    it.judged[rubric] += word == good


def _question(
    rubric: str, it: Asked, row: SuiteRow, swapped: bool
) -> tuple[Prompt, dict[str, str], str]:
    """The prompt, its values, and what is said by a judge who is for the answer."""
    answer = answer_of(it.output)
    asked = "\n".join(f"{name}: {text}" for name, text in row.values.items())
    values = {"rubric": rubric, "question": asked}
    if row.expected is None:
        order = "no or yes" if swapped else "yes or no"
        return _ALONE, {**values, "first": answer, "second": order}, "yes"
    pair = (row.expected, answer) if swapped else (answer, row.expected)
    return _PAIR, {**values, "first": pair[0], "second": pair[1]}, "2" if swapped else "1"


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
