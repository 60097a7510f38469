"""The lens on the real app: numbers of a token, where outputs part, and going on from another token."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widgets import Static

from llamadiff.compare.diff.divergence import first_token_divergence
from llamadiff.compare.lens import Lens
from llamadiff.compare.run import Output
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.tui.screens.lens import LensScreen
from llamadiff.tui.screens.lens_text import LensText
from llamadiff.tui.screens.playground import LIVE_PAUSE_S
from llamadiff.tui.widgets.heat_text import HeatText
from llamadiff.tui.widgets.safe_text_area import SafeTextArea
from llamadiff.tui.widgets.token_facts import TokenFacts

from ..conftest import until
from .app import ENDLESS, opened, output, paste, playground, run_over, screen_text, told

SIZES = [(120, 40), (80, 24)]


def variants(*specs: str) -> list[Variant]:
    return make_variants(Defaults(prompt="tell-me-about"), list(specs or TWO))


TWO = ("adapter=none", "adapter=support")


def lens(pilot: Pilot[None]) -> Lens:
    screen = pilot.app.screen
    assert isinstance(screen, LensScreen) and screen._lens is not None
    return screen._lens


def cursor(pilot: Pilot[None]) -> int:
    return pilot.app.screen.query_one(HeatText).cursor


def words(pilot: Pilot[None]) -> str:
    return " ".join(screen_text(pilot).replace("▌", " ").split())


def note(pilot: Pilot[None]) -> str:
    screen = pilot.app.screen
    return str(screen.query_one("#lens-note", Static).content) if screen.query("#lens-note") else ""


async def scored(pilot: Pilot[None]) -> None:
    await until(lambda: isinstance(pilot.app.screen, LensScreen))
    await until(lambda: pilot.app.screen.query_one(HeatText).count and "token 1 of" in words(pilot))


@asynccontextmanager
async def ran(
    home: Path, *specs: str, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Pilot[None]]:
    """The app after a run, with the last variant selected."""
    async with opened(home, variants(*specs), size=size) as pilot:
        await run_over(pilot, "f5")
        await pilot.press("escape", str(len(specs or TWO)))
        await pilot.pause()
        yield pilot


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_token_is_told_as_both_see_it(home: Path, size: tuple[int, int]) -> None:
    async with ran(home, size=size) as pilot:
        await pilot.press("L")
        await scored(pilot)
        it = lens(pilot)
        assert [t.token for t in it.tokens] == output(pilot, "B").tokens
        assert f"{it.summaries[0].logprob:,.2f}".replace("-", "−") in words(pilot)
        assert it.summaries[0].logprob < it.summaries[1].logprob, "its own text is likelier"
        await pilot.press("n")
        await until(lambda: cursor(pilot) == it.largest(1)[0])
        token = it.tokens[cursor(pilot)]
        assert f"{token.delta:+.2f}".replace("-", "−") in words(pilot)
        assert "largest difference" in words(pilot)
        assert f"{token.a.entropy:.2f}" in words(pilot)
        await pilot.press("n", "n", "N")
        await until(lambda: cursor(pilot) == it.largest(2)[1])
        await pilot.press("home", "right", "right", "left")
        await until(lambda: cursor(pilot) == 1)
        await pilot.press("d", "d")
        await until(lambda: "chance under B" in words(pilot))
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_where_they_part_and_going_on_from_the_other_token(
    home: Path, size: tuple[int, int]
) -> None:
    async with ran(home, *("temperature=0", "temperature=0.4"), size=size) as pilot:
        one, two = output(pilot, "A"), output(pilot, "B")
        parts = first_token_divergence(one.tokens, two.tokens)
        assert parts is not None and parts > 0
        await pilot.press("t")
        await until(lambda: f"They part at token {parts + 1}" in words(pilot))
        assert cursor(pilot) == parts
        assert "by how a token was drawn" in words(pilot) or "both drew" in words(pilot)
        facts = pilot.app.screen.query_one(TokenFacts)
        await pilot.press("enter")
        await until(lambda: facts.has_focus and facts.state is not None)
        assert facts.state is not None
        column = [it.token for it in facts.state.choices(1)]
        assert one.tokens[parts] in column and two.tokens[parts] in column
        await pilot.press("right", *["down"] * column.index(one.tokens[parts]))
        last = playground(pilot).session.last
        await pilot.press("enter")
        await until(lambda: playground(pilot).session.last is not last)
        await until(lambda: not playground(pilot).session.running)
        branch = output(pilot, "C")
        assert branch.tokens[: parts + 1] == one.tokens[: parts + 1]
        assert branch.stamp.forced == tuple(one.tokens[: parts + 1])
        assert branch.seed == two.seed and branch.variant.sampling == two.variant.sampling
        await until(lambda: "same" in words(pilot) or " words" in words(pilot))
        assert playground(pilot).playground.selected == "C"
        history = playground(pilot).session.history
        assert history is not None
        run = playground(pilot).session.last
        assert run is not None
        await until(lambda: not playground(pilot).session.behind.busy)
        history.flush()
        assert history.open(run.id).variants[0].beginning == branch.variant.beginning
        assert history.following([two.run_id]) == [run.id], "it repeats what that said"
        await run_over(pilot, "f5")
        assert output(pilot, "C").tokens == branch.tokens, "run again with the others"
        assert output(pilot, "A").tokens == one.tokens


async def test_a_turn_of_a_conversation_is_looked_at_and_branched_from(home: Path) -> None:
    async with ran(home) as pilot:
        firsts = {name: output(pilot, name) for name in "AB"}
        await pilot.press("r")
        await run_over(pilot, *"Why?", "enter")
        one, two = output(pilot, "A"), output(pilot, "B")
        parts = first_token_divergence(one.tokens, two.tokens)
        assert parts is not None and two.follows is firsts["B"]
        await pilot.press("t")
        await until(lambda: f"They part at token {parts + 1}" in words(pilot))
        assert "B's turn 2" in words(pilot) and lens(pilot).turns == (one, two)
        assert [it.token for it in lens(pilot).tokens] == two.tokens
        facts = pilot.app.screen.query_one(TokenFacts)
        await pilot.press("enter")
        await until(lambda: facts.has_focus and facts.state is not None)
        assert facts.state is not None
        column = [it.token for it in facts.state.choices(1)]
        last = playground(pilot).session.last
        await pilot.press("right", *["down"] * column.index(one.tokens[parts]), "enter")
        await until(lambda: playground(pilot).session.last is not last)
        await until(lambda: not playground(pilot).session.running)
        branch = output(pilot, "C")
        assert branch.follows is firsts["B"] and branch.reply == "Why?"
        assert branch.stamp.prompt_text == two.stamp.prompt_text
        assert branch.tokens[: parts + 1] == [*two.tokens[:parts], one.tokens[parts]]
        await run_over(pilot, "f5")
        assert output(pilot, "C").tokens == branch.tokens
        await pilot.press("r")
        await run_over(pilot, *"And?", "enter")
        assert output(pilot, "C").follows is not None and not output(pilot, "C").stamp.forced


def reason(it: Output, tokens: int) -> None:
    """Have the first tokens of an output be reasoning."""
    end = it.token_ends[tokens - 1]
    it.text = f"<think>{it.text[:end]}</think>{it.text[end:]}"
    it.token_ends[:] = [at + (7 if n < tokens - 1 else 15) for n, at in enumerate(it.token_ends)]


async def test_outputs_that_part_in_their_reasoning_are_said_to(home: Path) -> None:
    async with ran(home) as pilot:
        one, two = output(pilot, "A"), output(pilot, "B")
        parts = first_token_divergence(one.tokens, two.tokens)
        assert parts is not None and parts < 8
        reason(one, 8)
        await pilot.press("t")
        await until(lambda: f"They part at token {parts + 1}, in A's reasoning: A says" in note(pilot))  # fmt: skip
        assert "Their answers, compared without it, part at token 9." in note(pilot)
        await pilot.press("escape")
        await until(lambda: not isinstance(pilot.app.screen, LensScreen))
        reason(two, 5)
        two.text = two.text.partition("</think>")[0] + "</think>" + one.text.partition("</think>")[2]  # fmt: skip
        await pilot.press("t")
        await until(lambda: f"They part at token {parts + 1}, in their reasoning: A says" in note(pilot))  # fmt: skip
        assert "Their answers, compared without it, are the same text." in note(pilot)


async def test_an_output_that_goes_on_is_shown_where_the_other_ended(home: Path) -> None:
    async with ran(home, "max_tokens=9", "max_tokens=4") as pilot:
        await pilot.press("t")
        await until(lambda: "They part at token 5: B was cut off at its length limit, A goes on with" in words(pilot))  # fmt: skip
        assert cursor(pilot) == 4 and len(lens(pilot).tokens) == 9


async def test_equal_outputs_do_not_part(home: Path) -> None:
    async with ran(home, "label=x", "label=y") as pilot:
        await pilot.press("t")
        await until(lambda: "A and B say the same" in words(pilot))
        assert {it.delta for it in lens(pilot).tokens} == {0.0}


async def test_an_own_text_and_a_file_are_looked_at(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "expected.txt"
    file.write_text("Cats sleep.")
    async with opened(home, variants()) as pilot:
        await pilot.press("escape", "L")
        await until(lambda: isinstance(pilot.app.screen, LensScreen))
        await until(lambda: "There is no text" in words(pilot))
        await pilot.press("e")
        await until(lambda: isinstance(pilot.app.screen, LensText))
        await pilot.press("ctrl+s")
        await until(lambda: "There is no text yet" in words(pilot))
        await pilot.press(*"Dogs run.", "ctrl+s")
        await scored(pilot)
        assert b"".join(it.piece for it in lens(pilot).tokens) == b"Dogs run."
        await pilot.press("e")
        await until(lambda: isinstance(pilot.app.screen, LensText))
        assert pilot.app.screen.query_one(SafeTextArea).text == "Dogs run."
        await pilot.press("tab")
        await paste(pilot, str(tmp_path / "none"))
        await pilot.press("enter")
        await until(lambda: "cannot be read" in words(pilot))
        await pilot.press(*["backspace"] * 4, *"expected.txt", "enter")
        await until(lambda: not isinstance(pilot.app.screen, LensText))
        await until(lambda: "Cats sleep." in words(pilot))


async def test_all_of_it_is_written(home: Path, tmp_path: Path) -> None:
    async with ran(home) as pilot:
        await pilot.press("L")
        await scored(pilot)
        for name in ("it.json", "it.csv", "it.csv", "it.txt"):
            await pilot.press("w")
            await until(lambda: "Write the lens" in words(pilot))
            await paste(pilot, str(tmp_path / name))
            await pilot.press("enter")
            await until(lambda: isinstance(pilot.app.screen, LensScreen))
            await until(lambda name=name: name in told(pilot))
        await until(lambda: "does not end in .json or .csv" in told(pilot))
        document = json.loads((tmp_path / "it.json").read_text())
        assert len(document["tokens"]) == len(lens(pilot).tokens)
        with (tmp_path / "it.csv").open(newline="") as lines:
            assert len(list(csv.reader(lines))) == len(lens(pilot).tokens) + 1


async def test_another_variant_another_text_and_the_mouse(home: Path) -> None:
    async with ran(home, "adapter=none", "seed=1", "adapter=support") as pilot:
        await pilot.press("L")
        await scored(pilot)
        first = lens(pilot)
        assert (first.a.name, first.b.name) == ("A", "C")
        await pilot.press("b")
        await until(lambda: "B Tell me about · base against" in words(pilot))
        await until(lambda: (it := pilot.app.screen._lens) and it.a.name == "B")  # type: ignore[attr-defined]
        await pilot.press("o")
        await until(
            lambda: (
                (it := pilot.app.screen._lens)  # type: ignore[attr-defined]
                and [t.token for t in it.tokens] == output(pilot, "A").tokens
            )
        )
        heat = pilot.app.screen.query_one(HeatText)
        await pilot.hover(HeatText, Offset(30, 0))
        await until(lambda: "token 1 of" not in words(pilot))
        assert heat.cursor == 0
        await pilot.click(HeatText, Offset(30, 0))
        await until(lambda: heat.cursor > 0)


async def test_scoring_is_told_and_stopped(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("Dogs run and cats sleep. " * 4000)
    async with opened(home, variants()) as pilot:
        await pilot.press("escape", "L", "e")
        await until(lambda: isinstance(pilot.app.screen, LensText))
        await pilot.press("tab")
        await paste(pilot, str(file))
        await pilot.press("enter")
        await until(lambda: "scoring own text" in words(pilot) and "%" in words(pilot))
        await pilot.press("escape")
        await until(lambda: "Scoring was stopped" in words(pilot))
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))


async def test_it_waits_for_a_run_and_looks_at_all_that_was_said(home: Path) -> None:
    endless = [replace(it, sampling={**it.sampling, **ENDLESS}) for it in variants()]
    async with opened(home, endless) as pilot:
        await pilot.press("escape", "f5")
        await until(lambda: len(output(pilot, "B").tokens) > 20)
        await pilot.press("L")
        await until(lambda: "waits for the run to end" in words(pilot))
        await playground(pilot).session.stop()
        await scored(pilot)
        assert "waits for" not in words(pilot)
        said = output(pilot, playground(pilot).playground.selected)
        assert said.tokens == [it.token for it in lens(pilot).tokens]


async def test_an_output_that_takes_the_place_of_another_is_looked_at(home: Path) -> None:
    async with opened(home, variants("temperature=0", "temperature=1.2")) as pilot:
        state = playground(pilot).playground
        state.repeats = 2
        await run_over(pilot, "f5")
        await pilot.press("escape", "2", "t")
        await until(lambda: "They part at token" in words(pilot))
        other = next(it for it in state.siblings("B") if it is not state.outputs["B"])
        state.repeating.choose(other)
        said = [it.token for it in lens(pilot).tokens]
        assert said != other.tokens
        await until(lambda: isinstance(it := pilot.app.screen, LensScreen) and it._lens is not None and [t.token for t in it._lens.tokens] == other.tokens)  # fmt: skip
        assert lens(pilot).turns[1] is other
        parts = first_token_divergence(output(pilot, "A").tokens, other.tokens)
        assert parts is not None
        await pilot.press("t")
        await until(lambda: f"They part at token {parts + 1:,}:" in words(pilot))


async def test_live_runs_wait_while_the_lens_is_open(home: Path) -> None:
    async with ran(home) as pilot:
        screen, state = playground(pilot), playground(pilot).playground
        await pilot.press("ctrl+l")
        last = screen.session.last
        state.give_value("topic", "the violin")
        screen.changed(["A", "B"])
        await pilot.press("L")
        await scored(pilot)
        ran_out = asyncio.Event()
        screen.set_timer(2 * LIVE_PAUSE_S, ran_out.set)
        await until(ran_out.is_set)
        await until(lambda: not [it for it in screen.workers if it.group == "live" and it.is_running])  # fmt: skip
        assert screen.session.last is last, "nothing was run behind the lens"
        assert "changed since its run: A, B" in words(pilot)
        await pilot.press("escape")
        await until(lambda: screen.session.last is not last)
        await until(lambda: not screen.session.running)
        assert "the violin" in output(pilot, "B").stamp.prompt_text


async def test_what_is_within_rounding_is_not_marked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = asyncio.Event()

    async def measured(*given: object, **more: object) -> float:
        await known.wait()
        return 3.5

    monkeypatch.setattr("llamadiff.compare.rounding.rounding", measured)
    async with ran(home) as pilot:
        await pilot.press("L")
        await scored(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, LensScreen)

        def marked() -> list[float]:
            """The differences that are marked as such."""
            return [abs(t.delta) for n, t in enumerate(lens(pilot).tokens) if screen._kind_of(n)]

        assert 0.1 <= min(marked()) <= 3.5 and "rounding, 3.5" not in words(pilot)
        drawn = pilot.app.export_screenshot()
        known.set()
        await until(lambda: "beyond rounding, 3.5" in words(pilot))
        assert min(marked()) > 3.5 and pilot.app.export_screenshot() != drawn
        await pilot.press("d")
        await until(lambda: "chance under A" in words(pilot))
        assert marked(), "other measures are marked as ever"


async def test_what_cannot_be_compared_is_said(home: Path) -> None:
    async with opened(home, variants()) as pilot:
        await pilot.press("escape", "t")
        await until(lambda: "has not said anything yet" in told(pilot))
        await pilot.press("delete", "L")
        await until(lambda: "v adds one" in told(pilot))


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_difference_is_held_against_rounding(home: Path, size: tuple[int, int]) -> None:
    async with ran(home, "prompt=informative-article,temperature=0", "prompt=informative-article,temperature=0,adapter=support@0.0001", size=size) as pilot:  # fmt: skip
        await pilot.press("L")
        await scored(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, LensScreen)
        it = lens(pilot)
        await until(lambda: screen._source.rounding(it) is not None)
        moved = screen._source.rounding(it)
        assert moved
        small = min(range(len(it.tokens)), key=lambda i: abs(it.tokens[i].delta))
        pilot.app.screen.query_one(HeatText).go_to(small)
        await until(lambda: f"within rounding, {moved:.2g} nats" in words(pilot))
    async with ran(home, "max_tokens=40", "max_tokens=40,adapter=support", size=size) as pilot:
        await pilot.press("L")
        await scored(pilot)
        await pilot.press("n")
        await until(lambda: "beyond rounding" in words(pilot) or "computed twice" in words(pilot))  # fmt: skip
