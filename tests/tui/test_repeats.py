"""Repeats in the app and on the command line: grouped, counted, stepped through, kept."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from llamadiff.compare.groups import AT_ONCE_S
from llamadiff.compare.run import Output, Run, State
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.prompts.library import resolve
from llamadiff.tui.repeats import Repeats
from llamadiff.tui.screens.history import History
from llamadiff.tui.screens.how_many import HowMany

from ..conftest import until
from .app import StillApp, opened, output, playground, run_over, said, screen_text, told
from .test_cli import llamadiff
from .test_history_screen import details

SIZES = [(120, 40), (80, 24)]
PROMPT = ("-p", "tell-me-about")


def variants(*specs: str) -> list[Variant]:
    return make_variants(Defaults(prompt="tell-me-about"), list(specs))


async def ask_for(pilot: Pilot[None], count: int) -> None:
    await pilot.press("escape", "R")
    await until(lambda: isinstance(pilot.app.screen, HowMany))
    await pilot.press(*str(count), "enter")
    await until(lambda: pilot.app.screen is playground(pilot))


def repeated(pilot: Pilot[None], name: str, *texts: str) -> list[Output]:
    """Have a variant's run end with these texts."""
    state = playground(pilot).playground
    variant = state.get(name)
    assert variant is not None
    outputs = [said(variant, text) for text in texts]
    for number, it in enumerate(outputs):
        it.repeat = it.seed = number
    state.repeats = len(texts)
    state.started(Run((variant,), {}, outputs=outputs), None)
    playground(pilot).show()
    return outputs


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_every_variant_is_run_so_often_with_seeds_of_their_own(
    home: Path, size: tuple[int, int]
) -> None:
    async with opened(
        home, variants("temperature=0", "temperature=2,max_tokens=30"), size=size
    ) as pilot:
        state = playground(pilot).playground
        await ask_for(pilot, 5)
        await until(lambda: "F5 runs each variant 5 times" in told(pilot))
        await run_over(pilot, "f5")
        assert [it.seed for it in state.siblings("A")] == [0, 1, 2, 3, 4]
        assert all(it.state is State.DONE for name in "AB" for it in state.siblings(name))
        await pilot.press("1")
        await until(lambda: "5 outputs · kind 1/1: 5 equal" in screen_text(pilot))
        await pilot.press("2")
        await until(lambda: re.search(r"5 outputs · kind 1/[2-5]: \d", screen_text(pilot)))
        assert not any(map(state.stale, state.names))
        await ask_for(pilot, 1)
        assert all(map(state.stale, state.names)), "asked for another number since"
        await run_over(pilot, "f5")
        assert len(state.siblings("A")) == 1 and "kind" not in screen_text(pilot)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_keys_go_from_the_most_frequent_output_to_the_next(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with StillApp(tmp_path).run_test(size=size) as pilot:
        state = playground(pilot).playground
        a = repeated(pilot, "A", "Cats purr.", "Dogs bark.", "Dogs bark.", "Birds sing.")
        b = repeated(pilot, "B", "Dogs bark.", "Dogs growl.", "Dogs bark.", "Dogs bark.")
        await pilot.press("escape", "2")
        await until(lambda: "4 outputs · kind 1/2: 3 equal" in screen_text(pilot))
        assert state.outputs["A"] is a[1] and "same as A" in screen_text(pilot)
        await pilot.press("full_stop")
        await until(lambda: "4 outputs · kind 2/2: 1" in screen_text(pilot))
        assert state.outputs["B"] is b[1] and "growl" in screen_text(pilot)
        await until(lambda: "+1 −1" in screen_text(pilot))
        await pilot.press("full_stop")
        assert state.outputs["B"] is b[0]
        await pilot.press("1", "comma")
        await until(lambda: state.outputs["A"] is a[3])
        await pilot.press("comma")
        await until(lambda: state.outputs["A"] is a[0] and "Cats" in screen_text(pilot))
        await pilot.press("3", "comma")
        await until(lambda: "F5 makes 4 outputs of each variant." in told(pilot))


async def test_another_number_of_repeats_leaves_the_figures(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await ask_for(pilot, 8)
        await until(lambda: "F5 makes 8 of each" in screen_text(pilot))
        assert screen_text(pilot).count("F5 makes 8 of each") == 3
        assert "baseline · F5 makes 8" in screen_text(pilot) and " % same · F5" in screen_text(
            pilot
        )
        await pilot.press("full_stop")
        await until(lambda: "F5 makes 8 outputs of each variant." in told(pilot))
        await pilot.press("x")
        await until(lambda: "changed since this run · F5" in screen_text(pilot))
        assert "F5 makes" not in screen_text(pilot), "they are not what is asked now"


async def test_the_verdict_stays_where_the_outputs_shown_are_equal(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(160, 40)) as pilot:
        repeated(pilot, "A", *["Dogs bark."] * 8)
        repeated(pilot, "B", "Dogs bark.", *["Cats purr."] * 7)
        await pilot.press("escape", "2", "full_stop")
        await until(lambda: "same as A · all outputs: beyond noise" in screen_text(pilot))
        await pilot.press("full_stop")
        await until(lambda: "% same · beyond noise" in screen_text(pilot))
        repeated(pilot, "B", *["Dogs bark."] * 5)
        await until(lambda: "same as A · 6 outputs make a verdict (R)" in screen_text(pilot))


def test_all_variants_together_take_no_longer_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    time = 0.0

    def slowly(*given: object) -> float:
        nonlocal time
        time += AT_ONCE_S * 0.6
        return 0.0

    monkeypatch.setattr("llamadiff.compare.groups.likeness", slowly)
    for module in ("compare.groups", "tui.repeats"):
        monkeypatch.setattr(f"llamadiff.{module}.monotonic", lambda: time)
    outputs = {
        it.name: [said(it, f"{it.name} {number}") for number in range(4)]
        for it in (replace(variants("label=x")[0], name=name) for name in "ABCDEF")
    }
    repeats = Repeats(lambda name: outputs[name], lambda name: outputs[name][0], lambda _: None)
    looks = 0
    grouped = list[str]()
    while not looks or not repeats.complete:
        before = time
        told = repeats.told(outputs)
        assert time - before < 1.6 * AT_ONCE_S, "at most one comparison too long"
        grouped += [name for name, it in told.items() if it and it.over and name not in grouped]
        looks += 1
    assert sorted(grouped) == list(outputs)
    assert {it and it.kinds for it in repeats.told(outputs).values()} == {4}


async def test_outputs_are_counted_while_others_go_on(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        state = playground(pilot).playground
        outputs = repeated(pilot, "B", "Dogs bark.", "Cats purr.", "Cats purr.", "Cats purr.")
        for it in outputs:
            it.state = State.STREAMING
        run = Run((outputs[0].variant,), {}, outputs=outputs)
        state.started(run, None)
        board = playground(pilot).board
        board.show()
        await until(lambda: "4 to come" in screen_text(pilot))
        for it in outputs[:3]:
            it.state = State.DONE
        board.flush()
        await until(lambda: "3 outputs, 1 to come · kind 2/2: 1" in screen_text(pilot))
        assert state.outputs["B"] is outputs[0], "what is read stays while others stream"
        outputs[3].state = State.DONE
        board.flush()
        await until(lambda: "4 outputs · kind 1/2: 3 equal" in screen_text(pilot))
        assert state.outputs["B"] is outputs[1]


async def test_nothing_is_waited_for_of_a_variant_that_is_gone(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        state = playground(pilot).playground
        outputs = repeated(pilot, "C", "Dogs bark.", "Dogs bark.")
        outputs[1].state = State.STREAMING
        playground(pilot).board.show()
        outputs[1].state = State.DONE
        assert not state.repeating.complete
        state.selected = "C"
        state.remove()
        assert state.repeating.complete
        state.undo()
        await until(lambda: "2 outputs · kind 1/1: 2 equal" in screen_text(pilot) or playground(pilot).show())  # fmt: skip


async def test_repeats_that_were_stopped_are_said_to_be(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        board = playground(pilot).board
        outputs = repeated(pilot, "B", *[f"{word} bark." for word in ("Dogs", "Cats", "Elks")] * 2)
        for it in outputs[1:]:
            it.state = State.CANCELLED
        board.show()
        await until(lambda: "stopped after 1 of 6 · kind 1/1: 1" in screen_text(pilot))
        outputs[0].state = State.CANCELLED
        repeated(pilot, "A", "x", "y")[0].state = State.STREAMING
        playground(pilot).playground.started(Run((outputs[0].variant,), {}, outputs=[*outputs]), None)  # fmt: skip
        board.show()
        await until(lambda: "stopped after 0 of 6" in screen_text(pilot))
        await until(lambda: "1 to come" in screen_text(pilot))
        outputs[5].state = State.FAILED
        board.show()
        await until(lambda: "failed after 0 of 6" in screen_text(pilot))


async def test_what_a_person_chose_stays(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        state = playground(pilot).playground
        outputs = repeated(pilot, "B", "Dogs bark.", "Cats purr.", "Cats purr.", "Cats purr.")
        await pilot.press("escape", "2", "full_stop")
        await until(lambda: state.outputs["B"] is outputs[0])
        playground(pilot).show()
        await pilot.pause()
        assert state.outputs["B"] is outputs[0]
        await pilot.press("delete", "u")
        await until(lambda: "4 outputs · kind 2/2: 1" in screen_text(pilot))


async def test_a_number_that_is_none_is_said(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(80, 24)) as pilot:
        await pilot.press("escape", "R")
        await until(lambda: isinstance(pilot.app.screen, HowMany))
        for typed in ("0", "101", "x", "-1", "9" * 30, "²"):
            pilot.app.screen.query_one(Input).value = typed
            await pilot.press("enter")
            await until(lambda: "Give a number from 1 to 100." in screen_text(pilot))
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        assert playground(pilot).playground.repeats == 1


async def test_a_reopened_run_has_its_repeats(home: Path) -> None:
    async with opened(home, variants("temperature=0", "temperature=3,max_tokens=20")) as pilot:
        await ask_for(pilot, 3)
        await run_over(pilot, "f5")
        texts = [it.text for it in playground(pilot).playground.siblings("B")]
        await until(lambda: output(pilot, "A").stamp.model_sha256)
    async with opened(home) as pilot:
        state = playground(pilot).playground
        await pilot.press("f9")
        await until(lambda: isinstance(pilot.app.screen, History) and details(pilot))
        await pilot.press("enter")
        await until(lambda: "3 outputs · kind 1/3: 1" in screen_text(pilot))
        assert "3 outputs · kind 1/1: 3 equal" in screen_text(pilot) and state.repeats == 3
        assert [it.text for it in state.siblings("B")] == texts
        assert not any(map(state.stale, state.names))
        await until(lambda: pilot.app.screen is playground(pilot))
        await pilot.press("u")
        await until(lambda: state.repeats == 1 and "kind" not in screen_text(pilot))


def test_run_counts_outputs_that_are_alike() -> None:
    asked = ("run", *PROMPT, "--variant", "temperature=0", "--variant", "temperature=3,max_tokens=20", "--repeat", "3")  # fmt: skip
    lines = llamadiff(*asked).stdout.splitlines()
    counted = [line for line in lines if " of 3: " in line]
    assert [line.split(": ")[0] for line in counted] == ["A  3 of 3", *["B  1 of 3"] * 3]
    document = json.loads(llamadiff(*asked, "--json").stdout)
    assert [it["groups"] for it in document["variants"]] == [
        [{"count": 3, "same": True, "outputs": [0, 1, 2]}],
        [{"count": 1, "same": True, "outputs": [i]} for i in range(3)],
    ]


async def test_outputs_without_an_answer_are_no_kind_and_no_evidence(home: Path) -> None:
    think = replace(resolve("tell-me-about"), prefill="<think>", sampling={"max_tokens": 30})
    two = [replace(it, prompt=think) for it in variants("adapter=none", "adapter=support")]
    async with opened(home, two) as pilot:
        state = playground(pilot).playground
        state.repeats = 6
        await run_over(pilot, "f5")
        await until(lambda: screen_text(pilot).count("6 without an answer") == 2)
        text = screen_text(pilot)
        assert "no answer" in text and "equal" not in text and "same" not in text
        assert state.noise.control is None and not state.noise.due
        await pilot.press("escape", "A")
        await until(lambda: "A, B have too few answers" in told(pilot))
