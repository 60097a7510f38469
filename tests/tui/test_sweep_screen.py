"""The sweep on the real app: curves and outputs as they come, stopped, taken, written, gone back to."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from llamadiff.compare.curves import Curve
from llamadiff.compare.lens import look
from llamadiff.compare.run import State
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.tui.screens.lens_text import LensText
from llamadiff.tui.screens.sweep import SweepScreen
from llamadiff.tui.sweep_words import completed, first_axis, told
from llamadiff.tui.sweeping import Sweeping
from llamadiff.tui.widgets.curve_plot import CurvePlot
from llamadiff.tui.widgets.output_text import OutputText
from llamadiff.tui.widgets.safe_text_area import SafeTextArea
from llamadiff.tui.widgets.sweep_field import SweepField
from llamadiff.tui.widgets.sweep_table import SweepTable
from llamadiff.tui.widgets.tab_strip import TabStrip

from ..conftest import until
from .app import ENDLESS, opened, output, playground, run_over, screen_text
from .app import told as notified
from .test_cli import llamadiff

SIZES = [(120, 40), (80, 24)]
TWO = ("adapter=none", "adapter=support")
MARKS = "●◆"


def variants(*specs: str) -> list[Variant]:
    return make_variants(Defaults(prompt="tell-me-about"), list(specs or TWO))


def screen(pilot: Pilot[None]) -> SweepScreen:
    it = pilot.app.screen
    assert isinstance(it, SweepScreen)
    return it


def sweeping(pilot: Pilot[None]) -> Sweeping:
    it = screen(pilot).sweeping
    assert it is not None
    return it


def table(pilot: Pilot[None]) -> SweepTable:
    return pilot.app.screen.query_one(SweepTable)


def curve(pilot: Pilot[None], key: str) -> Curve:
    return next(it for it in sweeping(pilot).curves if it.key == key)


def means(it: Curve) -> list[float]:
    return [value.mean for value in it.values if value is not None]


def words(pilot: Pilot[None]) -> str:
    return " ".join(screen_text(pilot).replace("▌", " ").split())


def state(pilot: Pilot[None]) -> str:
    return screen_text(pilot).splitlines()[0].split()[-1]


@asynccontextmanager
async def shown(
    home: Path, found: Sequence[Variant], size: tuple[int, int] = (120, 40), *, ran: bool = True
) -> AsyncIterator[Pilot[None]]:
    """The sweep of the last variant, opened after a run and not begun."""
    async with opened(home, found, size=size) as pilot:
        if ran:
            await run_over(pilot, "f5")
        await pilot.press("escape", str(len(found)))
        await pilot.pause()
        await open_sweep(pilot)
        yield pilot


async def open_sweep(pilot: Pilot[None]) -> None:
    await pilot.press("O")
    await until(lambda: isinstance(pilot.app.screen, SweepScreen) and pilot.app.focused)


async def swept(pilot: Pilot[None], typed: str = "", repeats: int = 1) -> None:
    if typed:
        pilot.app.screen.query_one(SweepField).value = typed
    pilot.app.screen.query_one("#sweep-repeats", Input).value = str(repeats)
    await pilot.press("enter")
    await until(lambda: state(pilot) == "done")


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_scale_is_swept_and_its_likelihoods_are_those_of_the_lens(
    home: Path, size: tuple[int, int]
) -> None:
    async with shown(home, variants(), size) as pilot:
        expected = output(pilot, "B").tokens
        await swept(pilot)
        it = sweeping(pilot)
        assert it.axis.values == (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5)
        assert [v.adapters[0].scale for v in it.run.variants] == list(it.axis.values)
        assert all(out.state is State.DONE and out.text for out in it.run.outputs)
        text = screen_text(pilot)
        assert sum(text.count(mark) for mark in MARKS) == 7, "a mark for each value"
        assert "scale →" in text and "↑ nats a token" in text and "likelihood of B's output" in text
        runner = await playground(pilot).session.runner()
        pair = (it.run.variants[0], it.run.variants[4])
        lens = await look(runner, pair, it.run.values, expected)
        scores = means(curve(pilot, "mean_logprob"))
        for at, summary in zip((0, 4), lens.summaries, strict=True):
            assert scores[at] == pytest.approx(summary.logprob / len(expected), abs=1e-6)
        assert f"{scores[2]:.3f}".replace("-", "−") in text
        assert scores[4] > scores[0] + 1, "its own text is likelier with the adapter"
        same = means(curve(pilot, "same_as_first"))
        assert same[0] == 1 and same[4] < 0.5
        assert means(curve(pilot, "same_as_baseline"))[0] == 1, "scale 0 is A"
        await pilot.press("down", "down", "c", "c")
        await until(lambda: pilot.app.screen.query_one(TabStrip).chosen == "same_as_baseline")
        await until(
            lambda: "scale 0.5 " in words(pilot) and "↑ % of words the same" in words(pilot)
        )
        assert pilot.app.screen.query_one(OutputText).text == it.run.outputs[2].text


async def test_outputs_stream_in_and_escape_stops_first_then_leaves(home: Path) -> None:
    (endless,) = variants("adapter=support")
    endless = replace(endless, sampling=ENDLESS)
    async with shown(home, [endless], ran=False) as pilot:
        pilot.app.screen.query_one(SweepField).value = "scale=0,0.5,1"
        await pilot.press("enter")
        await until(lambda: all(len(it.text) > 500 for it in sweeping(pilot).run.outputs))
        await until(
            lambda: "running, 0 of 3 values" in words(pilot) and "streaming" in words(pilot)
        )
        pane = pilot.app.screen.query_one(OutputText)
        length = len(pane.text)
        await until(lambda: len(pane.text) > length)
        await pilot.press("enter")
        await until(lambda: "still runs" in notified(pilot))
        await pilot.press("escape")
        await until(lambda: state(pilot) == "stopped")
        assert all(it.state is State.CANCELLED for it in sweeping(pilot).run.outputs)
        assert all(it.text for it in sweeping(pilot).run.outputs)
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))


async def test_a_dead_engine_is_told_and_the_sweep_runs_again(home: Path) -> None:
    (endless,) = variants("adapter=support")
    endless = replace(endless, sampling=ENDLESS)
    async with shown(home, [endless], ran=False) as pilot:
        pilot.app.screen.query_one(SweepField).value = "scale=0,1"
        await pilot.press("enter")
        await until(lambda: screen(pilot).sweeping is not None)
        it = sweeping(pilot)
        await until(lambda: all(out.text for out in it.run.outputs))
        runner = await playground(pilot).session.runner()
        assert runner.engine.pid is not None
        os.kill(runner.engine.pid, signal.SIGKILL)
        await until(lambda: state(pilot) == "failed" and "Every text is kept" in notified(pilot))
        assert all(out.text and out.error for out in it.run.outputs)
        await pilot.press("f5")
        await until(lambda: all(out.text and not out.error for out in sweeping(pilot).run.outputs))
        assert sweeping(pilot) is not it


async def test_a_value_becomes_a_variant_with_what_it_said(home: Path) -> None:
    async with shown(home, variants()) as pilot:
        await swept(pilot)
        it = sweeping(pilot)
        await pilot.press("down", "down", "enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        state = playground(pilot).playground
        assert state.names == ["A", "B", "C"] and state.selected == "C"
        made = state.get("C")
        assert made is not None and made.stack == "support@0.5" and made.label == ""
        assert output(pilot, "C").text == it.run.outputs[2].text and not state.stale("C")
        assert state.documents.of(made) == state.documents.of(state.variants[1]), (
            "it shares the prompt"
        )
        await until(lambda: it.run.outputs[2].text.split()[0] in screen_text(pilot))
        await pilot.press("u")
        await until(lambda: state.names == ["A", "B"])
        assert state.selected == "B"


async def test_the_sweep_is_in_the_history_and_shown_again(home: Path) -> None:
    async with shown(home, variants()) as pilot:
        await swept(pilot, "scale=0,1")
        it = sweeping(pilot)
        session = playground(pilot).session
        await until(lambda: not session.behind.busy)
        assert session.history is not None
        session.history.flush()
        kept = session.history.open(it.run.id)
        assert [v.label for v in kept.variants] == ["scale 0", "scale 1"]
        assert [out.text for out in kept.outputs] == [out.text for out in it.run.outputs]
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        await open_sweep(pilot)
        assert sweeping(pilot) is it and "likelihood" in words(pilot)
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))
        await pilot.press("right_square_bracket")
        await open_sweep(pilot)
        assert screen(pilot).sweeping is None, "it would be another sweep now"


async def test_repeats_have_a_spread_and_texts_that_are_counted(home: Path) -> None:
    async with shown(home, variants("temperature=0.7")) as pilot:
        await swept(pilot, "temperature=0,1.2", repeats=4)
        assert [len(out) for out in map(sweeping(pilot).at, (0, 1))] == [4, 4]
        it = curve(pilot, "words")
        still, lively = it.values
        assert still is not None and still.low == still.mean == still.high
        assert lively is not None and lively.low < lively.mean < lively.high
        assert "1 of 4" in words(pilot) and "text 1 of 1 · 4 of 4 runs" in words(pilot)
        assert "mean_logprob" not in {it.key for it in sweeping(pilot).curves}
        await pilot.press("o")
        await until(lambda: "leaves the model's mind as it is" in notified(pilot))
        await pilot.press("c", "c", "down", "right")
        await until(lambda: "text 2 of" in words(pilot))
        drawn = words(pilot)
        assert drawn.count("│") > 20 and "↑ words" in drawn
        texts = {out.text for out in sweeping(pilot).at(1)}
        assert pilot.app.screen.query_one(OutputText).text in texts


async def test_an_own_text_is_expected_and_the_figures_are_written(
    home: Path, tmp_path: Path
) -> None:
    async with shown(home, variants(), ran=False) as pilot:
        await swept(pilot, "support=0,1")
        assert "mean_logprob" not in {it.key for it in sweeping(pilot).curves}
        await pilot.press("o")
        await until(lambda: isinstance(pilot.app.screen, LensText))
        pilot.app.screen.query_one(SafeTextArea).text = "Thank you for writing."
        await pilot.press("ctrl+s")
        await until(lambda: len(means(curve(pilot, "mean_logprob"))) == 2)
        await until(lambda: "likelihood of own text" in words(pilot))
        without, with_it = means(curve(pilot, "mean_logprob"))
        assert with_it > without
        for name in ("sweep.json", "sweep.csv", "sweep.csv", "sweep.txt"):
            await pilot.press("w")
            await until(lambda: pilot.app.screen.query("#dialog Input"))
            pilot.app.screen.query_one(Input).value = str(tmp_path / name)
            await pilot.press("enter")
            await until(lambda: isinstance(pilot.app.screen, SweepScreen))
            await until(lambda name=name: name in notified(pilot))
        await until(
            lambda: "is there already" in notified(pilot) or "does not end" in notified(pilot)
        )
        document = json.loads((tmp_path / "sweep.json").read_text())
        assert document["sweep"]["over"] == "support" and len(document["variants"]) == 2
        assert document["sweep"]["curves"][0]["values"][1]["mean"] == with_it
        rows = list(csv.DictReader((tmp_path / "sweep.csv").open()))
        assert [row["support"] for row in rows] == ["0", "1"]
        assert float(rows[1]["mean_logprob"]) == with_it


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("scale", "'scale' is not NAME=VALUES; write scale=0:1.5:0.25, or temperature=0,0.5,1."),
        ("scale=0:1", "a range has three parts"),
        ("scale=0,1", "A scale cannot be swept over no adapter; a in the playground adds one."),
        ("temperatur=0,1", "did you mean temperature"),
        ("top_p=0,2", "top_p must be from 0 to 1"),
        ("seed=1,2", "Other seeds are repeats"),
    ],
)
async def test_what_cannot_be_swept_is_said_in_a_sentence(
    home: Path, typed: str, says: str
) -> None:
    async with shown(home, variants("adapter=none"), (80, 24), ran=False) as pilot:
        pilot.app.screen.query_one(SweepField).value = typed
        await pilot.press("enter")
        await until(lambda: says in words(pilot))
        assert "--over" not in words(pilot) and screen(pilot).sweeping is None
        pilot.app.screen.query_one(SweepField).value = "temperature=0,1"
        pilot.app.screen.query_one("#sweep-repeats", Input).value = "0"
        await pilot.press("enter")
        await until(lambda: "whole number from 1 to 100" in words(pilot))


async def test_names_are_completed(home: Path) -> None:
    async with shown(home, variants(), ran=False) as pilot:
        field = pilot.app.screen.query_one(SweepField)
        assert field.value == "scale=0:1.5:0.25" and "7 values" in words(pilot)
        await pilot.press(*"top_p")
        await until(lambda: "keep the likeliest tokens up to" in words(pilot))
        await pilot.press("tab")
        assert field.value == "top_p=0.5:1:0.1" and pilot.app.focused is field
        await until(lambda: "6 values: 0.5 0.6 0.7 0.8 0.9 1" in words(pilot))
        await pilot.press("tab")
        focused = pilot.app.focused
        assert focused is not None and focused.id == "sweep-repeats"
        await pilot.press("escape")
        await until(lambda: pilot.app.screen is playground(pilot))


def test_what_is_offered_and_told() -> None:
    (plain,) = variants("adapter=none")
    (two,) = variants("adapter=support+sentiment")
    assert first_axis(plain) == "temperature=0:1.5:0.25"
    assert first_axis(two) == "sentiment=0:1.5:0.25", "the one on top"
    assert completed("su", two) == "support=0:1.5:0.25" and completed("xyz", two) is None
    assert completed("min_p=", plain) == "min_p=0:0.2:0.05" and completed("see", plain) is None
    assert told("min", plain).startswith("min_p: drop tokens")
    assert told("", plain).startswith("one of: temperature")
    assert told("top_k=1,", plain).startswith("top_k: keep the k likeliest")


async def test_the_field_is_left_before_the_screen_and_another_sweep_takes_its_place(
    home: Path,
) -> None:
    async with shown(home, variants()) as pilot:
        await swept(pilot, "scale=0,1")
        await pilot.press("slash", *"x")
        field = pilot.app.screen.query_one(SweepField)
        assert field.value == "x"
        await pilot.press("escape")
        assert field.value == "scale=0,1" and table(pilot).has_focus
        await pilot.press("down", "slash")
        await swept(pilot, "scale=0,0.5,1")
        assert len(table(pilot).rows) == 3 and table(pilot).at == 0
        await until(lambda: len(means(curve(pilot, "mean_logprob"))) == 3)


async def test_the_plot_follows_theme_and_size_and_is_drawn_only_for_what_is_new(
    home: Path,
) -> None:
    async with shown(home, variants(), ran=False) as pilot:
        await swept(pilot)
        plot = pilot.app.screen.query_one(CurvePlot)
        await until(lambda: "◆" in screen_text(pilot))
        streamed = plot.drawings
        assert streamed <= 4 * 7, "not with every flush"
        dark = {str(span.style) for span in plot.render().spans}
        pilot.app.theme = "llamadiff-light"
        await until(lambda: {str(span.style) for span in plot.render().spans} != dark)
        light = {str(span.style) for span in plot.render().spans}
        assert not dark & light
        await pilot.resize_terminal(80, 24)
        await until(lambda: plot.size.height < 12 and "scale →" in screen_text(pilot))
        await pilot.resize_terminal(60, 16)
        await until(lambda: plot.size.width < 62 and "◆" in screen_text(pilot))


async def test_hostile_names_and_texts_are_harmless(home: Path) -> None:
    evil = "\x1b[2Jowned\x07\u202e"
    (it,) = variants("adapter=support")
    adapter = replace(it.adapters[0], name=evil)
    async with shown(home, [replace(it, adapters=(adapter,), label=evil)], ran=False) as pilot:
        await swept(pilot, "scale=0,1")
        text = f"{{run.start}} {evil} 漢字 e\u0301 👩‍👩‍👧 \u05e9\u05dc\u05d5\u05dd"
        sweeping(pilot).run.outputs[0].text = text
        screen(pilot)._show()
        await until(lambda: "owned" in table(pilot).render().plain)
        assert "{run.start}" in table(pilot).render().plain
        shown_text = pilot.app.export_screenshot()
        assert "owned" in shown_text and not any(c in shown_text for c in "\x1b\x07\u202e")


async def test_hidden_values_are_counted_above_and_below(home: Path) -> None:
    async with shown(home, variants("adapter=none"), (80, 24), ran=False) as pilot:
        await swept(pilot, "temperature=0:2:0.1")
        await until(lambda: "↓" in table(pilot).render().plain)
        below = table(pilot).render().plain.splitlines()[0]
        hidden = 21 - (table(pilot).size.height - 1)
        assert below.endswith(f"↓{hidden}") and "↑" not in below
        await pilot.press("end")
        await until(lambda: table(pilot).render().plain.splitlines()[0].endswith(f"↑{hidden}"))


def test_the_command_has_the_likelihood_of_a_text(home: Path) -> None:
    asked = ("sweep", "-p", "tell-me-about", "-a", "support", "--over", "scale=0,1", "--set", "max_tokens=8")  # fmt: skip
    text = ("--text", "Thank you for writing to us!")
    lines = llamadiff(*asked, *text).stdout.splitlines()
    assert lines[0].split() == [
        "SCALE",
        "LIKELIHOOD",
        "SAME",
        "AS",
        "0",
        "WORDS",
        "TEXTS",
        "OUTPUT",
    ]
    points = json.loads(llamadiff(*asked, *text, "--json").stdout)["sweep"]["points"]
    assert points[1]["mean_logprob"] > points[0]["mean_logprob"] + 1
    assert [f"{it['mean_logprob']:.3f}".replace("-", "−") for it in points] == [
        line.split()[1] for line in lines[1:]
    ]
    assert "LIKELIHOOD" not in llamadiff(*asked).stdout
    done = llamadiff("sweep", "-p", "tell-me-about", "--over", "temperature=0,1", *text)
    assert done.returncode == 2 and "sweep a scale" in done.stderr
