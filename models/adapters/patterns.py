"""Which of PEFT's patterns (`rank_pattern`, `alpha_pattern`) is meant for which module.

The rule is that of `peft.utils.other.get_pattern_key`: the first pattern that matches a module's
whole name, or what follows one of its dots. Patterns are regular expressions from a file nobody
vouches for, and a hostile one can take for ever: any that is not like a name is tried in a process
of its own, with a deadline.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence

from ..errors import ModelError

DEADLINE_S = 5.0
MOST = 4096
LONGEST = 1000
"""Patterns in a table, and characters in a pattern."""

_NAME = re.compile(r"[\w.\-]*")
"""A pattern like a module's name; its dots mean any character and almost always a dot."""

_RULE = r"(.*\.)?({})$"
_CODE = """
import json, re, sys
rule, patterns, names = json.load(sys.stdin)
rules = [re.compile(rule.format(pattern)) for pattern in patterns]
print(json.dumps([next((i for i, r in enumerate(rules) if r.match(n)), None) for n in names]))
"""


def first_matches(patterns: Sequence[str], names: Sequence[str]) -> list[str | None]:
    """For each name the first pattern that matches it, or None.

    Raises ModelError when a pattern is no regular expression or takes too long, and when there
    are too many or too long ones.
    """
    if len(patterns) > MOST or any(len(pattern) > LONGEST for pattern in patterns):
        raise ModelError(
            f"rank_pattern or alpha_pattern has more than {MOST:,} entries or one of more than "
            f"{LONGEST:,} characters; simplify them in adapter_config.json."
        )
    plain = {i: pattern for i, pattern in enumerate(patterns) if _NAME.fullmatch(pattern)}
    others = [i for i in range(len(patterns)) if i not in plain]
    for i in others:
        try:
            re.compile(_RULE.format(patterns[i]))
        except (re.error, OverflowError, RecursionError):
            raise ModelError(
                f"{patterns[i]!r} in rank_pattern or alpha_pattern is not a regular expression; "
                "correct it in adapter_config.json."
            ) from None
    found = _by_name(plain, names)
    if others:
        matched = _in_a_process([patterns[i] for i in others], names)
        found = [
            _first(one, None if other is None else others[other])
            for one, other in zip(found, matched, strict=True)
        ]
    return [None if i is None else patterns[i] for i in found]


def _first(*numbers: int | None) -> int | None:
    return min((number for number in numbers if number is not None), default=None)


def _by_name(plain: Mapping[int, str], names: Sequence[str]) -> list[int | None]:
    """For each name the first pattern that is like a name; most are found by looking them up."""
    exact: dict[str, int] = {}
    by_length: dict[int, list[tuple[int, re.Pattern[str]]]] = {}
    for i, pattern in plain.items():
        exact.setdefault(pattern, i)
        by_length.setdefault(len(pattern), []).append((i, re.compile(pattern)))
    found: list[int | None] = []
    for name in names:
        parts = name.split(".")
        ends = [".".join(parts[n:]) for n in range(len(parts))]
        best = _first(*(exact.get(end) for end in ends))
        for end in ends:  # an earlier one may match where its dots are other characters
            for i, rule in by_length.get(len(end), ()):
                if best is not None and i >= best:
                    break
                if rule.fullmatch(end):
                    best = i
                    break
        found.append(best)
    return found


def _in_a_process(patterns: Sequence[str], names: Sequence[str]) -> list[int | None]:
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
