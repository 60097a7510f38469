"""A sweep: one variant at several values of one setting, and what that does to its outputs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..models.engine.protocol import LARGEST_SCALE
from ..models.engine.samplers import FIELDS, parse_value
from ..models.errors import ModelError
from .diff.live import LiveDiff
from .document import run_document
from .errors import CompareError
from .reasoning import answer_of
from .run import Output, Run
from .variants import Variant, variant_names

SCALE = "scale"
EXAMPLE = "write --over scale=0:1.5:0.25, or --over temperature=0,0.5,1"


@dataclass(frozen=True)
class Axis:
    """What is swept: `scale`, the name of an adapter of the stack, or a sampling setting."""

    name: str
    values: tuple[float, ...]


def parse_axis(text: str) -> Axis:
    """`NAME=START:STOP:STEP`, with both ends, or `NAME=V,V,…`. Raises CompareError."""
    name, equals, wanted = text.partition("=")
    name = name.strip()
    if not equals or not name or not wanted.strip():
        raise CompareError(f"--over {text!r} is not NAME=VALUES; {EXAMPLE}.")
    most = len(variant_names())
    try:
        if ":" in wanted:
            start, stop, step = (float(part) for part in wanted.split(":"))
            count = (stop - start) / step
            if not (math.isfinite(count) and count >= 0):
                raise ValueError
            if count >= most:
                raise CompareError(
                    f"--over {text!r} has {int(count) + 1:,} values; at most {most} are swept."
                )
            values = [round(start + i * step, 10) for i in range(math.floor(count + 1e-9) + 1)]
        else:
            values = [float(part) for part in wanted.split(",")]
    except (ValueError, ZeroDivisionError):
        raise CompareError(f"--over {text!r}: {_why(wanted)}; {EXAMPLE}.") from None
    if not all(math.isfinite(value) for value in values):
        raise CompareError(f"--over {text!r}: every value has to be a number; {EXAMPLE}.")
    if len(values) > most:
        raise CompareError(f"--over {text!r} has {len(values):,} values; at most {most} are swept.")
    if len(set(values)) < len(values):
        raise CompareError(f"--over {text!r} has a value twice; leave one out.")
    return Axis(name, tuple(values))


def _why(wanted: str) -> str:
    """Why these are no values."""
    ranged = ":" in wanted
    parts = [part.strip() for part in wanted.split(":" if ranged else ",")]
    if ranged and len(parts) != 3:
        return f"a range has three parts, START:STOP:STEP, and {wanted!r} has {len(parts)}"
    for part in parts:
        try:
            finite = math.isfinite(float(part))
        except ValueError:
            return f"{part!r} is not a number"
        if not finite:
            return f"{part} is too large"
    if not float(parts[2]):
        return "the step is 0"
    return f"steps of {parts[2]} do not lead from {parts[0]} to {parts[1]}"


def swept(variant: Variant, axis: Axis) -> list[Variant]:
    """The variant at each value, named A, B, C … and labelled with the value.

    Raises CompareError for a scale without an adapter, or with several of which none is named, and
    ModelError for values that a setting does not take.
    """
    names = variant_names()
    return [
        replace(_at(variant, axis.name, value), name=name, label=f"{axis.name} {value:g}")
        for name, value in zip(names, axis.values, strict=False)
    ]


def _at(variant: Variant, name: str, value: float) -> Variant:
    stack = [adapter.name for adapter in variant.adapters]
    if name == SCALE and len(stack) != 1:
        named = f"name one: --over {stack[0]}=…" if stack else "add one with -a"
        count = f"{len(stack)} adapters" if stack else "no adapter"
        raise CompareError(f"A scale cannot be swept over {count}; {named}.")
    if name == SCALE or name in stack:
        if abs(value) > LARGEST_SCALE:
            raise ModelError(f"A scale is between {-LARGEST_SCALE:g} and {LARGEST_SCALE:g}.")
        return variant.with_scale(0 if name == SCALE else stack.index(name), value)
    if name not in FIELDS:
        try:
            parse_value(name, value)
        except ModelError as error:
            raise CompareError(f"{error} A scale, or an adapter's name, is swept too.") from None
    whole = int(value) if FIELDS[name].kind is int and value == int(value) else value
    return replace(variant, sampling={**variant.sampling, name: parse_value(name, whole)})


@dataclass(frozen=True)
class Group:
    """Outputs with the same answer: how many there are, and the first of them."""

    count: int
    output: Output


@dataclass(frozen=True)
class Point:
    """What came of one value: its outputs grouped by answer, largest group first, and means over
    them. `similarity` is the share of words that the outputs have in common with the first value's
    of the same repeat, from 0 to 1."""

    value: float
    groups: tuple[Group, ...]
    tokens: float
    words: float
    similarity: float


def points(run: Run, axis: Axis) -> list[Point]:
    """One point for each value of a finished sweep; `run.variants` are those of `swept`."""
    first = run.of(run.variants[0])
    return [
        _point(value, run.of(variant), first)
        for value, variant in zip(axis.values, run.variants, strict=True)
    ]


def _point(value: float, outputs: Sequence[Output], first: Sequence[Output]) -> Point:
    count = len(outputs)
    same = [similarity(a, b) for a, b in zip(first, outputs, strict=True)]
    return Point(
        value,
        grouped(outputs),
        sum(len(output.tokens) for output in outputs) / count,
        sum(len(answer_of(output).split()) for output in outputs) / count,
        sum(same) / count,
    )


def grouped(outputs: Sequence[Output]) -> tuple[Group, ...]:
    """Outputs by their answer, the largest group first, and of equal ones that of the first repeat."""
    counted = Counter(answer_of(output) for output in outputs)
    by_answer = {answer_of(output): output for output in reversed(outputs)}
    return tuple(Group(n, by_answer[answer]) for answer, n in counted.most_common())


def similarity(a: Output, b: Output) -> float:
    """The share of words that the answers of two finished outputs have in common, from 0 to 1."""
    texts = answer_of(a), answer_of(b)
    return LiveDiff("word").update(*texts, a_done=True, b_done=True).similarity


def sweep_document(
    run: Run, axis: Axis, version: str, scores: Sequence[float] = ()
) -> dict[str, Any]:
    """The finished sweep as `sweep --json` prints it: the document of its run, and its points.

    `scores` are the mean log-probabilities of a text at each value, where there is one.
    """
    document = run_document(run, version)
    document["sweep"] = {
        "over": axis.name,
        "points": [
            {
                "value": point.value,
                "distinct": [
                    {"count": it.count, "text": answer_of(it.output)} for it in point.groups
                ],
                "tokens": point.tokens,
                "words": point.words,
                "similarity": point.similarity,
                **({"mean_logprob": scores[number]} if scores else {}),
            }
            for number, point in enumerate(points(run, axis))
        ],
    }
    return document
