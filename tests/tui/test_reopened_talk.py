"""A recorded conversation gone on with: its turns, and what was taken from a sweep beside it."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot

from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.tui.screens.history import History

from ..conftest import until
from .app import opened, output, playground, run_over, screen_text, told
from .test_history_screen import details
from .test_sweep_screen import shown, sweeping, swept, variants


async def reopen_newest(pilot: Pilot[None]) -> None:
    await until(lambda: not playground(pilot).session.behind.busy)
    await pilot.press("f9")
    await until(lambda: isinstance(pilot.app.screen, History) and details(pilot))
    await pilot.press("enter")
    await until(lambda: pilot.app.screen is playground(pilot) and "run of" in told(pilot))


async def reply(pilot: Pilot[None], text: str) -> None:
    playground(pilot).start(None, text)
    await until(lambda: not playground(pilot).session.running)
    await pilot.pause()


async def test_the_turns_of_a_conversation_are_gone_back_to(home: Path) -> None:
    specs = ["adapter=none", "adapter=support"]
    it = make_variants(Defaults(prompt="tell-me-about"), specs)
    async with opened(home, it, values={"topic": "cats"}) as pilot:
        await pilot.press("escape")
        await run_over(pilot, "f5")
        await reply(pilot, "And what do you need?")
        await pilot.press("2", "left_square_bracket")
        await reply(pilot, "Thank you.")
        said = {name: output(pilot, name).text for name in "AB"}
    async with opened(home) as pilot:
        state = playground(pilot).playground
        await pilot.press("escape")
        await reopen_newest(pilot)
        assert {name: output(pilot, name).text for name in "AB"} == said
        await pilot.press("Z")
        assert state.talk.turns("A") == state.talk.turns("B") == 2
        assert state.stale("B") and not state.stale("A"), "B had another scale then"
        assert state.talk.can_go_on("AB") == ["A", "B"]
        await pilot.press("r")
        await until(lambda: "reply to all 2 ▸" in screen_text(pilot))
        await pilot.press("escape")
        await run_over(pilot, "f5")
        assert state.talk.turns("A") == state.talk.turns("B") == 2
        await pilot.press("Z")
        assert state.talk.turns("A") == 1 and state.talk.can_go_on("AB") == ["A", "B"]
        state.give_value("topic", "dogs")
        assert state.talk.can_go_on("AB") == [], "it was asked about cats"


async def test_a_taken_value_is_reopened_with_its_own_output(home: Path) -> None:
    lively = "temperature=2,top_k=0,top_p=1,min_p=0,max_tokens=24"
    stacks = ("adapter=none", "adapter=support", "adapter=support@0.5")
    async with shown(home, variants(*(f"{it},{lively}" for it in stacks))) as pilot:
        await swept(pilot)
        texts = [it.text for it in sweeping(pilot).run.outputs]
        assert len(set(texts)) > 4
        await pilot.press("down", "enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        assert playground(pilot).playground.selected == "D" and texts[1] != texts[3]
        await pilot.press("l", *"mine", "enter")
        await until(lambda: playground(pilot).playground.variants[3].label == "mine")
        await pilot.press("P")
        await run_over(pilot, "f5")
        await reopen_newest(pilot)
        state = playground(pilot).playground
        own = state.get("D")
        assert own is not None and own.adapters[0].scale == 0.25 and own.label == "mine"
        assert output(pilot, "D").text == texts[1] and not state.stale("D")
        assert state.talk.pinned == {"D"}
        # and once more from there
        await run_over(pilot, "f5")
        await reopen_newest(pilot)
        assert output(pilot, "D").text == texts[1]
