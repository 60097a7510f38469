"""The tour and the demo: steps that a person does, nothing of theirs lost, and the same by itself."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.content import Content
from textual.pilot import Pilot

from benchmarks.loop import watched
from llamadiff.compare.run import Run
from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.collecting import THRESHOLDS, leave_out
from llamadiff.tui.key_names import filled
from llamadiff.tui.last_time import read
from llamadiff.tui.screens.save_prompt import SavePrompt
from llamadiff.tui.setup import Setup
from llamadiff.tui.tour import player, steps, tour
from llamadiff.tui.tour.demo import DemoApp
from llamadiff.tui.tour.folder import setup_in
from llamadiff.tui.tour.panel import TourPanel
from llamadiff.tui.tour.player import Player
from llamadiff.tui.tour.steps import STEPS
from llamadiff.tui.tour.suite import write_suite
from llamadiff.tui.welcome import first_run
from llamadiff.tui.widgets.prompt_editor import PromptEditor

from ..conftest import until
from .app import (
    PLAIN,
    StillApp,
    opened,
    output,
    playground,
    run_over,
    said,
    screen_text,
    setup,
    told,
)
from .test_stalls import MOST_MS


def app_of(pilot: Pilot[None]) -> LlamadiffApp:
    assert isinstance(pilot.app, LlamadiffApp)
    return pilot.app


async def step(pilot: Pilot[None], number: int) -> None:
    await until(lambda: f"Tour {number} of {len(STEPS)}" in screen_text(pilot))


def test_each_step_is_said_in_three_lines_at_80_columns() -> None:
    for it in STEPS:
        assert Content(filled(it.says, {})).get_height({}, 77) <= 2, it.says
        assert Content(filled(it.do, {})).get_height({}, 77) == 1, it.do
        assert len(f"Tour 10 of 15 · {it.title}") <= 50, it.title
        assert it.keys and it.on


async def test_the_suite_of_the_tour_asks_what_it_says(tmp_path: Path) -> None:
    from llamadiff.compare.evaluation.planning import plan_of
    from llamadiff.compare.evaluation.reading import load_suite
    from llamadiff.compare.spec import Defaults
    from llamadiff.models.engine.protocol import ModelSettings

    plan = plan_of(load_suite(write_suite(tmp_path / "suites")), Defaults(), ModelSettings())
    assert (len(plan.rows), len(plan.variants)) == (40, 4)
    assert "40 reviews" in "".join(it.says for it in STEPS)


async def test_a_step_is_done_once_all_of_it_is(tmp_path: Path) -> None:
    topic, scale = (next(it for it in STEPS if word in it.title) for word in ("topic", "scale"))
    async with StillApp(tmp_path).run_test() as pilot:
        home = playground(pilot)
        state = home.playground
        for asked, step, done in (
            ("c", topic, False), ("Cats ", topic, True), (0.6, scale, False), (0.5, scale, True),
        ):  # fmt: skip
            if isinstance(asked, str):
                state.values["topic"] = asked
            else:
                c = state.variants[-1]
                state.update(replace(c, adapters=(replace(c.adapters[0], scale=asked),)))
            assert not step.done(home), "it was not run so"
            outputs = [said(it, PLAIN) for it in state.variants]
            state.started(Run(tuple(state.variants), dict(state.values), outputs=outputs), None)
            assert step.done(home) is done, asked


async def test_the_tour_leaves_all_as_it_was(tmp_path: Path) -> None:
    async with opened(tmp_path, size=(80, 24)) as pilot:
        own, app = playground(pilot), app_of(pilot)
        app.set_keymap(
            {
                "run.start": "ctrl+x",
                "output.2": "J,2",
                "app.playground": "f10",
                "app.jump": "f6,f11",
            }
        )
        app.own_splits.higher = 2
        await pilot.press("e", *" and cats")
        await until(lambda: isinstance(pilot.app.focused, PromptEditor))
        text = own.query_one(PromptEditor).text
        assert text.endswith("and cats")
        await pilot.press("f1", "t")
        await step(pilot, 1)
        assert "esc ends the tour" in screen_text(pilot)
        guided = playground(pilot)
        assert guided is not own and guided.session.library is not own.session.library
        assert app.splits.higher == 0
        await until(lambda: "Press ctrl+x to run them." in screen_text(pilot))
        await run_over(pilot, "ctrl+x")
        await step(pilot, 2)

        # What is no part of the step is told kindly, and the way back.
        await pilot.press("f3")
        await until(lambda: "F10 goes back to the playground" in screen_text(pilot))
        await pilot.press("f10", "n", "n", "n")
        await until(lambda: "n is not it yet. Press J" in screen_text(pilot))
        assert app.tour is not None and app.tour._wanted == {"J", "2"}
        await pilot.press("e")
        await until(lambda: "esc leaves the field" in screen_text(pilot))
        await pilot.press("escape")  # out of the editor, which is no end of the tour
        await until(lambda: "esc ends the tour" in screen_text(pilot))
        await pilot.press("J")
        await step(pilot, 3)
        folder = Path(app.tour._folder.name if app.tour and app.tour._folder else "")
        assert (folder / "state").is_dir()

        # Each of the keys that an action has goes through it.
        jump = next(at for at, it in enumerate(STEPS) if it.through)
        for pressed, done in (("f6", True), ("f11", True), ("f9", False)):
            app.tour._go_to(jump)
            app.tour._pressed.append(pressed)
            assert app.tour._done is done
        app.tour._go_to(2)

        # What would go with the tour is not made, or that is said of it.
        await pilot.press("f8")
        await until(lambda: "F8 trains nothing until it is over" in told(pilot))
        await pilot.press("W")
        await until(lambda: isinstance(pilot.app.screen, SavePrompt))
        await pilot.press("enter")
        await until(lambda: "goes with the tour: W saves it elsewhere" in told(pilot))
        assert [*(folder / "prompts").iterdir()]
        await pilot.press("f1")
        await until(lambda: "esc closes this" in screen_text(pilot))
        assert "the guided tour" not in screen_text(pilot)
        assert not app.check_action("tour", ()) and not app.check_action("suspend_process", ())
        await pilot.press("escape")

        await pilot.press("escape")
        await until(lambda: pilot.app.screen is own)
        assert app.tour is None
        await until(lambda: not folder.exists() and not guided.is_attached)
        assert isinstance(pilot.app.focused, PromptEditor)
        assert own.query_one(PromptEditor).text == text
        assert own.playground.outputs == {} and not own.query(TourPanel)
        assert app.splits.higher == 2

        # It can be taken again, and quitting within it is an end as any other.
        await pilot.press("ctrl+p")
        await pilot.press(*"guided")
        await until(lambda: "in two minutes" in screen_text(pilot))
        await pilot.press("enter")
        await step(pilot, 1)
        await pilot.press("ctrl+q")
        await until(lambda: pilot.app._exit)
        assert app.unfinished is None
    left = read(tmp_path / "state")
    assert left is not None and left.splits.higher == 2


async def test_the_first_run_says_what_to_press_and_never_again(tmp_path: Path) -> None:
    opening = setup(tmp_path)
    (tmp_path / "state" / "welcomed").unlink()
    async with LlamadiffApp(opening).run_test(size=(80, 24)) as pilot:
        await until(lambda: "Press F5 to run · F1, then t" in screen_text(pilot))
        await until(lambda: len(playground(pilot).playground.names) == 3)
        await run_over(pilot, "f5")
        assert output(pilot, "A").text
        assert "F1, then t" not in screen_text(pilot)
    assert not first_run(tmp_path / "state") and first_run(tmp_path) and not first_run(None)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first three steps are the whole tour."""
    for module in (steps, tour, player):
        monkeypatch.setattr(module, "STEPS", STEPS[:3])


@pytest.mark.usefixtures("short")
async def test_the_demo_does_the_steps_and_begins_anew(tmp_path: Path) -> None:
    app = DemoApp(setup_in(tmp_path, setup(tmp_path)), Player(20, loop=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: "any key stops it" in screen_text(pilot))
        await until(lambda: app.tour is not None and app.tour.at == 2)
        first = playground(pilot)
        assert output(pilot, "B").text and first.playground.selected == "B"
        await until(lambda: playground(pilot) is not first and "Tour 1 of 3" in screen_text(pilot))

        # Any key stops it, and does nothing else; the tour goes on by hand.
        await pilot.press("ctrl+q")
        await until(lambda: "any key stops it" not in screen_text(pilot))
        assert not pilot.app._exit and app.tour is not None and not app.tour.over
        at = app.tour.at
        if at == 0:
            await run_over(pilot, "f5")
        await until(lambda: app.tour is not None and app.tour.at > 0)


@pytest.mark.usefixtures("short")
async def test_the_demo_ends_in_the_app(tmp_path: Path) -> None:
    app = DemoApp(setup_in(tmp_path, setup(tmp_path)), Player(20))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.tour is not None and app.tour.at == 2)
        await until(lambda: app.tour is None and not pilot.app.screen.query(TourPanel))
        assert app.current_mode == app.DEFAULT_MODE and "over" in told(pilot)


@pytest.fixture
def as_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Garbage is collected as seldom."""
    before = gc.get_threshold()
    with monkeypatch.context() as patch:
        patch.setattr(LlamadiffApp, "is_headless", False)
        leave_out(LlamadiffApp(Setup(Path(), Path())))
    assert gc.isenabled() and gc.get_threshold() == THRESHOLDS and gc.get_freeze_count()
    yield
    gc.set_threshold(*before)


@pytest.mark.painted
@pytest.mark.usefixtures("as_in_a_terminal")
async def test_nothing_stalls_in_the_whole_tour(tmp_path: Path) -> None:
    app = DemoApp(setup_in(tmp_path, setup(tmp_path)), Player(100))
    async with app.run_test(size=(120, 40)) as pilot, watched() as loop:
        await until(lambda: app.tour is not None and app.tour._there)
        assert app.tour is not None
        loop.take()  # the app has started by now
        for number in range(len(STEPS)):
            await until(lambda number=number: app.tour is None or app.tour.at > number, 120)
            assert loop.take() < MOST_MS, STEPS[number].title
        await until(lambda: "The tour is over" in told(pilot))
