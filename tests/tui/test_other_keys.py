"""Sentences name keys by the ids of their actions: who has other keys is never told those of everybody."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from llamadiff import tui
from llamadiff.compare.run import State
from llamadiff.models.catalog import BUNDLED
from llamadiff.tui import dialog_keys, keys
from llamadiff.tui.config.keymap import bound
from llamadiff.tui.config.reading import read_config
from llamadiff.tui.key_names import filled, key_name, spoken
from llamadiff.tui.screens.evaluate import Evaluate
from llamadiff.tui.screens.help import HelpScreen
from llamadiff.tui.widgets.variant_list import VariantList

from ..conftest import until
from .app import LONG, PLAIN, StillApp, playground, screen_text

ID = re.compile(r"\{(\w+\.\w+)\}")
KEY = re.compile(
    r"\bF([1-9]|1[0-2])\b|\b[Ee]sc\b|\b[Cc]trl\+\w|\bdel\b|(?<!white )\bspace\b"
    r"|(?:^|[;,(·] )[a-zA-Z] (?:adds|brings|goes|leaves|makes|opens|runs|shows|stops|takes)\b"
)
OWN = {"ctrl+u", "ctrl+z"}
"""Keys that text fields have for their text: they have no ids."""
FOLDER = Path(tui.__path__[0])


def sentences() -> Iterator[tuple[str, str]]:
    """Every text of the app's code but what headless commands print, docstrings and keys: where it
    is, and the text."""
    for path in sorted(FOLDER.rglob("*.py")):
        if path.is_relative_to(FOLDER / "cli") or path.name in ("keymap.py", "writing.py"):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        docs = {id(it.value) for it in ast.walk(tree) if isinstance(it, ast.Expr)}
        for it in ast.walk(tree):
            if isinstance(it, ast.Constant) and isinstance(it.value, str) and id(it) not in docs:
                yield f"{path.name}:{it.lineno}", it.value


def test_ids_in_sentences_are_ids_and_no_key_is_written_out() -> None:
    known = {it.id for it in bound({})}
    found = [(at, name) for at, text in sentences() for name in ID.findall(text)]
    assert len(found) > 100
    assert not [it for it in found if it[1].lower() not in known]
    written = [
        (at, text)
        for at, text in sentences()
        for key in KEY.finditer(text)
        if " " in text and not any(text[key.start() :].startswith(it) for it in OWN)
    ]
    assert written == [("tour.py:38", "esc ends the tour")]


def test_a_sentence_has_the_first_of_the_keys_that_an_action_has() -> None:
    keymap = {"run.start": "ctrl+x,f5", "tune.change": "c", "variant.scale_up": "question_mark"}
    said = "{run.start}, {Run.start}, {tune.change}, {Tune.change}, {run.stop}, {Run.stop}, {no.id}"
    assert filled(said, keymap) == "ctrl+x, Ctrl+x, c, c, esc, Esc, {no.id}"
    assert filled("{run.start} {run.live}", keymap, key_name) == "^x ^l"
    assert [spoken(it) for it in ("ctrl+left", "left", "f5", "a")] == ["ctrl+←", "←", "F5", "a"]
    modules = [it for module in (keys, dialog_keys) for it in vars(module).values()]
    tooltips = [it.tooltip for bindings in modules if isinstance(bindings, list) for it in bindings]
    assert any("{variant.undo}" in it for it in tooltips)
    assert not any("{" in it.does for it in bound({}))


KEYS = """[keys]
"run.start" = "ctrl+x"
"run.stop" = "ctrl+b"
"app.help" = "f10"
"help.tour" = "g"
"app.evaluate" = "f11"
"evaluate.run" = "ctrl+y"
"list.leave" = "ctrl+b"
"variant.add" = "K"
"variant.adapters" = "ctrl+e"
"variant.undo" = "Q"
"variant.remove" = "X"
"output.diff" = "E"
"""
GONE = re.compile(r"\bF[145]\b|\{\w+\.\w+\}")
"""What these keys were, and ids that are not filled."""


async def test_who_has_other_keys_is_told_those(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(KEYS)
    configured = read_config(file, {})
    app = StillApp(tmp_path, (PLAIN, LONG), configured=configured)
    (tmp_path / "state" / "welcomed").unlink()
    async with app.run_test(size=(120, 40)) as pilot:
        home, state = playground(pilot), playground(pilot).playground
        assert "Press ctrl+x: it runs" in (shown := screen_text(pilot))
        assert "F10, then g, is a tour" in shown and "not run yet · ctrl+x" in shown

        # A variant that cannot run, one that was changed, and what is said of others.
        output = state.outputs["B"]
        output.state, output.error = State.FAILED, f"{BUNDLED / 'gone.gguf'} does not exist; check the path"  # fmt: skip
        state.values["topic"] = "cats"
        home.changed(())
        await until(lambda: "changed since this run · ctrl+x" in screen_text(pilot))
        pane = home.board.pane("B")
        assert pane is not None
        assert "press ctrl+e (after ctrl+b) for other adapters" in str(
            pane.query_one(".pane-error").render()
        )
        assert "K add  ^e adapters  p prompt  X" in screen_text(pilot)
        assert not GONE.search(screen_text(pilot))
        await pilot.press("ctrl+b", "3", "X")
        await until(lambda: app._said and app._said[-1].text == "Removed C; Q brings it back.")
        home.query_one(VariantList).focus()
        await pilot.press("f10")
        await until(lambda: isinstance(pilot.app.screen, HelpScreen))
        shown = " ".join(screen_text(pilot).split())
        assert (
            "what K, ctrl+e, m, p, s, l, b and X act on" in shown and "g the guided tour" in shown
        )
        assert "Remove this variant; Q brings it back" in " ".join(
            str(it.does) for it in pilot.app.screen._keys
        )
        assert not GONE.search(screen_text(pilot))
        await pilot.press("f10", "f11")
        await until(lambda: isinstance(pilot.app.screen, Evaluate))
        await until(lambda: "with ctrl+y, in the background" in screen_text(pilot))
        assert "^y run" in screen_text(pilot)
        await pilot.press(*"no such suite")
        await until(lambda: "ctrl+b takes it back" in screen_text(pilot))
        assert not GONE.search(screen_text(pilot))
