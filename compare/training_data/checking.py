"""Checks data to train on: duplicates, conflicts, leaks, length, balance and what else goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from .examples import Example
from .findings import LEFT_OUT, SHOWN, Case, Finding, Kind, Report
from .leakage import HeldOut, leaks
from .tokens import Prepared, PreparedExample

MOST_CLASSES, LEAST_OF_A_CLASS, LONGEST_CLASS = 20, 3, 60
"""Answers are classes where there are at most so many different ones, for each of which there are so
many rows on average, none longer than so many characters."""

RARE = 0.25
"""A class is rare with less than this of the share that it had if all were as frequent."""


class Data:
    """Examples that were prepared, with what of them can be trained on.

    `limit` is the most tokens of a row: the sequence length, or the context that the model was made
    for where that is shorter.
    """

    def __init__(self, prepared: Prepared, sequence_length: int) -> None:
        self.prepared = prepared
        self.limit = min(sequence_length, prepared.model.info.n_ctx_train)
        self._wrong = [self._problem(it) for it in prepared.examples]
        self.usable = tuple(
            it for it, wrong in zip(prepared.examples, self._wrong, strict=True) if not wrong
        )
        self.classes = _classes([it.example for it in self.usable])

    def _problem(self, it: PreparedExample) -> Kind | None:
        """Why it is left out."""
        example = it.example
        rejected = example.rejected
        if not example.answer.strip() or (rejected is not None and not rejected.strip()):
            return Kind.EMPTY
        if rejected is not None and example.answer.strip() == rejected.strip():
            return Kind.SAME_ANSWERS
        return Kind.TOO_LONG if it.longest > self.limit else None

    def check(self, held_out: Sequence[HeldOut] = ()) -> Report:
        """Everything that is found, rows of these suites among it. Takes a while: call in a thread."""
        source = self.prepared.source
        examples = [it.example for it in self.prepared.examples]
        findings = [
            *leaks(examples, held_out),
            *_repeated(examples, grave=bool(self.classes) or source.preferences),
            *self._left_out(),
            *self._classes_found(),
            *self._special(),
            *self._odd(),
        ]
        rows = [row for it in self.usable for row in it.rows]
        return Report(
            source=source.source,
            preferences=source.preferences,
            examples=len(examples),
            usable=len(self.usable),
            rows=len(rows),
            tokens=sum(len(row.tokens) for row in rows),
            learned=sum(sum(row.trained) for row in rows),
            longest=max((len(row.tokens) for row in rows), default=0),
            limit=self.limit,
            classes=self.classes,
            findings=tuple(sorted(findings, key=lambda it: not it.grave)),
        )

    def _left_out(self) -> Iterator[Finding]:
        for kind in sorted(LEFT_OUT):
            places = zip(self.prepared.examples, self._wrong, strict=True)
            cases = [_case(it.example) for it, wrong in places if wrong is kind]
            limit = self.limit if kind is Kind.TOO_LONG else 0
            yield from _finding(kind, cases, grave=True, limit=limit)

    def _classes_found(self) -> Iterator[Finding]:
        fair = sum(self.classes.values()) / max(1, len(self.classes))
        for name, count in self.classes.items():
            if count < RARE * fair:
                cases = [_case(it.example) for it in self.usable if it.example.answered == name]
                yield from _finding(Kind.RARE_CLASS, cases, subject=name)

    def _special(self) -> Iterator[Finding]:
        pairs = zip(self.prepared.examples, self.prepared.written, strict=True)
        cases = [Case(it.example.line, " ".join(written)) for it, written in pairs if written]
        yield from _finding(Kind.SPECIAL, cases)

    def _odd(self) -> Iterator[Finding]:
        usable = self.usable
        yield from _finding(Kind.JOINED, [_case(it.example) for it in usable if it.joined])
        apart = [it for it in usable if it.pair is None and len(it.rows) > 1]
        yield from _finding(Kind.APART, [_case(it.example) for it in apart])
        endless = [_case(it.example) for it in usable if not it.ended]
        yield from _finding(Kind.ENDLESS, endless, grave=True)


def _finding(
    kind: Kind, cases: Sequence[Case], *, grave: bool = False, subject: str = "", limit: int = 0
) -> Iterator[Finding]:
    if cases:
        yield Finding(kind, len(cases), tuple(cases[:SHOWN]), grave, subject, limit)


def _case(example: Example, other: int | None = None) -> Case:
    return Case(example.line, "\n".join(example.asked), other)


def _classes(examples: Sequence[Example]) -> dict[str, int]:
    """Rows by normalised answer, the most frequent first; empty where answers are no classes."""
    counts = Counter(example.answered for example in examples)
    if not 1 < len(counts) <= MOST_CLASSES or len(examples) < LEAST_OF_A_CLASS * len(counts):
        return {}
    if examples[0].rejected is not None or any(len(name) > LONGEST_CLASS for name in counts):
        return {}
    return dict(sorted(counts.items(), key=lambda it: (-it[1], it[0])))


def _repeated(examples: Iterable[Example], *, grave: bool) -> Iterator[Finding]:
    """Rows that say what an earlier one does, and those that contradict one."""
    exact: dict[object, int] = {}
    near: dict[object, int] = {}
    first: dict[str, Example] = {}
    found: dict[Kind, list[Case]] = {Kind.CONFLICT: [], Kind.DUPLICATE: [], Kind.NEAR_DUPLICATE: []}
    for it in examples:
        whole = (it.asked, it.answer, it.rejected)
        other = it.rejection
        same = (it.input, it.answered, other)
        if whole in exact:
            found[Kind.DUPLICATE].append(_case(it, exact[whole]))
        elif same in near:
            found[Kind.NEAR_DUPLICATE].append(_case(it, near[same]))
        elif other is not None:
            if (it.input, other, it.answered) in near:
                found[Kind.CONFLICT].append(_case(it, near[it.input, other, it.answered]))
        elif it.input in first:
            found[Kind.CONFLICT].append(_case(it, first[it.input].line))
        exact.setdefault(whole, it.line)
        near.setdefault(same, it.line)
        first.setdefault(it.input, it)
    for kind, cases in found.items():
        yield from _finding(kind, cases, grave=grave and kind is Kind.CONFLICT)
