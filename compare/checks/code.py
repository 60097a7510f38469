"""A person's own check: a Python function, in a helper process with a deadline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ...prompts.errors import PromptError
from ...prompts.rendering.client import HelperProcess
from .result import Answer, Result

DEADLINE_S = 10.0
MEMORY_MB = 4096


@cache
def _helper() -> HelperProcess:
    return HelperProcess(DEADLINE_S, MEMORY_MB, f"{__package__}.code_process", "function")


@dataclass(frozen=True)
class Code:
    """`function(answer, row)` of a file: given the text and the row's columns, it returns a score
    from 0 to 1, true or false, or a score and a reason.

    It may do all that the person who runs it may: whoever makes one has asked them first.
    """

    path: Path
    function: str

    def __call__(self, answer: Answer) -> Result:
        row = dict(answer.row)
        if answer.expected is not None:
            row["expected"] = answer.expected
        request = {
            "path": str(self.path),
            "function": self.function,
            "answer": answer.text,
            "row": row,
        }
        try:
            reply = _helper().ask(request)
        except PromptError as error:
            return Result(None, f"could not be checked: {error}")
        if "error" in reply:
            return Result(None, f"could not be checked: {reply['error']['message']}")
        return Result(*reply["result"])
