"""Streams wait for what the terminal has shown."""

import pytest

from llamadiff.tui import pace as module
from llamadiff.tui.pace import PATIENCE_S, SLOW_S, TRIES, UNSURE_S, Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    it = Clock()
    monkeypatch.setattr(module.time, "monotonic", it)
    return it


class Asked:
    """A terminal that is asked so often."""

    count = 0

    def __call__(self) -> bool:
        self.count += 1
        return True


def draw(pace: Pace) -> None:
    pace.drawn()
    pace.painted()


def test_streams_wait_for_the_answer_and_what_else_is_painted_asks_nothing(clock: Clock) -> None:
    asked = Asked()
    pace = Pace(asked)
    pace.painted()
    assert pace.ready and asked.count == 0
    draw(pace)
    pace.painted()
    assert not pace.ready and asked.count == 1
    clock.now += SLOW_S / 2
    pace.answered()
    assert pace.ready and not pace.slow


def test_a_slow_terminal_is_slow_until_it_is_quick_again(clock: Clock) -> None:
    pace = Pace(Asked())
    for seconds, slow in ((SLOW_S * 2, True), (SLOW_S / 2, False)):
        draw(pace)
        clock.now += seconds
        pace.answered()
        assert pace.slow is slow


def test_an_answer_that_is_lost_is_not_waited_for_for_ever(clock: Clock) -> None:
    asked = Asked()
    pace = Pace(asked)
    draw(pace)
    pace.answered()
    draw(pace)
    clock.now += PATIENCE_S - 1
    assert not pace.ready
    clock.now += 1
    assert pace.ready
    draw(pace)
    assert not pace.ready and asked.count == 3


def test_a_late_answer_is_not_taken_for_that_to_a_later_question(clock: Clock) -> None:
    pace = Pace(Asked())
    draw(pace)
    pace.answered()
    for _ in range(2):
        draw(pace)
        clock.now += PATIENCE_S
    draw(pace)
    for _ in range(2):
        pace.answered()
        assert not pace.ready and pace.slow
    pace.answered()
    assert pace.ready and not pace.slow


def test_a_lost_answer_is_missed_no_longer_than_until_the_next_pause(clock: Clock) -> None:
    pace = Pace(Asked())
    draw(pace)
    pace.answered()
    draw(pace)  # which is not answered
    for _ in range(2):
        clock.now += PATIENCE_S
        assert pace.ready
        draw(pace)
        clock.now += SLOW_S / 2
        pace.answered()
    assert pace.ready and not pace.slow


def test_what_was_asked_before_the_terminal_was_left_is_not_waited_for(clock: Clock) -> None:
    pace = Pace(Asked())
    draw(pace)
    pace.forget()
    assert pace.ready
    pace.answered()
    draw(pace)
    assert not pace.ready


def test_a_terminal_that_never_answers_is_not_asked_any_more(clock: Clock) -> None:
    asked = Asked()
    pace = Pace(asked)
    for _ in range(TRIES):
        draw(pace)
        assert not pace.ready
        clock.now += UNSURE_S
        assert pace.ready
    draw(pace)
    assert pace.ready and asked.count == TRIES
    pace.answered()  # after all
    draw(pace)
    assert not pace.ready


def test_without_a_terminal_nothing_waits() -> None:
    pace = Pace(lambda: False)
    draw(pace)
    assert pace.ready
