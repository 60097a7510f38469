"""A against A: what each variant is against itself, and each against the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ...compare.errors import MISTAKES
from ..dialog_keys import NOISE_KEYS
from ..key_names import with_keys
from ..noise_words import (
    HEAD,
    details,
    left_out_words,
    lens_verdict,
    lens_words,
    other_question_words,
    rows,
    verdicts,
)
from ..safe_text import safe_line
from ..sentences import for_app
from ..session import Session
from .dialog import Dialog

ABOUT = (
    "Same: the share of words that two outputs have in common, the mean of all pairs with different "
    "seeds. Beyond noise: if outputs with the same seed changed places, at most 5 % of the ways to do "
    "so would set the variants as far apart (their energy distance). With the same seed a variant is run "
    "in batches of other sizes, where rounding is another; those that always take the likeliest token "
    "are judged by that."
)


class NoiseFloorScreen(Dialog[bool]):
    """Gives True when a person wants to measure with another number of outputs."""

    TITLE_TEXT = "Noise floor: A against A"
    KEYS_TEXT = "{noise.number} other number of outputs · ↑↓ scroll · {dialog.cancel} done"
    MOST_LINES = 30
    BINDINGS: ClassVar[list[BindingType]] = [*NOISE_KEYS]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def body(self) -> Iterable[Widget]:
        yield _Figures(classes="dialog-scroll")

    def on_mount(self) -> None:
        self.query_one(_Figures).focus()
        self._show("comparing")
        self.run_worker(self._measure(), group="measure", exit_on_error=False)

    async def _measure(self) -> None:
        from ...models.engine.client import EngineError

        try:
            runner = await self._session.runner()
            await self._session.playground.noise.measure(runner, self._show)
        except (*MISTAKES, EngineError) as error:
            self._show("")
            self.problem(safe_line(for_app(str(error))))

    def _show(self, under_way: str) -> None:
        noise = self._session.playground.noise
        control, lines = noise.control, list[Content]()
        if control is not None:
            lines += [Content.styled(said, "bold") for said in verdicts(control)]
            known = {n: it for n, it in noise.lenses.items() if not isinstance(it, str)}
            lines += [Content(lens_verdict(it, control.baseline, n)) for n, it in known.items()]
            lines += [Content(), *_table([HEAD, *rows(control)]), Content()]
            lines += [Content(said) for said in details(control)]
            for name, lens in noise.lenses.items():
                said = lens if isinstance(lens, str) else lens_words(lens, control.baseline, name)
                lines.append(Content(safe_line(said)))
            for name in control.floors:
                if other := noise.other_question(name):
                    said = other_question_words(name, control.baseline, other)
                    lines.insert(0, Content.styled(safe_line(said), "$warning"))
            if noise.left_out:
                said = with_keys(self, left_out_words(noise.left_out))
                lines.append(Content.styled(said, "$warning"))
            lines += [Content(), Content.styled(ABOUT, "$dim")]
        if under_way:
            lines += [Content.styled(f"{under_way} …", "$warning")]
        self.query_one(_Figures).text.update(Content("\n").join(lines))
        self.call_after_refresh(self._fit)

    def action_number(self) -> None:
        self.dismiss(True)


class _Figures(VerticalScroll):
    """What scrolls."""

    DEFAULT_CSS = "_Figures { height: auto; } _Figures Static { height: auto; }"

    def __init__(self, *, classes: str) -> None:
        super().__init__(classes=classes)
        self.text = Static(markup=False)

    def compose(self) -> ComposeResult:
        yield self.text


def _table(lines: Sequence[Sequence[str]]) -> list[Content]:
    widths = [max(cell_len(line[i]) for line in lines) for i in range(len(lines[0]))]
    found: list[Content] = []
    for number, line in enumerate(lines):
        cells = [
            f"{cell:<{width}}" if i in (0, len(line) - 1) else f"{cell:>{width}}"
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text, last = "  ".join(cells[:-1]), cells[-1].strip()
        beyond = "bold $accent" if last.startswith("beyond") else "$dim"
        found.append(Content.assemble((text, "" if number else "$dim"), "  ", (last, beyond)))
    return found
