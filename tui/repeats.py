"""Which of its repeats each variant shows: one of each group of outputs that are alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..compare.run import Output

if TYPE_CHECKING:
    from ..compare.groups import Group, Grouping

MOST = 100
"""Repeats that may be asked for in the app."""


@dataclass(frozen=True)
class Told:
    """What there is to say of a variant's repeats.

    `distinct` groups among `over` finished outputs of `total`; the one shown is group number
    `place`, from 1, 0 while it is in none, and stands for `count` outputs. With `same` these are
    one text, else alike.
    """

    total: int
    over: int
    distinct: int
    place: int = 0
    count: int = 0
    same: bool = True

    @property
    def ways(self) -> list[str]:
        """It in words, the longest way first."""
        left = self.total - self.over
        come = f"{left:,} to come"
        if not self.over:
            return [come]
        groups = f"{self.distinct:,} distinct of {self.over:,}{f', {come}' if left else ''}"
        if not self.place:
            return [groups, f"{self.distinct:,} of {self.over:,}"]
        this = f"{self.count:,}{'×' if self.same else ' like'} this"
        where = f"{self.place}/{self.distinct}"
        steps = [f"{groups} · {this} · , . others"] if self.distinct > 1 else []
        return [*steps, f"{groups} · {this}", groups, f"{where} · {this}", where]


class Repeats:
    """The repeats of the variants' newest runs.

    `siblings` gives all outputs of a variant's newest run, `show` takes the one to be shown.
    """

    def __init__(
        self,
        siblings: Callable[[str], Sequence[Output]],
        shown: Callable[[str], Output | None],
        show: Callable[[Output], None],
    ) -> None:
        self._siblings, self._shown, self._show = siblings, shown, show
        self._groupings: dict[str, Grouping] = {}
        self._chosen: dict[str, Sequence[Output]] = {}
        """Of the variants where a person has chosen an output, the repeats it is one of."""

    @property
    def complete(self) -> bool:
        """Every finished output was grouped."""
        return all(grouping.complete for grouping in self._groupings.values())

    def told(self, name: str) -> Told | None:
        """What to say of a variant's repeats; None where there is one output alone.

        Once all are over, one of the most frequent group is shown, unless a person chose another.
        """
        found = self._grouping(name)
        if found is None:
            return None
        outputs, grouping = found
        groups = grouping.update()
        ended = grouping.complete and not grouping.to_come
        if ended and groups and self._chosen.get(name) is not outputs:
            self._choose(name, outputs, groups[0])
        return _told(outputs, groups, self._shown(name), grouping.to_come)

    def step(self, name: str, by: int) -> bool:
        """Show the next group's output (1) or the one before (-1), in a circle; False if there is
        no other."""
        found = self._grouping(name)
        groups = found[1].update() if found else []
        now = next((i for i, it in enumerate(groups) if self._is_in(name, it)), None)
        if found is None or len(groups) < 2 - (now is None):
            return False
        to = (0 if by > 0 else len(groups) - 1) if now is None else (now + by) % len(groups)
        self._choose(name, found[0], groups[to])
        return True

    def _is_in(self, name: str, group: Group) -> bool:
        outputs, shown = self._siblings(name), self._shown(name)
        return any(outputs[i] is shown for i in group.members)

    def _choose(self, name: str, outputs: Sequence[Output], group: Group) -> None:
        self._chosen[name] = outputs
        if not self._is_in(name, group):
            self._show(outputs[group.first])

    def _grouping(self, name: str) -> tuple[Sequence[Output], Grouping] | None:
        outputs = self._siblings(name)
        if len(outputs) < 2:
            return None
        grouping = self._groupings.get(name)
        if grouping is None or grouping.outputs is not outputs:
            from ..compare.groups import Grouping

            grouping = self._groupings[name] = Grouping(outputs)
        return outputs, grouping


def _told(
    outputs: Sequence[Output], groups: Sequence[Group], shown: Output | None, to_come: int
) -> Told:
    over = sum(group.count for group in groups)
    for place, group in enumerate(groups, 1):
        if any(outputs[i] is shown for i in group.members):
            return Told(over + to_come, over, len(groups), place, group.count, group.same)
    return Told(over + to_come, over, len(groups))
