"""The playground on the bundled model: type, run, stop, swap adapters, scale, live mode."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from llamadiff.compare.run import State
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.models.catalog import Catalog
from llamadiff.tui import session
from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.widgets.output_pane import OutputPane
from llamadiff.tui.widgets.output_text import OutputText
from llamadiff.tui.widgets.prompt_panel import PromptPanel
from llamadiff.tui.widgets.rendered_view import RenderedView
from llamadiff.tui.widgets.tab_strip import TabStrip
from llamadiff.tui.widgets.variables_form import ValueEditor

from ..conftest import until
from .app import (
    ENDLESS,
    StillApp,
    current_prompt,
    opened,
    output,
    playground,
    run_over,
    screen_text,
    setup,
    status,
    told,
)


def variants(*specs: str) -> list[Variant]:
    return make_variants(Defaults(prompt="tell-me-about"), specs)


def endless() -> list[Variant]:
    return [replace(v, sampling=ENDLESS) for v in variants("label=plain", "adapter=support")]


def pane(pilot: Pilot[None], name: str) -> OutputPane:
    found = playground(pilot).board.pane(name)
    assert found is not None
    return found


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=str)
async def test_it_opens_on_the_bundled_model_with_variants_ready(
    home: Path, size: tuple[int, int]
) -> None:
    async with opened(home, size=size) as pilot:
        assert [v.title for v in playground(pilot).playground.variants] == [
            "Tell me about · base", "Informative article · base", "Tell me about · support@1",
        ]  # fmt: skip
        screen = screen_text(pilot)
        assert "Tell me about {{ topic }}." in screen
        assert "topic = dogs" in screen
        assert "C Tell me" in " ".join(screen.split())
        assert "not run yet" in screen


async def test_a_run_asked_for_before_there_are_variants_begins_with_them(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ready = Event(), session.made_ready

    def slow(catalog: Catalog, model: str) -> list[Variant]:
        assert asked.wait(60)
        return ready(catalog, model)

    monkeypatch.setattr(session, "made_ready", slow)
    async with LlamadiffApp(setup(home)).run_test(size=(80, 24)) as pilot:
        await until(lambda: "starting" in screen_text(pilot))
        await pilot.press("f5")
        asked.set()
        await until(lambda: status(pilot) == "done")
        assert {*playground(pilot).playground.outputs} == {"A", "B", "C"}


async def test_the_screen_shown_again_within_a_key_keeps_what_it_typed(home: Path) -> None:
    async with opened(home, values={"topic": "cat"}) as pilot:
        screen, panel = playground(pilot), playground(pilot).query_one(PromptPanel)
        prompt = panel.editor.text
        panel.editor.insert("!")
        screen.show()
        panel.editor.undo()
        screen.show()
        panel.editor.redo()
        screen.show()
        await pilot.pause()
        assert panel.editor.text == current_prompt(pilot).user == prompt + "!"
        panel.editor.undo()
        await pilot.pause()
        assert panel.editor.text == current_prompt(pilot).user == prompt
        value = panel.query_one(ValueEditor)
        value.insert("s")
        screen.show()
        await pilot.pause()
        assert value.text == "cats"
        assert "topic = cats" in screen_text(pilot)


async def test_a_run_streams_every_variant_and_marks_what_differs(home: Path) -> None:
    async with opened(home) as pilot:
        await run_over(pilot, "f5")
        for name in "ABC":
            assert output(pilot, name).state is State.DONE
            assert pane(pilot, name).text.text == output(pilot, name).text
        marks = [mark.kind for mark in pane(pilot, "C").text._marks]
        assert "added" in marks
        assert not pane(pilot, "A").text._marks, "the baseline has no marks"
        screen = screen_text(pilot)
        assert "baseline" in screen and "% same" in screen and "token 1" in screen
        assert status(pilot) == "done"


async def test_identical_variants_are_said_to_be_the_same(home: Path) -> None:
    async with opened(home, variants("label=one", "label=two")) as pilot:
        await run_over(pilot, "f5")
        assert output(pilot, "A").tokens == output(pilot, "B").tokens
        assert "same as A" in screen_text(pilot)


async def test_a_hash_stamps_each_output(home: Path) -> None:
    async with opened(home, variants("adapter=support")) as pilot:
        await run_over(pilot, "f5")
        await until(lambda: "hashing" not in screen_text(pilot))
        stamp = output(pilot, "A").stamp
        assert stamp.model_sha256 and all(stamp.adapter_sha256)
        assert stamp.model_sha256[:4] in screen_text(pilot)


async def test_what_is_typed_is_previewed_and_run(home: Path) -> None:
    async with opened(home, variants("label=plain")) as pilot:
        before = screen_text(pilot)
        await pilot.press(*"Briefly!")
        await until(lambda: "edited" in screen_text(pilot))
        await until(lambda: counts(screen_text(pilot)) not in ("", counts(before)))
        await run_over(pilot, "ctrl+r")
        assert "Briefly!" in output(pilot, "A").stamp.prompt_text


def counts(screen: str) -> str:
    return next((line for line in screen.splitlines() if "topic = " in line), "").strip()


async def test_a_mistake_in_the_prompt_is_said_and_the_app_goes_on(home: Path) -> None:
    async with opened(home, variants("label=plain")) as pilot:
        await pilot.press(*" {{ topci }}")
        await until(lambda: "topci" in screen_text(pilot) and "topic?" in screen_text(pilot))
        await run_over(pilot, "f5")
        assert output(pilot, "A").state is State.FAILED
        assert status(pilot) == "failed"
        for _ in range(len(" {{ topci }}")):
            await pilot.press("backspace")
        await run_over(pilot, "f5")
        assert output(pilot, "A").state is State.DONE


async def test_the_rendered_tab_shows_what_is_wrong_in_place_of_an_old_rendering(
    home: Path,
) -> None:
    async with opened(home, variants("label=plain")) as pilot:
        await pilot.press(*" {{ it }}", "ctrl+t", "ctrl+t")
        view = playground(pilot).query_one(RenderedView)
        await until(lambda: view.text == "it has no value: give it one under Variables")


async def test_an_empty_prompt_is_refused_in_words(home: Path) -> None:
    async with opened(home, variants("label=plain")) as pilot:
        await pilot.press("ctrl+a", "ctrl+a", "delete")
        await until(lambda: "the prompt is empty" in screen_text(pilot))


async def test_a_value_is_changed_for_every_prompt_that_has_it(home: Path) -> None:
    async with opened(home) as pilot:
        await pilot.press("ctrl+t", "ctrl+a", "ctrl+a", *"cats")
        await until(lambda: "topic = cats" in screen_text(pilot))
        await run_over(pilot, "f5")
        assert all("cats" in output(pilot, name).stamp.prompt_text for name in "ABC")
        playground(pilot).select("B")
        await pilot.pause()
        assert "aspect = diverse breeds" in screen_text(pilot)


async def test_a_value_only_one_prompt_knows_does_no_harm_to_the_others(home: Path) -> None:
    async with opened(home) as pilot:
        playground(pilot).playground.values["aspect"] = "long history"
        await run_over(pilot, "f5")
        assert all(output(pilot, name).state is State.DONE for name in "ABC")
        assert "long history" in output(pilot, "B").stamp.prompt_text


async def test_values_given_are_used_and_those_no_prompt_knows_are_said(home: Path) -> None:
    async with opened(home, values={"topic": "cats", "topci": "dogs"}) as pilot:
        assert "topic = cats" in screen_text(pilot)
        await until(lambda: "no variable topci; did you mean topic?" in told(pilot))


async def test_the_rendered_tab_shows_what_the_model_sees(home: Path) -> None:
    async with opened(home) as pilot:
        await pilot.press("ctrl+t", "ctrl+t")
        await until(lambda: "user · 5 tokens" in screen_text(pilot))
        assert "Tell me about dogs." in screen_text(pilot)
        await pilot.press("k")
        await until(lambda: "<|user|>Tell me about dogs.<|end|><|assistant|>" in screen_text(pilot))


async def test_escape_stops_a_run_and_the_texts_stay(home: Path) -> None:
    async with opened(home, endless()) as pilot:
        await pilot.press("f5")
        await until(lambda: all(output(pilot, name).text for name in "AB"))
        await pilot.press("escape")
        await until(lambda: status(pilot) == "stopped")
        texts = [output(pilot, name).text for name in "AB"]
        assert all(texts)
        assert [pane(pilot, name).text.text for name in "AB"] == texts
        assert "stopped" in screen_text(pilot)


async def test_a_second_run_ends_the_first(home: Path) -> None:
    async with opened(home, endless()) as pilot:
        await pilot.press("f5")
        await until(lambda: output(pilot, "A").text)
        first = output(pilot, "A")
        await pilot.press("f5")
        await until(lambda: output(pilot, "A") is not first and output(pilot, "A").text)
        assert first.state is State.CANCELLED
        await pilot.press("escape")
        await until(lambda: status(pilot) == "stopped")


async def test_live_mode_runs_again_after_a_pause(home: Path) -> None:
    async with opened(home, variants("label=plain", "prompt=one-sentence")) as pilot:
        await run_over(pilot, "f5")
        other = output(pilot, "B")
        await pilot.press("ctrl+l")
        await pilot.press(*"Hi.")
        await until(lambda: "dogs.Hi." in output(pilot, "A").stamp.prompt_text)
        assert output(pilot, "B") is other, "it has another prompt"


async def test_live_mode_waits_until_the_prompt_is_well(home: Path) -> None:
    async with opened(home, variants("label=plain")) as pilot:
        await run_over(pilot, "f5")
        await pilot.press("ctrl+l")
        first = output(pilot, "A")
        await pilot.press(*"{{ ")
        await until(lambda: "cannot be read" in screen_text(pilot))
        assert output(pilot, "A") is first
        await run_over(pilot, *"topic }}")
        assert output(pilot, "A").state is State.DONE


async def test_live_mode_runs_no_broken_prompt_for_another_ones_sake(home: Path) -> None:
    async with opened(home, variants("label=plain", "prompt=one-sentence")) as pilot:
        await run_over(pilot, "f5")
        await pilot.press("ctrl+l")
        first, other = output(pilot, "A"), output(pilot, "B")
        await pilot.press(*"{{ ")
        await until(lambda: "cannot be read" in screen_text(pilot))
        await pilot.press("escape", "2", "x")
        await until(lambda: output(pilot, "B") is not other)
        await until(lambda: not playground(pilot).session.running)
        assert output(pilot, "A") is first
        await pilot.press("1", "e")
        await run_over(pilot, *"topic }}")
        assert output(pilot, "A").state is State.DONE


async def test_a_prompt_keeps_its_rare_line_ends(home: Path) -> None:
    rare = replace(variants("label=plain")[0].prompt, user="one\u2028two\x0bthree {{ topic }}")
    a, b = variants("label=plain", "prompt=one-sentence")
    async with opened(home, [replace(a, prompt=rare), b]) as pilot:
        state = playground(pilot).playground
        await pilot.press("escape", "2")
        await until(lambda: state.selected == "B")
        await pilot.press("1")
        await until(lambda: state.selected == "A")
        await pilot.pause()
        assert state.variants[0].prompt.user == rare.user
        await pilot.press("e", "!")
        await until(lambda: state.variants[0].prompt.user == f"{rare.user}!")
        await pilot.press("backspace")
        await until(lambda: state.variants[0].prompt == rare)


async def test_the_focus_goes_to_the_variant_selected_after_a_removal(home: Path) -> None:
    async with opened(home) as pilot:
        state = playground(pilot).playground
        await pilot.press("escape", "2")
        await until(lambda: pane(pilot, "B").text.has_focus)
        await pilot.press("backspace")
        await until(lambda: playground(pilot).board.pane("B") is None)
        await until(lambda: pane(pilot, "C").text.has_focus)
        await pilot.pause()
        assert state.selected == "C"


async def test_a_scale_is_changed_and_run_at_once(home: Path) -> None:
    async with opened(home) as pilot:
        await run_over(pilot, "f5")
        base, tuned = output(pilot, "A"), output(pilot, "C")
        await pilot.press("ctrl+l", "escape", "3")
        await until(lambda: playground(pilot).playground.selected == "C")
        await run_over(pilot, *["left_square_bracket"] * 10)
        await until(lambda: not playground(pilot).session.running)
        assert output(pilot, "C").variant.stack == "support@0"
        assert output(pilot, "A") is base and output(pilot, "C") is not tuned
        assert output(pilot, "C").tokens == base.tokens, "scale 0 is the base"


async def test_without_live_mode_a_change_is_marked_stale(home: Path) -> None:
    async with opened(home) as pilot:
        await run_over(pilot, "f5")
        await pilot.press("escape", "3", "right_square_bracket")
        await until(lambda: "changed since this run" in screen_text(pilot))


async def test_variants_are_added_removed_and_brought_back(home: Path) -> None:
    async with opened(home) as pilot:
        await pilot.press("escape", "v")
        await until(lambda: "D  Tell me about" in screen_text(pilot))
        await pilot.press("delete")
        await until(lambda: "D  Tell" not in screen_text(pilot))
        await pilot.press("u")
        await until(lambda: "D  Tell me about" in screen_text(pilot))
        await run_over(pilot, "f5")
        assert output(pilot, "D").tokens == output(pilot, "A").tokens


async def test_the_views_are_gone_through(home: Path) -> None:
    async with opened(home) as pilot:
        await run_over(pilot, "f5")
        await pilot.press("escape", "3", "d")
        text = pane(pilot, "C").text
        await until(lambda: playground(pilot).playground.view == "tokens")
        await pilot.press("d")
        await until(lambda: any(mark.kind == "removed" for mark in text._marks))
        assert without(text, "added", "between") == output(pilot, "A").text
        assert without(text, "removed", "between") == output(pilot, "C").text
        await pilot.press("d")
        await until(lambda: not text._marks and text.text == output(pilot, "C").text)


def without(text: OutputText, *kinds: str) -> str:
    """One text without its marks of these kinds."""
    whole = text.text
    for mark in reversed(text._marks):
        if mark.kind in kinds:
            whole = whole[: mark.start] + whole[mark.end :]
    return whole


async def test_another_baseline_turns_the_comparison_round(home: Path) -> None:
    async with opened(home, variants("label=one", "adapter=support")) as pilot:
        await run_over(pilot, "f5")
        await pilot.press("escape", "2", "b")
        await until(lambda: pane(pilot, "A").text._marks)
        assert not pane(pilot, "B").text._marks


async def test_an_output_is_copied(home: Path) -> None:
    async with opened(home) as pilot:
        await run_over(pilot, "f5")
        await pilot.press("escape", "2", "y")
        await until(lambda: pilot.app.clipboard == output(pilot, "B").text)


async def test_exact_mode_is_switched_and_used(home: Path) -> None:
    async with opened(home, variants("label=one")) as pilot:
        await pilot.press("escape", "x")
        await until(lambda: "exact on" in screen_text(pilot))
        await run_over(pilot, "f5")
        assert playground(pilot).session.last.exact


@pytest.mark.parametrize("name", ["SIGKILL", "SIGABRT"])
async def test_the_engine_dying_is_said_and_the_next_run_starts_it_anew(
    home: Path, name: str
) -> None:
    async with opened(home, endless()) as pilot:
        await pilot.press("f5")
        await until(lambda: all(output(pilot, n).text for n in "AB"))
        runner = await playground(pilot).session._services.runner()
        assert runner.engine.pid is not None
        os.kill(runner.engine.pid, signal.Signals[name])
        await until(lambda: status(pilot) == "failed")
        await until(lambda: all(pane(pilot, n).text.text for n in "AB"))
        assert name in told(pilot) and "press F5 to run again" in told(pilot)
        old = output(pilot, "A")
        await pilot.press("f5")
        await until(lambda: output(pilot, "A") is not old and output(pilot, "A").text)
        await pilot.press("escape")
        await until(lambda: status(pilot) == "stopped")


async def test_a_mistake_made_in_the_external_editor_can_be_put_right(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(home, variants("label=plain")) as pilot:
        seen: list[str] = []
        answers = ['name = "x"\nuser = ', 'name = "Fixed"\nuser = "Hello {{ who }}."\n']

        def edit(text: str) -> str:
            seen.append(text)
            return answers[len(seen) - 1]

        monkeypatch.setattr(playground(pilot), "_in_editor", edit)
        await pilot.press("ctrl+o")
        await until(lambda: "not valid TOML" in told(pilot))
        await pilot.press("ctrl+o")
        await until(lambda: "Hello {{ who }}." in screen_text(pilot))
        assert seen[1] == answers[0], "the faulty text is opened again"
        assert playground(pilot).query_one(PromptPanel).prompt is not None


async def test_a_faulty_draft_is_only_for_the_prompt_it_came_from(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(home, variants("label=plain", "prompt=one-sentence")) as pilot:
        seen: list[str] = []

        def edit(text: str) -> str:
            seen.append(text)
            return "user = "

        monkeypatch.setattr(playground(pilot), "_in_editor", edit)
        await pilot.press("ctrl+o")
        await until(lambda: "not valid TOML" in told(pilot))
        await pilot.press("escape", "2", "ctrl+o")
        await until(lambda: len(seen) == 2)
        assert "one sentence" in seen[1].lower(), "another variant has no draft"
        await pilot.press("1", "e", "!", "ctrl+o")
        await until(lambda: len(seen) == 3)
        assert "{{ topic }}.!" in seen[2], "its own prompt was changed since"


async def test_a_model_is_unloaded_by_key_and_loaded_again_by_a_run(home: Path) -> None:
    async with opened(home) as pilot:
        await until(lambda: status(pilot) == "ready")
        session = playground(pilot).session
        engine = (await session._services.runner()).engine
        assert len(engine.residents) == 1
        await pilot.press("escape", "U")
        await until(lambda: "is unloaded" in told(pilot))
        assert engine.residents == []
        await run_over(pilot, "f5")
        assert output(pilot, "A").state is State.DONE
        assert len(engine.residents) == 1


async def test_the_steps_of_sampling_are_shown_as_they_are_typed(home: Path) -> None:
    async with opened(home) as pilot:
        await pilot.press("escape", "s")
        await until(
            lambda: "runs: top_k → top_p → min_p → temperature → dist" in screen_text(pilot)
        )
        await pilot.press("tab", "tab", "0")
        await until(lambda: "runs: greedy" in screen_text(pilot))


@pytest.mark.parametrize(
    ("key", "size"), [("u", (120, 40)), ("ctrl+z", (80, 24)), ("m", (80, 24))], ids=str
)
async def test_a_model_that_an_adapter_does_not_fit_is_told_until_there_is_another(
    home: Path, base: Path, tmp_path: Path, key: str, size: tuple[int, int]
) -> None:
    other = tmp_path / "other.gguf"
    data = base.read_bytes().replace(b"llama.", b"qwen2.")
    other.write_bytes(data.replace(b"llama", b"qwen2", 1))
    async with opened(home, variants("adapter=support"), size=size) as pilot:
        await pilot.press("escape", "m")
        await until(lambda: isinstance(pilot.app.focused, Input))
        pilot.app.screen.query_one(Input).value = str(other)
        await pilot.press("enter")
        error = pane(pilot, "A").query_one(".pane-error")
        await until(lambda: error.display)
        said = "choose an adapter trained on this base."
        assert said in " ".join(str(error.render()).split())
        assert "failed (does not fit)" in screen_text(pilot)
        await run_over(pilot, "f5")
        assert output(pilot, "A").state is State.FAILED and status(pilot) == "failed"
        if key == "m":
            await pilot.press("m")
            await until(lambda: isinstance(pilot.app.focused, Input))
            pilot.app.screen.query_one(Input).value = str(base)
            await pilot.press("enter")
        else:
            await pilot.press(key)
        await until(lambda: status(pilot) == "ready" and not error.display)
        await run_over(pilot, "f5")
        assert status(pilot) == "done" and output(pilot, "A").text


async def test_the_bar_of_tabs_says_what_its_keys_are(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await pilot.press("escape", "3", "tab")
        await until(lambda: isinstance(pilot.app.focused, TabStrip))
        await until(lambda: "← → tab" in screen_text(pilot).splitlines()[-1])
        assert "leave editor" not in screen_text(pilot)
