"""The noise floor against figures computed by hand."""

import random
from itertools import product
from pathlib import Path

import pytest

from llamadiff.compare.enough import LEAST
from llamadiff.compare.likeness import likeness
from llamadiff.compare.noise import (
    ALL_SWAPS,
    CHANCE,
    DRAWN_SWAPS,
    MOST,
    Contrast,
    Floor,
    Sample,
    Spread,
    Swaps,
    contrast,
    contrast_document,
    contrast_in_batches,
    floor,
    floor_document,
    samples,
    swapped,
)
from llamadiff.compare.run import Output, State
from llamadiff.compare.variants import Variant
from llamadiff.prompts.document import Prompt

MODEL = Path("/models/demo.gguf")
A = Variant("A", MODEL, "demo", Prompt("p", user="x"))


def sample(text: str, seed: int, model: object = MODEL) -> Sample:
    return Sample(tuple(text.split()), [sum(word.encode()) for word in text.split()], model, seed)


def contrasted(a: list[Sample], b: list[Sample]) -> Contrast:
    return contrast(a, b, (floor(a), floor(b)))


def energy(a: list[Sample], b: list[Sample]) -> float:
    """From its definition, with pairs of different places only."""
    n = len(a)

    def mean(one: list[Sample], two: list[Sample]) -> float:
        pairs = [(one[i], two[j]) for i in range(n) for j in range(n) if i != j]
        return sum(1 - likeness(x.words, y.words) for x, y in pairs) / len(pairs)

    return 2 * mean(a, b) - mean(a, a) - mean(b, b)


def drawn(rng: random.Random, words: str, seeds: range) -> list[Sample]:
    return [sample(" ".join(rng.choices(words, k=6)), seed) for seed in seeds]


def test_the_floor_is_every_pair_of_a_variants_outputs() -> None:
    them = [sample("a b c d", 0), sample("a b c e", 1), sample("a b f g", 2), sample("x y z q", 3)]
    found = floor(them)
    # words in common of 4 and 4: 0-1 3, 0-2 2, 1-2 2, and none with 3
    assert found.differ.values == pytest.approx((0.25, 0.5, 0.5, 1, 1, 1))
    assert found.parts == Spread((0, 0, 0, 2, 2, 3)) and found.outputs == 4
    assert found.differ.mean == pytest.approx(4.25 / 6) and found.differ.median == 0.75


def test_outputs_with_the_same_seed_are_not_compared() -> None:
    a = [sample("a b c d", 0), sample("a b c e", 1)]
    b = [sample("a b c d", 0), sample("a b f g", 1)]
    found = contrasted(a, b)
    # 0 with 1: a b of 4 and 4; 1 with 0: a b c of 4 and 4
    assert found.differ.values == pytest.approx((0.25, 0.5)) and found.parts == Spread((2, 3))
    assert found.own == pytest.approx((0.25, 0.5)) and found.within is None, "too few to tell"


@pytest.mark.parametrize("count", [2, 5, 6, 9])
def test_every_swap_is_tried_and_its_energy_is_the_definitions(count: int) -> None:
    rng = random.Random(count)
    a, b = drawn(rng, "abcd", range(count)), drawn(rng, "cdef", range(count))
    found = swapped(a, b)
    every = [
        energy(
            [b[i] if swap else a[i] for i, swap in enumerate(which)],
            [a[i] if swap else b[i] for i, swap in enumerate(which)],
        )
        for which in product((False, True), repeat=count)
    ]
    assert found.energy == pytest.approx(energy(a, b)) and found.tried == 2 ** (count - 1)
    assert found.as_far == sum(it >= found.energy - 1e-9 for it in every) / 2
    assert found.share == found.as_far / found.tried


def test_many_swaps_are_drawn_and_always_the_same() -> None:
    rng = random.Random(0)
    a, b = (drawn(rng, "abcd", range(ALL_SWAPS + 1)) for _ in "ab")
    found = swapped(a, b)
    assert found.tried == DRAWN_SWAPS and found == swapped(a, b) and 1 < found.as_far < DRAWN_SWAPS


def test_six_outputs_are_what_a_verdict_takes() -> None:
    assert 1 / 2 ** (LEAST - 1) <= CHANCE < 1 / 2 ** (LEAST - 2)
    a, b = ([sample("a b c d" if v == "a" else "s t u v", i) for i in range(8)] for v in "ab")
    assert contrasted(a[:6], b[:6]).within is False
    for few in (contrasted(a[:5], b), contrasted(a, b[:5])):
        assert few.within is None and contrast_document(few)["within_noise"] is None


def test_identical_outputs_are_never_beyond() -> None:
    a = [sample("a b c d", i) for i in range(8)]
    found = contrasted(a, [sample("a b c d", i) for i in range(8)])
    assert found.swaps == Swaps(0.0, 128, 128) and found.within is True
    rng = random.Random(0)
    a = drawn(rng, "abcdef", range(8))
    found = contrasted(a, a)
    assert found.swaps == Swaps(0.0, 128, 128) and found.within is True, "seed by seed the same"


def test_what_varies_much_is_told_from_what_varies_little() -> None:
    """A against itself differs as much as A and B do: B is yet another."""
    a = [sample(" ".join(f"{w}{i}" for w in "abcd"), i) for i in range(8)]
    b = [sample("s t u v", i) for i in range(8)]
    found = contrasted(a, b)
    assert found.own == (1, 0) and found.differ.mean == 1 and found.within is False
    again = [sample(" ".join(f"{w}{i}" for w in "wxyz"), i) for i in range(8)]
    assert contrasted(a, again).within is True


def test_outputs_of_other_seeds_change_places_in_order() -> None:
    a = [sample(f"a b c {i}", i) for i in range(6)]
    b = [sample(f"s t u {i}", i + 3) for i in range(6)]  # three share a seed with one of a
    found = contrasted(a, b)
    assert found.swaps is not None and found.swaps.tried == 32 and found.within is False
    assert contrasted(a, [*b, sample("a b c 9", 40)]).swaps == found.swaps, "one without another"


def test_a_variant_against_itself_is_rarely_beyond() -> None:
    rng = random.Random(1)
    judged = [
        contrasted(drawn(rng, "abcdefgh", range(8)), drawn(rng, "abcdefgh", range(8))).within
        for _ in range(200)
    ]
    assert judged.count(False) <= 20, "5 % of 200, and twice that for chance"


def test_greedy_variants_are_beyond_what_other_batches_change() -> None:
    a, b = ([sample(text, i) for i in range(2)] for text in ("a b c d", "a b c e"))
    still, moved = floor(a), floor([*a, sample("a b f g", 0)])
    found = contrast_in_batches(a, b, (still, still))
    assert found.within is False and found.swaps is None and found.differ.mean == 0.25
    assert contrast_in_batches(a, b, (still, moved)).within is True, "a batch changes half"
    assert contrast_in_batches(a, a, (still, still)).within is True


def test_equal_outputs_do_not_part_and_other_models_tokens_say_nothing() -> None:
    assert floor([sample("a b", 0), sample("a b", 1)]) == Floor(2, Spread((0.0,)), None)
    one, two = sample("a b", 0), sample("a c", 1, Path("/models/other.gguf"))
    assert floor([one, two]).parts is None
    all_ = {"least": 1.0, "median": 1.0, "mean": 1.0, "most": 1.0}
    assert floor_document(floor([one, sample("", 1)])) == {
        "outputs": 2, "pairs": 1, "differ": all_,
        "parts": {"least": 0, "median": 0, "mean": 0, "most": 0},
    }  # fmt: skip


def test_only_finished_outputs_are_compared_and_not_too_many() -> None:
    outputs = [Output(A, i, i, State.DONE, f"{i}.") for i in range(MOST + 3)]
    outputs[1].state = State.CANCELLED
    assert [it.seed for it in samples(outputs)] == [0, *range(2, MOST + 1)]
    assert samples(outputs)[1].words == ("2", ".")
