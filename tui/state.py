"""What the Playground knows: its variants, values and switches, and what the variants said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from .asked import Asked, Questions
from .diffing import Diffing, Unit, View
from .documents import Documents, with_prompt
from .fit import Misfits
from .noise import NoiseFloor
from .repeats import Repeats
from .snapshot import Snapshot
from .talk import Talk
from .values import Values

if TYPE_CHECKING:
    from ..compare.run import Output, Run
    from ..compare.variants import Beginning, Variant
    from ..prompts.document import Prompt
    from .reopening import Reopened
    from .setup import Setup

MAX_SCALE = 10.0


class Playground:
    """The state of the Playground screen. Variants are known by name: A, B, C …"""

    def __init__(self, setup: Setup) -> None:
        self.variants: list[Variant] = []
        self.selected = ""
        self.baseline = ""
        self.values = Values(setup.values)
        self.seed = setup.seed
        self.exact = setup.exact
        self.repeats = 1
        """How many outputs each variant has in a run."""
        config = setup.configured.config
        self.live = config.live
        self.view: View = config.diff
        unit: Unit = "words" if config.diff in ("off", "unified") else config.diff
        self.diffing = Diffing(unit)
        self.outputs: dict[str, Output] = {}
        self.before: dict[str, Output] = {}
        """Each variant's output of the run before: shown until the new one starts to speak."""
        self.newest = ""
        """The id of the newest run whose outputs are shown."""
        self.noise = NoiseFloor(self)
        self.repeating = Repeats(
            self.siblings, lambda name: self.outputs.get(name), lambda it: self._show(it)
        )
        self.then: dict[str, Output] = {}
        """What the variants of a run that was reopened said then."""
        self.own_before = False
        """Each output is compared with its variant's own of before, not with the baseline's."""
        self.talk = Talk(self)
        self._asked = Questions()
        self.documents = Documents(lambda: self.variants)
        self.misfits = Misfits()
        self._undo: list[Snapshot] = []
        self.open(setup.variants or ())

    def open(self, variants: Iterable[Variant]) -> None:
        """Start with these variants; the first is the baseline and is selected."""
        self.variants = list(variants)
        self.selected = self.baseline = self.variants[0].name if self.variants else ""
        self.documents.open()

    @property
    def seed_shown(self) -> int:
        """The seed the selected variant runs with."""
        if self.seed is not None:
            return self.seed
        variant = self.current
        own = {**variant.prompt.sampling, **variant.sampling} if variant else {}
        seed = own.get("seed", 0)
        return seed if isinstance(seed, int) else 0

    # -------------------------------------------------------------- variants

    @property
    def names(self) -> list[str]:
        return [variant.name for variant in self.variants]

    def get(self, name: str) -> Variant | None:
        return next((variant for variant in self.variants if variant.name == name), None)

    @property
    def current(self) -> Variant | None:
        """The selected variant."""
        return self.get(self.selected)

    def _remember(self) -> None:
        self._undo.append(
            Snapshot(
                tuple(self.variants), dict(self.documents.shares), self.selected, self.baseline,
                dict(self.outputs), dict(self.before), dict(self.then), self._asked.all(),
                self.talk.kept(),
            )
        )  # fmt: skip
        del self._undo[:-100]

    def undo(self) -> bool:
        """Take back the last change of the list; False when there is none left.

        A variant that comes back has the output it had, pinned if it was.
        """
        if not self._undo:
            return False
        last = self._undo.pop()
        if last.rest is not None:
            values, self.seed, self.exact, self.repeats, self.live, self.own_before = last.rest
            self.values.put(values)
            self.variants, self.then = [], {}
        for asked in last.asked:
            self._asked.note(asked)
        for name in {variant.name for variant in last.variants} - set(self.names):
            self._forget(name)
            now = self.outputs, self.before, self.then
            for said, had in zip(now, (last.outputs, last.before, last.then), strict=True):
                if name in had:
                    said[name] = had[name]
            self.talk.bring_back(name, last.talk)
        self.variants, self.baseline = list(last.variants), last.baseline
        self.documents.shares = dict(last.shares)
        self.selected = last.selected
        return True

    def _leave(self) -> None:
        """Have nothing on the screen any more, so that `undo` brings all of it back."""
        self._remember()
        rest = dict(self.values), self.seed, self.exact, self.repeats, self.live, self.own_before
        self._undo[-1] = replace(self._undo[-1], rest=rest)
        self.outputs, self.before, self.then = {}, {}, {}
        self.repeating.forget(self.names)
        self.own_before = False
        self.talk.begin_afresh()

    def start_afresh(self, variants: Iterable[Variant]) -> None:
        """Have these variants and nothing else; `undo` takes it back."""
        self._leave()
        self.open(variants)
        self.values.put({})
        self.seed, self.exact, self.repeats, self.live, self.newest = None, False, 1, False, ""

    def reopen(self, it: Reopened) -> None:
        """Have what a run had, and what stood beside it, outputs too; `undo` takes it back."""
        self._leave()
        self.open(it.variants)
        self.baseline, self.seed, self.exact, self.live = it.baseline, it.seed, it.run.exact, False
        self._take_outputs(it)
        self.repeats = 1 + max((output.repeat for output in it.run.outputs), default=0)
        self.then = dict(self.outputs)

    def resume(self, it: Reopened) -> None:
        """Have what a run said beside the variants and values there are now."""
        variants, values, self.variants = self.variants, dict(self.values), [*it.variants]
        self._take_outputs(it)
        self.variants = variants
        self.values.put(values)

    def _take_outputs(self, it: Reopened) -> None:
        """Have what a run said, and what stood beside it, with the run's values."""
        for run, seed in [*((other.run, other.seed) for other in it.others), (it.run, it.seed)]:
            self.values.put(run.values)
            self.started(run, seed)
        for turn in it.turns:
            self.values.put(turn.run.values)
            for variant in turn.run.variants:
                self._note(variant, turn.run, turn.seed)
        self.values.put(it.run.values)
        self.talk.pinned |= {other.run.variants[0].name for other in it.others if other.pinned}

    def add(
        self, beginning: Beginning | None = None, like: Variant | None = None
    ) -> Variant | None:
        """A copy of the selected variant below it, selected; None when all names are taken.

        With a `beginning` its answer begins so. It is a copy of `like`, if that is given, which has
        the prompt and the name of the selected one."""

        from ..compare.variants import variant_names

        source = like or self.current
        free = [name for name in variant_names() if name not in self.names]
        if source is None or not free:
            return None
        self._remember()
        begins = beginning or source.beginning
        label = like.label if like else ""
        copy = replace(source, name=free[0], label=label, beginning=begins)
        self._forget(copy.name)
        self.talk.join(copy.name, source.name)
        self.documents.shares[copy.name] = self.documents.shares[source.name]
        self.variants.append(copy)
        self.selected = copy.name
        return copy

    def add_with(self, prompt: Prompt) -> Variant | None:
        """A copy of the selected variant with another prompt, selected; None without a free name."""
        if self.add() is None or (copy := self.current) is None:
            return None
        changed = replace(copy, prompt=prompt)
        self.documents.take(copy.name, prompt)
        self.variants = [changed if v.name == copy.name else v for v in self.variants]
        return changed

    def _forget(self, name: str) -> None:
        for kept in (self.outputs, self.before, self.then):
            kept.pop(name, None)
        self.talk.forget(name)

    def remove(self) -> Variant | None:
        """Take the selected variant off the list, unless it is the last one."""
        gone = self.current
        if gone is None or len(self.variants) == 1:
            return None
        self._remember()
        at = self.variants.index(gone)
        del self.variants[at]
        self.repeating.forget([gone.name])
        self.selected = self.variants[min(at, len(self.variants) - 1)].name
        if self.baseline == gone.name:
            self.baseline = self.variants[0].name
        return gone

    def update(self, variant: Variant) -> None:
        """Put `variant` in the place of the one that has its name."""
        self._remember()
        if (old := self.get(variant.name)) is not None and old.prompt != variant.prompt:
            self.documents.take(variant.name, variant.prompt)
        self._put(variant)

    def _put(self, variant: Variant) -> None:
        self.variants = [variant if old.name == variant.name else old for old in self.variants]

    def change_all(self, change: Callable[[Variant], Variant]) -> None:
        """Change variants as they are now, and as `undo` brings them back: no step of its own."""
        self.variants = [*map(change, self.variants)]
        self._undo = [
            replace(step, variants=tuple(map(change, step.variants))) for step in self._undo
        ]

    def choose_baseline(self) -> None:
        """Compare with the selected variant from now on."""
        if self.baseline != self.selected:
            self._remember()
            self.baseline = self.selected

    def rescale(self, step: float) -> Variant | None:
        """Change the scale of the last adapter in the selected stack; None without one."""
        variant = self.current
        if variant is None or not variant.adapters:
            return None
        scale = round(variant.adapters[-1].scale + step, 3)
        if abs(scale) > MAX_SCALE:
            return None
        changed = variant.with_scale(len(variant.adapters) - 1, scale)
        self.update(changed)
        return changed

    # --------------------------------------------------------------- prompts

    def edit_prompt(self, prompt: Prompt) -> list[str]:
        """Change the selected variant's prompt, and with it that of every variant sharing it.

        Returns the names of those variants. An editor undoes its own edits, so this is no step
        for `undo`, and no step takes it back.
        """
        variant = self.current
        if variant is None or variant.prompt == prompt:
            return []
        return self.put(self.documents.of(variant), prompt)

    def put(
        self,
        document: str,
        prompt: Prompt,
        *,
        original: Prompt | None = None,
        typed: datetime | None = None,
    ) -> list[str]:
        """Have the variants of a document use `prompt`; their names.

        `original` is what is in its file now. With `typed` it is what was typed at that time.
        """
        share = int(document)
        self.variants = with_prompt(self.variants, self.documents.shares, share, prompt)
        self._undo = [
            replace(step, variants=tuple(with_prompt(step.variants, step.shares, share, prompt)))
            for step in self._undo
        ]
        self.documents.changed(share, prompt, original, typed)
        return [name for name in self.names if self.documents.shares[name] == share]

    def fork_prompt(self) -> Prompt | None:
        """Give the selected variant a prompt of its own; None when nobody shares it."""
        variant = self.current
        if variant is None or len(self.documents.sharing(variant)) < 2:
            return None
        prompt = replace(variant.prompt, name=f"{variant.prompt.name} {variant.name}", path=None)
        self.update(replace(variant, prompt=prompt))
        return prompt

    def saved(self, prompt: Prompt, kept: Prompt) -> None:
        """Take note that the selected variant's prompt is in a file now, as `kept`."""
        if (variant := self.current) is not None and variant.prompt == prompt:
            self.put(self.documents.of(variant), kept, original=kept)

    # ------------------------------------------------------------- variables

    def give_value(self, name: str, value: str) -> list[str]:
        """Give a variable a value: its own to the selected variant if that has one, else to all.

        The names of the variants that this changes.
        """
        current = self.current
        if current is not None and name in current.values:
            if current.values[name] == value:
                return []
            self._put(replace(current, values={**current.values, name: value}))
            return [current.name]
        return self.values.give(name, value, self.variants)

    # --------------------------------------------------------------- outputs

    def started(self, run: Run, seed: int | None) -> None:
        """Take the outputs of a new run; those it has none of stay as they are."""
        for output in run.outputs:
            name = output.variant.name
            if output.repeat:
                continue
            variant = self.get(name) or output.variant
            if (old := self.outputs.get(name)) is not None and old.text:
                self.before[name] = old
            if output.follows is not None and output.follows is old:
                self.before.pop(name, None)
            self.outputs[name] = output
            self._note(variant, run, seed)
        self.newest = run.id
        held = (self.outputs, self.before, self.then)
        self._asked.keep(output for outputs in held for output in outputs.values())
        self._check_before()

    def _note(self, variant: Variant, run: Run, seed: int | None) -> None:
        """Note what a variant was asked in a run, with the values there are."""
        outputs = tuple(run.of(variant))
        asked = self._ask(variant, seed, run.exact)
        self._asked.note(replace(asked, repeats=len(outputs), outputs=outputs))

    def _check_before(self) -> None:
        """Compare with the baseline once there is nothing before to compare with."""
        if not (self.before.keys() | self.then.keys()) & set(self.names):
            self.own_before = False

    def go_back(self, name: str, output: Output) -> None:
        """Have the output of a turn before as a variant's newest; one that another variant said
        becomes its own, with its repeats."""
        self.before.pop(name, None)
        if output.variant.name != name:
            asked = self._asked.of(output)
            taken = {
                it: it.taken_by(replace(it.variant, name=name))
                for it in (asked.outputs if asked is not None else (output,))
            }
            output = taken[output]
            if asked is not None:
                variant = replace(asked.variant, name=name)
                self._asked.note(replace(asked, variant=variant, outputs=tuple(taken.values())))
        self.outputs[name] = output
        self._check_before()

    def siblings(self, name: str) -> tuple[Output, ...]:
        """All repeats of a variant in its newest run, if one of them is the variant's output."""
        asked = self.asked(name)
        return asked.outputs if asked else ()

    def _show(self, output: Output) -> None:
        self.outputs[output.variant.name] = output

    def shown(self, name: str) -> Output | None:
        """The output to show: the new one, or the one before while the new one has no text."""

        from ..compare.run import State

        output = self.outputs.get(name)
        if output is not None and not output.text and output.state is not State.DONE:
            return self.before.get(name, output)
        return output

    def base_of(self, name: str) -> tuple[str, Output | None]:
        """What a variant's output is compared with: what to call that, and its output."""
        if self.own_before and (old := self.then.get(name) or self.before.get(name)) is not None:
            return "then" if name in self.then else "before", self._twin(old, self.shown(name))
        return self.baseline, self.shown(self.baseline)

    def _twin(self, old: Output, shown: Output | None) -> Output:
        """Of an output's repeats the one with the same number as the output that is shown."""
        asked = self._asked.of(old)
        if asked is None or shown is None:
            return old
        return next((it for it in asked.outputs if it.repeat == shown.repeat), old)

    def stale(self, name: str) -> bool:
        """Whether a variant, its values, the seed or exactness changed since it was run."""
        asked = self.asked(name)
        return asked is not None and asked != self.asks(name)

    def asked(self, name: str) -> Asked | None:
        """What a variant's output was made from."""
        return self._asked.of(self.outputs.get(name))

    def asks(self, name: str) -> Asked | None:
        """What a variant would be run with now."""
        variant = self.get(name)
        return None if variant is None else self._ask(variant, self.seed, self.exact)

    def _ask(self, variant: Variant, seed: int | None, exact: bool) -> Asked:
        kept = tuple(sorted(self.values.known_to([variant]).items()))
        return Asked(replace(variant, label=""), kept, seed, exact, self.repeats)
