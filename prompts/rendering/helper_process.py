"""The child process that renders untrusted templates: JSON lines in, JSON lines out.

Run as `python -m llamadiff.prompts.rendering.helper_process MEMORY_MB`; see `serving`. A request holds
`job` (`prompt`, `variables` or `chat`), its arguments and `deadline_s`; an answer holds either
`result` or `error` (an object of `kind`, `message` and what is known of `field`, `line`, `name`).
The job `many` has `requests`; its result is a list of their answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2 import TemplateSyntaxError
from jinja2.exceptions import SecurityError

from . import templates
from .limits import MAX_CHARACTERS
from .origin import given_in
from .outline import Span
from .serving import serve

_TOO_DEEP = "it is nested too deeply or calls itself without end"


class TooLong(Exception):
    """The templates produced more than MAX_CHARACTERS."""


class NoValue(Exception):
    """A declared variable has neither a value nor a default."""


class UnknownValue(Exception):
    """A value was given for a variable that no template uses and the prompt does not declare."""


def main() -> None:
    """Serve requests until the input ends."""
    serve(_answer)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    if request["job"] == "many":
        return {"result": [_answer(it) for it in request["requests"]]}
    at = _Place()
    try:
        return {"result": _JOBS[request["job"]](request, at)}
    except Exception as error:
        return {"error": {**_describe(error), "field": at.field}}


class _Place:
    """The field being worked on, for the error message."""

    field: str | None = None


def _prompt(request: dict[str, Any], at: _Place) -> dict[str, Any]:
    """The text of each field with the places in it that expressions gave; the names used."""
    fields: templates.Fields = request["fields"]
    values: dict[str, str] = request["values"]
    used = _variables(request, at)
    at.field = None
    for name in request["given"]:
        if name not in used and name not in request["declared"]:
            raise UnknownValue(name)
    for name in request["declared"]:
        if name not in values:
            raise NoValue(name)
    room = MAX_CHARACTERS
    found: list[tuple[str, list[Span]]] = []
    for at.field, text in fields:
        pieces = _limited(templates.render_text(text, values), room)
        found.append(("".join(pieces), given_in(pieces)))
        room -= len(found[-1][0])
    return {"texts": found, "used": used}


def _variables(request: dict[str, Any], at: _Place) -> list[str]:
    names: list[str] = []
    for at.field, text in request["fields"]:
        names.extend(templates.used_names(text))
    return list(dict.fromkeys(names))


def _chat(request: dict[str, Any], at: _Place) -> str:
    messages: list[dict[str, str]] = request["messages"]
    prefill: str = request["prefill"]

    def rendered(messages: list[dict[str, str]], *, end: bool) -> str:
        pieces = templates.render_chat(request["template"], messages, request["arguments"], end=end)
        return "".join(_limited(pieces, MAX_CHARACTERS))

    if prefill:
        begun = {"role": "assistant", "content": prefill + templates.MARK}
        try:
            return templates.until_mark(rendered([*messages, begun], end=False), prefill)
        except (TooLong, MemoryError):
            raise
        except Exception:
            # A template that cannot leave an answer open may still be able to open one.
            return rendered(messages, end=True) + prefill
    return rendered(messages, end=request["add_generation_prompt"])


_JOBS = {"prompt": _prompt, "variables": _variables, "chat": _chat}


def _limited(pieces: Iterator[str], room: int) -> list[str]:
    """The pieces. Raises TooLong for more than `room` characters."""
    parts: list[str] = []
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            raise TooLong
        parts.append(piece)
    return parts


def _describe(error: Exception) -> dict[str, Any]:
    """What the parent needs to know to say in one sentence what went wrong."""
    line = _template_line(error)
    message = str(error)[:500]
    match error:
        case UnknownValue():
            return {"kind": "unknown_value", "name": message}
        case NoValue():
            return {"kind": "no_value", "name": message}
        case templates.UndefinedName(name=name):
            return {"kind": "undefined", "name": name, "line": line}
        case templates.RefusedByTemplate():
            return {"kind": "refused", "message": message, "line": line}
        case TemplateSyntaxError(lineno=lineno):
            return {"kind": "syntax", "message": error.message, "line": lineno}
        case SyntaxError():
            return {"kind": "syntax", "message": error.msg, "line": None}
        case SecurityError():
            return {"kind": "unsafe", "message": message, "line": line}
        case MemoryError():
            return {"kind": "memory"}
        case TooLong():
            return {"kind": "too_long"}
        case RecursionError():
            return {"kind": "failed", "message": _TOO_DEEP, "line": line}
        case _:
            return {"kind": "failed", "message": message, "line": line}


def _template_line(error: Exception) -> int | None:
    """The line of the template in which the error was raised, from its innermost frame."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


if __name__ == "__main__":
    main()
