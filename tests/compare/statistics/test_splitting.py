"""Rows for choosing and rows for confirming."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.compare.statistics.splitting import best, split, take

KEYS = st.lists(st.text(max_size=5), max_size=50)


@given(KEYS, KEYS, st.integers())
def test_a_row_stays_on_its_side_whatever_is_added(
    keys: list[str], added: list[str], seed: int
) -> None:
    alone, together = split(keys, seed), split([*added, *keys], seed)
    moved = [index - len(added) for index in together.choosing if index >= len(added)]
    assert list(alone.choosing) == moved
    assert sorted(alone.choosing + alone.confirming) == list(range(len(keys)))
    chosen = {keys[index] for index in alone.choosing}
    assert not chosen & {keys[index] for index in alone.confirming}


def test_the_share_and_the_seed_decide() -> None:
    keys = [f"row {index}" for index in range(4000)]
    assert 1900 < len(split(keys).choosing) < 2100
    assert 900 < len(split(keys, share=0.25).choosing) < 1100
    assert split(keys, seed=1) != split(keys, seed=2)
    assert split(keys, seed=1) == split(keys, seed=1)
    assert split(keys, share=0.0).choosing == () == split(keys, share=1.0).confirming


def test_the_best_is_the_highest_mean_of_rows_and_the_first_of_equals() -> None:
    settings = [[[0.5], [0.5]], [[1.0], [0.25, 0.25]], [[], [0.7]], [[], []]]
    assert best(settings) == 2 and best(settings[:2]) == 1
    assert best([[[0.25], [0.75]], [[0.5], [0.5]]]) == 0
    assert best([take(each, (0,)) for each in settings[:2]]) == 1
    for nothing in ([], [[]], [[[]]]):
        with pytest.raises(ValueError, match="no setting"):
            best(nothing)
