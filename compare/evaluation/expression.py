"""The language of `[[require]]`: `tuned.difference_low > -2 points`.

Numbers (also 5 % and 5 points, which are 0.05), figures of variants (`tuned.score`, `"two words".score`), checks in quotes
(`tuned."brief"`, and `tuned."brief".low` and `.high`), + - * /, brackets, comparisons, and, or, not. It is read by the parser below and computes nothing but that.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from ...prompts.suggest import did_you_mean

Value = float | bool | str
Figures = Mapping[str, Mapping[str, Value | None]]
"""For each variant what it is asked for: a number, a word (the verdict), or None where there is
none yet."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?P<hundredth>\s*(?:%|points?\b))?"
    r'|(?P<text>"[^"]*")|(?P<name>[^\W\d]\w*)|(?P<sign><=|>=|==|!=|[-+*/()<>.]))'
)
_COMPARISONS: Mapping[str, Callable[..., bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_SUMS: Mapping[str, Callable[[float, float], float]] = {"+": operator.add, "-": operator.sub}
_PRODUCTS: Mapping[str, Callable[[float, float], float]] = {
    "*": operator.mul,
    "/": operator.truediv,
}
DEEPEST = 50
_SLACK = 1e-9
"""0.55 is to be 0.5 + 0.05, which in floating point it is not."""
MEANT = "an example is tuned.difference_low > -2 points"


class ExpressionError(Exception):
    """What is wrong with an expression, in the middle of a sentence."""


class _UnknownError(Exception):
    """A figure that is asked for has no value."""


@dataclass(frozen=True)
class Figure:
    """A figure of a variant; that of a check has the check's name in quotes."""

    variant: str
    name: str


@dataclass(frozen=True)
class Word:
    """A word in quotes, to compare with."""

    text: str


@dataclass(frozen=True)
class Apply:
    """An operation on what its parts give."""

    sign: str
    parts: tuple[Node, ...]


Node = float | Figure | Word | Apply


@dataclass(frozen=True)
class Expression:
    """A requirement: its text, and the tree it stands for."""

    text: str
    tree: Node

    def figures(self) -> Iterator[Figure]:
        """Every figure it asks for."""
        return _figures(self.tree)

    def met(self, figures: Figures) -> bool | None:
        """Whether it holds; None where a figure has no value or is divided by 0.

        Raises ExpressionError for a variant or figure there is not.
        """
        try:
            return bool(_value(self.tree, figures))
        except (_UnknownError, ZeroDivisionError, OverflowError):
            return None

    def shown(self, figures: Figures, written: Callable[[str, Value], str]) -> str:
        """The figures with their values, each `written` by its name: `tuned.score is 81.2 points,
        base.score is 78 points`."""
        found = {it: _lookup(it, figures) for it in self.figures()}
        return ", ".join(
            f"{_quoted(it.variant)}.{it.name} is "
            f"{'not known' if value is None else written(it.name, value)}"
            for it, value in found.items()
        )


def parse_expression(text: str) -> Expression:
    """Raises ExpressionError for what is not one, or compares nothing."""
    parser = _Parser(text)
    tree = parser.whole()
    if not _is_condition(tree):
        raise ExpressionError(f"it compares nothing; {MEANT}")
    return Expression(text, tree)


def check_names(
    expression: Expression, variants: Collection[str], known: Mapping[str, Value]
) -> None:
    """Raise ExpressionError for a variant that is not among `variants`, a figure that is not
    `known`, and what cannot be computed with values of the kind that figures have there."""
    for figure in expression.figures():
        if figure.variant not in variants:
            hint = did_you_mean(figure.variant, variants) or f"; there are {', '.join(variants)}"
            raise ExpressionError(f"there is no variant {figure.variant}{hint}")
        if figure.name not in known:
            hint = did_you_mean(figure.name, known) or f"; there are {', '.join(known)}"
            raise ExpressionError(f"there is no figure {figure.name}{hint}")
    expression.met(dict.fromkeys(variants, known))


class _Parser:
    """Recursive descent, one token ahead."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        tree = self._or()
        if self._next() is not None:
            raise ExpressionError(f"{self._next()!r} is not expected there; {MEANT}")
        return tree

    def _next(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, *wanted: str) -> str | None:
        token = self._next()
        if token is not None and token in wanted:
            self._at += 1
            return token
        return None

    def _or(self) -> Node:
        return self._chain(self._and, "or")

    def _and(self) -> Node:
        return self._chain(self._not, "and")

    def _not(self) -> Node:
        if self._take("not"):
            return Apply("not", (self._deeper(self._not),))
        return self._comparison()

    def _comparison(self) -> Node:
        left = self._sum()
        parts: list[Node] = []
        while sign := self._take(*_COMPARISONS):
            right = self._sum()
            parts.append(Apply(sign, (left, right)))
            left = right
        if not parts:
            return left
        return parts[0] if len(parts) == 1 else Apply("and", tuple(parts))

    def _sum(self) -> Node:
        return self._chain(self._product, *_SUMS)

    def _product(self) -> Node:
        return self._chain(self._single, *_PRODUCTS)

    def _chain(self, part: Callable[[], Node], *signs: str) -> Node:
        tree = part()
        while sign := self._take(*signs):
            tree = Apply(sign, (tree, part()))
        return tree

    def _single(self) -> Node:
        if self._take("-"):
            return Apply("minus", (self._deeper(self._single),))
        if self._take("("):
            tree = self._deeper(self._or)
            if not self._take(")"):
                raise ExpressionError(f"a bracket is not closed; {MEANT}")
            return tree
        token = self._next()
        if token is None:
            raise ExpressionError(f"it ends too early; {MEANT}")
        self._at += 1
        if token[0].isdecimal() or (token[0] == "." and len(token) > 1):
            return _number(token)
        if not (token[0] == '"' or token.isidentifier()) or token in ("and", "or", "not"):
            raise ExpressionError(f"{token!r} is not expected there; {MEANT}")
        name = token.strip('"')
        if self._take("."):
            return Figure(name, self._figure(token))
        if token[0] != '"':
            raise ExpressionError(f"{token} is no figure of a variant; {MEANT}")
        return Word(name)

    def _figure(self, variant: str) -> str:
        """The name of a figure: a word, or a check in quotes, of which an end may be asked for."""
        figure = self._next()
        if figure is None or not (figure.isidentifier() or figure[0] == '"'):
            raise ExpressionError(f"{variant}. is to be followed by a figure; {MEANT}")
        self._at += 1
        if figure[0] != '"' or not self._take("."):
            return figure
        end = self._take("low", "high")
        if end is None:
            raise ExpressionError(f"{figure}. is to be followed by low or high")
        return f"{figure}.{end}"

    def _deeper(self, part: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError("it is nested too deeply")
        tree = part()
        self._depth -= 1
        return tree


def _tokens(text: str) -> Iterator[str]:
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ExpressionError(f"{text[at:].strip()[:20]!r} cannot be read; {MEANT}")
        at = found.end()
        yield (
            (found["number"] + ("%" if found["hundredth"] else ""))
            if found["number"]
            else (found[0].strip())
        )


def _number(token: str) -> float:
    return float(token[:-1]) / 100 if token.endswith("%") else float(token)


def _is_condition(tree: Node) -> bool:
    if not isinstance(tree, Apply):
        return False
    if tree.sign in ("and", "or", "not"):
        return all(_is_condition(part) for part in tree.parts)
    return tree.sign in _COMPARISONS


def _figures(tree: Node) -> Iterator[Figure]:
    if isinstance(tree, Figure):
        yield tree
    elif isinstance(tree, Apply):
        for part in tree.parts:
            yield from _figures(part)


def _lookup(figure: Figure, figures: Figures) -> Value | None:
    try:
        return figures[figure.variant][figure.name]
    except KeyError:
        raise ExpressionError(
            f"there is no figure {_quoted(figure.variant)}.{figure.name}"
        ) from None


def _value(tree: Node, figures: Figures) -> Value:
    match tree:
        case Figure():
            value = _lookup(tree, figures)
            if value is None:
                raise _UnknownError
            return value
        case Word():
            return tree.text
        case Apply(sign="and" | "or" as sign):
            values = [bool(_value(part, figures)) for part in tree.parts]
            return all(values) if sign == "and" else any(values)
        case Apply(sign="not"):
            return not _value(tree.parts[0], figures)
        case Apply(sign="minus"):
            return -_as_number(_value(tree.parts[0], figures))
        case Apply(sign=sign, parts=(left, right)) if sign in _COMPARISONS:
            return _compared(sign, _value(left, figures), _value(right, figures))
        case Apply(sign=sign, parts=(left, right)):
            compute = _SUMS.get(sign) or _PRODUCTS[sign]
            return compute(_as_number(_value(left, figures)), _as_number(_value(right, figures)))
        case float():
            return tree
        case _:
            raise ExpressionError(f"it cannot be computed; {MEANT}")


def _compared(sign: str, left: Value, right: Value) -> bool:
    if isinstance(left, str) != isinstance(right, str):
        raise ExpressionError("a word is compared with a number")
    if isinstance(left, str) and sign not in ("==", "!="):
        raise ExpressionError("words are compared with == and !=")
    if isinstance(left, str):
        return _COMPARISONS[sign](left, right)
    apart = left - _as_number(right)
    return _COMPARISONS[sign](0.0 if abs(apart) < _SLACK else apart, 0.0)


def _as_number(value: Value) -> float:
    if isinstance(value, str | bool):
        raise ExpressionError("only numbers can be added and multiplied")
    return value


def _quoted(variant: str) -> str:
    return variant if variant.isidentifier() else f'"{variant}"'
