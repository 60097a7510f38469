"""The noise floor against figures computed by hand."""

from pathlib import Path

import pytest

from llamadiff.compare.noise import (
    MOST,
    Contrast,
    Floor,
    Sample,
    Spread,
    contrast,
    contrast_document,
    deals,
    floor,
    floor_document,
    samples,
)
from llamadiff.compare.run import Output, State
from llamadiff.compare.variants import Variant
from llamadiff.prompts.document import Prompt

MODEL = Path("/models/demo.gguf")
A = Variant("A", MODEL, "demo", Prompt("p", user="x"))


def sample(text: str, seed: int, model: object = MODEL) -> Sample:
    return Sample(tuple(text.split()), [ord(word) for word in text.split()], model, seed)


def test_the_floor_is_every_deal_of_a_variants_outputs() -> None:
    them = [sample("a b c d", 0), sample("a b c e", 1), sample("a b f g", 2), sample("x y z q", 3)]
    found = floor(them)
    # words in common of 4 and 4: 0-1 3, 0-2 2, 1-2 2, and none with 3
    assert found.differ.values == pytest.approx((0.25, 0.5, 0.5, 1, 1, 1))
    assert found.parts == Spread((0, 0, 0, 2, 2, 3)) and found.outputs == 4
    # 01|23: (.5 + 1 + .5 + 1) / 4; 02|13 and 03|12: (.25 + 1 + .5 + 1) / 4, (.25 + .5 + 1 + 1) / 4
    assert found.dealt.values == pytest.approx((0.6875, 0.6875, 0.75))
    assert found.differ.mean == pytest.approx(4.25 / 6) and found.differ.median == 0.75


@pytest.mark.parametrize(
    ("count", "ways"), [(2, 1), (3, 3), (4, 3), (8, 35), (12, 462), (13, 1000)]
)
def test_every_way_to_deal_is_taken_once(count: int, ways: int) -> None:
    found = deals(count)
    assert len(found) == ways and found == deals(count)
    for hand, rest in found:
        assert sorted((*hand, *rest)) == list(range(count))
        assert len(hand) == count // 2
    if ways < 1000:
        assert len({frozenset((frozenset(hand), frozenset(rest))) for hand, rest in found}) == ways


def test_outputs_with_the_same_seed_are_not_compared() -> None:
    a = [sample("a b c d", 0), sample("a b c e", 1)]
    b = [sample("a b c d", 0), sample("a b f g", 1)]
    found = contrast(a, b, (floor(a), floor(b)))
    # 0 with 1: a b of 4 and 4; 1 with 0: a b c of 4 and 4
    assert found.differ.values == pytest.approx((0.25, 0.5)) and found.parts == Spread((2, 3))
    # one deal of a: 1/4, and one of b: 2/4
    assert found.noise.values == pytest.approx((0.25, 0.5))
    assert found.differ.mean == pytest.approx(0.375) and found.within


@pytest.mark.parametrize(("mean", "within"), [(0.3, True), (0.31, True), (0.32, False)])
def test_beyond_is_what_differs_more_than_any_two_hands_of_one_variant(
    mean: float, within: bool
) -> None:
    found = Contrast(Spread.of([mean - 0.2, mean + 0.2]), None, Spread.of([0.1, 0.31]))
    assert found.within is within
    assert contrast_document(found)["within_noise"] is within


def test_the_middle_leaves_a_twentieth_out_at_either_end() -> None:
    assert Spread.of([3, 1, 2]).middle == (1, 3)
    assert Spread.of(range(35)).middle == (1, 33)
    assert Spread.of(range(1000)).middle == (50, 949)


def test_a_variant_of_two_minds_is_told_from_another() -> None:
    """One deal of A of 35 differs in all words, but B does in every pair."""
    a = [sample("a b c d" if i % 2 else "e f g h", i) for i in range(8)]
    b = [sample("s t u v", i) for i in range(8)]
    assert not contrast(a, b, (floor(a), floor(b))).within
    again = [sample("a b c d" if i % 2 else "e f g h", i + 8) for i in range(8)]
    assert contrast(a, again, (floor(a), floor(again))).within


def test_equal_outputs_do_not_part_and_other_models_tokens_say_nothing() -> None:
    nothing = Spread((0.0,))
    assert floor([sample("a b", 0), sample("a b", 1)]) == Floor(2, nothing, None, nothing)
    one, two = sample("a b", 0), sample("a c", 1, Path("/models/other.gguf"))
    assert floor([one, two]).parts is None
    all_ = {"least": 1.0, "median": 1.0, "mean": 1.0, "most": 1.0}
    assert floor_document(floor([one, sample("", 1)])) == {
        "outputs": 2, "pairs": 1, "differ": all_, "noise": {"deals": 1, "low": 1.0, "high": 1.0},
        "parts": {"least": 0, "median": 0, "mean": 0, "most": 0},
    }  # fmt: skip


def test_only_finished_outputs_are_compared_and_not_too_many() -> None:
    outputs = [Output(A, i, i, State.DONE, f"{i}.") for i in range(MOST + 3)]
    outputs[1].state = State.CANCELLED
    assert [it.seed for it in samples(outputs)] == [0, *range(2, MOST + 1)]
    assert samples(outputs)[1].words == ("2", ".")
