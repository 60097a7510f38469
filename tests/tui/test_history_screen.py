"""The History on the screen: found, looked at, marked, compared, tagged, removed, reopened."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from llamadiff.compare.conversation import reply_to
from llamadiff.compare.run import Run, State
from llamadiff.tui.screens.compare import Compare
from llamadiff.tui.screens.confirm import Confirm
from llamadiff.tui.screens.history import History
from llamadiff.tui.widgets.output_text import OutputText
from llamadiff.tui.widgets.run_table import RunTable

from ..compare.history.runs import PROMPT, answered, keep, made
from ..compare.history.runs import opened as opened_history
from ..conftest import until
from .app import StillApp, playground, screen_text, told


@asynccontextmanager
async def shown(
    home: Path, runs: Sequence[Run], size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Pilot[None]]:
    """The History over a still playground, with these runs recorded."""
    with opened_history(home / "state") as history:
        keep(history, *runs)
    async with StillApp(home).run_test(size=size) as pilot:
        await pilot.press("f9")
        await until(lambda: isinstance(pilot.app.screen, History))
        if runs:
            await until(lambda: table(pilot).runs)
            await until(lambda: details(pilot))
        yield pilot


def table(pilot: Pilot[None]) -> RunTable:
    return pilot.app.screen.query_one(RunTable)


def details(pilot: Pilot[None]) -> str:
    return pilot.app.screen.query_one(OutputText).text


def compared(pilot: Pilot[None]) -> str:
    return pilot.app.screen.query_one("#compare-other", OutputText).text


async def typed(pilot: Pilot[None], text: str) -> None:
    pilot.app.screen.query_one(Input).value = text


async def test_what_was_replied_is_told(tmp_path: Path) -> None:
    first = made("Dogs bark.")
    second = reply_to(first, "Why?\x1b[2J")
    second.outputs[0].text, second.outputs[0].state = "They are dogs.", State.DONE
    async with shown(tmp_path, [first, second]) as pilot:
        await until(lambda: "you ▸ Why?␛[2J\n\nThey are dogs." in details(pilot))


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_newest_run_is_on_top_and_its_outputs_are_beside(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    runs = [made("an old answer"), made("wolves howl", "cats purr", values={"topic": "cats"})]
    async with shown(tmp_path, runs, size) as pilot:
        assert [run.id for run in table(pilot).runs] == [runs[1].id, runs[0].id]
        text = screen_text(pilot)
        assert "Tell me about" in text and "wolves howl" in text and "topic = cats" in text
        await pilot.press("down", "up", "right")
        await until(lambda: "cats purr" in details(pilot))
        assert "tone = dry" in details(pilot) and "3f9a" in details(pilot)
        await pilot.press("down")
        await until(lambda: "an old answer" in details(pilot))


async def test_typing_finds_and_the_words_are_in_view(tmp_path: Path) -> None:
    long = "\n".join(f"line {number}" for number in range(200)) + "\nthe needle is here"
    runs = [made("something else"), made("short", long), made("tagged")]
    async with shown(tmp_path, runs) as pilot:
        assert table(pilot).has_focus and "/ search" in screen_text(pilot)
        await pilot.press("slash", *"needle")
        await until(lambda: len(table(pilot).runs) == 1)
        await until(lambda: "the needle is here" in screen_text(pilot))
        await pilot.press("escape")
        await until(lambda: len(table(pilot).runs) == 3)
        assert table(pilot).has_focus
        await pilot.press("slash", "escape")
        assert table(pilot).has_focus and isinstance(pilot.app.screen, History)
        await typed(pilot, "nowhere")
        await until(lambda: "Nothing is found" in screen_text(pilot))
        await typed(pilot, "since:soon")
        await until(lambda: "'soon' is neither" in screen_text(pilot))
        await until(lambda: len(table(pilot).runs) == 3)


async def test_pages_follow_one_another_to_the_end(tmp_path: Path) -> None:
    runs = [made(f"answer {number}") for number in range(150)]
    async with shown(tmp_path, runs) as pilot:
        assert len(table(pilot).runs) < 150 and table(pilot).more
        await pilot.press("down")
        for _ in range(5):
            await pilot.press("end")
            await until(lambda: len(table(pilot).runs) in (120, 150) or not table(pilot).more)
        await until(lambda: len(table(pilot).runs) == 150)
        await pilot.press("end")
        await until(lambda: "answer 0" in details(pilot))
        assert [run.id for run in table(pilot).runs] == [run.id for run in reversed(runs)]


async def test_a_marked_output_is_compared_with_any_other(tmp_path: Path) -> None:
    runs = [made("dogs bark", "cats purr"), made("dogs bark loudly", "cats hiss")]
    async with shown(tmp_path, runs) as pilot:
        await pilot.press("down", "space")
        await until(lambda: "◂" in screen_text(pilot))
        await pilot.press("up", "d")
        await until(lambda: isinstance(pilot.app.screen, Compare))
        await until(lambda: "bark loudly" in compared(pilot))
        assert "+1 −0 words" in screen_text(pilot)
        await pilot.press("right")
        await until(lambda: "purr" in compared(pilot) and "hiss" in compared(pilot))
        await pilot.press("d")
        await until(lambda: "purr" not in compared(pilot))
        first = pilot.app.screen.query_one("#compare-first", OutputText)
        assert "purr" in first.text and first.display
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, History))


async def test_without_a_mark_the_outputs_of_a_run_are_compared(tmp_path: Path) -> None:
    async with shown(tmp_path, [made("alone"), made("dogs bark", "cats purr")]) as pilot:
        await pilot.press("d")
        await until(lambda: isinstance(pilot.app.screen, Compare))
        await until(lambda: "dogs" in compared(pilot) and "cats" in compared(pilot))
        await pilot.press("escape", "down")
        await until(lambda: "alone" in details(pilot))
        await pilot.press("d")
        await until(lambda: "Space marks an output" in told(pilot))


async def test_reasoning_is_left_out_of_what_is_compared(tmp_path: Path) -> None:
    run = made("<think> dogs bark </think> yes", "<think> cats purr a lot </think> no")
    async with shown(tmp_path, [run]) as pilot:
        await until(lambda: "dogs" in details(pilot))
        await pilot.press("down", "up", "d")
        await until(lambda: isinstance(pilot.app.screen, Compare))
        await until(lambda: "answers alone" in screen_text(pilot))
        assert "+1 −1 words · parts at token 5" in screen_text(pilot)
        assert "purr" not in compared(pilot) and "no" in compared(pilot)
        await pilot.press("d")
        first = pilot.app.screen.query_one("#compare-first", OutputText)
        await until(lambda: first.display and first.text.strip() == "yes")


async def test_tags_and_notes(tmp_path: Path) -> None:
    runs = [made("first"), made("second")]
    async with shown(tmp_path, runs) as pilot:
        await pilot.press("ctrl+g", *"good", "space", *"#keep", "enter")
        await until(lambda: "#good #keep" in screen_text(pilot))
        await pilot.press("ctrl+n", *"why", "enter")
        await until(lambda: "✎" in screen_text(pilot))
        await until(lambda: "why" in details(pilot))
        await typed(pilot, "tag:good")
        await until(lambda: len(table(pilot).runs) == 1)
        await pilot.press("ctrl+g", *["backspace"] * 6, "enter")
        await until(lambda: "#keep" not in screen_text(pilot))
    with opened_history(tmp_path / "state") as history:
        recorded = history.recorded(runs[1].id)
        assert (recorded.tags, recorded.note) == (("good",), "why")


async def test_removing_asks_once_and_overwrites(tmp_path: Path) -> None:
    runs = [made("kept"), made("xylophone")]
    async with shown(tmp_path, runs) as pilot:
        await pilot.press("down", "up", "delete")
        await until(lambda: isinstance(pilot.app.screen, Confirm))
        assert "overwritten" in screen_text(pilot)
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, History))
        assert len(table(pilot).runs) == 2
        await pilot.press("delete", "enter")
        await until(lambda: len(table(pilot).runs) == 1)
        await until(lambda: "kept" in details(pilot))
    assert b"xylophone" not in (tmp_path / "state" / "history.db").read_bytes()
    with sqlite3.connect(tmp_path / "state" / "history.db") as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)


async def test_what_replies_to_a_run_is_counted_and_removed_with_it(tmp_path: Path) -> None:
    first, other = made("xylophone"), made("kept")
    second = answered(first, "Why?", "because")
    cached = tmp_path / "cache" / "prompts" / "x.kv"
    cached.parent.mkdir(parents=True)
    cached.touch()
    async with shown(tmp_path, [first, second, answered(second, "So?", "yes"), other]) as pilot:
        await pilot.press("down", "down", "down")
        await until(lambda: "xylophone" in details(pilot))
        await pilot.press("delete")
        await until(lambda: isinstance(pilot.app.screen, Confirm))
        assert "2 runs go on from it and go with it" in screen_text(pilot)
        await pilot.press("enter")
        await until(lambda: [run.id for run in table(pilot).runs] == [other.id])
        await until(lambda: not cached.exists())
        await until(lambda: "kept" in details(pilot))
    assert b"xylophone" not in (tmp_path / "state" / "history.db").read_bytes()


async def test_a_line_says_what_was_asked_and_how_it_went(tmp_path: Path) -> None:
    first = made("The same words", "x", values={"topic": "whales"})
    stopped, failed = made("The same words", values={"topic": "wolves"}), made("")
    repeats = made("The same words")
    for number in (1, 2):
        again = replace(repeats.outputs[0], repeat=number)
        repeats.outputs.append(again)
    stopped.outputs[0].state = State.CANCELLED
    failed.outputs[0].state, failed.outputs[0].error = State.FAILED, "The engine died."
    unseen = made("The same words", prompt=replace(PROMPT, user="z" * 50), values={"topic": "elks"})
    async with shown(tmp_path, [first, answered(first, "And ?\x1b", "Yes"), stopped, failed, repeats, unseen], (140, 40)) as pilot:  # fmt: skip
        lines = screen_text(pilot).splitlines()

        def line(*parts: str) -> str:
            (found,) = [it for it in lines if all(part in it for part in parts)]
            return found

        assert "↳" not in line("Tell whales → The same")
        line("↳ And ?␛ → Yes")
        line("stopped · Tell wolves → The same")
        line("failed · Tell dogs → The engine died.")
        line("3 each · Tell dogs → The same")
        line("elks · zzz")
        await typed(pilot, "wolves")
        await until(lambda: len(table(pilot).runs) == 1)
        assert "Tell wolves →" not in screen_text(pilot), "where words were found they are shown"


async def test_tabs_of_many_outputs_are_gone_through(tmp_path: Path) -> None:
    run = made("first", "second")
    for number in range(1, 30):
        for output in run.outputs[:2]:
            it = replace(output, repeat=number, text=f"{output.variant.name} number {number + 1}")
            run.outputs.append(it)
    run.outputs.sort(key=lambda it: it.variant.name)
    sweep = made(*[f"text {i}" for i in range(9)])
    sweep.variants = tuple(replace(it, label=f"temperature {i / 4:g}") for i, it in enumerate(sweep.variants))  # fmt: skip
    for variant, output in zip(sweep.variants, sweep.outputs, strict=True):
        output.variant = variant
    for size in ((120, 40), (80, 24)):
        async with shown(tmp_path, [] if size[0] < 100 else [sweep, run], size) as pilot:
            await until(lambda: details(pilot))
            await pilot.press("down", "up")
            assert "A.1 Tell me" in screen_text(pilot) and "A.2" in screen_text(pilot)
            await pilot.press(*["right"] * 29)
            await until(lambda: "A number 30" in details(pilot))
            assert "A.30" in screen_text(pilot) and "B.1 " in screen_text(pilot)
            await pilot.press("right", "right")
            await until(lambda: "B number 2" in details(pilot))
            assert "B.2" in screen_text(pilot) and "‹" in screen_text(pilot)
            await pilot.press("down")
            await until(lambda: "text " in details(pilot))
            assert all(it in screen_text(pilot) for it in ("B 0.25", "C 0.5", "D 0.75"))
            assert size[0] < 100 or "temperature 0…2 · Tell" in screen_text(pilot)


async def test_hostile_text_stays_text(tmp_path: Path) -> None:
    evil = "\x1b[2J\u202eabc \U0001f468\u200d\U0001f469\u200d\U0001f467 日本語 e\u0301\x07"
    run = made(evil, evil + "x", values={"topic": "\x1b]0;title\x07"})
    async with shown(tmp_path, [run]) as pilot:
        with opened_history(tmp_path / "state") as history:
            history.tag(run.id, ["\x1b[31mred"])
        await pilot.press("down", "d")
        await until(lambda: isinstance(pilot.app.screen, Compare))
        for screen in (Compare, History):
            await until(lambda screen=screen: isinstance(pilot.app.screen, screen))
            assert not set("\x1b\x07\u202e") & set(screen_text(pilot))
            await pilot.press("escape")


async def test_help_says_which_keys_are_for_the_list(tmp_path: Path) -> None:
    async with shown(tmp_path, [made("one")]) as pilot:
        await pilot.press("f1")
        await until(lambda: "Mark this output" in screen_text(pilot))
        assert "In the list (↓)" not in screen_text(pilot)
        await pilot.press("f1", "slash", "f1")
        await until(lambda: "In the list (↓)" in screen_text(pilot))
        assert "editor" not in screen_text(pilot)


async def test_an_empty_history_and_none_at_all(tmp_path: Path) -> None:
    async with shown(tmp_path, []) as pilot:
        await until(lambda: "No run yet." in screen_text(pilot))
        await pilot.press("enter", "down", "d", "space", "delete", "ctrl+g", "escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        playground(pilot).session.__dict__["history"] = None
        await pilot.press("f9")
        await until(lambda: "no history" in told(pilot))


@pytest.mark.parametrize(("size", "room"), [((120, 40), 34), ((80, 24), 44)])
async def test_models_have_a_column_where_they_tell_runs_apart(
    tmp_path: Path, size: tuple[int, int], room: int
) -> None:
    said = "a mountain is a very big hill that almost touches the clouds above it"
    runs = [made(said) for _ in range(3)]
    prompt = replace(PROMPT, name="A prompt with quite a long name")
    async with shown(tmp_path, [*runs, made(said, said, prompt=prompt)], size) as pilot:
        rows = [row for row in screen_text(pilot).splitlines() if "Tell dogs → a mountain" in row]
        assert len(rows) == 4 and not any("demo-7m" in row for row in rows)
        for row in rows:
            told = row.partition("Tell dogs")[2].partition("…")[0]
            assert len("Tell dogs" + told) >= room, row
    other = made(said)
    other.variants = (replace(other.variants[0], model_name="llama-3.2"),)
    other.outputs[0].variant = other.variants[0]
    async with shown(tmp_path, [other], (140, 40)) as pilot:
        text = screen_text(pilot)
        assert text.count("  demo-7m  ") == 4 and "  llama-3.2  Tell" in text
