"""What a diff may be told to ignore."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ignore:
    """What is no difference. With `space`, any amount of white space is as good as one space (in
    mode "line" as one line end, if there is one in it), and none counts at a text's ends."""

    case: bool = False
    space: bool = False

    def __bool__(self) -> bool:
        return self.case or self.space


NOTHING = Ignore()
