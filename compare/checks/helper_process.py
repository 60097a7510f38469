"""The child process for checks that may take too much: patterns and JSON Schemas.

Run as `python -m llamadiff.compare.checks.helper_process MEMORY_MB` (see `serving`). A request has
`job` (`pattern` or `schema`), what that needs and `deadline_s`; an answer holds either `result`,
score and reason, or `error`, an object of `kind` and `message`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from jsonschema.validators import validator_for
from jsonschema_specifications import REGISTRY

from ...prompts.rendering.serving import serve
from .result import quoted


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": _JOBS[request["job"]](request)}
    except MemoryError:
        return {"error": {"kind": "memory", "message": "it needs too much memory"}}
    except RecursionError:
        return {"error": {"kind": "failed", "message": "it is nested too deeply"}}
    except (re.error, OverflowError) as error:
        return {"error": {"kind": "failed", "message": f"the pattern is not valid: {error}"}}
    except Exception as error:
        return {"error": {"kind": "failed", "message": f"{error}"[:300] or type(error).__name__}}


def _pattern(request: dict[str, Any]) -> tuple[float, str]:
    compiled = re.compile(request["pattern"], re.IGNORECASE if request["ignore_case"] else 0)
    match = compiled.fullmatch if request["whole"] else compiled.search
    found = match(request["text"])
    if found is None:
        return 0.0, f"does not match {quoted(request['pattern'])}"
    return 1.0, f"matches with {quoted(found[0])}"


def _schema(request: dict[str, Any]) -> tuple[float, str]:
    kind = validator_for(request["schema"], Draft202012Validator)
    try:
        kind.check_schema(request["schema"])
    except SchemaError as error:
        raise ValueError(f"the schema is not valid: {error.message}") from None
    # This registry has the drafts themselves, and looks nothing up on the network.
    validator = kind(request["schema"], registry=REGISTRY)
    error = best_match(validator.iter_errors(json.loads(request["text"])))
    if error is None:
        return 1.0, "fits the schema"
    return 0.0, f"does not fit the schema: {error.json_path}: {error.message}"[:300]


_JOBS = {"pattern": _pattern, "schema": _schema}


def main() -> None:
    serve(_answer)


if __name__ == "__main__":
    main()
