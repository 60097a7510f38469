"""Ollama's models: manifests that name blobs by digest. Manifests are not trusted.

`manifests/<registry>/<namespace>/<model>/<tag>` is JSON; its layers of the media types below
name `blobs/sha256-<hex>`. A manifest is read only if it is a small regular file and no link; a
digest must be one to the letter, so it cannot lead out of the folder of blobs, and neither may
a link in that folder.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import size_in_words
from .entries import Kind
from .files import Candidate
from .json_text import parsed

log = logging.getLogger(__name__)

MAX_MANIFEST = 256 << 10
"""Bytes of a manifest, and of the description of a model that it names."""

_MAX_MANIFESTS = 20_000
_MAX_LAYERS = 256
_MEDIA_TYPES: Mapping[str, Kind] = {
    "application/vnd.ollama.image.model": "model",
    "application/vnd.ollama.image.adapter": "adapter",
}
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_DEFAULT_REGISTRY, _DEFAULT_NAMESPACE = "registry.ollama.ai", "library"


def ollama(root: Path) -> Iterator[Candidate]:
    """The models and adapters of Ollama's folder.

    One that its manifest does not describe soundly is listed with its problem; a manifest
    without either (of a model that runs elsewhere) is passed over. Raises OSError when the
    folder cannot be read.
    """
    blobs = Path(os.path.realpath(root / "blobs"))
    for count, (path, parts) in enumerate(_manifests(root / "manifests")):
        if count == _MAX_MANIFESTS:
            return
        name = _name(parts)
        try:
            found = list(_models(path, name, blobs))
        except Exception as error:  # what nobody foresaw costs this manifest, not the whole list
            log.exception("%s", path)
            found = [_broken(path, name, f"cannot be understood ({type(error).__name__}).")]
        yield from found


def _manifests(folder: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Manifests and the parts of their names, without following links."""
    todo: list[tuple[Path, tuple[str, ...]]] = [(folder, ())]
    while todo:
        here, parts = todo.pop()
        try:
            with os.scandir(here) as listing:
                children = sorted(listing, key=lambda child: child.name)
        except OSError:
            if not parts:
                raise
            continue
        for child in children:
            names = (*parts, child.name)
            if child.is_dir(follow_symlinks=False) and len(names) < 6:
                todo.append((Path(child.path), names))
            elif len(names) >= 3 and not child.name.startswith("."):
                yield Path(child.path), names


def _name(parts: tuple[str, ...]) -> str:
    """As Ollama shows it: `llama3:8b`, `someone/model:tag`, `hf.co/org/repo:tag`."""
    *before, model, tag = parts
    if before[:1] == [_DEFAULT_REGISTRY]:
        before = before[1:]
        if before == [_DEFAULT_NAMESPACE]:
            before = []
    return "/".join([*before, model]) + f":{tag}"


def _models(path: Path, name: str, blobs: Path) -> Iterator[Candidate]:
    try:
        manifest = _read(path)
        layers = manifest.get("layers")
        if not isinstance(layers, list) or len(layers) > _MAX_LAYERS:
            raise ValueError("its list of layers is damaged")
    except OSError as error:
        yield _broken(path, name, f"cannot be read: {error.strerror or error}.")
        return
    except ValueError as error:
        yield _broken(path, name, f"is not a sound Ollama manifest ({error}).")
        return
    numbers = {"model": 0, "adapter": 0}
    for layer in layers:
        media_type = layer.get("mediaType") if isinstance(layer, dict) else None
        kind = _MEDIA_TYPES.get(media_type) if isinstance(media_type, str) else None
        if kind is None:
            continue
        numbers[kind] += 1
        numbered = name if numbers[kind] == 1 else f"{name}#{numbers[kind]}"
        yield _layer(layer, path, numbered, blobs, manifest)


def _layer(
    layer: dict[str, Any], manifest_path: Path, name: str, blobs: Path, manifest: dict[str, Any]
) -> Candidate:
    path, problem = _blob(layer, blobs)
    if path is None:
        return _broken(manifest_path, name, problem or "")
    try:
        status = path.stat()
    except OSError:
        return _broken(path, name, f"is missing; run `ollama pull {name}`.")
    if not stat.S_ISREG(status.st_mode):
        return _broken(path, name, "is not a regular file.")
    size = layer.get("size", 0)
    if type(size) is not int or not 0 <= size < 1 << 63:
        problem = f"has no sound size in its manifest; run `ollama pull {name}`."
    elif status.st_size < size:
        problem = (
            f"is cut off: it has {size_in_words(status.st_size)} of {size_in_words(size)}; "
            f"run `ollama pull {name}`."
        )
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    return Candidate(
        str(path), "ollama", name, "ollama", identity, status.st_size,
        aliases=(name.removesuffix(":latest"),) if name.endswith(":latest") else (),
        quantization=_file_type(manifest, blobs),
        problem=problem,
    )  # fmt: skip


def _blob(layer: dict[str, Any], blobs: Path) -> tuple[Path | None, str | None]:
    """The file a layer names, or why it is not to be read."""
    digest = layer.get("digest")
    match = _DIGEST.fullmatch(digest) if isinstance(digest, str) else None
    if match is None:
        return None, "names its blob by something else than a SHA-256; it is not read."
    path = blobs / f"sha256-{match[1]}"
    if Path(os.path.realpath(path)).parent != blobs:
        return None, "names a blob that is a link out of Ollama's folder; it is not read."
    return path, None


def _file_type(manifest: dict[str, Any], blobs: Path) -> str | None:
    """The quantization, by the description that the manifest names; None if there is none."""
    config = manifest.get("config")
    path, _ = _blob(config, blobs) if isinstance(config, dict) else (None, None)
    if path is None:
        return None
    try:
        file_type = _read(path).get("file_type")
    except (OSError, ValueError):
        return None
    fits = isinstance(file_type, str) and re.fullmatch(r"[A-Z0-9_]{1,16}", file_type)
    return file_type if fits else None


def _read(path: Path) -> dict[str, Any]:
    """A small JSON object. Raises OSError or ValueError."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file")
    if status.st_size > MAX_MANIFEST:
        raise ValueError(f"it is larger than {size_in_words(MAX_MANIFEST)}")
    document = parsed(path.read_bytes())
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    return document


def _broken(path: Path, name: str, problem: str) -> Candidate:
    return Candidate(str(path), "ollama", name, "ollama", None, None, problem=problem)
