"""All settings: each change is made at once where it can be, and kept in the file."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar, cast

from textual import on, work
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from ...compare.errors import CompareError
from ..config.kinds import Choice, Flag, Kind
from ..config.schema import Setting
from ..configured_app import ConfiguredApp
from ..dialog_keys import SETTINGS_KEYS
from ..safe_text import safe_line
from ..widgets.lines import Paragraph
from ..widgets.setting_list import SettingList
from .ask_setting import AskSetting
from .dialog import Dialog

MOST_WORDS = 8
"""Of so many accepted words all are told."""


class SettingsDialog(Dialog[None]):
    """Lies over the screen without hiding it, so that colours are seen as they change."""

    KEYS_TEXT = (
        "↑↓ · {settings.change} change · {settings.before}{settings.next} another"
        " · {settings.reset} default · {dialog.cancel} done"
    )
    MOST_LINES = 30
    BINDINGS: ClassVar[list[BindingType]] = [*SETTINGS_KEYS]
    DEFAULT_CSS = """
    SettingsDialog {
        align: right middle;
        background: transparent;
        #settings-about { margin-top: 1; height: auto; min-height: 3; color: $dim; }
    }
    """

    def title_text(self) -> str:
        path = self._app.configured.path
        return "Settings" if path is None else f"Settings, kept in {safe_line(str(path))}"

    def body(self) -> Iterable[Widget]:
        yield SettingList(self._app.configured)
        yield Paragraph("settings-about")

    @property
    def _app(self) -> ConfiguredApp:
        return cast(ConfiguredApp, self.app)

    @property
    def _list(self) -> SettingList:
        return self.query_one(SettingList)

    def on_mount(self) -> None:
        self._list.styles.height = len(self._list.items)
        self._list.show(self._list.items, keep=False)
        self._list.focus()

    @on(SettingList.Chosen)
    def _show(self) -> None:
        """Say what the chosen setting is."""
        self.problem("")
        setting = self._list.setting
        if setting is None:
            return
        fixed = self._app.configured.fixed(setting.name)
        how = "" if setting.at_once else " From the next start on."
        said = f" {fixed} sets it now." if fixed else how
        words = _values(setting.kind)
        accepted = f"one of {len(words)}: ← →" if len(words) > MOST_WORDS else setting.kind.accepted
        about = Content.assemble((setting.about, "$foreground"), f"{said}\nAccepted: {accepted}.")
        self.query_one("#settings-about", Paragraph).say(about)
        self.call_after_refresh(self._fit)

    @on(SettingList.Taken)
    def action_change(self) -> None:
        """The other value where there are two, else another that is asked for."""
        setting = self._changeable()
        if setting is None:
            return
        if isinstance(setting.kind, Choice | Flag):
            self.action_turn(1)
        else:
            self._ask(setting)

    @work(group="ask", exit_on_error=False)
    async def _ask(self, setting: Setting) -> None:
        kind = setting.kind
        now = kind.text(getattr(self._app.configured.config, setting.name))
        empty = kind.text(setting.default)
        ask = AskSetting(setting.about, now, empty, partial(_check, setting))
        typed = await self.app.push_screen_wait(ask)
        if typed is not None:
            self._set(setting, _value(setting, typed))

    def action_turn(self, step: int) -> None:
        """Another of the values there are to choose from."""
        setting = self._changeable()
        values = _values(setting.kind) if setting else []
        if setting is not None and values:
            at = values.index(getattr(self._app.configured.config, setting.name))
            self._set(setting, values[(at + step) % len(values)])

    def action_reset(self) -> None:
        if (setting := self._changeable()) is not None:
            self._set(setting, setting.default)

    def _changeable(self) -> Setting | None:
        """The chosen setting, if the file is what counts; else say what does."""
        setting = self._list.setting
        if setting is not None and (fixed := self._app.configured.fixed(setting.name)):
            self.problem(f"{fixed} sets {setting.name} now; the file has no say in it.")
            return None
        return setting

    def _set(self, setting: Setting, value: Any) -> None:
        self.problem("")
        self._app.configure(setting.name, value, self._written)
        self._list.configured = self._app.configured
        self._list.refresh()

    def _written(self, said: str) -> None:
        """Say why a change could not be written, also once this is closed."""
        if self.is_current and said:
            self.problem(said)
        elif said:
            self._app.tell_unwritten(said)


def _values(kind: Kind) -> list[Any]:
    if isinstance(kind, Choice):
        return list(kind.words)
    return [False, True] if isinstance(kind, Flag) else []


def _value(setting: Setting, typed: str) -> Any:
    """What was typed; nothing is the default. Raises ValueError."""
    return setting.kind.parse(typed) if typed.strip() else setting.default


def _check(setting: Setting, typed: str) -> None:
    try:
        _value(setting, typed)
    except ValueError as error:
        raise CompareError(f"{error}.") from None
