"""What a person types to find runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.history.asking import asked, moment_of
from llamadiff.compare.history.entries import Wanted

from .runs import keep, made, opened


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("", Wanted()),
        ("cats and dogs", Wanted(text="cats and dogs")),
        ("cats ", Wanted(text="cats ")),
        ("model:llama cats", Wanted(text="cats", model="llama")),
        ("cats tag:good", Wanted(text="cats ", tag="good")),
        ("tag:", Wanted()),
        ('prompt:"tell me" label:x', Wanted(prompt="tell me", label="x")),
        ('prompt:"tell', Wanted(prompt="tell")),
        ('"a tag:x b"', Wanted(text='"a tag:x b"')),
        ("http://example", Wanted(text="http://example")),
        ("ADAPTER:support note:why", Wanted(adapter="support", note="why")),
    ],
)
def test_words_and_filters(typed: str, wanted: Wanted) -> None:
    found, problem = asked(typed)
    assert (found, problem) == (wanted, "")


def test_times_are_ages_or_dates() -> None:
    found, _ = asked("since:7d until:2026-01-31")
    assert found.since is not None and found.until is not None
    assert abs(datetime.now(UTC) - timedelta(days=7) - found.since) < timedelta(minutes=1)
    assert found.until == datetime(2026, 1, 31).astimezone(UTC)
    with pytest.raises(CompareError, match="90d"):
        moment_of("99999999999999d")


def test_a_filter_that_says_nothing_yet_is_left_out_and_told() -> None:
    found, problem = asked("cats since:soon")
    assert found == Wanted(text="cats ") and "'soon'" in problem
    found, problem = asked("tag:a tag:b")
    assert found.tag == "a" and "twice" in problem


def test_a_page_of_words_shows_them_and_notes_are_found(tmp_path: Path) -> None:
    with opened(tmp_path) as history:
        first, other = made("one " * 40 + "needle two"), made("nothing here")
        keep(history, first, other)
        history.annotate(other.id, "the 100 % one")
        (found,) = history.page(Wanted(text="needle"))
        assert found.id == first.id and "needle" in found.excerpt[:30]
        assert [run.id for run in history.page(asked('note:"100 %"')[0])] == [other.id]
        assert history.page(asked("note:1000")[0]) == []
