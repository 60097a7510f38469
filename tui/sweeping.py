"""One sweep in the app: what was asked, its outputs as they come, and its curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..compare.conversation import turns_of
from ..compare.curves import Curve, spread
from ..compare.reasoning import answer_of
from ..compare.run import Output, State, new_run
from ..compare.sweep import SCALE, Axis, Group, grouped, similarity, swept
from ..compare.variants import Variant
from .session import Session

OWN = "own text"
"""The name of an expected text that no variant said."""
FIRST, BEFORE = "the first", "the one before"
"""What an output is compared with: that at the first value, or at the value before."""


@dataclass(frozen=True)
class Figures:
    """One finished output in numbers; the shares are of the words it has in common with others."""

    words: int
    first: float | None
    base: float | None


@dataclass(frozen=True)
class Taken:
    """The variant at a value, and its outputs there if all are whole; `shown` is the place of the
    one that a person looks at."""

    variant: Variant
    outputs: Sequence[Output]
    shown: int


class Sweeping:
    """A variant at the values of an axis, `repeats` times each.

    Making one raises CompareError or ModelError for what cannot be swept.
    """

    def __init__(
        self, session: Session, variant: Variant, axis: Axis, repeats: int, typed: str
    ) -> None:
        playground = session.playground
        self.variant, self.axis, self.repeats = variant, axis, repeats
        self.typed = typed
        """The axis as a person wrote it."""
        self._session = session
        self.run = new_run(
            swept(variant, axis),
            playground.values.known_to([variant]),
            seed=playground.seed,
            repeats=repeats,
            exact=playground.exact,
        )
        playground.talk.go_on_as(variant.name, self.run.outputs)
        self._by_value = [self.run.of(it) for it in self.run.variants]
        self._asked = _asked(session, variant)
        self._turn = len(turns_of(self.run.outputs[0]))
        shown = self._in_its_turn(playground.baseline)
        self.base_name = playground.baseline
        self.base = shown if shown is not None and shown.text else None
        """What the baseline had said when the sweep began, in the turn that is swept."""
        self.own = ""
        """An expected text that a person gave."""
        names = dict.fromkeys([playground.selected, *playground.names])
        self._said = {
            name: shown
            for name in names
            if (shown := self._in_its_turn(name)) is not None and shown.tokens
        }
        self.expected = next(iter(self._said), None) if self.scores else None
        """The name of the text whose likelihood is a curve; None without one."""
        self._scores: dict[str, list[float]] = {}
        self._figures: dict[int, Figures] = {}

    def _in_its_turn(self, name: str) -> Output | None:
        """What a variant said in the turn of its conversation that is swept."""
        shown = self._session.playground.shown(name)
        turns = turns_of(shown)[: self._turn] if shown is not None else []
        return turns[-1] if len(turns) == self._turn else None

    def fits(self, variant: Variant) -> bool:
        """Whether it is a sweep of this variant as it is asked now."""
        return self._asked == _asked(self._session, variant)

    # ------------------------------------------------------------- the outputs

    def at(self, number: int) -> list[Output]:
        """The outputs at the value with this number, in the order of their repeats."""
        return self._by_value[number]

    def groups(self, number: int) -> Sequence[Group]:
        """The same by their text, the most frequent first; each by itself while some are not over."""
        outputs = self.at(number)
        if all(it.state.over for it in outputs):
            return grouped(outputs)
        return [Group(1, it) for it in outputs]

    def taken(self, number: int, text: int) -> Taken:
        """What there is to go on with at this value, of which that text is shown."""
        outputs, shown = self.at(number), self.groups(number)[text].output
        whole = all(it.state is State.DONE for it in outputs)
        return Taken(shown.variant, outputs if whole else (), shown.repeat)

    @property
    def bases(self) -> list[str]:
        """What the outputs can be compared with."""
        return [FIRST, BEFORE, *([self.base_name] if self.base is not None else [])]

    @property
    def over(self) -> str:
        """How far it has come: `3 of 7 values`, or with repeats `12 of 21 runs`."""
        outputs = self.run.outputs
        what = "runs" if self.repeats > 1 else "values"
        return f"{sum(it.state.over for it in outputs)} of {len(outputs)} {what}"

    # ------------------------------------------------------------- the figures

    @property
    def unmeasured(self) -> bool:
        """Whether `measured` has something to do."""
        return bool(self._measurable)

    @property
    def _measurable(self) -> list[int]:
        firsts = self.at(0)
        return [
            number
            for number, it in enumerate(self.run.outputs)
            if it.state is State.DONE
            and firsts[it.repeat].state.over
            and number not in self._figures
        ]

    def measured(self) -> Mapping[int, Figures]:
        """The figures of the outputs that are done and have none yet; for a thread, then `take`."""
        firsts = self.at(0)
        base = self.base if self.base is not None and self.base.state.over else None
        found: dict[int, Figures] = {}
        for number in self._measurable:
            output = self.run.outputs[number]
            first = firsts[output.repeat]
            found[number] = Figures(
                len(answer_of(output).split()),
                similarity(first, output) if first.state is State.DONE else None,
                similarity(base, output) if base is not None else None,
            )
        return found

    def take(self, figures: Mapping[int, Figures]) -> None:
        """Have what was measured in the curves."""
        self._figures.update(figures)

    @property
    def curves(self) -> list[Curve]:
        """What there is to draw by now."""
        found: list[Curve] = []
        if self.expected is not None:
            scores = self._scores.get(self.expected, [])
            missing = len(self.axis.values) - len(scores)
            values = (*(spread([it]) for it in scores), *[None] * missing)
            text = self.expected if self.expected == OWN else f"{self.expected}'s output"
            found.append(
                Curve("mean_logprob", f"likelihood of {text}", "likelihood", "nats a token", values)
            )
        first = f"same as {self.axis.values[0]:g}"
        found.append(self._curve("same_as_first", first, first, lambda it: it.first, True))
        if self.base is not None:
            base = f"same as {self.base_name}"
            found.append(self._curve("same_as_baseline", base, base, lambda it: it.base, True))
        found.append(self._curve("words", "words", "words", lambda it: it.words))
        return found

    def _curve(
        self,
        key: str,
        name: str,
        short: str,
        number_of: Callable[[Figures], float | None],
        share: bool = False,
    ) -> Curve:
        by_value: dict[str, list[float]] = {it.name: [] for it in self.run.variants}
        for index, figures in self._figures.items():
            number = number_of(figures)
            if number is not None:
                by_value[self.run.outputs[index].variant.name].append(number)
        unit = "% of words the same" if share else "words"
        return Curve(key, name, short, unit, tuple(map(spread, by_value.values())), share)

    # ------------------------------------------------------- the expected text

    @property
    def scores(self) -> bool:
        """Whether the model's mind changes over the axis: sampling settings leave it as it is."""
        return self.axis.name in (SCALE, *(it.name for it in self.variant.adapters))

    @property
    def texts(self) -> list[str]:
        """The names of the texts that can be expected."""
        return [*self._said, *([OWN] if self.own else [])]

    def expect(self, name: str, own: str = "") -> None:
        """Have this text as the expected one; `own` are the words of a person's own."""
        if name == OWN and own and own != self.own:
            self.own = own
            self._scores.pop(OWN, None)
        self.expected = name

    def expect_as(self, other: Sweeping) -> None:
        """Have the expected text of another sweep, where there is one and it makes a curve."""
        self.own = other.own
        if self.scores and other.expected in self.texts:
            self.expected = other.expected

    @property
    def unscored(self) -> bool:
        """Whether `score` has something to do."""
        return self.expected is not None and len(self._scores.get(self.expected, [])) < len(
            self.axis.values
        )

    async def score(self, on_score: Callable[[int], None]) -> None:
        """Score the expected text at each value that it was not yet; `on_score` hears how many were.

        Raises as `compare.lens.look`.
        """
        from ..compare.lens import mean_logprob

        if self.expected is None:
            return
        scores = self._scores.setdefault(self.expected, [])
        runner = await self._session.runner()
        for variant in self.run.variants[len(scores) :]:
            answer: str | Sequence[int] = self.own
            if self.expected != OWN:
                said = self._said[self.expected]
                answer = said.tokens if said.variant.model == variant.model else said.text
            values, place = self.run.values, self.run.of(variant)[0]
            scores.append(
                await mean_logprob(
                    runner, variant, values, answer, output=place, exact=self.run.exact
                )
            )
            on_score(len(scores))


def _asked(session: Session, variant: Variant) -> tuple[object, ...]:
    """All that the outputs of a variant depend on."""
    playground = session.playground
    values = playground.values.known_to([variant])
    place = playground.talk.goes_on(variant.name)
    return replace(variant, label=""), values, playground.seed, playground.exact, place
