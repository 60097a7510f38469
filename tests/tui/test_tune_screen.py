"""The Tune screen on the real app: chosen, checked, trained, looked at, stopped, gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from llamadiff.compare.history.ratings import Kept, Rated
from llamadiff.compare.training_data.shipped import shipped_rows
from llamadiff.compare.tuning.work import unfinished
from llamadiff.models.adapters.training import card_of, read_training
from llamadiff.models.tuning import extra
from llamadiff.tui.recent_files import note_file
from llamadiff.tui.screens.evaluation import Evaluation
from llamadiff.tui.screens.playground import Playground
from llamadiff.tui.screens.training import TrainingScreen
from llamadiff.tui.screens.tune import Tune
from llamadiff.tui.training import Training
from llamadiff.tui.widgets.loss_plot import LossPlot
from llamadiff.tui.widgets.tune_list import TuneList

from ..compare.evaluation.suites import write_suite
from ..conftest import until, workers
from .app import ever_told, opened, output, paste, playground, run_over, screen_text, told

REVIEWS = [
    *(("positive", f"The {it} is lovely and I use it every day.") for it in ("chair", "lamp", "coat", "kettle")),
    *(("negative", f"The {it} broke at once and nobody helped.") for it in ("table", "mug", "boot", "watch")),
    *(("neutral", f"The {it} is as it was described, no more.") for it in ("scarf", "radio", "spoon", "clock")),
]  # fmt: skip
QUICK = "steps=6 batch=2 checkpoint_every=2 eval_every=2"
ENDLESS = "steps=100000 batch=1 checkpoint_every=3 eval_every=3"


def write_rows(folder: Path, rows: Sequence[tuple[str, str]] = REVIEWS) -> Path:
    path = folder / "reviews.jsonl"
    lines = (json.dumps({"review": text, "expected": label}) for label, text in rows)
    path.write_text("\n".join(lines))
    return path


def training(pilot: Pilot[None]) -> Training:
    it = playground(pilot).training
    assert it is not None
    return it


def words(pilot: Pilot[None]) -> str:
    """What is on the screen, on one line."""
    return " ".join(screen_text(pilot).split())


async def line(pilot: Pilot[None], key: str) -> None:
    """Go to a line of the choices."""
    table = pilot.app.screen.query_one(TuneList)
    table.choose(key)
    await pilot.pause()


async def type_in(pilot: Pilot[None], key: str, text: str) -> None:
    """Type what a line is to say."""
    await line(pilot, key)
    await pilot.press("enter")
    await until(lambda: not isinstance(pilot.app.screen, Tune))
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")


async def checked(pilot: Pilot[None], *said: str) -> None:
    """Wait until the choices are checked, and all of this is said."""
    await until(lambda: isinstance(pilot.app.screen, Tune))
    await until(lambda: all(it in words(pilot) for it in ("Training will take, about", *said)))


@asynccontextmanager
async def chosen(
    home: Path, rows: Path, settings: str, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Pilot[None]]:
    """The app on the Tune screen with a file's rows and settings, checked."""
    async with opened(home, size=size) as pilot:
        await pilot.press("f8")
        await until(lambda: isinstance(pilot.app.screen, Tune) and "rows" in screen_text(pilot))
        await checked(pilot)
        await type_in(pilot, "data", str(rows))
        await until(lambda: isinstance(pilot.app.screen, Tune))
        await line(pilot, "prompt")
        await pilot.press("enter")
        await until(lambda: "name, or the path" in screen_text(pilot))
        await paste(pilot, "sentiment")
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, Tune))
        await type_in(pilot, "others", settings)
        await checked(
            pilot,
            f"{len(REVIEWS)} rows; ",
            f"{settings.split()[0][6:]} steps".replace("100000", "100,000"),
        )
        yield pilot


@pytest.mark.painted
async def test_rows_are_chosen_and_trained_and_the_playground_and_a_suite_have_the_adapter(
    home: Path, tmp_path: Path
) -> None:
    (home / "suites").mkdir()
    write_suite(home / "suites", 2, 'name = "Mine"\n[[checks]]\ncheck = "contains"\n')
    async with chosen(home, write_rows(tmp_path), QUICK) as pilot:
        said = words(pilot)
        assert "12 rows; " in said and "Answers: negative 4, neutral 4, positive 4." in said
        assert "⟦positive" in said and "✓ Nothing is wrong with them." in said
        assert "6 steps" in said and "reviews-1" in said and "by the width" in said
        await type_in(pilot, "rank", "0")
        await until(lambda: "rank is 0; give a whole number from 1" in screen_text(pilot))
        await pilot.press("escape")
        await type_in(pilot, "others", "steps=6 rnk=2")
        await until(lambda: "rnk" in screen_text(pilot) and "did you mean rank" in words(pilot))
        await pilot.press("escape")
        await type_in(pilot, "rank", "4")
        await checked(pilot, "116,736 trained")
        await line(pilot, "rank")
        assert "del as it was" in screen_text(pilot)

        variants = [*playground(pilot).playground.variants]
        playground(pilot).playground.live = True
        await pilot.press("f5")
        await until(lambda: isinstance(pilot.app.screen, TrainingScreen))
        another = "D is asked a question that is held out, and the baseline A another"
        await until(lambda: another in ever_told(pilot))
        await until(lambda: training(pilot).look.adapter)
        await pilot.press("f2")
        await until(lambda: "tuning" in screen_text(pilot).splitlines()[0])
        await until(
            lambda: any(
                it.label.startswith("step ") for it in playground(pilot).playground.variants
            )
        )
        assert playground(pilot).playground.variants[:3] == variants
        assert playground(pilot).playground.selected == "A"
        await until(lambda: training(pilot).state == "done")
        await pilot.press("f8")
        await until(lambda: isinstance(pilot.app.screen, TrainingScreen))
        await until(lambda: "● trained" in screen_text(pilot))
        look, (done,) = training(pilot).look, training(pilot).done
        adapter = home / "adapters" / "reviews-1.gguf"
        assert Path(done.adapter) == adapter and card_of(adapter).is_file()
        made = read_training(adapter)
        assert made.steps == 6 and "rank=4" in made.settings and made.rows == len(REVIEWS) - 3
        assert len(look.losses) == 6 and [step for step, _ in look.validations] == [2, 4, 6]
        assert look.best is not None and look.best[0] == made.step
        said = words(pilot)
        assert "6 of 6" in said and f"at step {done.step}" in said and "before" in said
        assert pilot.app.screen.query_one(LossPlot).drawings
        assert unfinished(playground(pilot).tuning_places.state) == []
        live = playground(pilot).playground.get("D")
        assert live is not None and live.label == "reviews-1" and live.adapters[0].path == adapter
        assert live.values["review"] in {text for _, text in REVIEWS}
        await until(lambda: output(pilot, "D").variant.adapters == live.adapters)

        await pilot.press("e")
        await until(lambda: "Mine" in screen_text(pilot))
        pilot.app.screen.query_one(Input).value = "Mine"
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, Evaluation))
        evaluating = playground(pilot).evaluating
        await until(lambda: "finished" in screen_text(pilot) and "reviews-1" in screen_text(pilot))
        assert evaluating is not None and evaluating.key
        assert [it.label for it in evaluating.plan.variants][:3] == ["base", "tuned", "reviews-1"]
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, TrainingScreen))
        await pilot.press("p")
        await until(lambda: isinstance(pilot.app.screen, Playground))
        assert playground(pilot).playground.selected == "D"
        entries = playground(pilot).session.catalog.adapters()
        assert [it.source for it in entries if it.path == str(adapter)] == ["yours"]


APP = """
import asyncio, sys
from pathlib import Path
from tests.conftest import until
from tests.tui.test_tune_screen import ENDLESS, chosen, training, write_rows
async def main():
    async with chosen(Path(sys.argv[1]), write_rows(Path(sys.argv[2])), ENDLESS, (80, 24)) as pilot:
        await pilot.press("f5")
        await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_one_that_was_killed_is_offered_and_goes_on_and_pauses_and_stops_with_the_best(
    home: Path, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", APP, str(home), str(tmp_path)], start_new_session=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    deadline = time.monotonic() + 60
    reached = home / "state"
    while not any(reached.glob("tuning/*/*/reached.json")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    async with opened(home, size=(80, 24)) as pilot:
        await pilot.press("f8")
        await until(lambda: "Not finished: enter goes on" in screen_text(pilot))
        (left,) = unfinished(playground(pilot).tuning_places.state)
        pilot.app.screen.query_one(TuneList).choose(left.plan.out)
        await until(lambda: "enter go on" in screen_text(pilot))
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, TrainingScreen))
        it = training(pilot)
        await until(lambda: it.look.step > left.reached.step)
        assert it.look.losses[0][0] == 1

        await until(lambda: it.look.samples)
        await until(lambda: "now" in screen_text(pilot) and "expected" in screen_text(pilot))
        assert all(len(line) <= 80 for line in screen_text(pilot).splitlines())
        await pilot.press("space")
        await until(lambda: "● paused" in screen_text(pilot))
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, Tune) and "paused" in screen_text(pilot))
        await checked(pilot)
        await pilot.press("f5")
        await until(lambda: "reviews-1 is being trained; stop it first." in told(pilot))
        await pilot.press("f8", "f2", "f8")
        await until(lambda: isinstance(pilot.app.screen, TrainingScreen))
        before = it.look.step
        await pilot.press("space")
        await until(lambda: it.look.step > before + 3)
        await pilot.press("s")
        await until(lambda: it.state == "stopped" and "● stopped" in screen_text(pilot))
        (done,) = it.done
        adapter = home / "adapters" / "reviews-1.gguf"
        assert done.why == "stopped" and read_training(adapter).step == done.step
        await until(lambda: "is written, its card beside it" in words(pilot))
        stopped = it.look
        await pilot.press("f5")
        await until(lambda: it.look.step > stopped.step and it.busy)
        assert it.look.losses[: len(stopped.losses)] == stopped.losses
        playground(pilot).playground.selected = "D"
        await pilot.press("f2")
        await until(lambda: "tuning" in screen_text(pilot))
        await pilot.press("ctrl+q")
    assert not workers(os.getpid(), "tuning.process")


async def test_ratings_are_rows_and_without_the_extra_it_says_what_to_install(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(home) as pilot:
        await run_over(pilot, "f5")
        history, run = playground(pilot).session.history, playground(pilot).session.last
        assert history is not None and run is not None
        history.flush()
        what = Rated("run", run.id)
        for first, second in (("A", "B"), ("A", "C"), ("B", "C")):
            history.ratings.put(what, Kept("me", 0, 0, first, second, "first", edited="Dogs bark."))
        (counted,) = history.ratings.counts()
        assert (counted.what, counted.preferred, counted.edited) == (what, 3, 3)
        monkeypatch.setattr(extra, "find_spec", lambda name: None)
        await pilot.press("f8")
        await checked(
            pilot, "Tuning needs torch and transformers and peft", "(about 1 GB with torch"
        )
        assert "cannot be trained" in screen_text(pilot)
        await pilot.press("f5")
        await until(lambda: "pip install 'llamadiff[tune]'" in told(pilot))
        assert playground(pilot).training is None
        state = playground(pilot).tuning_places.state / "tuning"
        for file in (write_rows(tmp_path), state / "rows" / "rated.jsonl", shipped_rows()[0]):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            note_file(state, file)
        await line(pilot, "data")
        await pilot.press("enter")
        await until(lambda: "3 ratings that prefer an answer" in screen_text(pilot))
        before = [it for it in screen_text(pilot).splitlines() if "used before" in it]
        assert len(before) == 1 and "reviews.jsonl" in before[0], (
            "the others are there by their names"
        )
        await paste(pilot, "preferences")
        await pilot.press("enter")
        await until(
            lambda: isinstance(pilot.app.screen, Tune) and "3 preferences; " in words(pilot)
        )
        assert "line 1, chosen" in words(pilot) and "line 1, rejected" in words(pilot)
        assert "none, as the rows ask" in words(pilot)
        assert "✗ Fewer than two different questions are left" in words(pilot)
