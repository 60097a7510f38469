"""Conversations in the app: replying to all or one, taking back, pinning, seeds, files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.conversation import turns_of
from llamadiff.compare.run import Output, State
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.transcript import as_text
from llamadiff.tui.screens.write_output import WriteOutput
from llamadiff.tui.widgets.output_pane import OutputPane
from llamadiff.tui.widgets.prompt_editor import PromptEditor
from llamadiff.tui.widgets.reply_box import ReplyBox

from ..compare.history.runs import opened as opened_history
from ..conftest import until
from .app import (
    ENDLESS,
    StillApp,
    opened,
    output,
    paste,
    playground,
    run_over,
    screen_text,
    status,
    three_variants,
    told,
)
from .test_layout import settle
from .test_outputs import give
from .tmux import HAS_TMUX, Tmux


def turns(pilot: Pilot[None], name: str) -> list[Output]:
    return turns_of(output(pilot, name))


def box(pilot: Pilot[None]) -> ReplyBox:
    return playground(pilot).query_one(ReplyBox)


async def reply(pilot: Pilot[None], text: str) -> None:
    """Say something and wait for the answers."""
    await pilot.press("r")
    await until(lambda: box(pilot).area.has_focus)
    box(pilot).area.text = text
    await run_over(pilot, "enter")


@pytest.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot[None]]:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as it:
        await settle(it)
        await it.press("escape")
        yield it


async def test_all_are_replied_to_and_each_turn_is_compared(tmp_path: Path) -> None:
    async with opened(tmp_path) as pilot:
        await pilot.press("escape", "r")
        assert "no answer yet to reply to" in told(pilot) and not box(pilot).display
        await run_over(pilot, "f5")
        firsts = {name: output(pilot, name) for name in "ABC"}
        await pilot.press("r")
        await until(lambda: "reply to all 3 ▸" in screen_text(pilot))
        await run_over(pilot, *"Cats?", "enter")
        assert not box(pilot).display and not box(pilot).area.text
        for name, first in firsts.items():
            assert turns(pilot, name)[0] is first
            given = output(pilot, name).stamp.prompt_text
            assert f"{first.text}<|end|><|user|>Cats?<|end|>" in given
        text = screen_text(pilot)
        assert text.count("you ▸ Cats?") >= 2 and text.count("turn 2") == 3
        pane = playground(pilot).board.pane("C")
        assert pane is not None
        shown = pane.text.text
        marked = [shown[m.start : m.end] for m in pane.text._marks if m.kind == "added"]
        one, two = (turn.text for turn in turns(pilot, "C"))
        assert shown == f"{one}\n\nyou ▸ Cats?\n\n{two}"
        assert marked[0].startswith(one[:10]) and any(two.endswith(it) for it in marked)

        # the last turn once more, as F5 does, and with another seed
        tokens = output(pilot, "A").tokens
        again = turns(pilot, "A")[0]
        await run_over(pilot, "f5")
        assert turns(pilot, "A")[0] is again and output(pilot, "A").tokens == tokens
        before = playground(pilot).playground.seed_shown
        await run_over(pilot, "S")
        assert playground(pilot).playground.seed_shown != before
        assert turns(pilot, "A")[0] is again and len(turns(pilot, "A")) == 2
        assert output(pilot, "A").seed == playground(pilot).playground.seed

        # one alone, and back again
        await pilot.press("2", "r", "tab")
        await until(lambda: "reply to B ▸" in screen_text(pilot))
        box(pilot).area.text = "Why?"
        await run_over(pilot, "enter")
        assert [len(turns(pilot, name)) for name in "ABC"] == [2, 3, 2]
        await pilot.press("Z")
        assert [len(turns(pilot, name)) for name in "ABC"] == [2, 2, 2]
        assert box(pilot).area.text == "Why?"
        await pilot.press("Z")
        assert [len(turns(pilot, name)) for name in "ABC"] == [1, 1, 1]
        await pilot.press("Z")
        assert "no turn to take back" in told(pilot)
        assert "you ▸" not in screen_text(pilot)

    with opened_history(tmp_path / "state") as history:
        recorded = [history.open(entry.id) for entry in history.page()]
        last = next(run for run in recorded if len(run.variants) == 1)
        assert [turn.reply for turn in turns_of(last.outputs[0])] == ["", "Cats?", "Why?"]


async def test_a_changed_prompt_starts_anew_and_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as pilot:
        await pilot.press("escape")
        await run_over(pilot, "f5")
        await reply(pilot, "Cats?")
        await pilot.press("3", "right_square_bracket")
        await until(lambda: "changed since this run · F5" in screen_text(pilot))
        await run_over(pilot, "f5")
        assert len(turns(pilot, "C")) == 2  # another scale is no other prompt
        await pilot.press("1", "e", "ctrl+end", *" Please.")
        await until(lambda: "prompt changed · F5 starts anew" in screen_text(pilot))
        await pilot.press("escape", "r")
        await until(lambda: "reply to B ▸" in screen_text(pilot))  # A and C share the prompt
        await pilot.press("escape")
        await run_over(pilot, "f5")
        assert [len(turns(pilot, name)) for name in "ABC"] == [1, 2, 1]
        assert "Please." in output(pilot, "A").stamp.prompt_text


async def test_live_mode_ends_no_conversation(tmp_path: Path) -> None:
    async with opened(tmp_path) as pilot:
        await pilot.press("escape")
        await run_over(pilot, "f5")
        await pilot.press("1", "r", "tab")
        await until(lambda: "reply to A ▸" in screen_text(pilot))
        box(pilot).area.text = "Cats?"
        await run_over(pilot, "enter")
        kept, shared = output(pilot, "A"), output(pilot, "C")
        await pilot.press("ctrl+l", "e", "ctrl+end", "!")  # A and C share the prompt
        await until(lambda: output(pilot, "C") is not shared and status(pilot) == "done")
        assert output(pilot, "A") is kept
        await until(lambda: "prompt changed · F5 starts anew" in screen_text(pilot))
        await pilot.press("escape", "3", "right_square_bracket")
        await until(lambda: output(pilot, "C").variant.adapters[0].scale != 1 and status(pilot) == "done")  # fmt: skip
        assert output(pilot, "A") is kept
        await run_over(pilot, "f5")
        assert len(turns(pilot, "A")) == 1


@pytest.mark.parametrize("together", [False, True])
async def test_a_reply_is_gone_to_and_followed_in_every_pane(
    tmp_path: Path, together: bool
) -> None:
    sampling = {**ENDLESS, "max_tokens": 420}
    variants = [replace(it, sampling=sampling) for it in make_variants(Defaults(prompt="tell-me-about"), ["label=a", "temperature=2", "adapter=support"])]  # fmt: skip
    async with opened(tmp_path, variants) as pilot:
        state = playground(pilot).playground
        state.diffing = replace(state.diffing, together=together)
        texts = [pane.text for pane in playground(pilot).query(OutputPane)]
        await pilot.press("escape")
        await run_over(pilot, "f5")
        for number in "123":
            await pilot.press(number, "end", "home")
        await until(lambda: texts[2].scroll_offset.y == 0)
        assert not any(text.following for text in texts)
        await pilot.press("r")
        await until(lambda: box(pilot).area.has_focus)
        box(pilot).area.text = "Why?"
        before = playground(pilot).session.last
        await pilot.press("enter")
        await until(lambda: playground(pilot).session.last is not before)
        seen: set[bool] = set()

        def streaming() -> bool:
            outputs = [state.outputs[name] for name in "ABC"]
            streams = [it.text and not it.state.over for it in outputs]
            seen.update(text.following for text, it in zip(texts, streams, strict=True) if it)
            return all(it.state.over for it in outputs)

        await until(streaming)
        await until(lambda: not playground(pilot).session.running)
        assert seen == {True}
        await until(lambda: screen_text(pilot).count("you ▸ Why?") == 3)


async def test_a_pinned_output_stays_while_the_others_run(tmp_path: Path) -> None:
    async with opened(tmp_path) as pilot:
        await pilot.press("escape", "P")
        assert "nothing to pin" in told(pilot)
        await run_over(pilot, "f5")
        kept = output(pilot, "A")
        await pilot.press("P")
        await until(lambda: "pinned · baseline" in screen_text(pilot))
        others = output(pilot, "B")
        await run_over(pilot, "S")
        assert output(pilot, "A") is kept and output(pilot, "B") is not others
        assert "pinned · baseline" in screen_text(pilot), "and not that F5 would run it"
        await reply(pilot, "Cats?")
        assert output(pilot, "A") is kept and len(turns(pilot, "B")) == 2
        await pilot.press("2", "P", "3", "P", "f5")
        await until(lambda: "All of these are pinned" in told(pilot))
        await pilot.press("1", "P")
        await run_over(pilot, "f5")
        assert output(pilot, "A") is not kept


async def test_no_reply_while_they_answer(tmp_path: Path) -> None:
    async with opened(tmp_path) as pilot:
        state = playground(pilot).playground
        await pilot.press("escape")
        await run_over(pilot, "f5")
        await pilot.press("1")
        variant = state.current
        assert variant is not None
        state.update(replace(variant, sampling=ENDLESS))
        await pilot.press("r")
        box(pilot).area.text = "Go on."
        await pilot.press("f5")
        await until(lambda: len(output(pilot, "A").tokens) > 20)
        await pilot.press("enter")
        assert "still answering" in told(pilot) and box(pilot).area.text == "Go on."
        await pilot.press("escape", "Z")
        assert "Stop the run first" in told(pilot)
        await pilot.press("escape")
        await until(lambda: status(pilot) == "stopped")
        # what was stopped can be replied to all the same
        state.update(replace(variant, sampling={}))
        await run_over(pilot, "r", "enter")
        assert [turn.state for turn in turns(pilot, "A")] == [State.CANCELLED, State.DONE]


async def test_the_box_grows_with_the_text_and_holds_anything(pilot: Pilot[None]) -> None:
    widths = [pane.size.width for pane in playground(pilot).query(OutputPane)]
    await pilot.press("r")
    area = box(pilot).area
    await until(lambda: area.has_focus and area.size.height == 1)
    assert [pane.size.width for pane in playground(pilot).query(OutputPane)] == widths
    await pilot.press(*"one", "ctrl+n", *"two")
    await until(lambda: area.size.height == 2)
    assert area.text == "one\ntwo"
    area.text = "\x1b[2Jred\u202e 漢字 " + "word " * 200
    await until(lambda: area.size.height == 6)
    assert "\x1b" not in screen_text(pilot) and "␛[2Jred" in screen_text(pilot)
    await pilot.press("escape")
    assert not box(pilot).display
    await pilot.press("r")
    assert area.text.startswith("\x1b[2J")
    area.text = ""
    await until(lambda: area.size.height == 1)


THOUGHT = "<think>\nThey asked about dogs. Dogs bark.\n</think>\n\nDogs are loyal."


async def test_reasoning_is_folded_and_the_answer_compared_alone(pilot: Pilot[None]) -> None:
    give(pilot, "Dogs are loyal.", THOUGHT, "<think>\nThey asked")
    await until(lambda: "⋯ thought for" in screen_text(pilot))
    text = screen_text(pilot)
    assert "same as A" in text and "They asked about" not in text and "no answer" in text
    pane = playground(pilot).board.pane("B")
    assert isinstance(pane, OutputPane)
    assert pane.text.text.endswith(" tokens\n\nDogs are loyal.")
    await pilot.press("T")
    await until(lambda: "They asked about" in screen_text(pilot))
    assert "same as A" in screen_text(pilot)
    await pilot.click(pane.text, offset=(3, 2))
    await until(lambda: "They asked about" not in screen_text(pilot))
    await pilot.click(pane.text, offset=(3, 2))  # the answer is no fold
    await pilot.pause()
    assert "They asked about" not in screen_text(pilot)
    await pilot.click(pane.text, offset=(3, 0))
    await until(lambda: "They asked about" in screen_text(pilot))


def growing(parts: list[str], tick: Callable[[Output], None]) -> Output:
    """An output that says one part after the other; `tick` is called at each."""
    from .app import said

    it = said(three_variants()[1], "")
    it.state, it.tokens, it.token_ends = State.STREAMING, [], []
    for part in parts:
        it.text += part
        it.tokens.append(len(part))
        it.token_ends.append(len(it.text))
        tick(it)
    it.state = State.DONE
    tick(it)
    return it


@pytest.mark.parametrize("view", ["off", "words", "tokens", "unified"])
@pytest.mark.parametrize("thoughts", [False, True])
def test_a_thread_drawn_as_it_grows_ends_as_one_drawn_at_once(view: str, thoughts: bool) -> None:
    from llamadiff.tui.diffing import Diffing
    from llamadiff.tui.thread import Look, Thread

    from .app import said

    look = Look(view, Diffing(), thoughts=thoughts)  # type: ignore[arg-type]

    first, base = said(three_variants()[0], "Dogs bark. Dogs run."), said(three_variants()[0], "Cats purr and run.")  # fmt: skip
    other_first = said(three_variants()[1], "Dogs bark. Cats run.")
    base.follows, base.reply = first, "And\ncats?"
    live = Thread()
    seen: list[str] = []

    def tick(it: Output) -> None:
        it.follows, it.reply = other_first, "And\ncats?"
        drawn = live.draw(it, base, look)
        fresh = Thread().draw(it, base, look)
        assert (drawn.text, list(drawn.marks)) == (fresh.text, list(fresh.marks))
        assert (drawn.folds, drawn.rest) == (fresh.folds, fresh.rest)
        if drawn.comparison and fresh.comparison:
            assert drawn.comparison.other.tokens == fresh.comparison.other.tokens
            assert drawn.comparison.first_token == fresh.comparison.first_token
        assert all(0 <= m.start <= m.end <= len(drawn.text) for m in drawn.marks)
        seen.append(drawn.text)

    parts = ["<think>", "Hm", ".", "</think>", "\n", "\n", "Cats", " purr", " and", " sleep."]
    growing(parts, tick)
    assert "you ▸ And\ncats?\n\n" in seen[-1]
    assert "⋯ thinking" in seen[0] and "⋯ thought for 4 tokens" in seen[-1]
    assert ("Hm." in seen[-1]) == thoughts


async def test_an_output_is_written_with_its_conversation(
    pilot: Pilot[None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    state = playground(pilot).playground
    state.outputs["B"].follows, state.outputs["B"].reply = state.outputs["A"], "Why `so`?"
    await pilot.press("2", "w")
    await until(lambda: isinstance(pilot.app.screen, WriteOutput))
    await pilot.press("enter")
    file = tmp_path / "informative-article-B.md"
    await until(lambda: file.exists() and not isinstance(pilot.app.screen, WriteOutput))
    text = file.read_text()
    assert state.outputs["A"].text in text and "## You\n\nWhy `so`?" in text
    assert "Wrote informative-article-B.md." in told(pilot)
    file.write_text("mine")
    await pilot.press("w")
    await until(lambda: isinstance(pilot.app.screen, WriteOutput))
    await pilot.press("enter")
    await until(lambda: "is there already" in screen_text(pilot))
    assert file.read_text() == "mine"
    await pilot.press("enter")
    await until(lambda: file.read_text() == text)
    await until(lambda: not isinstance(pilot.app.screen, WriteOutput))
    await pilot.press("w")
    await until(lambda: isinstance(pilot.app.screen, WriteOutput))
    await pilot.press("ctrl+u", *"gone/out.txt", "enter")
    await until(lambda: "cannot be written" in screen_text(pilot))
    await pilot.press("ctrl+u", *"out.txt", "enter")
    await until(lambda: (tmp_path / "out.txt").exists())
    assert (tmp_path / "out.txt").read_text() == as_text(state.outputs["B"])


async def test_keys_are_text_in_the_editor(pilot: Pilot[None]) -> None:
    await pilot.press("e", "ctrl+end", *"rZTPSw")
    assert playground(pilot).query_one(PromptEditor).text.endswith("rZTPSw")
    assert not box(pilot).display


@pytest.mark.skipif(not HAS_TMUX, reason="needs tmux")
@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24)])
def test_a_conversation_in_a_real_terminal(
    closing: list[Callable[[], object]], home: Path, columns: int, rows: int
) -> None:
    tmux = Tmux(columns, rows, home)
    closing.append(tmux.close)
    tmux.wait_for("ready")
    tmux.press("F5")
    tmux.wait_for("● done")
    if columns > 80:  # the cursor is in the editor
        tmux.press("Escape")
    tmux.wait_for("r reply")
    tmux.press("r")
    tmux.wait_for("reply to all 3 ▸")
    tmux.type("And cats?")
    tmux.press("Enter")
    tmux.wait_for(lambda screen: "you ▸ And cats?" in screen and "● done" in screen)
    tmux.press("Z")
    tmux.wait_for(lambda screen: "you ▸" not in screen)
    tmux.press("r")
    tmux.wait_for("And cats?")


async def test_a_home_of_nobody_is_told_where_an_output_is_to_be_written(home: Path) -> None:
    async with opened(home) as pilot:
        await run_over(pilot, "f5")
        await pilot.press("escape", "w", "ctrl+u")
        await paste(pilot, "~nobody-at-all/a.md")
        await pilot.press("enter")
        await until(lambda: "~nobody-at-all" in screen_text(pilot).split("cannot be")[0])
        assert "mistake" not in screen_text(pilot) and "cannot be written" in screen_text(pilot)
