"""A variant whose adapter changes nothing says so in its pane."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from llamadiff.compare.run import Run
from llamadiff.compare.variants import StackedAdapter, Variant
from llamadiff.prompts.library import resolve

from ..conftest import until
from .app import PLAIN, StillApp, opened, playground, run_over, said, screen_text
from .test_layout import settle

WORDS = "this adapter changes nothing"
ROUNDING = "this adapter changes no more than rounding does"


async def test_the_pane_says_so_after_a_run(home: Path, base: Path, support: Path) -> None:
    prompt = resolve("tell-me-about")
    variants = [
        Variant("A", base, "demo", prompt),
        Variant("B", base, "demo", prompt, (StackedAdapter("support", support, 1e-5),)),
        Variant("C", base, "demo", prompt, (StackedAdapter("support", support, 1.0),)),
        Variant("D", base, "demo", prompt, (StackedAdapter("support", support, 0.0),)),
    ]
    async with opened(home, variants, size=(320, 40)) as pilot:
        await run_over(pilot, "f5")
        await until(lambda: WORDS in screen_text(pilot))
        await until(lambda: ROUNDING in screen_text(pilot))
        assert screen_text(pilot).count(WORDS) == screen_text(pilot).count(ROUNDING) == 1
        outputs = playground(pilot).playground.outputs
        assert [bool(outputs[name].no_effect) for name in "ABCD"] == [False, True, False, True]


async def test_it_is_said_beside_the_difference_or_alone(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(240, 40)) as pilot:
        await settle(pilot)
        screen = playground(pilot)
        variant = screen.playground.variants[2]
        output = said(variant, PLAIN)
        screen.playground.started(Run((variant,), {}, outputs=[output]), None)
        output.no_effect = WORDS
        screen.board.show()
        await until(lambda: f"{WORDS} · same as A" in screen_text(pilot))
        output.no_effect = f"{ROUNDING} (logits by up to 0.1; rounding alone does 0.2)"
        screen.board.flush()
        await until(lambda: ROUNDING in screen_text(pilot))
        two = replace(variant, adapters=variant.adapters * 2)
        output = replace(said(two, PLAIN), no_effect="these adapters change nothing")
        screen.playground.started(Run((two,), {}, outputs=[output]), None)
        screen.board.show()
        await until(lambda: "these adapters change nothing" in screen_text(pilot))
