"""Checks of the form of an answer: a pattern, JSON, and JSON by a schema.

Patterns and schemas can take for ever, or all memory there is, and Python cannot stop them: they
run in a helper process with a deadline and a memory limit, which is killed when it exceeds them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

from ...prompts.errors import PromptError
from ...prompts.rendering.client import HelperProcess
from .result import NOTHING_EXPECTED, Answer, Result, passed, quoted


@cache
def helper() -> HelperProcess:
    """The one helper of this process; it starts with the first answer that needs it."""
    return HelperProcess(module=f"{__package__}.helper_process", work="check")


def _ask(request: dict[str, Any]) -> Result:
    """The helper's result. What it was stopped in, and what it refuses, is no score."""
    try:
        reply = helper().ask(request)
    except PromptError as error:
        return Result(None, f"could not be checked: {error}")
    if "error" in reply:
        return Result(None, f"could not be checked: {reply['error']['message']}")
    return Result(*reply["result"])


@dataclass(frozen=True)
class Pattern:
    """The answer holds something that Python's regular expression matches; `whole`: it is that.

    Without a pattern of its own it takes what the row expects for one.
    """

    pattern: str | None = None
    ignore_case: bool = False
    whole: bool = False

    def __call__(self, answer: Answer) -> Result:
        pattern = answer.expected if self.pattern is None else self.pattern
        if pattern is None:
            return NOTHING_EXPECTED
        return _ask(
            {
                "job": "pattern",
                "pattern": pattern,
                "text": answer.text,
                "ignore_case": self.ignore_case,
                "whole": self.whole,
            }
        )


@dataclass(frozen=True)
class Json:
    """The whole answer is JSON (RFC 8259): no text around it, no NaN."""

    def __call__(self, answer: Answer) -> Result:
        wrong = not_json(answer.text)
        return passed(wrong is None, "is JSON", f"is not JSON: {wrong}")


@dataclass(frozen=True)
class Schema:
    """The whole answer is JSON that fits a JSON Schema (its `$schema`, else draft 2020-12).

    References are looked up in the schema alone, never on the network.
    """

    schema: Mapping[str, Any] | bool = field(hash=False)

    def __call__(self, answer: Answer) -> Result:
        wrong = not_json(answer.text)
        if wrong is not None:
            return Result(0.0, f"is not JSON: {wrong}")
        return _ask({"job": "schema", "schema": self.schema, "text": answer.text})


def not_json(text: str) -> str | None:
    """Why a text is not JSON, None if it is."""
    try:
        json.loads(text, parse_constant=_no_constant, parse_int=float)
    except json.JSONDecodeError as error:
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    except RecursionError:
        return "it is nested too deeply"
    except ValueError as error:
        return str(error)
    return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{quoted(name)} is not of JSON")
