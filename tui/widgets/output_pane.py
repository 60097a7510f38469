"""One output: what it is, how it differs, its text, how it went, and where it came from."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from ...compare.run import Output, State
from ...compare.shares import percent
from ..key_names import styled_with_keys, with_keys
from ..safe_text import safe_line, safe_text
from ..sentences import for_pane
from ..thread import Look, Thread
from ..walk import Walk
from .compared_text import ComparedText
from .lines import FittedLine
from .lines import Line as OneLine
from .pane_words import is_faint, stats
from .wrapping import Line, break_lines

if TYPE_CHECKING:
    from ...compare.noise import Contrast
    from ..comparison import Comparison
    from ..diffing import Diffing, View
    from ..places import Places
    from ..repeats import Told

TOLD_S = 0.25
"""How often figures change while an output goes on: they are to be read."""
AT_ONCE = 10_000
"""Characters of finished texts that are compared and drawn on the event loop, in some 5 ms."""
_one_at_a_time = threading.Lock()
"""Held by the thread that draws: several would keep the event loop waiting for each other."""


@dataclass(frozen=True)
class PaneState:
    """What a pane shows. `output` is the variant's newest, `shown` the one whose text is shown
    (that of the run before while the newest is silent); `base` is the baseline's shown output.
    `misfit` is why adapters do not fit the model, `fits_now` that the output's error was this and is
    over. `anew`: a run starts a new conversation, since what the one on the screen was asked was
    changed. `thoughts`: reasoning is shown in full. `more`: how many outputs a run makes of it now, if
    nothing else was changed. `needed`: how many a verdict on noise takes, where there are fewer."""

    name: str
    title: str
    output: Output | None
    shown: Output | None
    base: Output | None
    baseline: str
    view: View
    diffing: Diffing
    stale: bool
    selected: bool
    narrow: bool
    aside: str
    misfit: str
    fits_now: bool
    pinned: bool = False
    anew: bool = False
    thoughts: bool = False
    repeats: Told | None = None
    more: int = 0
    noise: Contrast | None = None
    needed: int = 0


class OutputPane(Vertical):
    """Shows one variant's output. `show` says what; `flush` draws what came since."""

    class FoldClicked(Message):
        """A person clicked at reasoning."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.state: PaneState | None = None
        self._thread = Thread()
        self._lines: tuple[str, int, Sequence[Line]] = ("", 0, ())
        """A text drawn behind the event loop, and its lines at a width."""
        self._pair: tuple[Output | None, Output | None] = (None, None)
        """Whose text is shown, and what it is compared with."""
        self._comparison: Comparison | None = None
        self.settled = True
        """Whether the text shows all that it should; false while that is worked on."""
        self._folds: Sequence[tuple[int, int]] = ()
        self._places: Places | None = None
        self._drawn: tuple[object, ...] | None = None
        self._stage: tuple[object, ...] | None = None
        """What went on when it was told how it goes, and when that was."""
        self._told_at = 0.0
        self._untold = False
        self._width: str | None = None
        self._ready = False
        self._error: str | None = None
        self.text = ComparedText()
        self.walk = Walk(self.text)
        self._title = OneLine(classes="pane-title")
        self._repeats = FittedLine(classes="pane-repeats")
        self._stats = FittedLine(classes="pane-stats")
        self._result = FittedLine(classes="pane-result")
        self._stamp = FittedLine(classes="pane-stamp")

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._repeats
        yield self._stats
        yield Static(classes="pane-error", markup=False)
        yield self.text
        yield self._result
        yield self._stamp

    def on_mount(self) -> None:
        self._ready = True
        self.flush()

    def show(self, state: PaneState) -> None:
        """Show this from now on."""
        if state == self.state:
            return
        self.state = state
        self._drawn = self._stage = None
        self.set_class(state.selected, "-selected")
        self.set_class(is_faint(state), "-noise")
        self.flush()

    def widen(self, width: str | None) -> None:
        """Be as wide; None is as the style sheet says. Textual lays the screen out anew even for what
        is as it was."""
        if width != self._width:
            self._width = self.styles.width = width

    def flush(self) -> None:
        """Draw what came since the last time; cheap when nothing did."""
        state = self.state
        if state is None or not self._ready or not self.display:
            return
        outputs = [it for it in (state.output, state.shown, state.base) if it is not None]
        drawn = tuple(map(_progress, outputs))
        if drawn != self._drawn:
            self._drawn, self._untold = drawn, True
            self._draw_text(state)
        stage, now = tuple(it.state for it in outputs), time.monotonic()
        goes_on = stage == self._stage and not all(it.over for it in stage)
        if self._untold and not (goes_on and now - self._told_at < TOLD_S):
            self._untold, self._stage, self._told_at = False, stage, now
            self._tell(state)

    def _tell(self, state: PaneState) -> None:
        """Say all that stands around the text."""
        self._say_title()
        told = state.repeats
        self._repeats.say([Content.styled(way, "$accent") for way in told.ways] if told else [])
        self._repeats.display = told is not None
        self._stats.say([styled_with_keys(self, it) for it in stats(state, self._comparison)])
        result = [styled_with_keys(self, it) for it in _result(state.output)]
        stamp = _stamp(state.shown)
        both = [Content.assemble(result[0], "   ", stamp[0])] if state.narrow else []
        self._result.say([*both, *result])
        self._stamp.say(stamp)
        output, failed = state.output, ""
        if output is not None and output.error and not state.fits_now:
            failed = for_pane(output.error, output.variant.model)
        self._show_error(safe_text(with_keys(self, state.misfit or failed)))

    def _say_title(self) -> None:
        state = self.state
        if state is None:
            return
        aside = Content.styled(state.aside, "bold $accent")
        walked = Content.styled(self.walk.said, "bold $accent")
        said = [part for part in (walked, aside) if part]
        self._title.say(_title(state), Content(" · ").join(said))

    def step(self, by: int) -> bool:
        """Go to the next difference (1), or the one before (-1); False if there is none."""
        if not self.walk.step(by):
            return False
        self._say_title()
        return True

    def base_at(self, offset: int) -> int:
        """Where in the baseline's pane a character of the text drawn stands."""
        return self._places.base_at(offset) if self._places is not None else offset

    def from_base(self, offset: int) -> int:
        """Where in the text drawn a character of the baseline's pane stands."""
        return self._places.from_base(offset) if self._places is not None else offset

    def _show_error(self, error: str) -> None:
        """Each change is a new layout of the whole screen, so there is one only when it differs."""
        if error != self._error:
            self._error = error
            widget = self.query_one(".pane-error", Static)
            widget.update(error)
            widget.display = bool(error)

    def _draw_text(self, state: PaneState) -> None:
        """Draw the conversation, and compare its last turn."""
        shown = state.shown
        self.set_class(shown is not state.output, "-old")
        if shown is None:
            self._show_nothing()
            self._comparison = None
            return
        look = Look(state.view, state.diffing, self.app.no_color, state.thoughts)
        if not self.settled:
            return
        if self._thread.work(shown, state.base, look) > AT_ONCE:
            self.settled = False
            if self._pair != (shown, state.base):
                self._comparison = None
            if self._pair[0] is not shown:
                self._show_nothing()
            work = self._prepare(shown, state.base, look)
            self.screen.run_worker(work, group="draw", exit_on_error=False)
            return
        drawn = self._thread.draw(shown, state.base, look)
        anew, self._pair = self._pair != (shown, state.base), (shown, state.base)
        growing = shown is state.output and not shown.state.over
        self._folds, self._places = drawn.folds, drawn.places
        if anew or drawn.anew or not drawn.compared:
            self.walk.leave()
        self.text.overscroll(state.diffing.together)
        text, width, lines = self._lines
        known = lines if text == drawn.text else ()
        self.text.show(
            drawn.text, drawn.marks, growing=growing, rest=drawn.rest, lines=known, width=width
        )
        self.walk.show(drawn.places if drawn.marked else None)
        self._comparison = drawn.comparison

    def _show_nothing(self) -> None:
        self.text.clear()
        self.walk.leave()
        self._folds, self._places = (), None

    async def _prepare(self, shown: Output, base: Output | None, look: Look) -> None:
        """Compare and draw what takes a while behind the event loop; then show it."""
        try:
            width = self.text.wrap_width
            self._lines = await asyncio.to_thread(self._prepared, shown, base, look, width)
        finally:
            self.settled, self._drawn = True, None
        if self.is_attached:
            self.flush()

    def _prepared(
        self, shown: Output, base: Output | None, look: Look, width: int
    ) -> tuple[str, int, Sequence[Line]]:
        with _one_at_a_time:
            text = self._thread.draw(shown, base, look).text
            return text, width, break_lines(safe_text(text), width) if width > 1 else ()

    def on_click(self, event: Click) -> None:
        """Fold or unfold reasoning where it is clicked at."""
        if event.widget is self.text:
            at = self.text.offset_at(event.y)
            if any(start <= at <= end for start, end in self._folds):
                self.post_message(self.FoldClicked())


def _progress(output: Output) -> tuple[object, ...]:
    """What of an output changes as it goes on."""
    stamp = output.stamp
    return (
        len(output.text), len(output.tokens), output.state, output.progress, output.error,
        stamp.model_sha256, stamp.adapter_sha256, output.no_effect,
    )  # fmt: skip


def _title(state: PaneState) -> Content:
    return Content.assemble(
        (f"{state.name} ", "bold $primary"),
        (f" {safe_line(state.title)}", "$foreground bold" if state.selected else "$foreground"),
    )


def _result(output: Output | None) -> list[Content]:
    """How an output is going, or how it went."""
    if output is None:
        return [Content.styled("not run yet · {run.start}", "$dim")]
    done = f" {percent(output.progress)}" if output.progress else ""
    tokens = f"{len(output.tokens):,} tok"
    match output.state:
        case State.WAITING:
            said = ["waiting"]
        case State.LOADING:
            said = [f"loading{done}"]
        case State.PREFILL:
            said = [f"reading the prompt{done}"]
        case State.STREAMING:
            said = [f"{tokens} · streaming"]
        case State.FAILED:
            said = [f"{tokens} · failed"]
        case State.CANCELLED:
            said = [f"{tokens} · stopped"]
        case State.DONE:
            said = _done(output, tokens)
    return [Content.styled(words, "$dim") for words in said]


def _done(output: Output, tokens: str) -> list[str]:
    timings, reason = output.timings, output.finish_reason or ""
    why = {"length": "length limit", "context": "context full"}.get(reason, reason)
    if timings is None:
        return [f"{tokens} · {why}"]
    speed = "" if timings.tokens_per_s is None else f" · {timings.tokens_per_s:,.0f}/s"
    first = "" if timings.ttft_s is None else f" · first {timings.ttft_s * 1000:,.0f} ms"
    said = [f"{tokens}{speed}{first} · {why}", f"{tokens}{speed} · {why}", f"{tokens} · {why}"]
    return [f"{said[0]} · {output.slowed}", *said] if output.slowed else said


def _stamp(output: Output | None) -> list[Content]:
    """Where the text came from: seed, and the short hashes of the files."""
    if output is None:
        return [Content()]
    stamp, variant = output.stamp, output.variant
    seed = f"seed {output.seed}"
    model = f"{safe_line(variant.model_name)} {_short(stamp.model_sha256)}"
    hashes = [*stamp.adapter_sha256, *[None] * len(variant.adapters)]
    adapters = [
        f" · {safe_line(str(adapter))} {_short(sha)}"
        for adapter, sha in zip(variant.adapters, hashes, strict=False)
    ]
    ways = [f"{seed} · {model}{''.join(adapters)}", f"{seed} · {model}", seed]
    return [Content.styled(way, "$dim") for way in ways]


def _short(sha256: str | None) -> str:
    return sha256[:4] if sha256 else "hashing"
