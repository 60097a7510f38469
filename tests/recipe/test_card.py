"""What the card says of the table follows from its intervals."""

from __future__ import annotations

from collections.abc import Sequence

from llamadiff.compare.statistics.figures import Estimate, Interval
from recipe.card import claims, made_to_end
from recipe.endings import Endings, says_twice
from recipe.measure import BOTH, ENGINEERED, PLAIN, Scores
from recipe.tasks import TASKS

NAMES = [task.name for task in TASKS]


def scored(mean: float) -> Estimate:
    return Estimate(mean, Interval(mean - 0.04, mean + 0.04), 200, "")


def table(
    suite: str,
    *,
    plain: float,
    engineered: float,
    own: float,
    other: float,
    worse: Sequence[str] = (),
) -> Scores:
    found = {PLAIN: plain, ENGINEERED: engineered, BOTH: own, **dict.fromkeys(NAMES, other)}
    if suite in NAMES:
        found[suite] = own
    return Scores(suite, {name: scored(it) for name, it in found.items()}, {}, {}, frozenset(worse))


def tables(**changed: Scores) -> list[Scores]:
    """Two tasks to tune, two to prompt, and general questions that every adapter is worse on."""
    found = {
        "sentiment": table("sentiment", plain=0.1, engineered=0.9, own=0.95, other=0.1),
        "support": table("support", plain=0.1, engineered=0.5, own=0.9, other=0.1),
        "intake": table("intake", plain=0.1, engineered=0.5, own=0.9, other=0.1),
        "french": table("french", plain=0.1, engineered=0.9, own=0.95, other=0.1),
        "general": table("general", plain=0.9, engineered=0, own=0, other=0.3, worse=NAMES),
    }
    return list((found | changed).values())


def not_shown(scores: list[Scores]) -> list[str]:
    return [said for said, holds in claims(scores) if not holds]


def test_all_is_shown() -> None:
    assert not not_shown(tables())
    (orders, _), (enough, _), *others = claims(tables())
    assert orders.endswith("support, intake") and enough.endswith("sentiment, french")
    assert [said for said, _ in others] == [
        f"the adapter {name} is worse than the base on general" for name in NAMES
    ]


def test_one_task_to_tune_is_too_few_and_intervals_that_touch_show_nothing() -> None:
    near = table("intake", plain=0.1, engineered=0.5, own=0.56, other=0.1)
    assert not_shown(tables(intake=near)) == [
        "the adapter is above the engineered prompt and that above the plain one on support"
    ]


def test_a_prompt_that_helps_nothing_is_not_enough() -> None:
    poor = {
        name: table(name, plain=0.1, engineered=0.1, own=0.12, other=0.1)
        for name in ("sentiment", "french")
    }
    assert not_shown(tables(**poor)) == [
        "the engineered prompt is as good as the adapter on nothing"
    ]


def test_an_adapter_that_loses_nothing_is_told() -> None:
    general = table("general", plain=0.9, engineered=0, own=0, other=0.3, worse=NAMES[:-1])
    (said,) = not_shown(tables(general=general))
    assert said == f"the adapter {NAMES[-1]} is worse than the base on nothing"


def test_answers_are_to_end_without_loops() -> None:
    found = made_to_end(Endings(asked=200, ended=190, looped=10))
    assert found == [
        ("190 of 200 answers to prompts of the library end by themselves", True),
        ("10 of 200 answers to prompts of the library say a sentence twice", True),
    ]
    assert not any(holds for _, holds in made_to_end(Endings(asked=200, ended=189, looped=11)))


def test_a_loop_is_a_sentence_or_line_that_comes_again() -> None:
    assert says_twice("Dogs bark. They run. Dogs bark.") and says_twice("- Milk\n- Bread\n- milk")
    assert not says_twice("Dogs bark. Dogs bark at night.") and not says_twice("")
