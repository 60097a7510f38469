"""A suite: a dataset, the variants that answer its rows, and what makes an answer good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ...prompts.locate import find_line
from ..checks.result import Check
from ..errors import MISTAKES, CompareError
from ..statistics.figures import MARGIN
from .expression import Expression


@dataclass(frozen=True)
class DatasetSpec:
    """Which rows of a file, and what they are called.

    `columns` gives for a variable, or for `expected`, the column it is taken from; other columns
    keep their names. `where` keeps rows whose column has one of the values. `tags` are columns that
    say what kind of row it is. `sample` keeps so many, drawn by `seed`.
    """

    file: Path
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    tags: tuple[str, ...] = ()
    sample: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class VariantSpec:
    """What one table of variants says: every combination of its values is a variant.

    Keys are those of a `--variant` SPEC, and `values.NAME` for the value of a variable.
    """

    label: str
    axes: Mapping[str, tuple[object, ...]]


@dataclass(frozen=True)
class NamedCheck:
    """A check with what it is called, and how much it counts beside others."""

    name: str
    check: Check
    weight: float = 1.0


@dataclass(frozen=True)
class Suite:
    """A suite as its file says. `planned` is the number of rows settled beforehand; None: all.

    `defaults` are for what neither a variant nor the command says.
    """

    name: str
    path: Path
    dataset: DatasetSpec
    variants: tuple[VariantSpec, ...]
    checks: tuple[NamedCheck, ...]
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    description: str = ""
    baseline: str = ""
    repeats: int = 1
    planned: int | None = None
    margin: float = MARGIN
    exact: bool = False
    require: tuple[Expression, ...] = ()
    elsewhere: tuple[str, ...] = ()
    """Suites, by name or path, that adapters are put to besides."""
    code: tuple[Path, ...] = ()
    """Python files with functions that check answers."""
    text: str = ""
    """What the file says; empty where something else was put into its place."""

    def at(self, *key: str | int) -> str:
        """The file, and the line where a key such as `("variants", 1)` is, for errors."""
        line = find_line(self.text, key)
        return f"{self.path}, line {line}" if line else f"{self.path}"


@contextmanager
def told(where: str) -> Iterator[None]:
    """Have a person's mistake say where it is; what is raised is a CompareError then."""
    try:
        yield
    except MISTAKES as error:
        raise CompareError(f"{where}: {error}") from None
