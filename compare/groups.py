"""Repeats of one variant put together by likeness: how many distinct outputs there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from .likeness import likeness, words_of
from .reasoning import answer_of
from .run import Output, State

ALIKE = 0.9
"""Outputs count as alike from here on: nine of ten words in common, in order (`likeness`)."""

AT_ONCE_S = 0.008
"""How long one `Grouping.update` compares texts before the rest is left to the next."""


@dataclass(frozen=True)
class Group:
    """Outputs whose answers are alike; `members` are their places among the repeats, ascending.

    The first one stands for all: every other is alike to it. With `same` they are the same
    answer.
    """

    members: tuple[int, ...]
    same: bool

    @property
    def count(self) -> int:
        return len(self.members)

    @property
    def first(self) -> int:
        """The output that stands for the group."""
        return self.members[0]


class Grouping:
    """Groups the outputs of one variant while they end, one after the other.

    In the order of the repeats each output that has ended goes to the first group whose first
    output it is alike to (`ALIKE`), else it founds one. What comes of it depends on which outputs
    have ended, not on the order in which they did. Those that failed or were stopped are left out.
    """

    def __init__(self, outputs: Sequence[Output]) -> None:
        self.outputs = outputs
        self._groups: list[Group] = []
        self._ended: list[int] = []
        self._answers: dict[int, str] = {}
        self._words: dict[str, tuple[str, ...]] = {}
        self._alike: dict[tuple[str, str], bool] = {}
        self._advanced = False

    def update(self, within_s: float | None = AT_ONCE_S) -> list[Group]:
        """The groups by now, the most frequent first, among equals the one that began first.

        What cannot be compared in that time is left to the next call: `complete` says so. Each call
        compares two texts at least, and all of them with None.
        """
        self._advanced = False
        ended = self._over()
        if ended != self._ended:
            groups = self._grouped(ended, None if within_s is None else monotonic() + within_s)
            if groups is not None:
                self._ended = ended
                self._groups = sorted(groups, key=lambda it: (-it.count, it.first))
        return self._groups

    @property
    def groups(self) -> list[Group]:
        """The groups as the last call of `update` left them."""
        return self._groups

    @property
    def complete(self) -> bool:
        """Every output that has ended is in a group."""
        return self._ended == self._over()

    @property
    def to_come(self) -> int:
        """How many outputs have not ended."""
        return sum(not output.state.over for output in self.outputs)

    def group_of(self, output: Output) -> Group | None:
        """The group an output is in; None while it has not ended."""
        place = next((i for i, it in enumerate(self.outputs) if it is output), -1)
        return next((group for group in self._groups if place in group.members), None)

    def _over(self) -> list[int]:
        return [i for i, output in enumerate(self.outputs) if output.state is State.DONE]

    def _grouped(self, ended: Sequence[int], until: float | None) -> list[Group] | None:
        """None where that takes longer than until then."""
        members: list[list[int]] = []
        firsts: dict[str, list[int]] = {}
        for place in ended:
            text = self._answer(place)
            home = firsts.get(text)
            for group in members if home is None else ():
                alike = self._is_alike(self._answer(group[0]), text, until)
                if alike is None:
                    return None
                if alike:
                    home = group
                    break
            if home is None:
                home = []
                members.append(home)
            firsts.setdefault(text, home)
            home.append(place)
        return [
            Group(tuple(group), len({self._answer(i) for i in group}) == 1) for group in members
        ]

    def _answer(self, place: int) -> str:
        if place not in self._answers:
            self._answers[place] = answer_of(self.outputs[place])
        return self._answers[place]

    def _is_alike(self, first: str, text: str, until: float | None) -> bool | None:
        known = self._alike.get((first, text))
        if known is None:
            if until is not None and self._advanced and monotonic() > until:
                return None
            self._advanced = True
            known = likeness(self._words_of(first), self._words_of(text), ALIKE) >= ALIKE
            self._alike[first, text] = known
        return known

    def _words_of(self, text: str) -> tuple[str, ...]:
        if text not in self._words:
            self._words[text] = words_of(text)
        return self._words[text]


def groups_of(outputs: Sequence[Output]) -> list[Group]:
    """The groups of finished outputs, the most frequent first."""
    return Grouping(outputs).update(None)
