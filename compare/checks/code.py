"""A person's own check: a Python function, in a helper process with a deadline."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ...prompts.errors import PromptError
from ...prompts.rendering.client import HelperProcess
from ..errors import CompareError
from .result import Answer, Result

DEADLINE_S = 10.0
MEMORY_MB = 4096


@cache
def _helper() -> HelperProcess:
    return HelperProcess(DEADLINE_S, MEMORY_MB, f"{__package__}.code_process", "function")


_sources: dict[str, bytes] = {}
"""What was in the files when they were read, by its SHA-256: that is run, whatever is in them by now."""


@dataclass(frozen=True)
class Code:
    """`function(answer, row)` of a file: given the text and the row's columns, it returns a score
    from 0 to 1, true or false, or a score and a reason. `digest` is the SHA-256 of the file as it is
    to be run.

    It may do all that the person who runs it may: whoever makes one has asked them first.
    """

    path: Path
    function: str
    digest: str

    def make_ready(self) -> None:
        """Have the code, and all that it imports, loaded anew. Reads its file. Raises CompareError
        when that is not what it was."""
        try:
            same = _read(self.path) == self.digest
        except OSError as error:
            raise CompareError(f"{self.path} cannot be read: {error.strerror}.") from None
        if not same:
            raise CompareError(f"{self.path} is not what it was; run the suite anew.")
        _helper().close()

    def __call__(self, answer: Answer) -> Result:
        row = dict(answer.row)
        if answer.expected is not None:
            row["expected"] = answer.expected
        request = {
            "path": str(self.path),
            "source": _sources.get(self.digest, b"").decode("latin-1"),
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


def code_of(path: Path, function: str) -> Code:
    """The check by a function of a file as it is now. Raises OSError."""
    return Code(path, function, _read(path))


def _read(path: Path) -> str:
    source = path.read_bytes()
    digest = hashlib.sha256(source).hexdigest()
    _sources[digest] = source
    return digest
