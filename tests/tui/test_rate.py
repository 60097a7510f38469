"""Blind rating on the screen: keys, nothing that tells, nothing that is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.history.history import History
from llamadiff.compare.history.ratings import Rated
from llamadiff.tui.config.reading import Configured
from llamadiff.tui.rating_app import RatingApp
from llamadiff.tui.screens import history as history_screen
from llamadiff.tui.screens import rate as rate_module
from llamadiff.tui.screens.ask import Ask
from llamadiff.tui.screens.confirm import Confirm
from llamadiff.tui.screens.help import HelpScreen
from llamadiff.tui.screens.rate import Rate
from llamadiff.tui.screens.rate_text import RateText
from llamadiff.tui.widgets.answer_text import AnswerText
from llamadiff.tui.widgets.run_table import RunTable

from ..compare.history.runs import keep, made, opened
from ..compare.rating.evaluations import SECRETS, texts, three
from ..conftest import until
from .app import StillApp, screen_text, told

MESSAGE = "We would take the"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs may be answered as soon as they are shown."""
    monkeypatch.setattr(rate_module, "UNREAD_S", 0.0)


@asynccontextmanager
async def shown(
    folder: Path,
    said: Callable[[int, str], str | None] = texts,
    *,
    rows: int = 12,
    size: tuple[int, int] = (120, 40),
) -> AsyncIterator[tuple[Pilot[None], History, Rated]]:
    """The rating of an evaluation of three variants, with its first pair on the screen."""
    with opened(folder / "state") as history:
        what = three(folder, history, rows, said)
        async with RatingApp(history, what, "anna", Configured()).run_test(size=size) as pilot:
            await until(lambda: isinstance(pilot.app.screen, Rate))
            await until(lambda: "anna" in screen_text(pilot) and rate(pilot)._rating is not None)
            await pilot.pause()
            yield pilot, history, what


def rate(pilot: Pilot[None]) -> Rate:
    return next(it for it in pilot.app.screen_stack if isinstance(it, Rate))


def answers(pilot: Pilot[None]) -> list[str]:
    return [pane.text for pane in rate(pilot).query(AnswerText)]


async def until_told(pilot: Pilot[None], text: str) -> None:
    await until(lambda: text in screen_text(pilot))


async def test_keys_say_what_is_better_and_all_is_kept(tmp_path: Path) -> None:
    async with shown(tmp_path) as (pilot, history, what):
        await until_told(pilot, "1 of 36")
        words = [set(text.split()) for text in answers(pilot)]
        assert words[0] != words[1] and words[0] | words[1] <= set(screen_text(pilot).split())
        for number, key in enumerate("12tbs", 2):
            await pilot.press(key)
            await until_told(pilot, f"{number} of 36")
        await until_told(pilot, "less than a minute left")
        kept = history.ratings.all(what)
        assert [it.answer for it in kept] == ["first", "second", "tie", "both bad", "skip"]
        await pilot.press("u")
        await until_told(pilot, "5 of 36")
        await pilot.press("n")
        await until(lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press(*"hm", "enter")
        await until_told(pilot, "note: hm")
        await pilot.press("e")
        await until(lambda: isinstance(pilot.app.screen, RateText))
        await pilot.press("tab", *"!", "ctrl+s")
        await until_told(pilot, "should have said: " + MESSAGE)
        last = history.ratings.all(what)[-1]
        assert (last.note, last.answer) == ("hm", None) and last.edited.endswith("them.!")
        await pilot.press("e")
        await until(lambda: isinstance(pilot.app.screen, RateText))
        await pilot.press(*"?", "escape")  # keeps what was typed
        await until(lambda: history.ratings.all(what)[-1].edited != last.edited)
        assert "?" in history.ratings.all(what)[-1].edited
        await pilot.press("1", "2", "1")  # quicker than the screen
        await until_told(pilot, "8 of 36")
        kept = history.ratings.all(what)
        assert [it.answer for it in kept[-3:]] == ["first", "second", "first"]
        assert kept[-3].note == "hm"


async def test_the_end_thanks_and_says_the_result(tmp_path: Path) -> None:
    async with shown(tmp_path, rows=2) as (pilot, _, what):
        for number in range(6):
            await until_told(pilot, f"{number + 1} of 6")
            assert not any(secret in screen_text(pilot).lower() for secret in SECRETS)
            await pilot.press("1" if "plums" in answers(pilot)[0] else "2")
        await until_told(pilot, "Thank you, anna. 6 of 6 pairs are rated.")
        for told in ("quokka", "zebra", what.key):
            await until(lambda it=told: it in screen_text(pilot))
        await pilot.press("u")
        await until(lambda: "quokka" not in screen_text(pilot))
        await pilot.press("escape")
        await until(lambda: pilot.app._exit)


async def test_the_result_before_the_end_is_asked_for_twice(tmp_path: Path) -> None:
    async with shown(tmp_path) as (pilot, _, _):
        await pilot.press("1", "r")
        await until(lambda: isinstance(pilot.app.screen, Confirm))
        assert "sway" in screen_text(pilot)
        await pilot.press("escape")
        await until_told(pilot, "2 of 36")
        await pilot.press("r")
        await until(lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("r")
        await until_told(pilot, "1 of 36 pairs are rated so far")
        await pilot.press("1")  # nothing is shown to be rated
        await pilot.press("m")
        await until_told(pilot, "2 of 36")


async def test_goals_end_at_whole_rounds_and_m_goes_on(tmp_path: Path) -> None:
    def same_but_for(row: int, variant: str) -> str:
        return texts(row if row < 40 else 0, variant if row < 40 else "A")

    async with shown(tmp_path, same_but_for, rows=60) as (pilot, history, what):
        rating = rate(pilot)._rating
        assert rating is not None and rating.goal == rating.pairs == 120
        rating.goal = 1
        await pilot.press("1")
        await until_told(pilot, "1 of the 1 pairs asked for, out of 120, are rated")
        await until_told(pilot, "119 pairs are left; m goes on")
        await pilot.press("m")
        await until_told(pilot, "2 of 120")
        assert len(history.ratings.all(what)) == 1


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_blind_rating_leaks_no_identity(tmp_path: Path, size: tuple[int, int]) -> None:
    """Neither what is on the screen, nor its picture, nor what widgets are called, tells whose
    answers these are; dialogs and help included."""
    async with shown(tmp_path, size=size) as (pilot, _, what):
        words = [*SECRETS, what.key, "baseline", "variant a", "variant b", "support", "plain"]
        seen: list[str] = []

        def look() -> None:
            names = " ".join(
                f"{it.id} {it.name} {it.classes} {it.tooltip}"
                for it in pilot.app.screen.walk_children()
            )
            for text in (screen_text(pilot), pilot.app.export_screenshot(), names):
                assert not [word for word in words if word in text.lower()]
            seen.append(screen_text(pilot))

        for number in range(2, 8):
            look()
            await pilot.press("2")
            await until_told(pilot, f"{number} of 36")
        await pilot.press("d")
        await until(lambda: any(pane._marks for pane in rate(pilot).query(AnswerText)))
        look()
        for key, screen in (
            ("n", Ask),
            ("e", RateText),
            ("r", Confirm),
            ("f1", HelpScreen),
            ("w", Ask),
        ):
            await pilot.press(key)
            await until(lambda screen=screen: isinstance(pilot.app.screen, screen))
            look()
            await pilot.press("escape")
            await until(lambda: isinstance(pilot.app.screen, Rate))
        assert len(set(seen)) == len(seen) and MESSAGE in seen[0]


async def test_a_run_of_the_history_is_rated_without_its_names(tmp_path: Path) -> None:
    runs = made("Dogs bark.", "Dogs sleep.", "Dogs eat.", values={"topic": "dogs"}), made("alone")
    with opened(tmp_path / "state") as history:
        keep(history, *reversed(runs))
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await pilot.press("f9")
        await until(lambda: isinstance(pilot.app.screen, history_screen.History))
        await until(lambda: pilot.app.screen.query_one(RunTable).runs)
        await pilot.press("down", "up", "r")
        await until(lambda: isinstance(pilot.app.screen, Rate))
        await until_told(pilot, "Tell dogs")
        text = screen_text(pilot)
        assert "1 of 3" in text and "Dogs" in text
        assert not [it for it in ("xx", "0.8", "support", "demo-7m", runs[0].id) if it in text]
        await pilot.press("1")
        await until_told(pilot, "2 of 3")
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, history_screen.History))
        await pilot.press("end", "r")
        await until(lambda: "has one variant alone" in told(pilot))
        assert isinstance(pilot.app.screen, history_screen.History)


async def test_both_scroll_together_and_the_next_pair_begins_on_top(tmp_path: Path) -> None:
    def long(row: int, variant: str) -> str:
        return "\n".join(
            f"{texts(row, variant)} {line}" for line in range(90 if variant == "A" else 60)
        )

    async with shown(tmp_path, long, size=(80, 24)) as (pilot, _, _):
        one, other = rate(pilot).query(AnswerText)
        await until(lambda: one.max_scroll_y and other.max_scroll_y)
        await pilot.press("down", "space")
        await until(lambda: one.scroll_offset.y == other.scroll_offset.y > 1)
        one.scroll_to(y=30, animate=False)  # as the wheel does
        await until(lambda: other.scroll_offset.y == 30)
        for _ in range(20):
            await pilot.press("pagedown")
        await until(lambda: one.scroll_offset.y == one.max_scroll_y)
        await until(lambda: other.scroll_offset.y == other.max_scroll_y)
        await pilot.press("up")
        await until(lambda: one.scroll_offset.y < max(one.max_scroll_y, other.max_scroll_y))
        await pilot.press("1")
        await until_told(pilot, "2 of 36")
        await until(lambda: one.scroll_offset.y == other.scroll_offset.y == 0)


async def test_marks_stay_where_one_reads_and_are_made_behind_the_loop(tmp_path: Path) -> None:
    def long(row: int, variant: str) -> str:
        return "\n".join(f"{texts(row, variant)} {line}" for line in range(90))

    async with shown(tmp_path, long) as (pilot, _, _):
        one, other = panes = list(rate(pilot).query(AnswerText))
        await until(lambda: one.max_scroll_y and other.max_scroll_y)
        await pilot.press("space")
        await until(lambda: one.scroll_offset.y == other.scroll_offset.y > 1)
        at, broken = one.scroll_offset.y, [pane.lines_broken for pane in panes]
        for marked in (True, False, True):
            await pilot.press("d")
            await until(lambda marked=marked: all(bool(pane._marks) == marked for pane in panes))
            words = {
                pane.text[it.start : it.end] for pane in panes for it in pane._marks if it.kind
            }
            assert len(words & {"pears", "plums", "grapes"}) == (2 if marked else 0)
            await pilot.pause()
            assert one.scroll_offset.y == other.scroll_offset.y == at
        await pilot.press("1")
        await until_told(pilot, "2 of 36")
        await until(lambda: one.scroll_offset.y == other.scroll_offset.y == 0)
        assert all(pane.lines_broken < was + 5 for pane, was in zip(panes, broken, strict=True))


async def test_a_short_answer_leaves_nothing_of_a_long_one(tmp_path: Path) -> None:
    def said(row: int, variant: str) -> str:
        return texts(row, variant) + "\nrest of it" * (3 if row % 2 else 0)

    async with shown(tmp_path, said) as (pilot, _, _):
        for number in range(2, 20):
            await pilot.press("1")
            await until_told(pilot, f"{number} of 36")
            await pilot.pause()
            assert ("rest of it" in screen_text(pilot)) == ("rest of it" in "".join(answers(pilot)))


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_long_question_is_folded_and_hostile_text_breaks_nothing(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    def hostile(row: int, variant: str) -> str:
        return (
            f"\x1b[31mred\x07 {variant.lower()} \u202eback\u2066 表表表 👩\u200d👩 e\u0301 [b]no[/b] {row}\n"
            * 3
        )

    folder = tmp_path / "it"
    folder.mkdir()
    async with shown(folder, hostile, size=size) as (pilot, _, _):
        text = screen_text(pilot)
        assert (
            "\x1b" not in text
            and "\u202e" not in text
            and "[b]no[/b]" in text
            and "␛[31mred" in text
        )
        screen = rate(pilot)
        assert screen._shown is not None
        question = screen.query_one("#rate-question")
        assert question.size.height <= 2 and not screen.has_class("-long")
        question.clear()  # type: ignore[attr-defined]
        question.show("\n".join(f"word {n} \x1b[2J" for n in range(50)))  # type: ignore[attr-defined]
        screen._fit()
        await until_told(pilot, "z shows all 50 lines")
        assert question.size.height == 3 and "word 3" not in screen_text(pilot)
        await pilot.press("z")
        await until_told(pilot, "z folds it again")
        await until(lambda: question.size.height == max(3, size[1] // 3))
        assert all(pane.size.height >= 3 for pane in screen.query(AnswerText))


async def test_another_name_rates_for_itself(tmp_path: Path) -> None:
    async with shown(tmp_path) as (pilot, history, what):
        await pilot.press("1")
        await until_told(pilot, "2 of 36")
        await pilot.press("w")
        await until(lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press(*"ben", "enter")
        await until_told(pilot, "1 of 36")
        assert "ben" in screen_text(pilot)
        await pilot.press("2")
        await until_told(pilot, "2 of 36")
        assert [it.rater for it in history.ratings.all(what)] == ["anna", "ben"]


async def test_a_key_pressed_before_anything_could_be_read_is_for_the_pair_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shown(tmp_path) as (pilot, history, what):
        monkeypatch.setattr(rate_module, "UNREAD_S", 600.0)
        rate(pilot)._since -= 601
        await pilot.press("1", "1", "1")
        await until_told(pilot, "2 of 36")
        assert len(history.ratings.all(what)) == 1


async def test_where_nothing_can_be_written_the_pair_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llamadiff.compare.errors import CompareError

    def fail(*_: object) -> None:
        raise CompareError("The history cannot be written: the disk is full.")

    async with shown(tmp_path) as (pilot, history, what):
        before = answers(pilot)
        with monkeypatch.context() as broken:
            broken.setattr(history.ratings, "put", fail)
            await pilot.press("1")
            await until(lambda: "the disk is full" in told(pilot))
        assert answers(pilot) == before and not history.ratings.all(what)
        await pilot.press("1")
        await until_told(pilot, "2 of 36")


# --------------------------------------------------------------- kill -9

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from llamadiff.compare.history.history import History
from llamadiff.compare.history.ratings import Rated
from llamadiff.tui.config.reading import Configured
from llamadiff.tui.rating_app import RatingApp
from llamadiff.tui.screens import rate

rate.UNREAD_S = 0.0

async def main():
    history = History(Path(sys.argv[1]), "1", print)
    async with RatingApp(history, Rated("evaluation", sys.argv[2]), "anna", Configured()).run_test() as pilot:
        for number in range(1, int(sys.argv[3]) + 2):
            while f"{number} of 36" not in str(getattr(pilot.app.screen, "query_one")("#rate-title").parts[1]):
                await asyncio.sleep(0.001)
            if number > int(sys.argv[3]):
                os.kill(os.getpid(), signal.SIGKILL)
            await pilot.press("1")

asyncio.run(main())
"""


def test_killed_as_soon_as_the_next_pair_is_there_nothing_is_lost(tmp_path: Path) -> None:
    with opened(tmp_path / "state") as history:
        what = three(tmp_path, history)
    done = 0
    for more in (1, 5):
        script = [sys.executable, "-c", KILLED, str(tmp_path / "state"), what.key, str(done + more)]
        if done:
            script[2] = KILLED.replace("range(1, ", f"range({done + 1}, ")
        process = subprocess.run(script, capture_output=True, text=True, timeout=100)
        assert process.returncode == -signal.SIGKILL, process.stderr
        done += more
        with opened(tmp_path / "state") as history:
            assert len(history.ratings.all(what)) == done
