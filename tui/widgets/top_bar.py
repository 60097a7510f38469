"""The line at the top: which model runs how, what the app is doing, and the switches."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ..safe_text import safe_line

_DOTS = {
    "ready": "$success",
    "done": "$success",
    "running": "$warning",
    "failed": "$error",
}


@dataclass(frozen=True)
class Status:
    """What the top bar says. `facts` are those of the loaded model, empty until it is loaded."""

    model: str = ""
    quantization: str = ""
    facts: tuple[str, ...] = ()
    state: str = "starting"
    detail: str = ""
    seed: int = 0
    live: bool = False
    exact: bool = False
    repeats: int = 1


class TopBar(Widget):
    """One line; says less when there is less room."""

    DEFAULT_CSS = """
    TopBar { height: 1; padding: 0 1; background: $panel; }
    """

    status: reactive[Status] = reactive(Status())
    beside: reactive[str] = reactive("")
    """What goes on in the background."""

    def render(self) -> Content:
        status = self.status
        width = self.size.width - 2
        facts = " · ".join(status.facts)
        for level in range(6):
            left = self._left(status, facts if level < 2 else "", named=level < 4)
            right = self._beside(short=level).append(self._right(status, short=level))
            room = width - left.cell_length - right.cell_length
            if room >= 2:
                return Content.assemble(left, " " * room, right)
        return self._right(status, short=5)

    def _beside(self, *, short: int) -> Content:
        if not self.beside or short > 4:
            return Content()
        return Content.assemble(("● ", "$accent"), (self.beside, ""), "   ")

    @staticmethod
    def _left(status: Status, facts: str, *, named: bool) -> Content:
        told = status.quantization.casefold() in status.model.casefold()
        quantization = "" if told else safe_line(status.quantization)
        about = " · ".join(part for part in (quantization, facts) if part)
        parts: list[tuple[str, str]] = [("llamadiff", "bold $primary")]
        if named:
            parts += [("  ", ""), (safe_line(status.model), ""), (" " + about, "$dim")]
        return Content.assemble(*parts)

    @staticmethod
    def _right(status: Status, *, short: int) -> Content:
        said = f"{status.state} {status.detail}".strip()
        parts: list[tuple[str, str]] = [
            ("● ", _DOTS.get(status.state, "$warning")),
            (said, ""),
            ("   seed ", "$dim"),
            (str(status.seed), ""),
        ]
        if status.repeats > 1:
            parts += [("   repeats ", "$dim"), (f"{status.repeats:,}", "bold")]
        switches = [("live", status.live), ("exact", status.exact)]
        for name, on in switches:
            if on or short < 1:
                parts += [(f"   {name} ", "$dim"), ("on" if on else "off", "bold" if on else "")]
        return Content.assemble(*parts)
