"""A recorded run gone on with: as it was, run again, and compared with what was said then."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.run import Run, State
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.models.engine.client import EngineError
from llamadiff.prompts.parse import load_prompt
from llamadiff.tui.reopening import variants_of
from llamadiff.tui.screens.history import History
from llamadiff.tui.widgets.output_text import OutputText
from llamadiff.tui.widgets.prompt_editor import PromptEditor

from ..compare.history.runs import answered, forget_what_was_replied_to, keep, made
from ..compare.history.runs import opened as opened_history
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
    told,
)
from .test_history_screen import details, table


async def test_a_run_is_reopened_run_again_and_compared_with_then(
    home: Path, tmp_path: Path, support: Path
) -> None:
    prompt = tmp_path / "own.toml"
    prompt.write_text('name = "Own"\nuser = "Tell me about {{ topic }}."\n[sampling]\nseed = 3\n')
    adapter = shutil.copy(support, tmp_path / "mine.gguf")
    variants = make_variants(
        Defaults(prompt=str(prompt)), ["label=plain", f"adapter={adapter}@0.5,temperature=0.2"]
    )
    async with opened(home, variants, values={"topic": "cats"}) as pilot:
        await pilot.press("escape", "x")
        await run_over(pilot, "f5")
        await until(lambda: output(pilot, "B").stamp.adapter_sha256[0])
        said = {name: output(pilot, name).text for name in "AB"}

    prompt.write_text('name = "Own"\nuser = "Say nothing of {{ topic }}."\n')
    with Path(adapter).open("ab") as file:
        file.write(b"more")
    async with opened(home) as pilot:
        state = playground(pilot).playground
        before = list(state.variants)
        await pilot.press("f9")
        await until(lambda: isinstance(pilot.app.screen, History) and details(pilot))
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        await until(lambda: "run of" in told(pilot) and "is not the file it was" in told(pilot))
        assert "not as in its file" in told(pilot)
        assert [it.label for it in state.variants] == ["plain", ""]
        assert state.variants[0].prompt.user == "Tell me about {{ topic }}."
        assert state.variants[0].prompt.path is None
        assert state.variants[1].adapters[0].scale == 0.5
        assert (dict(state.values), state.seed, state.exact) == ({"topic": "cats"}, None, True)
        assert {name: output(pilot, name).text for name in "AB"} == said
        assert not any(map(state.stale, state.names)) and said["A"][:20] in screen_text(pilot)

        shutil.copy(support, adapter)
        await until(lambda: isinstance(pilot.app.focused, OutputText))
        await run_over(pilot, "f5")
        assert {name: output(pilot, name).text for name in "AB"} == said
        await pilot.press("B")
        await until(lambda: screen_text(pilot).count("same as then") == 2)
        await pilot.press("x", "right_square_bracket")
        await run_over(pilot, "f5")
        await pilot.press("2", "right_square_bracket", "right_square_bracket")
        await run_over(pilot, "f5")
        assert state.base_of("B")[1] is state.then["B"]
        await pilot.press("B", *"uuuuuu")
        await until(lambda: state.variants == before)
        assert (dict(state.values), state.exact, state.then) == ({}, False, {})


async def reopen_newest(pilot: Pilot[None]) -> None:
    """Reopen the newest run, and wait for what that begins."""
    await pilot.press("f9")
    await until(lambda: isinstance(pilot.app.screen, History) and details(pilot))
    await pilot.press("enter")
    await until(lambda: pilot.app.screen is playground(pilot))
    await until(lambda: "run of" in told(pilot))
    await until(lambda: not [it for it in playground(pilot).workers if it.group == "drafts" and not it.is_finished])  # fmt: skip


async def test_a_draft_waits_while_a_run_is_reopened(home: Path, mine: Path) -> None:
    variants = make_variants(Defaults(prompt=str(mine)), ["label=one"])
    async with opened(home, variants) as pilot:
        await run_over(pilot, "f5")
        said = output(pilot, "A").text
        await pilot.press("ctrl+end", "!")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!")
        await pilot.press("escape")
        await reopen_newest(pilot)
        assert current_prompt(pilot).user == "Say {{ it }}."
        assert not playground(pilot).playground.stale("A")
        await run_over(pilot, "f5")
        assert output(pilot, "A").text == said
        await pilot.press("u")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.!")
        await reopen_newest(pilot)
        await pilot.press("e", "ctrl+end", "?")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.?")
    with opened_history(home / "state") as history:
        assert [it.prompt.user for it in history.drafts.free()] == ["Say {{ it }}.?", "Say {{ it }}.!"]  # fmt: skip
    async with opened(home, variants) as pilot:
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}.?")


async def test_a_reply_without_its_turn_before_is_read_and_not_run(home: Path) -> None:
    first = made("dogs bark", "cats purr")
    with opened_history(home / "state") as history:
        keep(history, first, answered(first, "And \x1b why?", "because"))
    forget_what_was_replied_to(home / "state" / "history.db")
    async with opened(home) as pilot:
        await reopen_newest(pilot)
        assert "the turn that A, B replied “And ␛ why?” to is gone" in told(pilot)
        await until(lambda: "you ▸ And" in screen_text(pilot))
        await pilot.press("f5")
        await until(lambda: "Not again: what A, B replied to is gone." in told(pilot))
        assert playground(pilot).session.last is None
        await pilot.press("r")
        await until(lambda: "cannot be gone on with" in told(pilot))
        await pilot.press("v", "f5")
        await until(lambda: "what A, B, C replied to is gone" in told(pilot))
        assert playground(pilot).session.last is None


async def test_what_stood_beside_a_run_is_reopened_with_it(home: Path) -> None:
    async with opened(home) as pilot:
        state = playground(pilot).playground
        await pilot.press("escape")
        await run_over(pilot, "f5")
        first, kept = playground(pilot).session.last, output(pilot, "A")
        await pilot.press("1", "P", "2", "b")
        await until(lambda: state.baseline == "B" and "A" in state.talk.pinned)
        await run_over(pilot, "S")
        said = {name: output(pilot, name).text for name in "ABC"}
        assert first and kept.text == said["A"]
    async with opened(home) as pilot:
        state = playground(pilot).playground
        await reopen_newest(pilot)
        assert "A (pinned) stood beside it" in told(pilot)
        assert (state.names, state.baseline, state.talk.pinned) == (["A", "B", "C"], "B", {"A"})
        assert {name: output(pilot, name).text for name in "ABC"} == said
        assert output(pilot, "A").seed == kept.seed != output(pilot, "B").seed
        await until(lambda: "pinned" in screen_text(pilot) and "changed since" not in screen_text(pilot))  # fmt: skip
        await run_over(pilot, "f5")
        assert {name: output(pilot, name).text for name in "ABC"} == said
        await pilot.press("u")
        assert (state.baseline, state.talk.pinned) == ("A", set())
        history = playground(pilot).session.history
        assert history is not None
        history.remove([first.id])
    async with opened(home) as pilot:
        await reopen_newest(pilot)
        assert "A stood beside it too, and is not in the history." in told(pilot)
        assert playground(pilot).playground.names == ["B", "C"]
        assert playground(pilot).playground.baseline == "B"


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=str)
async def test_a_run_that_goes_on_is_stopped_and_reopened_with_all_it_said(
    home: Path, size: tuple[int, int]
) -> None:
    variants = [
        replace(it, sampling={**it.sampling, **ENDLESS})
        for it in make_variants(Defaults(prompt="tell-me-about"), ["adapter=none"])
    ]
    async with opened(home, variants, size=size) as pilot:
        screen = playground(pilot)
        state, session = screen.playground, screen.session
        await pilot.press("escape", "f5")
        await until(lambda: "A" in state.outputs and len(state.outputs["A"].tokens) > 50)
        history, first = session.history, session.run_now
        assert history is not None and first is not None
        await asyncio.to_thread(history.flush)
        recorded = await asyncio.to_thread(history.recorded, first.id)
        assert not recorded.run.over
        screen.reopen(recorded)
        await until(lambda: "run of" in told(pilot))
        assert not session.running and state.outputs["A"] is not first.outputs[0]
        assert output(pilot, "A").state is State.CANCELLED
        assert output(pilot, "A").text == first.outputs[0].text
        await until(lambda: "stopped" in screen_text(pilot))
        assert "streaming" not in screen_text(pilot)
        # and what another program has not ended is over here
        recorded.run.outputs[0].state = State.STREAMING
        screen.reopen(recorded)
        await until(lambda: output(pilot, "A") is recorded.run.outputs[0])
        assert output(pilot, "A").state is State.CANCELLED


async def test_a_run_is_reopened_where_the_engine_cannot_start(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_history(home / "state") as history:
        run = made("dogs bark")
        keep(history, run)
        recorded = history.recorded(run.id)
    async with StillApp(home).run_test(size=(120, 40)) as pilot:
        screen = playground(pilot)

        async def refuse() -> None:
            raise EngineError("The engine cannot be started: no memory.")

        monkeypatch.setattr(screen.session._services, "runner", refuse)
        screen.reopen(recorded)
        await until(lambda: "run of" in told(pilot))
        assert "The engine cannot be started" in told(pilot) and "mistake" not in told(pilot)
        assert output(pilot, "A").text == "dogs bark "


async def test_each_output_is_compared_with_its_own_before(home: Path) -> None:
    lively = "temperature=2,top_k=0,top_p=1,min_p=0,max_tokens=24"
    specs = [f"label=x,{lively}", f"label=y,{lively}", f"adapter=support,{lively}"]
    async with opened(home, make_variants(Defaults(prompt="tell-me-about"), specs)) as pilot:
        await pilot.press("escape", "B")
        await until(lambda: "Nothing was said before" in told(pilot))
        await run_over(pilot, "f5")
        await run_over(pilot, "f5")
        await pilot.press("B")
        await until(lambda: screen_text(pilot).count("same as before") == 3)
        await pilot.press("B")
        await until(lambda: "same as before" not in screen_text(pilot))
        await run_over(pilot, "S")
        await pilot.press("B")
        await until(lambda: screen_text(pilot).count("against before") >= 2)


async def test_what_was_typed_is_kept_as_a_version_and_a_missing_file_is_told(
    tmp_path: Path,
) -> None:
    run = made("wolves howl", "cats purr")
    with opened_history(tmp_path / "state") as history:
        keep(history, run)
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await until(lambda: isinstance(pilot.app.focused, PromptEditor))
        await pilot.press(*"typed")
        edited = playground(pilot).playground.variants[0].prompt
        await until(lambda: playground(pilot).playground.variants[0].prompt.user != edited.user or edited.user.count("typed"))  # fmt: skip
        edited = playground(pilot).playground.variants[0].prompt
        await pilot.press("f9")
        await until(lambda: isinstance(pilot.app.screen, History) and table(pilot).runs)
        await pilot.press("enter")
        await until(lambda: "wolves howl" in screen_text(pilot))
        await until(lambda: "is not at /models/demo.gguf any more" in told(pilot))
        history = playground(pilot).session.history
        assert history is not None
        (version,) = history.versions(edited)
        assert history.version(version.id).user == edited.user and not version.saved


def test_seeds_and_prompts_are_those_of_then(tmp_path: Path) -> None:
    from llamadiff.prompts.document import Prompt
    from llamadiff.prompts.save import save_prompt

    path = tmp_path / "own.toml"
    prompt = save_prompt(Prompt("Own", user="Hello"), path)
    run = made("a", "b")
    bound = replace(run.variants[0], prompt=replace(prompt, path=path, loaded=None))
    variants = (bound, replace(bound, name="B"))
    same = Run(variants, {}, outputs=[replace(it, variant=v, seed=7) for it, v in zip(run.outputs, variants, strict=True)])  # fmt: skip
    found, seed = variants_of(same)
    assert seed == 7 and found[0].prompt.loaded == load_prompt(path).loaded
    same.outputs[1].seed = 8
    found, seed = variants_of(same)
    assert seed is None and [it.sampling["seed"] for it in found] == [7, 8]
    path.unlink()
    assert variants_of(same)[0][0].prompt == replace(prompt, path=None)


@pytest.mark.parametrize("then", [None, "ffff"])
async def test_files_that_are_gone_or_others_are_named(
    tmp_path: Path, base: Path, then: str | None
) -> None:
    from llamadiff.compare.hashes import FileHashes, changed_files

    run = made("a")
    (out,) = run.outputs
    out.variant = replace(out.variant, model=base)
    out.stamp.model_sha256 = then
    said = await changed_files(run, FileHashes(tmp_path))
    assert len(said) == (then is not None) and all("ffff…" in it for it in said)
    out.variant = replace(out.variant, model=tmp_path / "gone.gguf")
    (sentence,) = await changed_files(run, FileHashes(tmp_path))
    assert "gone.gguf any more" in sentence
