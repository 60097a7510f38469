"""A pane of text that grows: appends without redrawing, marks what differs, follows the end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from ...compare.diff.divergence import char_divergence
from ...compare.diff.result import same_start
from ..safe_text import safe_growth
from .wrapping import TAB, Line, break_lines

_LEFT_OUT = "\0"
"""No text that is shown has one."""
HIGH = 6
"""From so many lines on, what a text comes to rest at has some of those before it above."""


class Mark(NamedTuple):
    """How characters `start` to `end` of the text are drawn: `kind` names a style, "" is plain."""

    start: int
    end: int
    kind: str


class OutputText(ScrollView, can_focus=True):
    """Shows one text. `show` takes the whole of it each time and draws only what is new."""

    HELP = (
        "What a variant said. Arrows and page keys scroll; new text is followed until you scroll "
        "up, and again once you are back at the end."
    )
    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "output-text--added",
        "output-text--removed",
        "output-text--ahead",
        "output-text--arrived",
        "output-text--left",
        "output-text--fold",
        "output-text--between",
        "output-text--here",
        "output-text--title",
        "output-text--chosen",
        "output-text--special",
        "output-text--written",
        "output-text--lookalike",
        "output-text--id",
        "output-text--even",
        "output-text--problem",
        "output-text--warning",
        "output-text--said",
        "output-text--thought",
    }
    """
    | Class | Description |
    | :- | :- |
    | `output-text--added` | Words the baseline does not have. |
    | `output-text--removed` | Words only the baseline has, in the unified view. |
    | `output-text--ahead` | Words the other output has not reached yet. |
    | `output-text--arrived` | Words that stand elsewhere in the baseline. |
    | `output-text--left` | Words of the baseline that stand elsewhere, in the unified view. |
    | `output-text--fold` | What stands in the place of equal words. |
    | `output-text--between` | What keeps a removal and what replaces it apart; it is not copied. |
    | `output-text--here` | The difference that was gone to. |
    | `output-text--title` | A heading in a rendered prompt. |
    | `output-text--chosen` | The layer that is shown of a rendered prompt. |
    | `output-text--special` | A special token that the chat template writes. |
    | `output-text--written` | A special token that stands in a message. |
    | `output-text--lookalike` | Text that is written like a special token and is none. |
    | `output-text--id` | The id of a token. |
    | `output-text--even` | Every other token of a rendered prompt. |
    | `output-text--problem` | Why there is no rendered prompt. |
    | `output-text--warning` | What to know before a rendered prompt is run. |
    | `output-text--said` | What a person replied. |
    | `output-text--thought` | The reasoning before an answer. |
    """

    def __init__(self, name: str = "") -> None:
        super().__init__(id=name or None)
        self._text = ""
        self._marks: Sequence[Mark] = ()
        self._lines: list[Line] = []
        self._width = 0
        self._strips: dict[int, Strip] = {}
        self._base: Style | None = None
        self._following = True
        self._resting = False
        self._rest = 0
        self._scrolling = False
        self._growing = False
        self.overscrolled = False
        """Whether the last line, too, can be scrolled up to the first row."""
        self.lines_broken = 0
        """Lines laid out so far; tests hold appending to O(new text) with it."""

    @property
    def text(self) -> str:
        """The text shown, with control characters replaced."""
        return self._text

    @property
    def following(self) -> bool:
        """Whether new text scrolls into view; off once a person scrolls up."""
        return self._following

    def show(
        self,
        text: str,
        marks: Sequence[Mark] = (),
        *,
        growing: bool = False,
        rest: int = 0,
        lines: Sequence[Line] = (),
        width: int = 0,
    ) -> None:
        """Show `text` with `marks` (in order, apart from each other).

        Text that begins with the text shown is appended. While `growing`, the scrollable
        height runs ahead by up to a page, so that a new line is not a new layout. Text that is
        complete comes to rest, unless a person scrolled it, with offset `rest` in the upper third.
        `lines` are those of `break_lines` for the whole text at `width`, where they are known.
        """
        old = self._text
        safe = safe_growth(old, text)
        first_mark = _first_difference(self._marks, marks)
        if (safe, growing, rest) == (old, self._growing, self._rest) and first_mark is None:
            return
        drawn = len(self._lines)
        if not safe.startswith(old):
            self._replace(char_divergence(old, safe) or 0, growing)
        elif self._following and not growing:
            self._following, self._resting = False, True
        self._rest = rest
        self._text, self._marks, self._growing = safe, tuple(marks), growing
        if not self.size.width:
            self._lines = []
            return
        if lines and width == self._wrap_width():
            self._width = width
            self._take(lines, drawn)
        else:
            self._layout()
        self._redraw(len(self._lines), drawn)
        if not safe.startswith(old) and growing and len(self._lines) <= self.size.height:
            self._following = True
        if first_mark is not None:
            self._redraw(self._line_at(first_mark), len(self._lines))
        self._resize_canvas()

    def _replace(self, same: int, growing: bool) -> None:
        """Keep what the first `same` characters settle: lines, and the place a person chose."""
        placed = bool(self._lines) and not self._following and not self._resting
        top = min(self.scroll_offset.y, len(self._lines) - 1)
        if not placed or self._lines[top][0] >= same:
            self._following, self._resting = growing, not growing
        # What follows a line, too, decides where it ends.
        del self._lines[max(0, self._line_at(same) - 1) :]

    def follow(self) -> None:
        """Have the end in view, and follow what comes."""
        self._following, self._resting = True, False
        self._resize_canvas()

    def clear(self) -> None:
        """Show nothing, and follow again."""
        self._redraw(0, len(self._lines))
        self._lines = []
        self._following, self._resting = True, False
        self.show("", growing=True)

    def offset_at(self, y: int) -> int:
        """Where the text begins that stands in row `y` of the widget; -1 below its end."""
        row = self.scroll_offset.y + y
        return self._lines[row][0] if 0 <= row < len(self._lines) else -1

    def lines(self) -> list[str]:
        """The lines as they stand on the screen, without marks."""
        return [self._visible(line) for line in self._lines]

    # ------------------------------------------------------------ laying out

    def _layout(self) -> None:
        """Break what came after the last line's start, or everything if the width changed."""
        width, drawn = self._wrap_width(), len(self._lines)
        if width != self._width:
            self._width, self._lines = width, []
        start = self._lines.pop()[0] if self._lines else 0
        kept = len(self._lines)
        fresh = break_lines(self._text, width, start)
        self.lines_broken += len(fresh)
        self._lines.extend(fresh)
        self._redraw(kept, max(drawn, len(self._lines)))

    def _take(self, lines: Sequence[Line], drawn: int) -> None:
        """Lay out as was found elsewhere."""
        kept = len(self._lines)
        self._lines = list(lines)
        self._redraw(kept, max(drawn, len(self._lines)))

    @property
    def wrap_width(self) -> int:
        """Cells that a line may have."""
        return self._wrap_width()

    def _wrap_width(self) -> int:
        """One cell less than there is, so that text keeps off the scrollbar."""
        return max(1, self.scrollable_content_region.width - 1)

    def _redraw(self, first: int, last: int, *, only: bool = False) -> None:
        """Draw the lines from `first` up to `last` anew, and `only` these."""
        top = self.scroll_offset.y
        kept = self._strips.items()
        self._strips = {y: strip for y, strip in kept if top <= y < first or (only and y >= last)}
        first, last = max(first, top), min(last, top + self.size.height)
        if first < last:
            self.refresh_lines(first, last - first)

    def _line_at(self, offset: int) -> int:
        return max(0, bisect_right(self._lines, offset, key=lambda line: line[0]) - 1)

    def _resize_canvas(self) -> None:
        page = max(1, self.size.height)
        height = len(self._lines)
        if self._growing and height > page:
            height += -height % page
        if self.overscrolled and height:
            height += page - 1
        self._set_virtual_size(Size(self._width, height))
        if self._following:
            self._follow(page)
        elif self._resting:
            line = self._line_at(self._rest)
            above = page // 3 if page >= HIGH else 0
            self._scroll(max(0, min(line - above, len(self._lines) - page)))

    def _set_virtual_size(self, size: Size) -> None:
        """A new layout of the screen is made only where a scrollbar may come or go."""
        old, page = self.virtual_size, self.size.height
        if size == old:
            return
        longer = self.show_vertical_scrollbar and size.height > page
        fits = not self.show_vertical_scrollbar and max(size.height, old.height) <= page
        if (longer or fits) and size.width == old.width:
            self.set_reactive(cast("Reactive[Size]", Widget.virtual_size), size)
            self.vertical_scrollbar.window_virtual_size = size.height
        else:
            self.virtual_size = size

    def _follow(self, page: int) -> None:
        top = self.scroll_offset.y
        last = max(0, len(self._lines) - page)
        if self._growing and top <= len(self._lines) <= top + page:
            return
        target = last + page // 2 if self._growing and last else last
        self._scroll(target)

    def _scroll(self, target: int) -> None:
        """Scroll as the text asks for it, not a person."""
        if target != self.scroll_offset.y:
            self._scrolling = True
            self.scroll_to(y=target, animate=False, force=True)
            self._scrolling = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._scrolling:
            self._following = new_value >= len(self._lines) - self.size.height
            self._resting = False

    def on_resize(self) -> None:
        if self.size.width and (self._wrap_width() != self._width or not self._lines):
            self._layout()
        self._resize_canvas()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips, self._base = {}, None

    # ------------------------------------------------------------- rendering

    def render_line(self, y: int) -> Strip:
        number = self.scroll_offset.y + y
        strip = self._strips.get(number)
        if strip is not None:
            return strip
        if self._base is None:
            self._base = self.rich_style
        width, base = self.size.width, self._base
        if number >= len(self._lines):
            return Strip.blank(width, base)
        strip = self._make_strip(number, base).crop_extend(0, width, base).apply_offsets(0, number)
        self._strips[number] = strip
        return strip

    def _visible(self, line: Line, text: str = "") -> str:
        start, end = line
        return (text or self._text)[start:end].rstrip(" \t").replace("\t", " " * TAB)

    def _make_strip(self, number: int, base: Style) -> Strip:
        start, end = self._lines[number]
        end = start + len(self._text[start:end].rstrip(" \t"))
        segments: list[Segment] = []
        at = start
        first = max(0, bisect_right(self._marks, start, key=lambda mark: mark.start) - 1)
        for index in range(first, len(self._marks)):
            mark = self._marks[index]
            if mark.start >= end:
                break
            if mark.end <= at or not mark.kind:
                continue
            begin, stop = max(mark.start, at), min(mark.end, end)
            segments += self._segments(at, begin, base)
            style = self.get_component_rich_style(f"output-text--{mark.kind}")
            segments += self._segments(begin, stop, style)
            at = stop
        segments += self._segments(at, end, base)
        strip = Strip([segment for segment in segments if segment.text])
        selection = self.text_selection
        span = selection.get_span(number) if selection is not None else None
        return strip if span is None else self._with_selection(strip, *span)

    def _segments(self, start: int, end: int, style: Style) -> list[Segment]:
        """Text in a style."""
        return [self._segment(start, end, style)]

    def _segment(self, start: int, end: int, style: Style) -> Segment:
        return Segment(self._text[start:end].replace("\t", " " * TAB), style)

    def _with_selection(self, strip: Strip, start: int, end: int) -> Strip:
        length = strip.cell_length
        end = length if end == -1 else min(end, length)
        if start >= end:
            return strip
        before, inside, after = (
            strip.crop(0, start),
            strip.crop(start, end),
            strip.crop(end, length),
        )
        style = self.screen.get_component_rich_style("screen--selection")
        selected = Strip(
            [Segment(text, (own or Style()) + style, control) for text, own, control in inside]
        )
        return Strip.join([before, selected, after])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        text = self._text
        for mark in self._marks:
            if mark.kind == "between":
                text = f"{text[: mark.start]}{_LEFT_OUT}{text[mark.end :]}"
        lines = (self._visible(line, text) for line in self._lines)
        return selection.extract("\n".join(lines)).replace(_LEFT_OUT, ""), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._strips = {}
        self.refresh()


def _first_difference(old: Sequence[Mark], new: Sequence[Mark]) -> int | None:
    """The first offset at which two lists of marks style a text differently; None if nowhere."""
    for index in range(same_start(old, new), min(len(old), len(new))):
        before, after = old[index], new[index]
        if before != after:
            if before.start == after.start and before.kind == after.kind:
                return min(before.end, after.end)
            return min(before.start, after.start)
    if len(old) == len(new):
        return None
    return (old if len(old) > len(new) else new)[min(len(old), len(new))].start
