"""What the lens looks at: two variants and the texts there are, each scored once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..compare.conversation import turns_of
from ..compare.run import Output
from ..compare.variants import Beginning, Variant
from .heat import TokenText, token_text
from .parting_words import Thoughts, in_thoughts
from .session import Session
from .widgets.wrapping import break_lines

if TYPE_CHECKING:
    from ..compare.lens import Alternative, Lens
    from ..compare.parting import Parting

TOP = 8
"""How many of the likeliest tokens are told."""
OWN = "own text"
"""The name of a text that is no variant's output."""
Pair = tuple[str, str]
Seen = tuple[Pair, Output | str | None, Output | None, Output | None]
"""What is looked at: the pair, the output or the words scored, and the outputs of either variant in
whose place these stand. An output that takes the place of another is another."""


@dataclass(frozen=True)
class Branch:
    """A variant to copy, and what the copy's answer begins with."""

    source: str
    beginning: Beginning
    place: Output | None
    """The output in whose place its answer is, in a conversation."""


class LensSource:
    """`pair` are the names of the two variants; a text is named as the variant that said it."""

    def __init__(self, session: Session, pair: Pair) -> None:
        self.pair = pair
        self.session = session
        self.own = ""
        """The person's own text."""
        self._lenses: dict[Seen, Lens] = {}
        self._partings: dict[tuple[Seen, Seen], Parting | None] = {}
        self._thoughts: dict[tuple[Seen, Seen], Thoughts | None] = {}
        self._roundings: dict[int, float] = {}
        """By the id of a lens, which `_lenses` keeps."""

    def _seen(self, text: str) -> Seen:
        what = self.own if text == OWN else self.place(text)
        a, b = self.pair
        return self.pair, what, self.place(a), self.place(b)

    @property
    def variants(self) -> tuple[Variant, Variant]:
        """The two variants, with the values there are now."""
        playground = self.session.playground
        found = [it for name in self.pair if (it := playground.get(name)) is not None]
        first, second = [playground.values.filled(it) for it in found]
        return first, second

    @property
    def texts(self) -> list[str]:
        """The names of the texts: every variant with an output, then one's own."""
        names = self.session.playground.names
        return [*(name for name in names if self.tokens_of(name)), OWN]

    @property
    def turn(self) -> int:
        """Which turn of the conversations is looked at: the last one that both variants have."""
        return min(max(1, len(self._conversation(name))) for name in self.pair)

    def _conversation(self, name: str) -> list[Output]:
        """What a variant has said, or goes on from if it was not run yet."""
        playground = self.session.playground
        output = playground.shown(name) or playground.talk.place(name)
        return turns_of(output) if output is not None else []

    def place(self, name: str) -> Output | None:
        """The output in whose place a text stands under a variant."""
        return next(iter(self._conversation(name)[self.turn - 1 :]), None)

    def said_in(self, text: str) -> str:
        """The id of the run that said a text; empty for a person's own."""
        output = None if text == OWN else self.place(text)
        return output.run_id if output is not None else ""

    def tokens_of(self, name: str) -> list[int]:
        """What a variant has said so far, in the turn that is looked at."""
        output = self.place(name) if self.session.playground.shown(name) else None
        return list(output.tokens) if output else []

    def go_round(self) -> bool:
        """Compare with the next other variant; False when there is none."""
        a, b = self.pair
        others = [name for name in self.session.playground.names if name != b]
        if len(others) > 1:
            self.pair = (others[(others.index(a) + 1) % len(others)], b)
        return len(others) > 1

    async def lens(self, text: str, on_progress: Callable[[float], None]) -> Lens:
        """The lens on the text with this name. Raises as `compare.lens.look`."""
        from ..compare.lens import look

        seen = self._seen(text)
        if seen not in self._lenses:
            variants, exact = self.variants, self.session.playground.exact
            answer = self.own if text == OWN else self.tokens_of(text)
            self._lenses[seen] = await look(
                await self.session.runner(),
                variants,
                {},
                answer,
                turns=seen[2:],
                top=TOP,
                exact=exact,
                on_progress=on_progress,
            )
        return self._lenses[seen]

    def shows(self, lens: Lens, text: str) -> bool:
        """Whether this is the lens on what the text with this name is by now."""
        return self._lenses.get(self._seen(text)) is lens

    def rounding(self, lens: Lens) -> float | None:
        """By how much a difference is rounding, if that was measured."""
        return self._roundings.get(id(lens))

    async def measure_rounding(self, lens: Lens) -> None:
        """Measure by how much a difference in this lens is rounding. Raises as `lens`."""
        from ..compare.rounding import rounding

        if id(lens) not in self._roundings:
            runner, exact = await self.session.runner(), self.session.playground.exact
            self._roundings[id(lens)] = await rounding(runner, lens, {}, exact=exact)

    def parting(self) -> Parting | None:
        """Where the two outputs part, if that was looked for and they do."""
        return self._partings.get(self._both)

    @property
    def _both(self) -> tuple[Seen, Seen]:
        a, b = self.pair
        return self._seen(a), self._seen(b)

    @property
    def ended(self) -> tuple[str | None, str | None]:
        """Why the two outputs ended, as `Output.finish_reason`."""
        one, two = (place and place.finish_reason for place in map(self.place, self.pair))
        return one, two

    @property
    def thoughts(self) -> Thoughts | None:
        """That the two outputs part in reasoning, if they do."""
        return self._thoughts.get(self._both)

    async def find_parting(self, on_progress: Callable[[str, float], None]) -> None:
        """Look where the two outputs part. Raises as `lens`."""
        from ..compare.parting import find_parting

        both = self._both
        if both in self._partings:
            return
        first, second = [
            await self.lens(name, lambda fraction, name=name: on_progress(name, fraction))
            for name in self.pair
        ]
        runner, exact = await self.session.runner(), self.session.playground.exact
        found = await find_parting(runner, first, second, {}, exact=exact)
        one, two = (self.place(name) for name in self.pair)
        if found is not None and one is not None and two is not None:
            self._thoughts[both] = await asyncio.to_thread(in_thoughts, found, one, two)
        self._partings[both] = found


def made_ready(
    lens: Lens, width: int
) -> tuple[TokenText, list[tuple[int, int]], list[int], list[int]]:
    """The text and its lines, the tokens by how much they differ, and the place of each in that."""
    text = token_text([it.piece for it in lens.tokens])
    order = lens.largest(len(lens.tokens))
    places = [0] * len(order)
    for place, token in enumerate(order):
        places[token] = place
    return text, break_lines(text.text, width), order, places


def beginning_at(lens: Lens, number: int, instead: Alternative, said: str) -> Beginning:
    """The beginning of an answer that has another token in the place of that number; `said` is the
    id of the run that said the text, empty for a person's own."""
    before = lens.tokens[:number]
    tokens = (*(it.token for it in before), instead.token)
    pieces = b"".join([*(it.piece for it in before), instead.piece])
    return Beginning(tokens, pieces.decode("utf-8", "replace"), said)
