"""The settings in groups, a line each: the name, the value, and what else has a say in it."""

from __future__ import annotations

from collections.abc import Iterator

from ..config.reading import NAME, Configured
from ..config.schema import GROUPS, SETTINGS, Setting
from ..safe_text import safe_line
from .chosen_lines import ChosenLines, padded

TITLE = 16


class SettingList(ChosenLines[Setting | str]):
    """Values that are not the default stand out."""

    HELP = (
        "What can be set for good. A change is made at once where that is possible, else from the "
        "next start on, and is written to the settings file. Environment variables and the command "
        "line count more than the file; what they say cannot be changed here."
    )

    def __init__(self, configured: Configured) -> None:
        super().__init__()
        self.add_class("dialog-scroll")
        self.configured = configured
        self.items = list(_items())

    @property
    def setting(self) -> Setting | None:
        """The chosen one."""
        return self.chosen if isinstance(self.chosen, Setting) else None

    def key_of(self, item: Setting | str) -> object:
        return item.name if isinstance(item, Setting) else None

    def passes(self, item: Setting | str) -> bool:
        return isinstance(item, str)

    def parts_of(self, item: Setting | str) -> list[tuple[str, str]]:
        if isinstance(item, str):
            return [(item, "$dim")]
        source = self.configured.sources.get(item.name, "")
        value = item.kind.text(getattr(self.configured.config, item.name))
        parts = [(f"  {padded(item.name, TITLE)}  ", ""), (safe_line(value) or "–", "bold" if source else "$secondary")]  # fmt: skip
        if source not in ("", NAME):
            parts += [(f"  set by {source}", "$dim")]
        return parts


def _items() -> Iterator[Setting | str]:
    for group, title in GROUPS.items():
        yield title
        yield from (it for it in SETTINGS.values() if it.group == group)
