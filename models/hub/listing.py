"""What a repository of the hub holds, and which of it is meant by a name, a pattern or a type."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import ModelError, size_in_words

_PART = re.compile(r"-\d{5}-of-(\d{5})\.gguf$", re.IGNORECASE)
_TYPE = re.compile(r"(?:I?Q|TQ|B?F|MXFP|NVFP)\d", re.IGNORECASE)
"""How the name of a type begins."""
_PATTERN = re.compile(r"[*?\[]")
_ASIDE = re.compile(r"mmproj|imatrix", re.IGNORECASE)
_ADAPTER = ("adapter_config.json", "adapter_model.safetensors*", "adapter_model-*.safetensors")
MOST_NAMED = 12
"""Candidates that an error names."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository. `digest` is its SHA-256, or git's SHA-1 for a small one; None where
    the hub gives neither. `cached` is where it lies if it has been fetched."""

    name: str
    bytes: int
    digest: str | None
    cached: Path | None = None


@dataclass(frozen=True)
class Repository:
    """A repository as it is now: its name, its commit, and its files in their order."""

    name: str
    commit: str
    files: tuple[RemoteFile, ...]

    def chosen(self, wanted: Sequence[str]) -> list[RemoteFile]:
        """The files that `wanted` means: names, patterns (`*-Q4_0.gguf`) or types (`Q4_K_M`).

        Without any: the one model of the repository, or its PEFT adapter. A part of a split model
        stands for all of it. Raises ModelError when something means no file, or nothing is clear,
        or a model lacks a part.
        """
        names: list[str] = []
        for word in wanted:
            found = self._meant(word)
            if not found:
                raise ModelError(f"{self.name} has no file {word!r}; {self._offer()}.")
            names += found
        if not wanted:
            models = self._models()
            if len(models) > 1:
                raise ModelError(f"{self.name} holds {len(models)} models; {self._offer()}.")
            names = self._whole(models[0][0]) if models else self._adapter()
        if not names:
            raise ModelError(
                f"{self.name} holds no GGUF file and no PEFT adapter; give another repository, or "
                "name the files wanted."
            )
        return [file for file in self.files if file.name in names]

    def _meant(self, word: str) -> list[str]:
        names = [file.name for file in self.files]
        if word in names:
            return self._whole(word)
        if _PATTERN.search(word) and (found := fnmatch.filter(names, word)):
            return [whole for name in found for whole in self._whole(name)]
        before = "[-._/]" if _TYPE.match(word) else "[-./]"
        kind = re.compile(rf"(^|{before}){re.escape(word)}([-./]|$)", re.IGNORECASE)
        models = [model for model in self._models() if any(map(kind.search, model))]
        if len(models) > 1:
            raise ModelError(
                f"{self.name} holds {len(models)} models that go by {word!r}; name one of "
                f"{self._listed(models)}."
            )
        return self._whole(models[0][0]) if models else []

    def _whole(self, name: str) -> list[str]:
        """The name itself, or those of all parts of the model that it is a part of."""
        part = _PART.search(name)
        if part is None:
            return [name]
        found = [n for n in self._gguf() if _PART.sub(r"\1", n) == _PART.sub(r"\1", name)]
        if len(found) != int(part[1]):
            raise ModelError(
                f"{self.name} has {len(found)} of the {int(part[1])} parts of {name}; "
                "give another model."
            )
        return found

    def _gguf(self) -> list[str]:
        return [file.name for file in self.files if file.name.lower().endswith(".gguf")]

    def _models(self) -> list[list[str]]:
        """Each model's files; projectors and the like are none."""
        models: dict[str, list[str]] = {}
        for name in self._gguf():
            if not _ASIDE.search(PurePosixPath(name).name):
                models.setdefault(_PART.sub(r"\1", name), []).append(name)
        return list(models.values())

    def _adapter(self) -> list[str]:
        names = [file.name for file in self.files]
        found = [name for pattern in _ADAPTER for name in fnmatch.filter(names, pattern)]
        return found if any("safetensors" in name for name in found) else []

    def _offer(self) -> str:
        """Which models can be named, with their sizes."""
        models = self._models()
        if not models:
            return "it has " + (
                ", ".join([it.name for it in self.files][:MOST_NAMED]) or "no files"
            )
        return f"name one of {self._listed(models)}"

    def _listed(self, models: Sequence[list[str]]) -> str:
        sizes = {file.name: file.bytes for file in self.files}
        words = [
            f"{model[0]} ({size_in_words(sum(sizes[name] for name in model))})" for model in models
        ]
        more = f" and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
        return f"{', '.join(words[:MOST_NAMED])}{more}"
