"""Models split over several files, `name-00001-of-00003.gguf` and so on.

llama.cpp goes by the metadata (`split.count`, `split.no`) and then wants exactly these names.
"""

import re
from pathlib import Path

from ..errors import ModelError
from .header import Header, read_header

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")


def model_name(path: Path) -> str:
    """The name a model file is known by: its own, without suffix and part number."""
    part = _PART.fullmatch(path.name)
    return part["stem"] if part else path.stem


def is_later_part(path: Path) -> bool:
    """Whether `path` is named like the second or a later part of a split model."""
    part = _PART.fullmatch(path.name)
    return part is not None and int(part["number"]) > 1


def read_parts(first: Header) -> tuple[Header, ...]:
    """The headers of all parts of the model that begins with `first`; itself alone if not split.

    Raises ModelError when `first` is a later part, is named otherwise than llama.cpp wants, or
    a part is missing, damaged or out of place.
    """
    count, number = _split(first)
    if count < 2:
        return (first,)
    named = _PART.fullmatch(first.path.name)
    stem = named["stem"] if named else first.path.stem
    if number != 0:
        raise ModelError(
            f"{first.path} is part {number + 1} of {count} of a model; "
            f"give {_part_name(stem, 0, count)}."
        )
    if first.path.name != _part_name(stem, 0, count):
        raise ModelError(
            f"{first.path} is part 1 of {count} of a model and must be named like "
            f"{_part_name(stem, 0, count)}; rename all its parts."
        )
    headers = [first]
    for index in range(1, count):
        path = first.path.with_name(_part_name(stem, index, count))
        if not path.exists():
            raise ModelError(
                f"{first.path} is split into {count} files and {path.name} is missing; "
                "put it in the same folder."
            )
        header = read_header(path)
        if header.metadata.get("split.no") != index:
            raise ModelError(f"{path} is not the part its name says; fetch the model again.")
        headers.append(header)
    return tuple(headers)


def _split(header: Header) -> tuple[int, int]:
    """How many parts there are, and which one this is, from 0."""
    count = header.metadata.get("split.count", 1)
    number = header.metadata.get("split.no", 0)
    if not isinstance(count, int) or not isinstance(number, int):
        raise ModelError(f"{header.path} has unusable split information; fetch it again.")
    return count, number


def _part_name(stem: str, index: int, count: int) -> str:
    return f"{stem}-{index + 1:05d}-of-{count:05d}.gguf"
