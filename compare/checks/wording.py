"""Checks of the words of an answer: equal, equal but for form, containing, one of several labels."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from .result import NOTHING_EXPECTED, Answer, Result, passed, quoted


def normalised(text: str) -> str:
    """Without what is form only: Unicode's compatible characters, case, white space, and the
    punctuation at both ends."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = " ".join(folded.split())
    start, end = 0, len(words)
    while start < end and _is_outer(words[start]):
        start += 1
    while end > start and _is_outer(words[end - 1]):
        end -= 1
    return words[start:end]


def _is_outer(character: str) -> bool:
    return character == " " or unicodedata.category(character).startswith("P")


@dataclass(frozen=True)
class Exact:
    """The answer is `value`, or what the row expects, character by character."""

    value: str | None = None

    def __call__(self, answer: Answer) -> Result:
        wanted = answer.expected if self.value is None else self.value
        if wanted is None:
            return NOTHING_EXPECTED
        return passed(answer.text == wanted, f"is {quoted(wanted)}", f"is not {quoted(wanted)}")


@dataclass(frozen=True)
class Normalised:
    """The same but for case, white space, outer punctuation and compatible characters."""

    value: str | None = None

    def __call__(self, answer: Answer) -> Result:
        wanted = answer.expected if self.value is None else self.value
        if wanted is None:
            return NOTHING_EXPECTED
        same = normalised(answer.text) == normalised(wanted)
        return passed(same, f"says {quoted(wanted)}", f"does not say {quoted(wanted)}")


@dataclass(frozen=True)
class Contains:
    """The answer holds all of `values`, or what the row expects; `without`: it holds none."""

    values: tuple[str, ...] = ()
    ignore_case: bool = False
    without: bool = False

    def __call__(self, answer: Answer) -> Result:
        values = self.values or (() if answer.expected is None else (answer.expected,))
        if not values:
            return NOTHING_EXPECTED
        text = self._folded(answer.text)
        held = {value: self._folded(value) in text for value in values}
        wrong = [quoted(value) for value, there in held.items() if there == self.without]
        share = 1 - len(wrong) / len(held)
        if self.without:
            return Result(1.0 if not wrong else 0.0, _said("holds", wrong) or "holds none of them")
        return Result(share, _said("lacks", wrong) or "holds all that is wanted")

    def _folded(self, text: str) -> str:
        return text.casefold() if self.ignore_case else text


def _said(verb: str, values: list[str]) -> str:
    return f"{verb} {', '.join(values)}" if values else ""


_NONE, _SEVERAL = "names none of the labels", ", not one"


@dataclass(frozen=True)
class OneOf:
    """The answer names exactly one of the labels, as whole words, and it is `value`, or what the
    row expects. Case and form do not matter; of overlapping labels the longest counts ("very good",
    not "good")."""

    labels: tuple[str, ...]
    value: str | None = None

    def __call__(self, answer: Answer) -> Result:
        forms = {normalised(label): label for label in self.labels}
        wanted = answer.expected if self.value is None else self.value
        if wanted is None:
            return NOTHING_EXPECTED
        if normalised(wanted) not in forms:
            return Result(None, f"could not be checked: {quoted(wanted)} is none of the labels")
        longest = sorted((form for form in forms if form), key=len, reverse=True)
        pattern = "|".join(rf"(?<!\w){re.escape(form)}(?!\w)" for form in longest)
        named = dict.fromkeys(re.findall(pattern, normalised(answer.text))) if pattern else {}
        if len(named) != 1:
            labels = ", ".join(quoted(forms[form]) for form in named)
            return Result(0.0, f"names {labels}{_SEVERAL}" if named else _NONE)
        (form,) = named
        said = f"names {quoted(forms[form])}"
        return passed(normalised(wanted) == form, said, f"{said}, not {quoted(wanted)}")

    @staticmethod
    def broke_form(result: Result) -> bool:
        """Whether what it gave says that the answer is no label at all, rather than a wrong one."""
        return result.score == 0 and (result.reason == _NONE or result.reason.endswith(_SEVERAL))
