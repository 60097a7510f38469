"""Which of PEFT's patterns (`rank_pattern`, `alpha_pattern`) is meant for which module.

The rule is that of `peft.utils.other.get_pattern_key`: the first pattern that matches a module's
whole name, or what follows one of its dots. Patterns are regular expressions from a file nobody
vouches for, and a hostile one can take for ever: any that repeats something is tried in a process
of its own, with a deadline.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence

from ..errors import ModelError

DEADLINE_S = 5.0

_NO_REPETITION = re.compile(r"[\w.\-^$\\]*")
_RULE = r"(.*\.)?({})$"
_CODE = """
import json, re, sys
rule, patterns, names = json.load(sys.stdin)
print(json.dumps([next((p for p in patterns if re.match(rule.format(p), n)), None) for n in names]))
"""


def first_matches(patterns: Sequence[str], names: Sequence[str]) -> list[str | None]:
    """For each name the first pattern that matches it, or None.

    Raises ModelError when a pattern is no regular expression or takes too long.
    """
    for pattern in patterns:
        try:
            re.compile(_RULE.format(pattern))
        except (re.error, OverflowError, RecursionError):
            raise ModelError(
                f"{pattern!r} in rank_pattern or alpha_pattern is not a regular expression; "
                "correct it in adapter_config.json."
            ) from None
    if all(_NO_REPETITION.fullmatch(pattern) for pattern in patterns):
        return [
            next((p for p in patterns if re.match(_RULE.format(p), name)), None) for name in names
        ]
    return _in_a_process(patterns, names)


def _in_a_process(patterns: Sequence[str], names: Sequence[str]) -> list[str | None]:
    try:
        answer = subprocess.run(
            [sys.executable, "-I", "-c", _CODE],
            input=json.dumps([_RULE, patterns, names]).encode(),
            capture_output=True,
            timeout=DEADLINE_S,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise ModelError(
            "The patterns in rank_pattern or alpha_pattern take too long to match; "
            "simplify them in adapter_config.json."
        ) from None
    return json.loads(answer.stdout)
