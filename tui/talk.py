"""The conversations of the playground: who is replied to, what is run again, what stays as it is."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ..compare.conversation import can_be_replied_to, go_on, lost, turns_of
from ..compare.run import Around, Beside, Output, Run
from ..prompts.document import OutputRules

if TYPE_CHECKING:
    from .asked import Asked
    from .state import Playground

SEEDS = 100_000
"""A new seed is below this: few digits to read, and to type again."""


class TalkKept(NamedTuple):
    """What is brought back with a variant."""

    pinned: frozenset[str]
    joined: Mapping[str, tuple[Output, Asked]]


class Talk:
    """Goes on with the outputs of a playground."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self.pinned: set[str] = set()
        """Variants whose outputs stay as they are."""
        self.thoughts = False
        """Whether reasoning is shown in full."""
        self._joined: dict[str, tuple[Output, Asked]] = {}
        """Of variants that were not run yet: the output in whose place their first one will be, and
        what that was asked."""

    def turns(self, name: str) -> int:
        """How many turns a variant's conversation has; 0 before it was run."""
        output = self._playground.outputs.get(name)
        return len(turns_of(output)) if output is not None else 0

    def join(self, name: str, source: str, turn: Output | None = None) -> None:
        """Have a new variant take part in the conversation of another, from its last turn on or
        from the given one."""
        place, asked = turn or self.place(source), self._asked(source)
        if place is not None and asked is not None:
            self._joined[name] = place, asked

    def place(self, name: str) -> Output | None:
        """The output whose place the next one of a variant takes, if that has one."""
        output = self._playground.outputs.get(name)
        return self._joined[name][0] if output is None and name in self._joined else output

    def forget(self, name: str) -> None:
        """There is another variant of this name now."""
        self.pinned.discard(name)
        self._joined.pop(name, None)

    def kept(self) -> TalkKept:
        """What there is to bring back."""
        return TalkKept(frozenset(self.pinned), dict(self._joined))

    def bring_back(self, name: str, kept: TalkKept) -> None:
        """The variant of this name is the one of that time again."""
        if name in kept.pinned:
            self.pinned.add(name)
        if name in kept.joined:
            self._joined[name] = kept.joined[name]

    def begin_afresh(self) -> None:
        """There are other variants now."""
        self.pinned.clear()
        self._joined.clear()

    def anew(self, name: str) -> bool:
        """Whether a run of this variant begins a new conversation in place of the one it has.

        It does once its prompt, the values in that or its model were changed: the answers given
        are to something else. Adapters, sampling and seeds may change from turn to turn.
        """
        place = self.place(name)
        return place is not None and place.follows is not None and self._asks_other(name)

    @property
    def held(self) -> set[str]:
        """The variants that no live run is made of: it would begin their conversations anew."""
        return set(filter(self.anew, self._playground.names))

    def lost(self, name: str) -> str:
        """The reply of this variant's conversation whose turn before is gone, while a run would
        have to make that one again; else empty."""
        place = self.place(name)
        return "" if place is None or self._asks_other(name) else lost(place)

    def _asked(self, name: str) -> Asked | None:
        """What the conversation of a variant began with."""
        output, joined = self._playground.outputs.get(name), self._joined.get(name)
        return joined[1] if output is None and joined else self._playground.asked(name)

    def _asks_other(self, name: str) -> bool:
        """Whether a variant's chat would begin with something else now."""
        asked, asks = self._asked(name), self._playground.asks(name)
        return asked is None or asks is None or _chat(asked) != _chat(asks)

    def can_go_on(self, names: Iterable[str]) -> list[str]:
        """Those of the variants that can be replied to: answered, not pinned, not changed since."""
        outputs = self._playground.outputs
        return [
            name
            for name in names
            if name in outputs
            and can_be_replied_to(outputs[name])
            and name not in self.pinned
            and not self._asks_other(name)
        ]

    def begin(self, run: Run, reply: str | None) -> None:
        """Have the outputs of a run go on with the conversations there are, before it starts.

        With a reply each answers that; else each is the last turn once more.
        """
        for output in run.outputs:
            name = output.variant.name
            old = self.place(name)
            if old is not None and reply is not None:
                go_on(output, old, reply)
            else:
                self.go_on_as(name, [output])
            self._joined.pop(name, None)
        run.around = self._around(run)

    def _around(self, run: Run) -> Around:
        """What is on the screen with a run."""
        playground, own = self._playground, {variant.name for variant in run.variants}
        others = {it: playground.shown(it) for it in playground.names if it not in own}
        beside = [Beside(it, o.run_id, it in self.pinned) for it, o in others.items() if o and o.run_id]  # fmt: skip
        return Around(playground.baseline, tuple(playground.names), tuple(beside))

    def goes_on(self, name: str) -> tuple[Output, str] | None:
        """What a variant goes on with when it is run again, and what was replied to that."""
        place = self.place(name)
        if place is None or place.follows is None or self.anew(name):
            return None
        return place.follows, place.reply

    def go_on_as(self, name: str, outputs: Iterable[Output]) -> None:
        """Have these outputs make the last turn of a variant once more."""
        if (before := self.goes_on(name)) is not None:
            for output in outputs:
                go_on(output, *before)

    def take_back(self) -> tuple[list[str], str]:
        """Take back the last turn: that of the longest conversations. Gives their names and what
        was replied; no names where there is none."""
        playground = self._playground
        free = [name for name in playground.names if name not in self.pinned]
        most = max(map(self.turns, free), default=0)
        names = [name for name in free if self.turns(name) == most] if most > 1 else []
        reply = ""
        for name in names:
            output = playground.outputs[name]
            reply = output.reply
            playground.before.pop(name, None)
            if output.follows is not None:
                playground.outputs[name] = output.follows
        return names, reply

    def new_seed(self) -> int:
        """Give all variants another seed."""
        playground = self._playground
        old = playground.seed_shown
        while playground.seed is None or playground.seed == old:
            playground.seed = random.randrange(SEEDS)
        return playground.seed


def _chat(asked: Asked) -> object:
    """What of a request decides what was asked."""
    variant = asked.variant
    prompt = replace(variant.prompt, sampling={}, output=OutputRules())
    return prompt, variant.model, variant.values, asked.values
