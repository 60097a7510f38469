"""Lists of words in the text file beside a task's module."""

from pathlib import Path


def read_lists(path: Path) -> dict[str, tuple[str, ...]]:
    """The lists of the file by their headings; a list is a line with commas, or a line for each."""
    lists = {}
    for block in path.read_text(encoding="utf-8").split("@ ")[1:]:
        head, *lines = block.strip().split("\n")
        lists[head] = tuple(lines[0].split(", ") if len(lines) == 1 else lines)
    return lists
