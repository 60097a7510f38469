"""The app as a person meets it: in tmux, at two sizes, with keys alone."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from llamadiff.tui.key_names import filled
from llamadiff.tui.tour.steps import STEPS

from .tmux import HAS_TMUX, Tmux

pytestmark = pytest.mark.skipif(not HAS_TMUX, reason="needs tmux")
ENDLESS = """\
name = "Endless"
user = "Tell me about dogs."
[sampling]
max_tokens = 100000
logit_bias = { 0 = -100.0, 1 = -100.0, 2 = -100.0, 3 = -100.0, 4 = -100.0, 5 = -100.0, 6 = -100.0, 7 = -100.0 }
"""
Closing = list[Callable[[], object]]


def start(closing: Closing, home: Path, columns: int, rows: int, *arguments: str) -> Tmux:
    tmux = Tmux(columns, rows, home, *arguments)
    closing.append(tmux.close)
    tmux.wait_for("ready")
    return tmux


@pytest.fixture
def endless(tmp_path: Path) -> str:
    """A prompt whose answer goes on until it is stopped."""
    path = tmp_path / "endless.toml"
    path.write_text(ENDLESS)
    return str(path)


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24)])
def test_run_and_quit(closing: Closing, home: Path, columns: int, rows: int) -> None:
    tmux = start(closing, home, columns, rows)
    screen = tmux.screen()
    assert "Tell me about {{ topic }}." in screen
    tmux.press("F5")
    screen = tmux.wait_for("done")
    assert "tok" in screen and "stop" in screen
    tmux.press("C-q")
    tmux.wait_for(lambda _: not tmux.alive, 10)


def test_the_prompt_is_edited_and_run_again(closing: Closing, home: Path) -> None:
    tmux = start(closing, home, 120, 40)
    tmux.press("C-End")
    tmux.type(" Please be brief.")
    tmux.wait_for("Please be brief.")
    tmux.press("C-r")
    tmux.wait_for("done")


def test_escape_stops_a_run_and_the_text_stays(closing: Closing, home: Path, endless: str) -> None:
    tmux = start(closing, home, 120, 40, "-p", endless, "-c", "60000")
    tmux.press("F5")
    tmux.wait_for("running")
    tmux.wait_for("streaming")
    tmux.press("Escape")
    screen = tmux.wait_for("stopped")
    assert "running" not in screen


def test_a_terminal_too_small_says_so_and_recovers(closing: Closing, home: Path) -> None:
    tmux = start(closing, home, 120, 40)
    tmux.resize(50, 12)
    tmux.wait_for("small")
    tmux.resize(80, 24)
    tmux.wait_for(lambda screen: "small" not in screen and "F5" in screen)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGABRT"])
def test_the_engine_killed_in_a_run_is_said_and_the_next_run_works(
    closing: Closing, home: Path, endless: str, name: str
) -> None:
    tmux = start(closing, home, 120, 40, "-p", endless, "-c", "60000")
    tmux.press("F5")
    tmux.wait_for("running")
    tmux.wait_for("streaming")
    worker = worker_of(tmux.pid)
    os.kill(worker.pid, signal.Signals[name])
    tmux.wait_for(lambda screen: name in screen and "· failed" in screen)
    tmux.press("F5")
    tmux.wait_for("streaming")
    assert worker_of(tmux.pid).pid != worker.pid


def test_an_app_killed_in_a_run_leaves_nothing_behind(
    closing: Closing, home: Path, endless: str
) -> None:
    tmux = start(closing, home, 120, 40, "-p", endless, "-c", "60000")
    tmux.press("F5")
    tmux.wait_for("streaming")
    children = psutil.Process(tmux.pid).children(recursive=True)
    assert len(children) >= 2, "the engine and the template helper"
    os.kill(tmux.pid, signal.SIGKILL)
    _, there = psutil.wait_procs(children, timeout=2)
    assert all(it.status() == psutil.STATUS_ZOMBIE for it in there), "but for one nobody asked for"


TMUX_NAMES = {"enter": "Enter", "tab": "Tab"}


def press(tmux: Tmux, key: str) -> None:
    """A key of a step, as a person at a terminal without the kitty protocol presses it."""
    if key.startswith("@"):
        tmux.type(lowest_letter(tmux))
    elif len(key) == 1:
        tmux.type(key)
    elif key.startswith("ctrl+"):
        tmux.press(f"C-{key[-1]}")
    else:
        tmux.press(TMUX_NAMES.get(key, key.upper()))


def lowest_letter(tmux: Tmux) -> str:
    """The letter that jump mode shows furthest down, which is that on an output."""
    before = tmux.screen()
    tmux.press("F6")
    after = tmux.wait_for(lambda screen: screen != before)
    rows = [*zip(before.splitlines(), after.splitlines(), strict=False)]
    row, jumping = [(a, b) for a, b in rows if a != b][-1]
    at = next(i for i, (a, b) in enumerate(zip(row.ljust(80), jumping, strict=False)) if a != b)
    found = re.search(r"[a-z]", jumping[at:])
    assert found is not None, after
    return found[0]


def test_the_whole_tour_at_80_by_24(closing: Closing, home: Path) -> None:
    """Every step, done by keys alone; at its end the person's own playground is there again."""
    tmux = start(closing, home, 80, 24)
    tmux.wait_for("Press F5 to run · F1, then t: a tour of two minutes")
    tmux.press("F1")
    tmux.wait_for("t the guided tour")
    tmux.type("t")
    # What the next key is for is there first: a person does not type faster than the screen.
    waits: dict[str, str | Callable[[str], object]] = {
        "A": "How many outputs",
        "ctrl+u": lambda screen: "topic = dogs" not in screen,
        # What is told for a moment stands above the panel.
        "enter": lambda screen: "The panes say" in screen and "beyond noise. Which\n" in screen,
    }
    for number, step in enumerate(STEPS, 1):
        title = f"Tour {number} of {len(STEPS)} · {step.title}"
        do = filled(step.do, {})
        tmux.wait_for(lambda screen, do=do, title=title: title in screen and do in screen)
        keys = [filled(key, {}) for key in step.keys]
        for key, following in zip(keys, (*keys[1:], ""), strict=True):
            if not following.startswith("@"):
                press(tmux, key)
            if key in waits:
                tmux.wait_for(waits[key])
    screen = tmux.wait_for("The tour is over")
    assert "Tour 15" not in screen and "not run yet" in screen
    tmux.wait_for("Press F5 to run · F1, then t")
    tmux.press("C-q")
    tmux.wait_for(lambda _: not tmux.alive, 20)


def worker_of(app: int) -> psutil.Process:
    (worker,) = [
        child
        for child in psutil.Process(app).children(recursive=True)
        if any("engine.worker" in part for part in child.cmdline())
    ]
    return worker
