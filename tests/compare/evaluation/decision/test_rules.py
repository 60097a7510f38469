"""The rules: every branch, and that a better score never costs a recommendation."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamadiff.compare.evaluation.decision.build import decision_of
from llamadiff.compare.evaluation.decision.rules import Pair, Relation, Ruling, relation, rule
from llamadiff.compare.evaluation.decision.sides import KINDS, Kind
from llamadiff.compare.statistics.figures import Difference, Interval
from llamadiff.compare.statistics.verdict import Verdict

from .made import evaluation

ENDS: Mapping[Relation, tuple[float, float]] = {
    "better": (0.02, 0.2), "enough": (-0.2, 0.04), "open": (-0.1, 0.1),
}  # fmt: skip
ORDER: Sequence[Relation] = ("enough", "open", "better")
"""What a costlier kind's improvement goes through."""


def pair(cheaper: Kind, costlier: Kind, said: Relation) -> Pair:
    low, high = ENDS[said]
    difference = Difference((low + high) / 2, Interval(low, high), 0.5, 3, 2, 5, 0, "made")
    return Pair(cheaper, costlier, Verdict("undecided", difference, 0.5, 0.05, 90))


def ruled(kinds: Sequence[Kind], said: Mapping[tuple[Kind, Kind], Relation]) -> Ruling:
    return rule(kinds, {key: pair(*key, it) for key, it in said.items()})


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.2, 0.05, "enough"), (0.01, 0.05, "enough"), (0.01, 0.06, "better"),
        (0.0, 0.06, "open"), (-0.2, 0.06, "open"), (-0.3, -0.1, "enough"),
    ],
)  # fmt: skip
def test_what_an_interval_says(low: float, high: float, said: Relation) -> None:
    assert relation(Interval(low, high), 0.05) == said


# By (plain, prompted), (plain, tuned), (plain, combined), (prompted, tuned), (prompted, combined),
# (tuned, combined).
@pytest.mark.parametrize(
    ("said", "outcome", "missing"),
    [
        ("eeeeee", "neither", 0), ("oeeeee", "undecided", 1), ("eeoeee", "undecided", 1),
        ("bbbeee", "prompt", 0), ("bbbeoe", "prompt", 1), ("bbboee", "undecided", 1),
        ("bbbooe", "undecided", 2), ("bbbbbe", "fine-tune", 0), ("bbbbbo", "fine-tune", 1),
        ("bbbbbb", "both", 0), ("bbbebe", "fine-tune", 0), ("bbbebb", "both", 0),
        ("ebbbbe", "fine-tune", 0), ("ebeeee", "prompt", 0),
    ],
)  # fmt: skip
def test_every_branch(said: str, outcome: str, missing: int) -> None:
    words: Mapping[str, Relation] = {"e": "enough", "o": "open", "b": "better"}
    keys = itertools.combinations(KINDS, 2)
    found = ruled(KINDS, {key: words[it] for key, it in zip(keys, said, strict=True)})
    assert (found.outcome, len(found.open)) == (outcome, missing)
    assert (found.pick is None) == (outcome == "undecided")


@pytest.mark.parametrize(
    ("kinds", "said", "outcome"),
    [
        (("plain", "prompted"), ("better",), "prompt"),
        (("plain", "tuned"), ("enough",), "neither"),
        (("plain", "tuned"), ("open",), "undecided"),
        (("plain", "prompted", "combined"), ("better", "better", "open"), "undecided"),
        (("plain", "combined"), ("better",), "undecided"),
        (("plain", "prompted", "combined"), ("better", "better", "better"), "undecided"),
        (("plain", "tuned", "combined"), ("better", "better", "better"), "undecided"),
        (("plain", "tuned", "combined"), ("better", "better", "enough"), "fine-tune"),
    ],
)
def test_kinds_that_there_are_not(
    kinds: Sequence[Kind], said: Sequence[Relation], outcome: str
) -> None:
    keys = itertools.combinations(kinds, 2)
    assert ruled(kinds, dict(zip(keys, said, strict=True))).outcome == outcome


def test_no_kind_loses_its_recommendation_by_doing_better() -> None:
    keys = list(itertools.combinations(KINDS, 2))
    count = 0
    for relations in itertools.product(get_args(Relation), repeat=len(keys)):
        said: dict[tuple[Kind, Kind], Relation] = dict(zip(keys, relations, strict=True))
        pick = ruled(KINDS, said).pick
        for key in keys if pick else ():
            if pick in key:
                place = ORDER.index(said[key]) + (1 if key[1] == pick else -1)
                if 0 <= place < len(ORDER):
                    count += 1
                    assert ruled(KINDS, {**said, key: ORDER[place]}).pick == pick, (said, key)
    assert count > 400


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_more_passes_never_cost_a_recommendation(data: st.DataObject) -> None:
    rows = data.draw(st.sampled_from([12, 40, 90]))
    scores: dict[str, list[float]] = {}
    for kind in KINDS:
        chance = data.draw(st.sampled_from([5, 50, 80, 95]))
        drawn = data.draw(st.lists(st.integers(0, 99), min_size=rows, max_size=rows))
        scores[kind] = [float(it < chance) for it in drawn]
    before = decision_of(*evaluation(scores))
    assert before is not None
    pick = before.ruling.pick
    if pick is None:
        return
    raised = data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    scores[pick] = [max(it, float(up)) for it, up in zip(scores[pick], raised, strict=True)]
    after = decision_of(*evaluation(scores))
    assert after is not None and after.ruling.pick == pick
