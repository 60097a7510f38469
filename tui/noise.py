"""The noise floor of the outputs on the screen: what is known of it, and measuring the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from ..compare.enough import LEAST

if TYPE_CHECKING:
    from ..compare.run import Output

    Judged = tuple[str, tuple[tuple[str, tuple[Output, ...]], ...]]
    from ..compare.control import Control, LensSpread
    from ..compare.noise import Contrast
    from ..compare.runner import Runner
    from ..compare.variants import Variant
    from .asked import Asked
    from .state import Playground


class NoiseFloor:
    """Judges variants by their repeats. What it says is of the outputs that are there, or nothing."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self._control: Control | None = None
        self._of: Judged | None = None
        self._judging: Judged | None = None
        self._shapes: dict[Output, Sequence[Output]] = {}
        """By the first output of a variant: what it says with its seed in batches of other sizes."""
        self.lenses: dict[str, LensSpread | str] = {}
        """By name, of `control`: the lens against the baseline, or why there is none."""

    @property
    def _now(self) -> Judged | None:
        """What could be judged: the baseline, and all variants with enough outputs."""
        state = self._playground
        them = tuple((name, it) for name in state.names if _enough(it := state.siblings(name)))
        baseline = state.baseline
        return (baseline, them) if len(them) > 1 and baseline in dict(them) else None

    @property
    def control(self) -> Control | None:
        """What is known of the outputs that are there."""
        return self._control if self._of is not None and self._of == self._now else None

    @property
    def due(self) -> bool:
        """Whether there is something to be judged that is not, and nobody is at it."""
        return (now := self._now) is not None and now not in (self._of, self._judging)

    @property
    def all_there(self) -> bool:
        """Whether every variant but those left out has enough outputs, of what it asks now; a
        pinned one asks nothing."""
        state, now = self._playground, self._now
        fresh = not any(state.stale(it) for it in state.names if it not in state.talk.pinned)
        count = len(state.names) - len(self.left_out)
        return fresh and now is not None and len(now[1]) == count

    @property
    def left_out(self) -> list[str]:
        """Variants with too few outputs that are pinned, so that a run gives them no more."""
        state = self._playground
        pinned = [it for it in state.names if it in state.talk.pinned]
        return [it for it in pinned if not _enough(state.siblings(it))]

    @property
    def possible(self) -> bool:
        """Whether a run can give the baseline and one other variant enough outputs."""
        state, left_out = self._playground, self.left_out
        return state.baseline not in left_out and len(state.names) - len(left_out) > 1

    @property
    def unanswered(self) -> list[str]:
        """Variants with outputs enough, of what they ask now, too few of which have an answer."""
        from ..compare.run import State

        state = self._playground
        found = [
            it for it in state.names if not state.stale(it) and not _enough(state.siblings(it))
        ]
        return [
            it for it in found if sum(o.state is State.DONE for o in state.siblings(it)) >= LEAST
        ]

    def contrast(self, name: str) -> Contrast | None:
        """A variant beside the baseline; None while it is not known.

        Two greedy variants are not judged before they were run in other batches.
        """
        control, state = self.control, self._playground
        if control is None or name not in control.contrasts:
            return None
        from ..compare.control import is_greedy

        names = (state.baseline, name)
        firsts = {it: state.siblings(it)[0] for it in names}
        unknown = any(not self._exact(it) and firsts[it] not in self._shapes for it in names)
        if unknown and all(is_greedy(it.variant) for it in firsts.values()):
            return None
        return control.contrasts[name]

    def other_question(self, name: str) -> str:
        """The variable that a variant's outputs were asked with another value of than the
        baseline's, since one of them is pinned or was not run again; empty if there is none."""
        one, two = (self._playground.asked(it) for it in (self._playground.baseline, name))
        if one is None or two is None:
            return ""
        given, values = (dict(one.values), dict(two.values)), (_values(one), _values(two))
        return next(
            (
                it
                for it, value in values[0].items()
                if given[0].get(it) != given[1].get(it) and value != values[1].get(it, value)
            ),
            "",
        )

    def _exact(self, name: str) -> bool:
        """Whether a variant's outputs depend on nothing else."""
        asked = self._playground.asked(name)
        return asked is not None and asked.exact

    def _as_asked(self, name: str) -> Variant:
        """A variant as its outputs were made, with the values that they were asked with."""
        state = self._playground
        variant, asked = state.siblings(name)[0].variant, state.asked(name)
        return replace(variant, values={**dict(asked.values if asked else ()), **variant.values})

    def missing(self, name: str) -> bool:
        """Whether a variant was run several times, but not often enough for a verdict on it."""
        state = self._playground
        if name == state.baseline or state.own_before:
            return False
        counts = [len(state.siblings(it)) for it in (state.baseline, name)]
        return max(counts) > 1 and min(counts) < LEAST

    async def judge(self) -> None:
        """Compare all pairs, on another thread."""
        now = self._now
        if now is None:
            return
        self._judging = now
        try:
            baseline, them = now
            shapes: dict[str, Sequence[Output]] = {
                name: self._shapes[it[0]] for name, it in them if it[0] in self._shapes
            }
            # other batches change nothing of what is exact
            shapes |= {name: () for name, _ in them if self._exact(name)}
            found = await asyncio.to_thread(_judged, dict(them), baseline, shapes)
            alike = {n: it for n, it in found.contrasts.items() if not self.other_question(n)}
            self._control = replace(found, contrasts=alike)
            if self._of != now:
                self.lenses = {}
            self._of = now
        finally:
            self._judging = None

    async def measure(self, runner: Runner, say: Callable[[str], None]) -> None:
        """Run the variants in other batches, and look through the lens; `say` is told what is
        under way, and that some of it is done. Raises as `Runner.run` when strict."""
        await self.judge()
        from ..compare.control import lens_spread, other_shapes
        from ..compare.errors import CompareError

        state, now = self._playground, self._now
        if now is None:
            return
        baseline, them = now
        for name, outputs in them:
            first, asked = outputs[0], state.asked(name)
            if first not in self._shapes and asked is not None and not asked.exact:
                say(f"running {name} in batches of other sizes")
                self._shapes[first] = await other_shapes(runner, first, dict(asked.values))
        say("comparing")
        await self.judge()
        for name, _ in them:
            if name != baseline and name not in self.lenses and not self.other_question(name):
                say(f"looking at {baseline}'s outputs through the lens, under {name}")
                pair, texts = (self._as_asked(baseline), self._as_asked(name)), dict(them)[baseline]
                try:
                    lens = await lens_spread(
                        runner,
                        pair,
                        texts,
                        {},
                        other=dict(them)[name][0],
                        exact=self._exact(baseline),
                    )
                except CompareError as error:
                    lens = str(error)
                if lens is not None and now == self._of:
                    self.lenses[name] = lens
        say("")


def _judged(
    outputs: Mapping[str, Sequence[Output]],
    baseline: str,
    shapes: Mapping[str, Sequence[Output]],
) -> Control:
    from ..compare.control import control  # here, off the event loop: it takes a while

    return control(outputs, baseline, shapes)


def _values(asked: Asked) -> dict[str, str]:
    """What the variables stood for that the variant has no values of its own for."""
    variant = asked.variant
    defaults = {it.name: it.default or "" for it in variant.prompt.variables}
    return {k: v for k, v in (defaults | dict(asked.values)).items() if k not in variant.values}


def _enough(outputs: Sequence[Output]) -> bool:
    from ..compare.reasoning import is_answered

    over = all(output.state.over for output in outputs)
    return over and len(list(islice(filter(is_answered, outputs), LEAST))) == LEAST
