"""The noise floor: in the panes, in its table, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.noise import Contrast, Spread
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.tui.noise_words import pane_ways, percent, span
from llamadiff.tui.screens.how_many import HowMany
from llamadiff.tui.screens.noise_floor import NoiseFloorScreen
from llamadiff.tui.widgets.lines import FittedLine

from ..conftest import until
from .app import StillApp, opened, playground, run_over, screen_text, told
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
        assert "B is beyond noise: A and B differ in" in words(pilot)
        assert "A against A 28" in words(pilot) and "B against A 56" in words(pilot)
        assert "8 texts of A" in words(pilot)
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
        assert "A against A 6 0 % 0 %" in words(pilot), "one output and three in other batches"
        await pilot.press("escape")
        await until(lambda: "beyond noise" in screen_text(pilot))
        await pilot.press("x")
        assert not state.noise.all_there, "what is asked now was not run"


async def test_what_is_too_few_is_not_judged(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        noise = playground(pilot).playground.noise
        repeated(pilot, "A", *["Dogs bark."] * 8)
        repeated(pilot, "B", *["Cats purr."] * 7)
        assert not noise.due and noise.control is None
        repeated(pilot, "B", *["Cats purr."] * 8)
        await until(lambda: "beyond noise" in screen_text(pilot))
        assert not noise.all_there, "C has one output"
        repeated(pilot, "B", *["Dogs bark.", "Cats purr."] * 4)
        assert noise.contrast("B") is None, "of other outputs"
        await until(lambda: noise.contrast("B"))


async def test_one_variant_alone_is_told_so(home: Path) -> None:
    async with opened(home, variants("label=x")) as pilot:
        await pilot.press("escape", "A")
        await until(lambda: "v adds one" in told(pilot))


def test_the_words_of_a_pane_give_way() -> None:
    it = Contrast(Spread.of([0.12]), None, Spread.of([0.1, 0.31]))
    assert pane_ways(it) == [
        "within noise: 12 % differ, either against itself 10–31 %",
        "12 %, within noise 10–31 %",
        "within noise",
    ]
    assert [percent(it) for it in (0, 0.001, 0.5, 0.999, 1)] == ["0 %", "1 %", "50 %", "99 %", "100 %"]  # fmt: skip
    assert span(Spread((0.0,))) == "0 %"


@pytest.mark.parametrize(
    ("specs", "code", "said"),
    [(SAME, 0, "B is within noise"), (OTHER, 1, "B is beyond noise"), (GREEDY, 1, "6 0 % 0 %")],
)
def test_the_command_says_it_and_by_its_exit_code(
    specs: tuple[str, str], code: int, said: str
) -> None:
    given = [argument for spec in specs for argument in ("--variant", spec)]
    done = llamadiff("noise", "-p", "tell-me-about", *given, "--set", "max_tokens=40")
    assert done.returncode == code and said in " ".join(done.stdout.split()), done.stderr
    assert ("batches of other sizes" in done.stderr) is (specs is GREEDY)


def test_the_document_has_the_run_and_its_noise() -> None:
    given = ("--variant", "label=x", "--variant", "adapter=support", "--set", "max_tokens=12")
    done = llamadiff("noise", "-p", "tell-me-about", *given, "--seeds", "4", "--json")
    document = json.loads(done.stdout)
    assert [len(it["outputs"]) for it in document["variants"]] == [4, 4]
    noise = document["noise"]
    assert noise["against"] == "A" and set(noise["alone"]) == {"A", "B"}
    assert noise["alone"]["A"]["pairs"] == 6 and noise["alone"]["A"]["noise"]["deals"] == 3
    assert noise["variants"]["B"]["pairs"] == 12
    assert noise["variants"]["B"]["within_noise"] is False and done.returncode == 1
    assert noise["lens"]["B"]["texts"] == len({it["text"] for it in document["variants"][0]["outputs"]})  # fmt: skip


def test_one_variant_is_measured_alone_and_mistakes_are_one_line() -> None:
    done = llamadiff("noise", "-p", "tell-me-about", "--seeds", "2", "--set", "max_tokens=8")
    assert done.returncode == 0 and "A against A" in done.stdout
    done = llamadiff("noise", "-p", "tell-me-about", "--seeds", "1")
    assert done.returncode == 2 and not done.stdout
