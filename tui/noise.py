"""The noise floor of the outputs on the screen: what is known of it, and measuring the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..compare.enough import LEAST
from ..compare.run import Output, State

if TYPE_CHECKING:
    from ..compare.control import Control, LensSpread
    from ..compare.noise import Contrast
    from ..compare.runner import Runner
    from .state import Playground

Judged = tuple[str, tuple[tuple[str, tuple[Output, ...]], ...]]


class NoiseFloor:
    """Judges variants by their repeats. What it says is of the outputs that are there, or nothing."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self._control: Control | None = None
        self._of: Judged | None = None
        self._judging: Judged | None = None
        self._shapes: dict[Output, Sequence[Output]] = {}
        """By the first output of a greedy variant: what it says in batches of other sizes."""
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

    def contrast(self, name: str) -> Contrast | None:
        """A variant beside the baseline; None while it is not known.

        Two greedy variants are not judged before they were run in other batches.
        """
        control, state = self.control, self._playground
        if control is None or name not in control.contrasts:
            return None
        from ..compare.control import is_greedy

        pair = [state.siblings(it)[0] for it in (state.baseline, name)]
        unknown = not state.exact and not all(it in self._shapes for it in pair)
        if unknown and all(is_greedy(it.variant) for it in pair):
            return None
        return control.contrasts[name]

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
            shapes = {name: self._shapes[it[0]] for name, it in them if it[0] in self._shapes}
            exact = self._playground.exact
            self._control = await asyncio.to_thread(_judged, dict(them), baseline, shapes, exact)
            if self._of != now:
                self.lenses = {}
            self._of = now
        finally:
            self._judging = None

    async def measure(self, runner: Runner, say: Callable[[str], None]) -> None:
        """Run greedy variants in other batches, and look through the lens; `say` is told what is
        under way, and that some of it is done. Raises as `Runner.run` when strict."""
        await self.judge()
        from ..compare.control import is_greedy, lens_spread, other_shapes
        from ..compare.errors import CompareError

        state, now = self._playground, self._now
        if now is None:
            return
        baseline, them = now
        for name, outputs in them if not state.exact else ():
            first = outputs[0]
            if first not in self._shapes and is_greedy(first.variant):
                say(f"running {name} in batches of other sizes")
                known = state.values.known_to([first.variant])
                self._shapes[first] = await other_shapes(runner, first, known)
        say("comparing")
        await self.judge()
        variants = {it.name: state.values.filled(it) for it in state.variants}
        for name, _ in them:
            if name != baseline and name not in self.lenses:
                say(f"looking at {baseline}'s outputs through the lens, under {name}")
                pair, texts = (variants[baseline], variants[name]), dict(them)[baseline]
                try:
                    lens = await lens_spread(
                        runner, pair, texts, {}, other=dict(them)[name][0], exact=state.exact
                    )
                except CompareError as error:
                    lens = str(error)
                if lens is not None:
                    self.lenses[name] = lens
        say("")


def _judged(
    outputs: Mapping[str, Sequence[Output]],
    baseline: str,
    shapes: Mapping[str, Sequence[Output]],
    exact: bool,
) -> Control:
    from ..compare.control import control, is_greedy  # here, off the event loop: it takes a while

    if exact:  # other batches change nothing
        shapes = {name: () for name, them in outputs.items() if is_greedy(them[0].variant)}
    return control(outputs, baseline, shapes)


def _enough(outputs: Sequence[Output]) -> bool:
    over = all(output.state.over for output in outputs)
    return over and sum(output.state is State.DONE for output in outputs) >= LEAST
