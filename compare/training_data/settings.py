"""What becomes of data before it is trained on: how long rows may be, how many are held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from ...prompts.suggest import did_you_mean
from ..errors import CompareError


@dataclass(frozen=True)
class DataSettings:
    """`sequence_length` is the most tokens of a row, `validation` the share that is held out, `seed`
    draws which."""

    sequence_length: int = 1024
    validation: float = 0.1
    seed: int = 0


def parse_data_settings(texts: Mapping[str, str]) -> DataSettings:
    """Settings as a person writes them, by name. Raises CompareError."""
    names = [field.name for field in fields(DataSettings)]
    values: dict[str, int | float] = {}
    for name, text in texts.items():
        if name not in names:
            hint = did_you_mean(name, names) or f"; there are {', '.join(names)}."
            raise CompareError(f"{name} is no setting of the data{hint}")
        values[name] = _share(text) if name == "validation" else _whole(name, text)
    return DataSettings(**values)  # pyright: ignore[reportArgumentType]


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise CompareError(f"validation is {text!r}; give a share between 0 and 1, such as 0.1.")
    return value


def _whole(name: str, text: str) -> int:
    least = 2 if name == "sequence_length" else 0
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not least <= value < 2**31:
        raise CompareError(f"{name} is {text!r}; give a whole number from {least} on.")
    return value
