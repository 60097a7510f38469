"""Which pattern is meant for which module: as PEFT has it, and in little time."""

import re
import time
from collections.abc import Sequence

import pytest

from llamadiff.models.adapters.patterns import first_matches
from llamadiff.models.errors import ModelError

NAMES = [
    "model.layers.0.self_attn.q_proj",
    "model.layers.10.self_attn.q_proj",
    "model.layers.0.mlp.down_proj",
    "modelxlayers",
    "",
]


def by_the_rule(patterns: Sequence[str], names: Sequence[str]) -> list[str | None]:
    """peft.utils.other.get_pattern_key, word by word."""
    return [next((p for p in patterns if re.match(rf"(.*\.)?({p})$", n)), None) for n in names]


@pytest.mark.parametrize(
    "patterns",
    [
        ["q_proj", "down_proj"],
        ["self_attn.q_proj", "q_proj"],
        ["self.attn.q.proj", "q_proj"],
        ["q_proj", "self.attn.q.proj"],
        ["model.layers"],
        [r"layers\.0\..*", "q_proj"],
        ["q_proj", r".*\.layers\.0\..*"],
        [r"^q_proj", "down_proj$", ""],
        ["proj", "_proj", "............"],
        [],
    ],
)
def test_the_rule_is_that_of_peft(patterns: list[str]) -> None:
    assert first_matches(patterns, NAMES) == by_the_rule(patterns, NAMES)


def test_thousands_of_names_take_little_time() -> None:
    names = [f"model.layers.{n}.mlp.experts.{m}.down_proj" for n in range(64) for m in range(64)]
    before = time.process_time()
    assert first_matches(names, names) == names
    assert time.process_time() - before < 8


@pytest.mark.parametrize("patterns", [["a"] * 4097, ["a" * 1001], ["a|" * 600]])
def test_too_many_and_too_long_ones_are_refused(patterns: list[str]) -> None:
    with pytest.raises(ModelError, match="simplify them"):
        first_matches(patterns, NAMES)
