"""Which of its repeats each variant shows: one of each group of outputs that are alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

from ..compare.run import Output, State

if TYPE_CHECKING:
    from ..compare.groups import Group, Grouping
    from .state import Playground

MOST = 100
"""Repeats that may be asked for in the app."""


@dataclass(frozen=True)
class Told:
    """What there is to say of a variant's repeats.

    `kinds` groups among `over` finished outputs of `total`, with `left` still to come; the one
    shown is group number `place`, from 1, 0 while it is in none, and stands for `count` outputs.
    With `same` these are one text, else alike. `cut` says what others met: they were `stopped`, or
    `failed`.
    """

    total: int
    over: int
    left: int
    kinds: int
    place: int = 0
    count: int = 0
    same: bool = True
    cut: str = ""

    @property
    def ways(self) -> list[str]:
        """It in words, the longest way first."""
        cut = f"{self.cut} after {self.over:,} of {self.total:,}" if self.cut else ""
        if not self.over:
            return [cut or f"{self.left:,} to come"]
        come = f", {self.left:,} to come" if self.left else ""
        outputs = cut or f"{self.over:,} output{'s' * (self.over != 1)}{come}"
        if not self.place:
            kinds = f"{self.kinds:,} kind{'s' * (self.kinds != 1)}"
            return [f"{outputs} · {kinds}", cut or kinds]
        alike = f"{self.count:,} {'equal' if self.same else 'alike'}" if self.count > 1 else "1"
        where = f"kind {self.place:,}/{self.kinds:,}"
        steps = [f"{outputs} · {where}: {alike} · , . others"] if self.kinds > 1 else []
        cuts = [cut] if cut else []
        return [*steps, f"{outputs} · {where}: {alike}", *cuts, f"{where}: {alike}", where]


def wanted(state: Playground, name: str) -> int:
    """How many outputs a run makes of a variant now, if nothing else was changed since it was run;
    0 if it is as many as there are."""
    asked, asks = state.asked(name), state.asks(name)
    if asked is None or asks is None or asked.repeats == asks.repeats:
        return 0
    return asks.repeats if replace(asked, repeats=asks.repeats) == asks else 0


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
        self._next: Grouping | None = None
        """Whose turn it is to be grouped."""
        self._chosen: dict[str, Sequence[Output]] = {}
        """Of the variants where a person has chosen an output, the repeats it is one of."""

    @property
    def complete(self) -> bool:
        """Every finished output was grouped."""
        return all(grouping.complete for grouping in self._groupings.values())

    def forget(self, names: Iterable[str]) -> None:
        """Wait no more for what these have to be grouped: they are gone."""
        for name in names:
            self._groupings.pop(name, None)

    def told(self, names: Iterable[str]) -> dict[str, Told | None]:
        """What to say of the variants' repeats; None where there is one output alone.

        Once all are over, one of the most frequent group is shown, unless a person chose another.
        All variants share the time that one `Grouping.update` takes; the first to be left waiting
        goes first the next time.
        """
        found = {name: self._grouping(name) for name in names}
        self._group([it[1] for it in found.values() if it is not None])
        return {name: it and self._told(name, *it) for name, it in found.items()}

    def _group(self, groupings: Sequence[Grouping]) -> None:
        """Group what has ended, for as long as there is time."""
        waiting = [it for it in groupings if not it.complete]
        if not waiting:
            return
        from ..compare.groups import AT_ONCE_S

        first = next((i for i, it in enumerate(waiting) if it is self._next), 0)
        until = monotonic() + AT_ONCE_S
        for grouping in [*waiting[first:], *waiting[:first]]:
            self._next = grouping
            left = until - monotonic()
            if left <= 0:
                return
            grouping.update(left)
        self._next = None

    def _told(self, name: str, outputs: Sequence[Output], grouping: Grouping) -> Told:
        groups = grouping.groups
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

    def choose(self, output: Output) -> None:
        """Show this one of its repeats, as one that a person chose."""
        self._show(output)
        self._chosen[output.variant.name] = self._siblings(output.variant.name)

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
    states = {output.state for output in outputs}
    failed, stopped = State.FAILED in states, State.CANCELLED in states
    cut = "" if to_come else "failed" if failed else "stopped" if stopped else ""
    told = Told(len(outputs), over, to_come, len(groups), cut=cut)
    for place, group in enumerate(groups, 1):
        if any(outputs[i] is shown for i in group.members):
            return replace(told, place=place, count=group.count, same=group.same)
    return told
