"""The child process for people's own checks (see `serving`).

A request has `path`, `source` (its bytes as Latin-1), `function`, `answer`, `row` and `deadline_s`; an
answer holds either `result`,
score and reason, or `error`, an object of `kind` and `message`.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ...prompts.rendering.serving import serve

LONGEST_REASON = 300


@cache
def _module(path: str, source: str) -> dict[str, Any]:
    sys.path.insert(0, str(Path(path).parent))
    module = ModuleType("own checks")
    module.__file__ = path
    sys.modules[module.__name__] = module  # where dataclasses look for it
    exec(compile(source.encode("latin-1"), path, "exec"), vars(module))
    return vars(module)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    name = request["function"]
    try:
        # What it prints must not be taken for an answer.
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            function = _module(request["path"], request["source"]).get(name)
            if not callable(function):
                raise ValueError(f"{request['path']} has no function {name}")
            return {"result": _result(function(request["answer"], request["row"]), name)}
    except MemoryError:
        return {"error": {"kind": "memory", "message": "it needs too much memory"}}
    except BaseException as error:
        said = f"{name} raised {type(error).__name__}: {error}"
        return {"error": {"kind": "failed", "message": said[:LONGEST_REASON]}}


def _result(value: Any, name: str) -> tuple[float, str]:
    score: Any = value
    reason: Any = ""
    if isinstance(value, tuple | list) and len(value) == 2:
        score, reason = value
    try:
        number = float(score)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number <= 1:
        raise ValueError(f"a score is from 0 to 1, not {score!r}"[:LONGEST_REASON])
    return number, str(reason)[:LONGEST_REASON] or f"{name} gives {number:g}"


if __name__ == "__main__":
    serve(_answer)
