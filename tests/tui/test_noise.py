"""The noise floor: in the panes, in its table, on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from llamadiff.compare import control
from llamadiff.compare.control import Control, LensSpread
from llamadiff.compare.enough import LEAST
from llamadiff.compare.lens import Lens
from llamadiff.compare.noise import Contrast, Floor, Spread, Swaps
from llamadiff.compare.runner import Runner
from llamadiff.compare.shares import percent
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.tui.noise_words import details, lens_verdict, lens_words, verdicts
from llamadiff.tui.screens.how_many import HowMany
from llamadiff.tui.screens.noise_floor import NoiseFloorScreen
from llamadiff.tui.widgets.lines import FittedLine

from ..conftest import until
from .app import StillApp, opened, output, playground, run_over, screen_text, told
from .test_cli import llamadiff
from .test_repeats import repeated

SIZES = [(120, 40), (80, 24)]
SAME = ("label=x", "label=y")
OTHER = ("adapter=none", "adapter=support")
GREEDY = ("temperature=0", "temperature=0,adapter=support")


def variants(*specs: str) -> list[Variant]:
    return make_variants(Defaults(prompt="tell-me-about"), list(specs))


def words(pilot: Pilot[None]) -> str:
    return " ".join(screen_text(pilot).replace("▌", " ").split())


async def measured(pilot: Pilot[None]) -> None:
    """Press A, take the number that is offered, and wait for the verdict."""
    await pilot.press("escape", "A")
    await until(lambda: isinstance(pilot.app.screen, HowMany))
    await run_over(pilot, "enter")
    await pilot.press("2")
    await until(lambda: playground(pilot).playground.noise.control)


async def table(pilot: Pilot[None]) -> None:
    await pilot.press("A")
    await until(lambda: isinstance(pilot.app.screen, NoiseFloorScreen))
    await until(lambda: "…" not in words(pilot) and "Lens" in words(pilot))


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_another_adapter_is_beyond_noise(home: Path, size: tuple[int, int]) -> None:
    async with opened(home, variants(*OTHER), size=size) as pilot:
        await measured(pilot)
        await until(lambda: "beyond noise" in screen_text(pilot))
        await table(pilot)
        assert "B really differs: more than reruns of A or of B differ" in words(pilot)
        assert "A against A 28" in words(pilot) and "B against A 56" in words(pilot)
        assert re.search(r"\d texts of A", words(pilot))
        await pilot.press("n")
        await until(lambda: isinstance(pilot.app.screen, HowMany))
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))


async def test_the_same_variant_is_within_noise_and_faint(home: Path) -> None:
    async with opened(home, variants("label=x", "label=y,seed=50")) as pilot:
        await measured(pilot)
        await until(lambda: "within noise" in screen_text(pilot))
        state = playground(pilot).playground
        pane = playground(pilot).board.pane("B")
        assert pane is not None
        ways = pane.query_one(".pane-stats", FittedLine).ways
        assert {str(span.style) for way in ways for span in way.spans} == {"$dim"}
        marks = pane.text.get_component_styles("output-text--added")
        assert marks.color == pane.text.get_component_styles("output-text--ahead").color
        assert marks.text_style.underline
        found = state.noise.contrast("B")
        assert found is not None and found.within and len(found.differ.values) == 64
        await pilot.press("b")
        await until(lambda: state.baseline == "B")
        await until(lambda: state.noise.contrast("A"))


async def test_greedy_variants_are_judged_once_they_ran_in_other_batches(home: Path) -> None:
    async with opened(home, variants(*GREEDY)) as pilot:
        await measured(pilot)
        state = playground(pilot).playground
        assert "noise" not in screen_text(pilot).replace(" noise floor", "")
        assert state.noise.contrast("B") is None
        await table(pilot)
        assert "A against A 6 100 %" in words(pilot), "one output and three in other batches"
        await pilot.press("escape")
        await until(lambda: "beyond noise" in screen_text(pilot))
        await pilot.press("x")
        assert not state.noise.all_there, "what is asked now was not run"


async def test_what_is_too_few_is_not_judged(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        noise = playground(pilot).playground.noise
        repeated(pilot, "A", *["Dogs bark."] * 8)
        repeated(pilot, "B", *["Cats purr."] * 5)
        assert not noise.due and noise.control is None
        await until(lambda: "6 for a verdict" in screen_text(pilot))
        repeated(pilot, "B", *["Cats purr."] * 8)
        await until(lambda: "beyond noise" in screen_text(pilot))
        assert not noise.all_there, "C has one output"
        repeated(pilot, "B", *["Dogs bark.", "Cats purr."] * 4)
        assert noise.contrast("B") is None, "of other outputs"
        await until(lambda: noise.contrast("B"))


async def test_what_is_pinned_is_left_out_by_name(home: Path) -> None:
    three = variants(*OTHER, "adapter=support@0.5")
    async with opened(home, three) as pilot:
        await run_over(pilot, "f5")
        await pilot.press("escape", "3", "P")
        await measured(pilot)
        await table(pilot)
        assert "B really differs" in words(pilot) and "C really" not in words(pilot)
        assert "C has too few outputs and is pinned; P lets it run." in words(pilot)
        pane = playground(pilot).board.pane("B")
        assert pane is not None, "it is beyond noise, and as bright as ever"
        marks = pane.text.get_component_styles("output-text--added")
        assert marks.color != pane.text.get_component_styles("output-text--ahead").color
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        await pilot.press("1", "P")
        assert playground(pilot).playground.noise.all_there, "A has enough, and stays so"
        await pilot.press("escape", "3", "b", "A")
        await until(lambda: "C has too few outputs and is pinned" in told(pilot))
        assert pilot.app.screen is playground(pilot), "no run could change that"


async def test_what_is_pinned_is_judged_as_it_was_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its prompt and its seeds may be others by now, and its values: then there is no verdict."""
    looked: list[tuple[str, str]] = []
    really = control.look

    async def look(runner: Runner, pair: tuple[Variant, Variant], *given: Any, **more: Any) -> Lens:
        lens = await really(runner, pair, *given, **more)
        for variant, place in zip(pair, more["turns"], strict=True):
            ready = await runner.prepare(variant, given[0], output=place)
            looked.append((variant.name, ready.text))
        return lens

    monkeypatch.setattr(control, "look", look)
    both = variants("adapter=none,temperature=0", "adapter=support@0.2,max_tokens=30")
    async with opened(home, both) as pilot:
        screen, state = playground(pilot), playground(pilot).playground
        state.repeats = 6
        await run_over(pilot, "f5")
        await pilot.press("escape", "1", "P", "2")
        asked_a = output(pilot, "A").stamp.prompt_text
        old = both[0].prompt
        screen.changed(state.edit_prompt(replace(old, system="Be brief.")))
        await pilot.press("S")
        await until(lambda: not screen.session.running and output(pilot, "B").seed != 0)
        if state.stale("B"):
            await run_over(pilot, "f5")
        await until(lambda: state.noise.contrast("B") or state.noise.control)
        await pilot.press("A")
        await until(lambda: "A against A 6 100 %" in words(pilot) and state.noise.lenses)
        await until(lambda: "…" not in words(pilot).partition("Noise floor")[2])
        assert {text for name, text in looked if name == "A"} == {asked_a}
        assert {text for name, text in looked if name == "B"} == {output(pilot, "B").stamp.prompt_text}  # fmt: skip
        shapes = next(it for first, it in state.noise._shapes.items() if first.variant.name == "A")
        assert {it.stamp.prompt_text for it in shapes} == {asked_a}
        found = state.noise.contrast("B")
        assert found is not None and len(found.differ.values) == 36, "no seed is in both"
        await pilot.press("escape")
        state.give_value("topic", "the violin")
        screen.changed(["A", "B"])
        await run_over(pilot, "f5")
        await until(lambda: state.noise.control is not None)
        assert state.noise.contrast("B") is None
        looked.clear()
        await pilot.press("A")
        await until(lambda: "B: no verdict; it was asked with another topic than A." in words(pilot))  # fmt: skip
        await until(lambda: "…" not in words(pilot).partition("Noise floor")[2])
        assert not looked and "really" not in words(pilot)


async def test_one_variant_alone_is_told_so(home: Path) -> None:
    async with opened(home, variants("label=x")) as pilot:
        await pilot.press("escape", "A")
        await until(lambda: "v adds one" in told(pilot))


def test_the_verdict_comes_first_and_in_plain_words() -> None:
    def said(
        differ: float, own: tuple[float, float], within: bool | None, swaps: Swaps | None
    ) -> str:
        it = Contrast(Spread.of([differ]), None, own, swaps, within)
        return verdicts(Control("A", {}, {"B": it}))[0]

    found = Swaps(0.2, 128, 3)
    assert said(0.7, (0.6, 0.5), False, found) == (
        "B really differs: more than reruns of A or of B differ from each other."
    )
    assert said(0.7, (0.8, 0.1), False, found) == (
        "B really differs: reruns of B are more alike than reruns of A are."
    )
    assert said(0.7, (0.1, 0.8), False, found).startswith("B really differs: reruns of B are less")
    assert said(0.7, (0.6, 0.5), True, Swaps(0.2, 128, 32)) == (
        "B may be no different: chance alone does as much 25 % of the time; "
        "more seeds would tell more."
    )
    assert said(0.7, (0.7, 0.7), True, Swaps(0.0, 128, 128)) == (
        "B may be no different: reruns of A or of B differ from each other as much."
    )
    assert said(0.0, (0, 0), True, Swaps(0.0, 128, 128)).endswith("no word differs from A.")
    assert "six" in said(0.7, (0.6, 0.5), None, Swaps(0.2, 16, 1)).replace("6", "six")
    assert "batches change A or B" in said(0.7, (0.0, 0.0), False, None)
    assert "size of a batch" in said(0.7, (0.8, 0.0), True, None)
    assert [percent(it) for it in (0, 0.001, 0.5, 0.999, 1)] == ["0 %", "1 %", "50 %", "99 %", "100 %"]  # fmt: skip
    floors = {"A": Floor(8, Spread((0.5,)), None, 3), "B": Floor(8, Spread((0.5,)), None)}
    assert details(Control("A", floors, {})) == [
        "Cut off at a limit, and compared as far as they go: 3 of 8 of A."
    ]


def test_the_lens_is_beyond_noise_by_six_texts_and_what_can_be_told() -> None:
    def told(means: Sequence[float], rounding: float = 0.0) -> str:
        return lens_words(LensSpread(Spread.of(means), rounding), "A", "B")

    assert "nats a token, beyond noise; rounding" in told([0.1] * LEAST)
    for few in ([0.1], [0.1] * (LEAST - 1)):
        assert "nats a token, beyond rounding; rounding" in told(few)
        assert LensSpread(Spread.of(few), 0.0).within is None
    assert "nats a token, within noise" in told([0.1] * LEAST, 0.1), "all of it is rounding"
    assert "nats a token, beyond noise" in told([0.1] * LEAST, 0.09)
    assert "nats a token, within noise" in told([0.1, -0.1])
    nothing = LensSpread(Spread.of([0.004] * 8), 0.0)
    assert "+0.00 nats a token; rounding moves nothing" in lens_words(nothing, "A", "B")
    assert "neither likelier" in lens_verdict(nothing, "A", "B") and nothing.within is None
    less = LensSpread(Spread.of([-0.3, -0.1]), 0.0)
    assert "finds A's texts, all 2 that were looked at, less likely" in lens_verdict(less, "A", "B")
    assert "neither likelier" in lens_verdict(LensSpread(Spread.of([-0.3, 0.1]), 0.0), "A", "B")


@pytest.mark.parametrize(
    ("specs", "code", "said"),
    [
        (SAME, 0, "B may be no different: reruns of A or of B"),
        (OTHER, 1, "B really differs: "),
        (GREEDY, 1, "6 100 % – "),
    ],
)
def test_the_command_says_it_and_by_its_exit_code(
    specs: tuple[str, str], code: int, said: str
) -> None:
    given = [argument for spec in specs for argument in ("--variant", spec)]
    done = llamadiff("noise", "-p", "tell-me-about", *given, "--set", "max_tokens=40")
    assert done.returncode == code and said in " ".join(done.stdout.split()), done.stderr
    assert ("other sizes of batches judge it" in done.stderr) is (specs is GREEDY)
    assert ("A, same seed 6" in " ".join(done.stdout.split())) is (specs is not GREEDY)


def test_the_document_has_the_run_and_its_noise() -> None:
    given = ("--variant", "label=x", "--variant", "adapter=support", "--set", "max_tokens=12")
    done = llamadiff("noise", "-p", "tell-me-about", *given, "--seeds", "6", "--json")
    document = json.loads(done.stdout)
    assert [len(it["outputs"]) for it in document["variants"]] == [6, 6]
    noise = document["noise"]
    assert noise["against"] == "A" and set(noise["alone"]) == {"A", "B"}
    assert noise["alone"]["A"]["pairs"] == 15 and noise["variants"]["B"]["swaps"]["tried"] == 32
    assert noise["variants"]["B"]["pairs"] == 30
    assert noise["variants"]["B"]["within_noise"] is False and done.returncode == 1
    assert noise["lens"]["B"]["texts"] == len({it["text"] for it in document["variants"][0]["outputs"]})  # fmt: skip


def test_one_variant_is_measured_alone_and_mistakes_are_one_line() -> None:
    done = llamadiff("noise", "-p", "tell-me-about", "--seeds", "2", "--set", "max_tokens=8")
    assert done.returncode == 0 and "A against A" in done.stdout
    done = llamadiff("noise", "-p", "tell-me-about", "--seeds", "1")
    assert done.returncode == 2 and not done.stdout
