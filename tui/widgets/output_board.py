"""The outputs: side by side where there is room, else one at a time behind tabs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus, Resize
from textual.message import Message
from textual.timer import Timer

from ...compare.enough import LEAST
from ..repeats import Told, wanted
from ..safe_text import safe_line
from ..sentences import for_pane
from ..splits import EVEN
from .lines import shortened
from .tab_strip import TabStrip

if TYPE_CHECKING:
    from ...compare.variants import Variant
    from ..state import Playground
    from .compared_text import ComparedText
    from .output_pane import OutputPane, PaneState

PANE_WIDTH = 38
"""Cells a pane needs to stand beside another."""
MOST_PANES = 4
UNIFIED = "one text"
GROUPING_PAUSE_S = 0.02


class OutputBoard(Vertical):
    """One pane for each variant of the playground."""

    @dataclass
    class PaneChosen(Message):
        """A person went to the pane of the variant with this name."""

        name: str

    @dataclass
    class UnifiedChosen(Message):
        """A person chose the tab with both texts in one, or left it."""

        on: bool

    def __init__(self, playground: Playground) -> None:
        super().__init__()
        self.playground = playground
        self.narrow = False
        self.alone = False
        """Whether the outputs have the screen for themselves, one at a time."""
        self.shares: Mapping[str, int] = {}
        """How wide a person made which outputs, against `EVEN`."""
        self._order: list[str] = []
        self._panes: dict[str, OutputPane] = {}
        self._first = 0
        self._turn = 0
        """Which pane in view was drawn last, where they take turns."""
        self._later: Timer | None = None
        """Until when the rest of the repeats is left ungrouped."""

    def compose(self) -> ComposeResult:
        yield TabStrip()
        yield Horizontal(id="output-panes")

    def pane(self, name: str) -> OutputPane | None:
        """The pane of a variant."""
        return self._panes.get(name)

    @property
    def in_view(self) -> list[str]:
        """Names of the variants whose panes are in view, from left to right.

        Where not all fit beside each other the baseline stays and the others are paged.
        """
        room = self._room()
        if len(self._order) <= room:
            return self._order
        if room == 1:
            return [name for name in self._order if name == self.playground.selected]
        paged = self._paged[self._first : self._first + room - 1]
        return [name for name in self._order if name in (*paged, self.playground.baseline)]

    @property
    def _paged(self) -> list[str]:
        return [name for name in self._order if name != self.playground.baseline]

    @property
    def single(self) -> bool:
        """Whether one output is shown at a time, behind tabs."""
        return self.narrow or self.alone

    def _room(self) -> int:
        if self.single:
            return 1
        return max(1, min(MOST_PANES, self.size.width // PANE_WIDTH))

    # ---------------------------------------------------------------- showing

    def sync(self) -> None:
        """Have a pane for each variant, and show the state of each."""

        from .output_pane import OutputPane

        wanted = self.playground.names
        row = self.query_one("#output-panes")
        for name in [name for name in self._panes if name not in wanted]:
            self._panes.pop(name).remove()
        before: OutputPane | None = None
        for name in wanted:
            if name not in self._panes:
                self._panes[name] = OutputPane(name)
                if before is not None:
                    row.mount(self._panes[name], after=before)
                else:
                    row.mount(self._panes[name], before=0 if row.children else None)
            before = self._panes[name]
        self._order = wanted
        self.show()

    def show(self) -> None:
        """Show the state of every variant in its pane, and bring the selected one into view."""
        playground, paged = self.playground, self._paged
        window = max(1, self._room() - 1)
        if playground.selected in paged:
            at = paged.index(playground.selected)
            self._first = max(at - window + 1, min(self._first, at))
        self._first = max(0, min(self._first, len(paged) - window))
        visible, repeats = self.in_view, self._repeats()
        for variant in playground.variants:
            pane = self.pane(variant.name)
            if pane is not None:
                hidden, pane.display = not pane.display, variant.name in visible
                pane.widen(self._width_of(variant.name))
                aside = self._aside(variant.name, visible)
                pane.show(self._state(variant, aside, repeats[variant.name]))
                if hidden:
                    pane.flush()
        self._show_tabs()

    def _width_of(self, name: str) -> str | None:
        """The width of a pane; None for what the style sheet says."""
        return f"{self.shares.get(name, EVEN)}fr" if self.shares and not self.single else None

    def _repeats(self) -> dict[str, Told | None]:
        """What to say of each variant's repeats, which of them are shown being settled."""
        repeating = self.playground.repeating
        told = repeating.told(self.playground.names)
        if not repeating.complete and self._later is None:
            self._later = self.set_timer(GROUPING_PAUSE_S, self._go_on)
        return told

    def _go_on(self) -> None:
        self._later = None
        self.flush()

    def _state(self, variant: Variant, aside: str, repeats: Told | None) -> PaneState:
        from .output_pane import PaneState

        playground, name = self.playground, variant.name
        compared, base = playground.base_of(name)
        misfit = playground.misfits.of(variant)
        return PaneState(
            name=name,
            title=_title(variant),
            output=playground.outputs.get(name),
            shown=playground.shown(name),
            base=base,
            baseline=compared,
            view=playground.view,
            diffing=playground.diffing,
            stale=playground.stale(name),
            selected=name == playground.selected,
            narrow=self.single,
            aside=aside,
            misfit=for_pane(misfit.sentence, variant.model) if misfit else "",
            fits_now=playground.misfits.over(variant, playground.outputs.get(name)),
            pinned=name in playground.talk.pinned,
            anew=playground.talk.anew(name),
            thoughts=playground.talk.thoughts,
            repeats=repeats,
            more=wanted(playground, name),
            noise=None if playground.own_before else playground.noise.contrast(name),
            needed=LEAST if playground.noise.missing(name) else 0,
        )

    def _aside(self, name: str, visible: list[str]) -> str:
        """How many variants are out of view before and after this one's pane."""
        shown = [other for other in self._paged if other in visible]
        if self._room() == 1 or len(visible) == len(self._order) or name not in shown:
            return ""
        before, after = self._first, len(self._paged) - self._first - len(shown)
        said = [f"◂ {before}"] if before and name == shown[0] else []
        return " · ".join([*said, f"{after} ▸"] if after and name == shown[-1] else said)

    def _show_tabs(self) -> None:
        strip = self.query_one(TabStrip)
        variants = self.playground.variants
        unified = self.playground.view == "unified"
        both = f"{UNIFIED} · {self.playground.selected}" if unified else UNIFIED
        room = self.size.width - len(both) - 4
        tabs = [(v.name, f"{v.name} {safe_line(v.title)}") for v in variants]
        if tabs and sum(cell_len(title) + 2 for _, title in tabs) > room:
            share = max(1, room // len(tabs) - 2)
            tabs = [(name, shortened(title, share)) for name, title in tabs]
        strip.tabs = [*tabs, (UNIFIED, both)]
        strip.chosen = UNIFIED if unified else self.playground.selected

    def flush(self, *, one: bool = False) -> None:
        """Draw what arrived since the last time in the panes in view, or in the next `one` of them."""
        playground, repeats, names = self.playground, self._repeats(), self.in_view
        if one and names:
            self._turn = (self._turn + 1) % len(names)
            names = [names[self._turn]]
        for name in names:
            pane = self.pane(name)
            if pane is None or pane.state is None:
                continue
            base = playground.base_of(name)[1]
            state = pane.state
            now = repeats.get(name), base, playground.shown(name)
            if now != (state.repeats, state.base, state.shown):
                self.show()
                return
            pane.flush()

    # ------------------------------------------------------- scrolling together

    def align(self, name: str) -> None:
        """Bring the difference a pane is at, or its first line, to the same row in all panes."""
        pane = self.pane(name)
        if pane is None or name not in self.in_view:
            return
        here = pane.walk.here
        if here is None:
            self.follow(pane.text)
            return
        places = {pane: here.start}
        for other in self._beside(pane):
            places[other] = other.from_base(here.a)
        page = pane.text.size.height
        row = min(pane.text.row_of(here.start), page - 1)
        row = min(row, *(it.text.row_of(at) + it.text.scroll_offset.y for it, at in places.items()))
        for it, at in places.items():
            it.text.place(at, max(0, row))

    def follow(self, text: ComparedText) -> None:
        """Scroll the other panes to what stands on the same row in this one."""
        pane = next((it for it in self._panes.values() if it.text is text), None)
        if pane is None or not pane.display:
            return
        here, row, at = pane.walk.here, 0, text.top
        if here is not None and 0 <= text.row_of(here.start) < text.size.height:
            row, at = text.row_of(here.start), here.start
        base = here.a if row and here is not None else pane.base_at(at)
        for other in self._beside(pane):
            other.text.place(other.from_base(base), row)

    def _beside(self, pane: OutputPane) -> list[OutputPane]:
        panes = [self.pane(name) for name in self.in_view]
        return [it for it in panes if it is not None and it is not pane]

    # ------------------------------------------------------------------ moving

    def focus_pane(self, name: str) -> None:
        """Put the focus on a variant's output."""
        pane = self.pane(name)
        if pane is not None and pane.text.is_attached:
            pane.text.focus()
        elif pane is not None:
            pane.call_after_refresh(pane.text.focus)

    def step(self, by: int) -> None:
        """Go on to the next tab but `by` - 1, in a circle that the unified view is the last of."""
        playground, unified = self.playground, self.playground.view == "unified"
        last = self._paged[-1:]
        stops = [*self._order, *[UNIFIED] * len(last)]
        now = UNIFIED if unified and last else playground.selected
        if now not in stops:
            return
        stop = stops[(stops.index(now) + by) % len(stops)]
        if unified != (stop == UNIFIED):
            self.post_message(self.UnifiedChosen(stop == UNIFIED))
        self.post_message(self.PaneChosen(last[0] if stop == UNIFIED else stop))

    def on_resize(self, event: Resize) -> None:
        self.show()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        for name, pane in self._panes.items():
            if pane in event.widget.ancestors_with_self:
                self.post_message(self.PaneChosen(name))

    @on(TabStrip.Chosen)
    def _tab_chosen(self, event: TabStrip.Chosen) -> None:
        event.stop()
        if event.key == UNIFIED:
            self.post_message(self.UnifiedChosen(True))
        else:
            if self.playground.view == "unified":
                self.post_message(self.UnifiedChosen(False))
            self.post_message(self.PaneChosen(event.key))


def _title(variant: Variant) -> str:
    """What stands over an output: a label does not hide the adapters and their scales."""
    return f"{variant.label} · {variant.stack}" if variant.label else variant.title
