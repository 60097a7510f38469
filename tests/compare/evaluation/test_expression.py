"""The language of requirements: what it computes, and what it refuses in words."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.compare.evaluation.expression import (
    ExpressionError,
    check_names,
    parse_expression,
)

FIGURES = {
    "base": {"score": 0.5, "verdict": None, "low": 0.25},
    "tuned": {"score": 0.55, "verdict": "better", "low": 0.0, '"brief"': 0.9, '"brief".low': 0.8},
    "two words": {"score": 1.0, "verdict": "same", "low": 0.5},
}


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("tuned.score >= base.score + 0.05", True),
        ("tuned.score > base.score + 0.05", False),
        ("tuned.score == base.score + 5 %", True),
        ("tuned.score == base.score + 5 points", True),
        ("tuned.score - base.score > 1 point", True),
        ("tuned.score - base.score * 2 < 0", True),
        ("(tuned.score - base.score) * 2 <= 0.1", True),
        ("tuned.score > 0.5 and not base.score > 0.5", True),
        ("tuned.score < 0.5 or base.score < 0.6 and base.score > 0.4", True),
        ("0.4 < base.score <= .5", True),
        ("-base.score < -0.4", True),
        ('tuned.verdict == "better"', True),
        ('tuned.verdict != "better"', False),
        ('"two words".score / base.score == 2', True),
        ("base.score / tuned.low > 1", None),
        ('base.verdict == "better"', None),
        ("1e-3 < tuned.score", True),
        ('tuned."brief" >= 0.9', True),
        ('tuned."brief".low >= 0.9', False),
    ],
)
def test_it_computes(text: str, met: bool | None) -> None:
    assert parse_expression(text).met(FIGURES) is met


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ends too early"),
        ("tuned.score", "compares nothing"),
        ("tuned.score +", "ends too early"),
        ("tuned.score > > 1", "not expected"),
        ("tuned > 1", "no figure of a variant"),
        ("tuned. > 1", "followed by a figure"),
        ('tuned."brief".mean > 1', "followed by low or high"),
        ("(tuned.score > 1", "bracket"),
        ("tuned.score > 1 1", "not expected"),
        ("tuned.score > 1 pointed", "not expected"),
        ("tuned.score = 1", "cannot be read"),
        ("__import__('os') > 1", "cannot be read"),
        ("tuned.score > 1; import os", "cannot be read"),
        ("(" * 200 + "1" + ")" * 200 + " > 1", "too deeply"),
        ("not " * 200 + "1 > 1", "too deeply"),
        ("1 + (tuned.score > 1)", "compares nothing"),
    ],
)
def test_what_is_no_requirement_is_refused(text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=said):
        parse_expression(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tunde.score > 1", "no variant tunde; did you mean tuned"),
        ("tuned.scor > 1", "no figure scor; did you mean score"),
        ('tuned."brif" > 1', 'no figure "brif"; did you mean "brief"'),
        ("tuned.verdict > 0.5", "word is compared"),
        ('tuned.verdict < "better"', "== and !="),
        ("tuned.verdict + 1 > 0.5", "only numbers"),
    ],
)
def test_what_cannot_be_known_is_told_before_anything_runs(text: str, said: str) -> None:
    kinds = {"score": 0.5, "verdict": "same", '"brief"': 0.5}
    with pytest.raises(ExpressionError, match=said):
        check_names(parse_expression(text), ["tuned", "base"], kinds)


def test_figures_are_shown_with_their_values() -> None:
    it = parse_expression('"two words".score > tuned.score or tuned.score > base.verdict')
    assert it.shown(FIGURES, lambda name, value: f"{name}={value}") == (
        '"two words".score is score=1.0, tuned.score is score=0.55, base.verdict is not known'
    )


@given(st.text(max_size=60))
def test_no_text_does_anything_but_that(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        parse_expression(text).met(FIGURES)
