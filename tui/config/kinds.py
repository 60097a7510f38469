"""What a setting may be: how it stands in the file, in an environment variable and in a field."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_ON, _OFF = ("true", "on", "yes", "1"), ("false", "off", "no", "0")


class Kind(ABC):
    """Values of one sort. `read` and `parse` raise ValueError, which says what would be accepted."""

    @property
    @abstractmethod
    def accepted(self) -> str:
        """What may be given, to stand behind "Give"."""

    @abstractmethod
    def read(self, value: object) -> Any:
        """What a value of the file means."""

    @abstractmethod
    def parse(self, text: str) -> Any:
        """What a text means: an environment variable, or what is typed."""

    def text(self, value: Any) -> str:
        """A value as `parse` takes it."""
        return str(value)

    def written(self, value: Any) -> str:
        """A value as the file has it."""
        import json

        return json.dumps(value, ensure_ascii=False)

    def refuse(self) -> ValueError:
        """The error for anything else."""
        return ValueError(f"Give {self.accepted}")


@dataclass(frozen=True)
class Choice(Kind):
    """One of several words."""

    words: Sequence[str]

    @property
    def accepted(self) -> str:
        return f"one of {', '.join(self.words)}"

    def read(self, value: object) -> str:
        from ...prompts.suggest import did_you_mean

        if value in self.words:
            return str(value)
        near = did_you_mean(value, self.words) if isinstance(value, str) else ""
        hint = f"{near[2].upper()}{near[3:]} " if near else ""
        raise ValueError(f"{hint}Give {self.accepted}")

    def parse(self, text: str) -> str:
        return self.read(text.strip())


class Flag(Kind):
    """On or off."""

    @property
    def accepted(self) -> str:
        return "true or false"

    def read(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        raise self.refuse()

    def parse(self, text: str) -> bool:
        word = text.strip().lower()
        if word in _ON or word in _OFF:
            return word in _ON
        raise self.refuse()

    def text(self, value: Any) -> str:
        return "true" if value else "false"


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `least` to `most`, or `none`, which leaves the choice to the program."""

    least: int
    most: int
    none: int | None = None

    @property
    def accepted(self) -> str:
        between = f"a whole number from {self.least} to {self.most}"
        return between if self.none is None else f"{between}, or {self.none}"

    def read(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refuse()
        if not self.least <= value <= self.most and value != self.none:
            raise self.refuse()
        return value

    def parse(self, text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise self.refuse() from None
        return self.read(number)


@dataclass(frozen=True)
class Number(Kind):
    """A number from 0 to `most`."""

    most: int

    @property
    def accepted(self) -> str:
        return f"a number from 0 to {self.most:,}"

    def read(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse()
        if not 0 <= value <= self.most:  # nan is neither
            raise self.refuse()
        return float(value)

    def parse(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise self.refuse() from None
        return self.read(number)

    def text(self, value: Any) -> str:
        return f"{value:g}"

    def written(self, value: Any) -> str:
        return self.text(value)


@dataclass(frozen=True)
class Text(Kind):
    """One line of text; `what` says what it names."""

    what: str

    @property
    def accepted(self) -> str:
        return self.what

    def read(self, value: object) -> str:
        if isinstance(value, str) and value.isprintable():
            return value
        raise self.refuse()

    def parse(self, text: str) -> str:
        return self.read(text.strip())


class Folders(Kind):
    """Folders; several in one text are separated as in PATH."""

    @property
    def accepted(self) -> str:
        return 'folders, as ["~/models", "/data/gguf"]'

    def read(self, value: object) -> tuple[str, ...]:
        texts: list[Any] = value if isinstance(value, list) else [None]
        if all(isinstance(it, str) and it.strip() and it.isprintable() for it in texts):
            return tuple(texts)
        raise self.refuse()

    def parse(self, text: str) -> tuple[str, ...]:
        return self.read([folder for folder in text.split(os.pathsep) if folder.strip()])

    def text(self, value: Any) -> str:
        return os.pathsep.join(value)
