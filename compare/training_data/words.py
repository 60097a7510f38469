"""What was found in data to train on, in sentences."""

from __future__ import annotations

from .findings import Case, Finding, Kind, Report

LONGEST = 100
"""Characters of a row that are quoted."""


def sentence(it: Finding) -> str:
    """A finding in one sentence: how many rows, what of it, what becomes of them."""
    one = it.count == 1
    rows = f"{it.count:,} row{'' if one else 's'}"
    match it.kind:
        case Kind.LEAKED:
            return f"{rows} {_is(one)} asked by the suite {it.subject}: what it measures after tuning on them proves nothing."
        case Kind.CONFLICT:
            return f"{rows} {_say(one, 'contradict')} an earlier one: the same question, another answer."
        case Kind.EMPTY:
            return f"{rows} {_have(one)} no answer and {_is(one)} left out."
        case Kind.SAME_ANSWERS:
            return f"{rows} {_say(one, 'prefer')} an answer to itself and {_is(one)} left out."
        case Kind.TOO_LONG:
            return f"{rows} {_is(one)} longer than {it.limit:,} tokens and {_is(one)} left out."
        case Kind.DUPLICATE:
            return f"{rows} {_say(one, 'repeat')} an earlier one word for word."
        case Kind.NEAR_DUPLICATE:
            return (
                f"{rows} {_say(one, 'repeat')} an earlier one but for case, blanks or punctuation."
            )
        case Kind.RARE_CLASS:
            return f"{rows} {_have(one)} the answer “{it.subject}”: few, beside the other answers."
        case Kind.SPECIAL:
            return f"{rows} {_have(one)} special tokens written in the text; they stay text."
        case Kind.JOINED:
            return f"{rows} {_is(one)} made of the tokens that the engine is sent and those of the answer: the text as a whole has others."
        case Kind.APART:
            return (
                f"{rows} {_is(one)} learned turn by turn: the chat template changes turns gone by."
            )
        case Kind.ENDLESS:
            return f"{rows} {_have(one)} no token that ends the answer: the model has none."


def cases(it: Finding) -> list[str]:
    """The first rows of a finding, a line each."""
    return [_case(each) for each in it.cases]


def summary(report: Report) -> str:
    """What there is to train on, in one sentence."""
    left = report.examples - report.usable
    kind = "preference" if report.preferences else "row"
    said = f"{report.source}: {report.examples:,} {kind}{'s' * (report.examples != 1)}"
    if left:
        said += f", {left:,} left out"
    return (
        f"{said}; {report.tokens:,} tokens, {report.learned:,} of them learned, "
        f"{report.longest:,} in the longest."
    )


def class_counts(report: Report) -> str:
    """The answers and how many rows have them; empty where answers are no classes."""
    return ", ".join(f"{name} {count:,}" for name, count in report.classes.items())


def _case(it: Case) -> str:
    text = " ".join(it.text.split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    where = f"line {it.line}"
    if it.other is not None:
        where += f", {it.file.name if it.file else 'as'} line {it.other}"
    return f"{where}: {text}"


def _is(one: bool) -> str:
    return "is" if one else "are"


def _have(one: bool) -> str:
    return "has" if one else "have"


def _say(one: bool, verb: str) -> str:
    return f"{verb}s" if one else verb
