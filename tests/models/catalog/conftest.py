"""A person's home with other programs' folders in it."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WriteFile = Callable[..., Path]


@pytest.fixture
def person() -> Path:
    """The home of the person: empty, and not this machine's."""
    return Path(os.environ["HOME"])


class Ollama:
    """Writes Ollama's folder as Ollama does."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def blob(self, content: bytes) -> tuple[str, int]:
        digest = hashlib.sha256(content).hexdigest()
        path = self.root / "blobs" / f"sha256-{digest}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return f"sha256:{digest}", len(content)

    def layer(self, content: bytes, kind: str = "model") -> dict[str, Any]:
        digest, size = self.blob(content)
        return {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": digest, "size": size}

    def manifest(self, name: str, layers: object, **more: object) -> Path:
        """`name` is registry/namespace/model/tag."""
        path = self.root / "manifests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"schemaVersion": 2, "layers": layers, **more}))
        return path


@pytest.fixture
def ollama(person: Path) -> Ollama:
    folder = person / ".ollama" / "models"
    (folder / "blobs").mkdir(parents=True)
    (folder / "manifests").mkdir()
    return Ollama(folder)


@pytest.fixture
def place_model(write_model: WriteFile) -> Callable[[Path], Path]:
    """Writes the small llama to any path."""

    def place(path: Path, **options: Any) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_model("making.gguf", **options).rename(path)

    return place
