"""Settings: read from file and environment, told when wrong, written with comments kept, and obeyed."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import pkgutil
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App
from textual.binding import Binding
from textual.color import Color
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES, Theme
from textual.widgets import Input, TextArea

from llamadiff import tui
from llamadiff.models.catalog import Catalog
from llamadiff.prompts.errors import PromptError
from llamadiff.tui import dialog_keys, keys
from llamadiff.tui.config import writing
from llamadiff.tui.config.key_places import EVERYWHERE, PLACES
from llamadiff.tui.config.keymap import bound, keymap_of
from llamadiff.tui.config.reading import Configured, read_config
from llamadiff.tui.config.schema import SETTINGS, THEMES
from llamadiff.tui.config.writing import default_text, write_default, write_setting
from llamadiff.tui.screens.confirm import Confirm
from llamadiff.tui.screens.help import HelpScreen, keys_of
from llamadiff.tui.screens.paned import Paned
from llamadiff.tui.screens.settings import SettingsDialog
from llamadiff.tui.services import ready_variants
from llamadiff.tui.theme import LEAST_CONTRAST, contrast, variables_for
from llamadiff.tui.theme import THEMES as OURS
from llamadiff.tui.widgets.output_text import OutputText
from llamadiff.tui.widgets.reply_box import ReplyText
from llamadiff.tui.widgets.setting_list import SettingList

from ..conftest import until
from .app import SHOP, PatientApp, StillApp, playground, screen_text, setup, told
from .test_cli import PROMPT, llamadiff
from .tmux import HAS_TMUX, Tmux

PAGE = Path(__file__).parents[2] / "docs" / "write_settings.py"
FULL = """# mine
theme = "gruvbox"  # brown
live = true

[keys]
run.start = "f7"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "config.toml"


def written(file: Path, text: str) -> Configured:
    """What a file with this text says."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return read_config(file, {})


# ------------------------------------------------------------------- reading


def test_without_a_file_everything_is_as_it_was(file: Path) -> None:
    now = read_config(file, {})
    assert all(getattr(now.config, name) == it.default for name, it in SETTINGS.items())
    assert not now.sources and not now.problems


def test_the_command_line_counts_most_then_the_environment_then_the_file(file: Path) -> None:
    written(file, 'threads = 2\ncontext = 512\nkv_type = "f32"\n')
    now = read_config(file, {"LLAMADIFF_THREADS": "3", "LLAMADIFF_CONTEXT": "1024"})
    now = now.given({"threads": 4})
    assert (now.config.threads, now.config.context, now.config.kv_type) == (4, 1024, "f32")
    assert now.sources == {
        "threads": "-t", "context": "LLAMADIFF_CONTEXT", "kv_type": "config.toml",
    }  # fmt: skip
    assert [now.fixed(it) for it in ("threads", "context", "kv_type", "live")] == [
        "-t", "LLAMADIFF_CONTEXT", "", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('theme = "nrod"', "Did you mean nord? Give one of llamadiff-dark"),
        ("theme = 3", "Give one of llamadiff-dark"),
        ("threads = 0.5", "Give a whole number from 1 to 1024, or 0."),
        ("threads = true", "Give a whole number"),
        ("threads = -1", "Give a whole number"),
        ("memory = nan", "Give a number from 0"),
        ("live = 1", "Give true or false"),
        ('model_folders = "models"', "Give folders"),
        ('editor = "vi\\u0007"', "Give the command of an editor"),
        ("threds = 3", "there is no setting threds; did you mean threads?"),
        ("keys = 3", "there is no setting keys"),
        ('[models."x"]\ncontext = 3', "Give a whole number from 32"),
        ('[models."x"]\ncontext = 3', "The default, 0, is used."),
        ('[models."x"]\ncntext = 99', "there is no setting cntext; did you mean context?"),
        ("[models]\nx = 3", "write a model's own settings as"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_has_its_default(
    file: Path, line: str, said: str
) -> None:
    now = written(file, f"# first\n\ncompact = true\n{line}\n")
    (problem,) = now.problems
    where = 3 + len(line.splitlines())
    assert problem.startswith(f"{file}, line {where}: ") and said in problem
    assert now.config == replace(Configured().config, compact=True)


def test_a_wrong_environment_variable_leaves_what_the_file_says(file: Path) -> None:
    written(file, "threads = 2\n")
    now = read_config(file, {"LLAMADIFF_THREADS": "many"})
    (problem,) = now.problems
    assert problem.startswith("LLAMADIFF_THREADS: threads cannot be 'many'.")
    assert problem.endswith("2 of config.toml is used.")
    assert now.config.threads == 2


def test_a_file_that_is_no_toml_is_not_used_and_not_touched(file: Path) -> None:
    now = written(file, "theme = \n")
    (problem,) = now.problems
    assert "line 1" in problem and "no setting of it is used" in problem
    with pytest.raises(PromptError, match="line 1"):
        write_setting(file, "theme", "nord")
    assert file.read_text() == "theme = \n"


def test_texts_of_the_environment(file: Path) -> None:
    folders = os.pathsep.join(["~/a", "", "/b"])
    now = read_config(file, {"LLAMADIFF_MODELS": folders, "LLAMADIFF_MOUSE": "off"})
    assert (now.config.model_folders, now.config.mouse) == (("~/a", "/b"), False)


# ------------------------------------------------------------------- writing


def test_a_default_file_sets_nothing_and_every_line_of_it_can_be_taken(file: Path) -> None:
    write_default(file)
    assert read_config(file, {}) == Configured(path=file, text=default_text())
    with pytest.raises(PromptError, match="is there already"):
        write_default(file)
    lines = re.sub(r"(?m)^# (?=\w+ = )", "", default_text().partition("# ── Keys")[0])
    now = written(file, lines)
    assert not now.problems and now.sources.keys() == SETTINGS.keys()


def test_a_setting_is_written_below_its_comment_and_taken_out_again(file: Path) -> None:
    write_default(file)
    write_setting(file, "theme", "nord")
    write_setting(file, "memory", 2.5)
    assert '# theme = "llamadiff-dark"\ntheme = "nord"\n' in file.read_text()
    now = read_config(file, {})
    assert (now.config.theme, now.config.memory) == ("nord", 2.5)
    write_setting(file, "theme", "llamadiff-dark")
    write_setting(file, "memory", 0.0)
    assert file.read_text() == default_text()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('a = 1\ntheme = "nord"  # for the beamer\nlive = true\n', "a = 1\n# for the beamer\nlive = true\n"),
        ('theme = "nord" # b\r\nlive = true\r\n', "# b\r\nlive = true\r\n"),
        ('"theme"="nord"#last', "#last"),
        ('live = true\ntheme = "nord"', "live = true\n"),
    ],
)  # fmt: skip
def test_what_is_noted_beside_a_setting_stays_when_it_is_taken_out(
    file: Path, text: str, left: str
) -> None:
    written(file, text)
    write_setting(file, "theme", "llamadiff-dark")
    assert file.read_bytes().decode() == left


def test_comments_and_tables_stay(file: Path) -> None:
    written(file, FULL)
    write_setting(file, "theme", "nord")
    write_setting(file, "model_folders", ("/a b", "~/ü"))
    assert file.read_text() == FULL.replace('"gruvbox"', '"nord"').replace(
        "live = true\n", 'live = true\nmodel_folders = ["/a b", "~/ü"]\n'
    )
    assert read_config(file, {}).config.model_folders == ("/a b", "~/ü")


# -------------------------------------------------------------------- keymap


def classes() -> list[type[DOMNode]]:
    """Every class of the app that may have bindings."""
    for module in pkgutil.walk_packages(tui.__path__, f"{tui.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, todo = dict[type[DOMNode], None](), [DOMNode]
    while todo:
        todo += (more := todo.pop().__subclasses__())
        found |= dict.fromkeys(more)
    return [it for it in found if it.__module__.startswith(tui.__name__)]


def bindings_of(cls: type[DOMNode]) -> list[Binding]:
    """What a class binds by itself."""
    return [it for it in vars(cls).get("BINDINGS", ()) if isinstance(it, Binding)]


def test_every_binding_of_the_app_has_an_id_of_its_own_and_a_place() -> None:
    lists = {
        name: it
        for module in (keys, dialog_keys)
        for name, it in vars(module).items()
        if name.endswith("_KEYS") and name != "PLAYGROUND_KEYS"
    }
    ids = [binding.id for bindings in lists.values() for binding in bindings]
    assert len({*ids}) == len(ids) and {*ids} == {it.id for it in bound({})}
    for where, there in PLACES.items():
        here = [*there.bindings, *(PLACES[EVERYWHERE].bindings if where != EVERYWHERE else ())]
        pressed = [key for it in here if it not in keys.UNZOOM_KEYS for key in it.key.split(",")]
        assert len({*pressed}) == len(pressed), where
    everywhere = {it.id for it in PLACES[EVERYWHERE].bindings}
    places = [{it.id for it in there.bindings} | everywhere for there in PLACES.values()]
    for cls in classes():
        if not bindings_of(cls):
            continue
        bases = [it for it in cls.__mro__ if it is not Paned or getattr(cls, "PANES", "")]
        together = {
            it.id
            for base in bases
            if base.__module__.startswith(tui.__name__)
            for it in bindings_of(base)
        }
        assert any(together <= place for place in places), (cls, together)


def test_where_one_types_is_known() -> None:
    """A screen has a field where its code makes one, or a widget in which there is one."""
    found = classes()
    fields = {it.__name__ for it in found if issubclass(it, Input | TextArea)}
    has = {*fields, "Input", "TextArea"}
    makes = {it: {*re.findall(r"\b(\w+)\(", inspect.getsource(it))} for it in found}
    for _ in range(3):
        has |= {it.__name__ for it in found if makes[it] & has and not issubclass(it, Screen)}
    for cls in found:
        typed = [it for it in cls.__mro__ if it in makes and makes[it] & has]
        for where, there in PLACES.items():
            if not {it.id for it in bindings_of(cls)} & {it.id for it in there.bindings}:
                continue
            if issubclass(cls, Input | TextArea):
                assert there.typing == "always" and not there.fields, (where, cls)
            elif typed and issubclass(cls, Screen):
                assert there.typing != "never", (where, cls)
                assert bool(there.fields) == (there.typing == "always"), (where, cls)


def test_no_field_keeps_a_key_that_something_has_at_first() -> None:
    kept = [
        (where, it.id)
        for where, there in PLACES.items()
        for it in there.bindings
        for key in it.key.split(",")
        if there.keeps(it, key)
    ]
    assert not kept


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('variant.ad = "f7"', "there is no key id variant.ad; did you mean variant.add"),
        ("output.1 = 3", 'Give a key, as "f6", or several'),
        ("diff.next = []", 'Give a key, as "f6", or several'),
        ('lens.open = "ctlr+a"', "is no key; did you mean ctrl"),
        ('app.help = "h"', "which is typed (everywhere)"),
        ('reply.send = "s"', "which is typed (reply)"),
        ('pane.zoom = "x"', "pane.zoom cannot be x, which is typed (playground). It stays F7."),
        ('history.reopen = "x"', "which is typed (history)"),
        ('dialog.cancel = "x"', "which is typed (dialogs)"),
        ('dialog.cancel = "ctrl+x"', "cannot be ^x, which a field has for its text (dialogs)"),
        ('dialog.cancel = "ctrl+y"', "(rating's text). It stays esc."),
        (
            'list.leave = ["f10", "home"]',
            "cannot be home, which a field has for its text (library)",
        ),
        ('library.again = "ctrl+a"', "which a field has for its text (library). It stays F5 ^r."),
        ('picker.down = "left"', "which a field has for its text (choosing)"),
        (
            'lenstext.take = "enter"',
            "cannot be enter, which a field has for its text (lens's text)",
        ),
        ('picker.down = "f5"', "which is done, and run (adapters.run), adapters"),
        ('tune.run = "plus"', "which is widen (pane.widen), tune"),
        ('list.up = "pagedown"', "which is page down (list.page_down), library"),
        ('variant.label = "L"', "cannot be L, which is lens (lens.open), playground. It stays l."),
        ('diff.fold = "f1"', "cannot be F1, which is help (app.help)"),
        ('app.quit = "escape"', "cannot be esc, which is"),
    ],
)
def test_a_key_that_cannot_be_is_told_with_its_line_and_not_taken(
    file: Path, line: str, said: str
) -> None:
    keymap = keymap_of(written(file, f"[keys]\n# one\n{line}\n"))
    (problem,) = keymap.problems
    assert problem.startswith(f"{file}, line 3: ") and said in problem
    assert not keymap.keys


@pytest.mark.parametrize("key", ["ctrl+i", "ctrl+enter", "ctrl+shift+a", "super+x", "f13"])
def test_a_key_that_few_terminals_send_is_told_and_taken(file: Path, key: str) -> None:
    keymap = keymap_of(written(file, f'[keys]\nrun.start = "{key}"\n'))
    assert "over SSH" in keymap.problems[0] and keymap.keys == {"run.start": key}


def test_a_key_of_fields_is_taken_where_it_gets_past_them(file: Path) -> None:
    keys = {
        "sampling.down": "ctrl+d", "reply.line": "ctrl+x", "sweepfield.run": "ctrl+e",
        "history.down": "ctrl+k", "run.live": "ctrl+u", "pane.widen": "ctrl+right",
        "jump.leave": "home", "settings.next": "ctrl+e",
    }  # fmt: skip
    lines = "".join(f'"{name}" = "{key}"\n' for name, key in keys.items())
    keymap = keymap_of(written(file, f"[keys]\n{lines}"))
    assert not keymap.problems, "priority comes first, and so does what a field itself binds"
    assert keymap.keys == keys


def test_a_key_that_two_have_at_first_may_stay_with_others(file: Path) -> None:
    text = '[keys]\n"run.stop" = ["escape", "ctrl+x"]\n"variants.up" = "w"\n"history.mark" = "x"\n'
    keymap = keymap_of(written(file, text))
    assert not keymap.problems, "what priority does not have is typed in the fields of its screen"
    assert keymap.keys == {"run.stop": "escape,ctrl+x", "variants.up": "w", "history.mark": "x"}


def test_keys_can_change_places_and_be_written_in_any_way(file: Path) -> None:
    text = '[keys]\n"diff.next" = ["N", "?"]\ndiff.previous = "n"\nrun.start = "Ctrl+X"\nrun.exact = "shift+x"\n'
    keymap = keymap_of(written(file, text))
    assert not keymap.problems
    assert keymap.keys == {
        "diff.next": "N,question_mark", "diff.previous": "n", "run.start": "ctrl+x",
        "run.exact": "X",
    }  # fmt: skip


# ------------------------------------------------------------------- the app


async def test_the_app_is_as_the_file_says(file: Path, tmp_path: Path) -> None:
    text = """theme = "nord"
compact = true
animations = false
live = true
diff = "unified"
threds = 3
[keys]
"app.help" = "f10"
"variant.add" = ["K", "ctrl+x"]
diff.fold = "n"
"""
    configured = written(file, text)
    async with StillApp(tmp_path, configured=configured).run_test(size=(120, 40)) as pilot:
        app, state = pilot.app, playground(pilot).playground
        await until(lambda: "no setting threds" in told(pilot))
        assert "diff.fold cannot be n" in told(pilot)
        assert (app.theme, app.animation_level) == ("nord", "none") and app.has_class("-compact")
        assert (state.live, state.view) == (True, "unified")
        await until(lambda: "K add" in screen_text(pilot) and "F10 help" in screen_text(pilot))
        await pilot.press("escape", "K", "f1", "v")
        await until(lambda: len(state.variants) == 4)
        said = {it.does: it.keys for it in keys_of(pilot.app.screen)}
        assert said["A new variant, a copy of this one"] == "K ^x"
        await pilot.press("f10")
        await until(lambda: isinstance(pilot.app.screen, HelpScreen))
        await pilot.press("f10", "ctrl+p", *"new variant")
        await until(lambda: "new variant  K ^x" in screen_text(pilot))
        assert len(state.variants) == 4


async def test_a_model_that_is_not_there_is_told_and_the_bundled_one_opens(
    file: Path, tmp_path: Path
) -> None:
    configured = written(file, 'model = "no-such-model"\nrepaints = 20\n')
    app = PatientApp(replace(setup(tmp_path), configured=configured))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: "It is the model of config.toml" in told(pilot))
        await until(lambda: len(playground(pilot).playground.variants) == 3)
        assert playground(pilot)._flushes._interval == 1 / 20  # type: ignore[union-attr]
    assert len(ready_variants(Catalog(), "demo")) == 2


async def test_other_keys_of_the_reply_leave_its_text_alone(file: Path, tmp_path: Path) -> None:
    configured = written(file, '[keys]\n"reply.send" = "ctrl+x"\n"reply.line" = "enter"\n')
    async with StillApp(tmp_path, configured=configured).run_test(size=(120, 40)) as pilot:
        await pilot.press("escape", "r", "a", "enter", "b")
        box = playground(pilot).query_one(ReplyText)
        await until(lambda: box.text == "a\nb")


async def test_dialogs_have_the_keys_of_the_file_and_say_them(file: Path, tmp_path: Path) -> None:
    text = '[keys]\n"dialog.cancel" = "ctrl+b"\n"settings.change" = "c"\n"confirm.yes" = "j"\n'
    configured = written(file, text)
    async with StillApp(tmp_path, configured=configured).run_test(size=(80, 24)) as pilot:
        await choose(pilot, "compact")
        assert "c change" in screen_text(pilot) and "^b done" in screen_text(pilot)
        await pilot.press("c")
        await until(lambda: pilot.app.has_class("-compact"))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, SettingsDialog)
        await pilot.press("ctrl+b")
        await until(lambda: pilot.app.screen is playground(pilot))
        answers: list[object] = []
        await pilot.app.push_screen(
            Confirm("Really?", "It is gone then.", "remove"), answers.append
        )
        await until(lambda: "enter or j remove · ^b or n cancel" in screen_text(pilot))
        await pilot.press("j")
        await until(lambda: answers == [True])


async def choose(pilot: Pilot[None], name: str) -> SettingList:
    """Open the settings on one of them."""
    if not isinstance(pilot.app.screen, SettingsDialog):
        await pilot.press("f12")
        await until(lambda: isinstance(pilot.app.screen, SettingsDialog))
        await until(lambda: bool(pilot.app.screen.query(SettingList)))
    found = pilot.app.screen.query_one(SettingList)
    found.choose(name)
    await pilot.pause()
    return found


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)], ids=str)
async def test_settings_are_changed_at_once_and_written(
    file: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    configured = written(file, FULL)
    configured = read_config(file, {"LLAMADIFF_CONTEXT": "512"})
    async with StillApp(tmp_path, configured=configured).run_test(size=size) as pilot:
        await choose(pilot, "theme")
        await pilot.press("right")
        assert pilot.app.theme == "catppuccin-mocha"
        await pilot.press("left", "left")
        assert pilot.app.theme == "nord"
        await until(lambda: 'theme = "nord"  # brown' in file.read_text())
        await choose(pilot, "compact")
        await pilot.press("enter")
        assert pilot.app.has_class("-compact")
        await until(lambda: "compact = true" in file.read_text())
        await choose(pilot, "threads")
        await pilot.press("enter")
        await until(lambda: not isinstance(pilot.app.screen, SettingsDialog))
        await pilot.press("end", "x", "enter")
        await until(lambda: "whole number from 1 to 1024" in screen_text(pilot))
        await pilot.press("ctrl+u", "3", "enter")
        await until(lambda: "threads = 3" in file.read_text())
        await until(lambda: isinstance(pilot.app.screen, SettingsDialog))
        await choose(pilot, "live")
        await pilot.press("delete")
        await until(lambda: "live" not in file.read_text())
        await choose(pilot, "context")
        assert "set by LLAMADIFF_CONTEXT" in screen_text(pilot)
        await pilot.press("enter")
        await until(lambda: "LLAMADIFF_CONTEXT sets context now" in screen_text(pilot))
        assert "context" not in file.read_text()
        for words in ("Settings", "esc done", "Context length in tokens"):
            assert words in screen_text(pilot)
        await pilot.press("escape")
        assert pilot.app.screen is playground(pilot)
    assert file.read_text().startswith("# mine\n") and 'run.start = "f7"' in file.read_text()
    now = read_config(file, {}).config
    assert (now.theme, now.compact, now.threads, now.live) == ("nord", True, 3, False)


async def test_a_file_that_cannot_be_written_is_said_and_the_change_is_there(
    file: Path, tmp_path: Path
) -> None:
    configured = written(file, "theme = \n")
    async with StillApp(tmp_path, configured=configured).run_test(size=(80, 24)) as pilot:
        await until(lambda: "not valid TOML" in told(pilot))
        await choose(pilot, "compact")
        await pilot.press("enter")
        await until(lambda: "It is so until the end" in screen_text(pilot))
        assert pilot.app.has_class("-compact") and file.read_text() == "theme = \n"


async def test_changes_wait_for_no_disk_and_are_written_in_order(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()
    told: list[object] = []

    def slow(path: Path, name: str, value: object) -> None:
        told.append(value)
        held.wait()
        write_setting(path, name, value)

    monkeypatch.setattr(writing, "write_setting", slow)
    configured = written(file, FULL)
    try:
        async with StillApp(tmp_path, configured=configured).run_test() as pilot:
            await choose(pilot, "theme")
            await pilot.press("left", "left", "left")
            await until(lambda: pilot.app.theme == THEMES[THEMES.index("gruvbox") - 3])
            assert "gruvbox" in file.read_text()
            await until(lambda: len(told) == 1)
            pilot.app.exit()
    finally:
        held.set()
    await until(lambda: pilot.app.theme in file.read_text())
    at = THEMES.index("gruvbox")
    assert told == [*reversed(THEMES[at - 3 : at])], "closing the app loses no change"


async def test_a_theme_chosen_from_the_palette_is_kept(file: Path, tmp_path: Path) -> None:
    async with StillApp(tmp_path, configured=read_config(file, {})).run_test() as pilot:
        await pilot.press("ctrl+p", *"theme")
        await until(lambda: "Choose the colours" in screen_text(pilot))
        await pilot.press("enter")
        await until(lambda: "atom-one-dark" in screen_text(pilot))
        await pilot.press(*"dracula", "enter")
        await until(lambda: pilot.app.theme == "dracula")
        await until(file.exists)
    assert read_config(file, {}).config.theme == "dracula"


def test_themes_are_those_of_textual_and_ours() -> None:
    assert {*THEMES} == {*BUILTIN_THEMES, *(it.name for it in OURS)}
    assert App(ansi_color=False).available_themes.keys() == BUILTIN_THEMES.keys()


def contrasts(theme: Theme) -> Iterator[tuple[str, str, float]]:
    """Every text and the backgrounds that it stands on, with their contrast."""
    variables = {**theme.to_color_system().generate(), **theme.variables, **variables_for(theme)}

    def colour(name: str) -> Color:
        said, _, share = variables[name].partition(" ")
        it = Color.parse(said)
        return it.with_alpha(float(share.rstrip("%")) / 100) if share else it

    grounds = ("background", "surface", "panel")
    kinds = ("primary", "secondary", "accent", "warning", "error", "success", "foreground", "dim")
    pairs = [(it, ground) for it in kinds for ground in grounds]
    pairs += [(it, f"{it}-background") for it in ("added", "removed", "moved")]
    pairs += [("foreground", f"heat-{it}-{n}") for it in ("up", "down", "much") for n in (1, 2, 3)]
    cursors = ("block-cursor", "block-cursor-blurred", "input-cursor")
    pairs += [(f"{it}-foreground", f"{it}-background") for it in cursors]
    pairs += [("foreground", "rest")]
    for text, ground in pairs:
        yield text, ground, contrast(colour(text), colour(ground))
    selected = colour("surface") + colour("input-selection-background")
    yield "foreground", "selection", contrast(colour("foreground"), selected)


@pytest.mark.parametrize(
    "theme",
    [*OURS, *(it for it in BUILTIN_THEMES.values() if not it.ansi)],
    ids=lambda it: it.name,
)
def test_every_text_can_be_read(theme: Theme) -> None:
    poor = [it for it in contrasts(theme) if it[2] < LEAST_CONTRAST]
    assert not poor


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light", "solarized-light"])
async def test_the_app_has_the_colours_of_a_theme(tmp_path: Path, theme: str) -> None:
    configured = Configured(config=replace(Configured().config, theme=theme))
    async with StillApp(tmp_path, configured=configured).run_test(size=(120, 40)) as pilot:
        await until(lambda: SHOP[:18] in screen_text(pilot))
        given = variables_for(pilot.app.current_theme)
        assert given.items() <= pilot.app.theme_variables.items()
        pane = playground(pilot).query(OutputText).last()
        marks = [pane.get_component_styles(f"output-text--{it}") for it in ("added", "removed")]
        assert [it.text_style.underline for it in marks] == [True, None]
        assert marks[1].text_style.strike


# -------------------------------------------------------------- the commands


def test_settings_are_listed_and_written(tmp_path: Path) -> None:
    home = {"LLAMADIFF_HOME": str(tmp_path)}
    path = tmp_path / "config" / "config.toml"
    done = llamadiff("settings", **home, LLAMADIFF_KV_TYPE="f32")
    assert done.returncode == 0 and f"{path} (not there" in done.stdout
    for name, setting in SETTINGS.items():
        assert name in done.stdout and setting.kind.accepted in done.stdout
    assert llamadiff("settings", "--write", **home).stdout.strip() == str(path)
    again = llamadiff("settings", "--write", **home)
    assert again.returncode == 2 and "is there already" in again.stderr
    path.write_text('kv_type = "f16"\nthreads = 2\nmemry = 3\n[keys]\n"app.help" = "f10"\n')
    done = llamadiff("settings", "--json", **home, LLAMADIFF_KV_TYPE="f32")
    document = json.loads(done.stdout)
    listed = {it["name"]: (it["value"], it["from"]) for it in document["settings"]}
    assert listed["kv_type"] == ("f32", "LLAMADIFF_KV_TYPE")
    assert listed["threads"] == (2, "config.toml") and listed["theme"][1] == "default"
    assert done.returncode == 1 and "did you mean memory?" in document["problems"][0]
    keys = json.loads(llamadiff("settings", "--keys", "--json", **home).stdout)["keys"]
    assert {"id": "app.help", "keys": ["f10"], "does": "Keys and what they do", "place": "everywhere", "changed": True} in keys  # fmt: skip
    assert "app.help" in llamadiff("settings", "--keys", **home).stdout


def test_commands_load_models_as_set_and_say_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text('context = 256\nthreads = 2\ntheme = "nrod"\n')
    home = {"LLAMADIFF_HOME": str(tmp_path)}
    command = ("run", *PROMPT, "--set", "max_tokens=2", "--json")

    def engine(*options: str, **env: str) -> tuple[object, object, object]:
        done = llamadiff(*command, *options, **home, **env)
        assert done.returncode == 0, done.stderr
        assert f"{path}, line 3: theme cannot be 'nrod'" in done.stderr
        it = json.loads(done.stdout)["engine"]
        return it["n_ctx"], it["threads"], it["kv_type"]

    assert engine() == (256, 2, "f16")
    assert engine("-c", "512", LLAMADIFF_CONTEXT="128", LLAMADIFF_KV_TYPE="f32") == (512, 2, "f32")
    name = json.loads(llamadiff("models", "--json", **home).stdout)[0]["name"]
    path.write_text(f'{path.read_text()}[models."{name}"]\ncontext = 128\n')
    assert engine() == (128, 2, "f16")
    done = llamadiff(*command, **home, LLAMADIFF_MEMORY="0.001")
    assert done.returncode == 2 and "as the setting memory says" in done.stderr
    done = llamadiff(*command, **home, LLAMADIFF_MODEL="nothing-of-that-name")
    assert done.returncode == 2 and "LLAMADIFF_MODEL" in done.stderr


def test_doctor_shows_where_the_settings_are(tmp_path: Path) -> None:
    done = llamadiff("doctor", LLAMADIFF_HOME=str(tmp_path), LLAMADIFF_THREADS="many")
    assert str(tmp_path / "config" / "config.toml") in done.stdout
    assert "problem: LLAMADIFF_THREADS" in done.stdout and done.returncode == 1


def test_the_page_of_settings_is_what_the_program_has() -> None:
    spec = importlib.util.spec_from_file_location("write_settings", PAGE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text("utf-8") == module.page(), "run `make reference`"


@pytest.mark.skipif(not HAS_TMUX, reason="needs tmux")
def test_the_mouse_is_left_to_the_terminal(
    closing: list[Callable[[], object]], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMADIFF_MOUSE", "false")
    tmux = Tmux(80, 24, home)
    closing.append(tmux.close)
    tmux.wait_for("topic = dogs")
    assert tmux._tmux("display-message", "-p", "#{mouse_any_flag}").strip() == "0"
