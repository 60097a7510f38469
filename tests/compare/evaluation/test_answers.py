"""What the checks are given of an answer."""

from __future__ import annotations

from pathlib import Path

from llamadiff.compare.checks.amounts import Length
from llamadiff.compare.evaluation.answers import Asked
from llamadiff.compare.evaluation.suite import NamedCheck
from llamadiff.compare.run import Output, State

from .suites import plan_of, write_suite


def test_tokens_of_reasoning_are_none_of_the_answer(tmp_path: Path) -> None:
    plan = plan_of(write_suite(tmp_path, 1))
    output = Output(plan.variants[0], 0, 0)
    output.text, output.state = "<think>so so</think> Yes.", State.DONE
    output.tokens, output.token_ends = [1, 2, 3, 4, 5], [7, 12, 20, 24, 25]
    tokens = NamedCheck("length", Length(most=2, unit="tokens"))
    checked = Asked(0, output).checked(plan.rows[0], [tokens], generates=True)
    assert checked.results[0].reason == "has 2 tokens" and checked.tokens == 5
