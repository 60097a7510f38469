"""Blind rating: two answers to a question, whose they are unknown, and one key to say which is better."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ...compare.errors import CompareError
from ..collecting import leave_out
from ..dialog_keys import SEE_KEYS
from ..key_names import styled_with_keys, with_keys
from ..keys import RATE_KEYS
from ..rating_words import login_name, progress
from ..safe_text import safe_line, safe_text
from ..widgets.answer_text import AnswerText
from ..widgets.key_bar import Hint, KeyBar
from ..widgets.lines import Line, shortened
from ..widgets.output_text import Mark, OutputText
from ..widgets.wrapping import Line as BrokenLine
from ..widgets.wrapping import break_lines
from .ask import Ask
from .confirm import Confirm
from .page import Page
from .rate_end import end_page
from .rate_text import RateText
from .styles import styles

if TYPE_CHECKING:
    from textual.app import App

    from ...compare.history.history import History
    from ...compare.history.ratings import Answer, Rated
    from ...compare.rating.session import Rating, Shown

LOW = 30
"""Below this many lines there is no room for empty ones."""
FOLDED = 3
"""Lines of a question that is folded."""
UNREAD_S = 0.15
"""Nobody has read a pair by then: the key was for the pair before."""

_HINTS: list[Hint] = [
    ("rate.first rate.second", "pick"), ("rate.tie", "tie"), ("rate.bad", "bad"),
    ("rate.skip", "skip"), ("rate.undo", "undo"), ("rate.note", "note"), ("rate.edit", "edit"),
    ("rate.leave", "stop"), ("rate.marks", "differences"), ("rate.result", "result"),
]  # fmt: skip
_AT_THE_END: list[Hint] = [("rate.more", "go on"), ("rate.undo", "undo"), ("rate.leave", "leave")]


def open_rating(
    app: App[Any], history: History, kind: Literal["evaluation", "run"], key: str
) -> None:
    """Rate an evaluation by its key, or a run by its id, over the screen that is shown."""
    from ...compare.history.ratings import Rated

    app.push_screen(Rate(history, Rated(kind, key)))


class Rate(Page[None]):
    """Rates until a person leaves; everything said is in the history by then."""

    DEFAULT_CSS = styles("rate.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [*RATE_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = ""
    HELP = (
        "Two answers to one question: press {rate.first} or {rate.second} for the better one. Which variant said which is "
        "not shown anywhere, their sides are drawn anew for each pair, and every answer is kept "
        "as it is given. You may stop at any time and go on later."
    )

    def __init__(self, history: History, what: Rated, rater: str = "") -> None:
        """The rater is who is logged in unless another is named."""
        super().__init__()
        self._history, self._what = history, what
        self._rater = rater or login_name()
        self._rating: Rating | None = None
        self._shown: Shown | None = None
        self._since = 0.0
        self._marks = False
        self._whole = False
        self._todo: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()

    def compose(self) -> ComposeResult:
        yield Line("rate-title")
        yield OutputText("rate-question")
        yield Line("rate-folded")
        with Horizontal(id="rate-answers"):
            for number, name in ((1, "rate-first"), (2, "rate-second")):
                with Horizontal(id=name, classes="rate-answer"):
                    yield Static(str(number), markup=False)
                    yield AnswerText()
        yield Line("rate-said")
        with VerticalScroll(id="rate-end"):
            yield Static(markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self._show_title()
        self._then(self._open)
        self._work()

    # ------------------------------------------------------------ one by one

    @work(exit_on_error=False)
    async def _work(self) -> None:
        """Do what keys ask for, one after the other: each is about what the one before has shown."""
        while True:
            do = await self._todo.get()
            try:
                await do()
            except CompareError as error:
                self.tell_error(error)
                if self._rating is None:
                    self.dismiss(None)

    def _then(self, do: Callable[[], Awaitable[None]]) -> None:
        self._todo.put_nowait(do)

    async def _open(self) -> None:
        self._rating = await asyncio.to_thread(self._load, self._rater)
        await self._show()
        leave_out(self.app)

    def _load(self, rater: str) -> Rating:
        from ...compare.rating.session import Rating
        from ...compare.rating.source import load_source

        source = load_source(self._history, self._what)
        return Rating(source, self._history.ratings, rater)

    # --------------------------------------------------------------- showing

    async def _show(self) -> None:
        """Show the pair that is to be rated now, or that there is none."""
        rating = self._rating
        assert rating is not None
        before, self._shown = self._shown, rating.current
        if self._shown is None:
            await self._show_end()
            return
        self.remove_class("-end")
        self.query_one(KeyBar).hints = _HINTS
        self._show_title()
        self._show_said()
        if before is None or self._shown.question != before.question:
            self._whole = False
        question = self.query_one("#rate-question", OutputText)
        question.clear()
        question.show(self._shown.question or "The variants were asked in different words.")
        self._fit()
        await self._show_answers()
        self._since = monotonic()

    async def _show_answers(self, *, anew: bool = True) -> None:
        """Show both, from their beginnings on if they are to be shown `anew`."""
        shown, panes = self._shown, self._panes
        if shown is None:
            return
        widths = [pane.wrap_width for pane in panes]
        drawn = await asyncio.to_thread(_drawn, shown, widths, marks=self._marks)
        for pane, width, (text, marks, lines) in zip(panes, widths, drawn, strict=True):
            if anew:
                pane.clear()
            pane.show(text, marks, lines=lines, width=width)
            if anew:
                pane.go_to(0)

    @property
    def _panes(self) -> list[AnswerText]:
        return list(self.query(AnswerText))

    def _show_title(self) -> None:
        left = Content.assemble(("llamadiff", "bold $primary"), "  Rate")
        right, rating = self._rater, self._rating
        if rating is not None and self._shown is not None:
            right = f"{progress(rating.done, rating.goal, rating.seconds_left)} · {right}"
        self.query_one("#rate-title", Line).say(left, Content.styled(safe_line(right), "$dim"))

    def _show_said(self) -> None:
        shown = self._shown
        edited, note = (shown.edited, shown.note) if shown else ("", "")
        parts = [f"should have said: {shortened(edited, 30)}"] if edited else []
        parts += [f"note: {safe_line(note)}"] if note else []
        self.set_class(bool(parts), "-said")
        self.query_one("#rate-said", Line).say(Content(" · ".join(parts)))

    def _fit(self) -> None:
        """Give the question the lines it needs, or the few that it has while it is folded."""
        question = self.query_one("#rate-question", OutputText)
        most = max(FOLDED, self.size.height // 3) if self._whole else FOLDED
        lines = len(question.lines()) or 1
        question.styles.height = min(lines, most)
        question.can_focus = self._whole and lines > most
        self.set_class(lines > FOLDED, "-long")
        does = "folds it again" if self._whole else f"shows all {lines:,} lines of the question"
        self.query_one("#rate-folded", Line).say(
            Content.styled(with_keys(self, f"{{rate.whole}} {does}"), "$dim")
        )

    async def _show_end(self, *, asked: bool = False) -> None:
        """Thank, and say what came out."""
        rating = self._rating
        assert rating is not None
        self._show_title()
        self.add_class("-end")
        self.query_one(KeyBar).hints = _AT_THE_END
        page = await asyncio.to_thread(end_page, rating, self._history, asked=asked)
        self.query_one("#rate-end Static", Static).update(styled_with_keys(self, page))
        self.query_one("#rate-end").scroll_home(animate=False)

    def resized(self) -> None:
        self.set_class(self.size.height < LOW, "-low")
        self.call_after_refresh(self._fit)

    @on(AnswerText.Scrolled)
    def _scrolled(self, event: AnswerText.Scrolled) -> None:
        for pane in self._panes:
            if pane is not event.sender:
                pane.go_to(min(round(event.sender.scroll_y), pane.max_scroll_y))

    # ------------------------------------------------------------------ keys

    def action_rate(self, answer: Answer) -> None:
        if self._shown is not None:
            self._then(partial(self._rate, answer))

    async def _rate(self, answer: Answer) -> None:
        rating = self._rating
        if rating is None or self._shown is None or monotonic() - self._since < UNREAD_S:
            return
        await asyncio.to_thread(rating.rate, answer)
        await self._show()

    def action_undo(self) -> None:
        self._then(self._undo)

    async def _undo(self) -> None:
        if self._rating is not None:
            if await asyncio.to_thread(self._rating.undo):
                await self._show()
            else:
                self.app.notify("Nothing was rated yet.", timeout=3)

    def action_note(self) -> None:
        self._then(self._note)

    async def _note(self) -> None:
        rating, shown = self._rating, self._shown
        if rating is None or shown is None:
            return
        note = await self.app.push_screen_wait(Ask("Note to this pair", shown.note, "note"))
        if note is not None and note.strip() != shown.note:
            await asyncio.to_thread(rating.annotate, note)
            self._shown = rating.current
            self._show_said()

    def action_edit(self) -> None:
        self._then(self._edit)

    async def _edit(self) -> None:
        rating, shown = self._rating, self._shown
        if rating is None or shown is None:
            return
        dialog = RateText(shown.first, shown.second, shown.edited)
        text = await self.app.push_screen_wait(dialog)
        if text is not None and text.strip() != shown.edited:
            await asyncio.to_thread(rating.edit, text)
            self._shown = rating.current
            self._show_said()

    def action_marks(self) -> None:
        self._marks = not self._marks
        self._then(partial(self._show_answers, anew=False))

    def action_whole(self) -> None:
        self._whole = not self._whole
        self._fit()

    def action_scroll(self, step: int) -> None:
        self._move(step)

    def action_page(self, step: int) -> None:
        self._move(step * max(1, self._panes[0].size.height - 1))

    def _move(self, lines: int) -> None:
        at = max(round(pane.scroll_y) for pane in self._panes) + lines
        for pane in self._panes:
            pane.go_to(max(0, min(at, pane.max_scroll_y)))

    def action_result(self) -> None:
        self._then(self._result)

    async def _result(self) -> None:
        if self._rating is None or self._shown is None:
            return
        sentence = "Knowing who leads may sway what you choose from here on."
        if await self.app.push_screen_wait(_See("See the result now?", sentence, "see it")):
            self._shown = None
            await self._show_end(asked=True)

    def action_rater(self) -> None:
        self._then(self._rename)

    async def _rename(self) -> None:
        dialog = Ask("Who rates from here on?", self._rater, "name")
        name = ((await self.app.push_screen_wait(dialog)) or "").strip()
        if name and name != self._rater:
            self._rating = await asyncio.to_thread(self._load, name)
            self._rater = name
            await self._show()

    def action_more(self) -> None:
        self._then(self._more)

    async def _more(self) -> None:
        if self._rating is not None and self._shown is None and self._rating.more():
            await self._show()

    def action_leave(self) -> None:
        self._then(self._leave)

    async def _leave(self) -> None:
        self.dismiss(None)

    def tell_mistake(self, sentence: str) -> None:
        super().tell_mistake(sentence)
        self._work()


class _See(Confirm):
    """Asked for with `r`, and seen with another `r`."""

    BINDINGS: ClassVar[list[BindingType]] = [*SEE_KEYS]


def _drawn(
    shown: Shown, widths: Sequence[int], *, marks: bool
) -> list[tuple[str, list[Mark], list[BrokenLine]]]:
    """Both texts in lines of these widths, with what differs marked in each if that is wanted."""
    texts = shown.first, shown.second
    found: list[tuple[str, list[Mark], list[BrokenLine]]] = []
    for text, other, width in zip(texts, texts[::-1], widths, strict=True):
        drawn = text or "(nothing)"
        marked = _marked(text, other) if marks and text else []
        found.append((drawn, marked, list(break_lines(safe_text(drawn), width))))
    return found


def _marked(text: str, other: str) -> list[Mark]:
    from ...compare.diff.live import diff
    from ..drawing import Drawing

    drawing = Drawing()
    drawing.update(diff(other, text), other, text)
    return drawing.marks
