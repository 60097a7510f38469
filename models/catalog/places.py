"""Where each program keeps its models, by the settings that program itself honours.

Sources: Hugging Face `huggingface_hub/constants.py`; llama.cpp `common/hf-cache.cpp` and
`fs_get_cache_directory` in `common/common.cpp`; LM Studio's `lms` (`findLMStudioHome`); Ollama
`envconfig/config.go` and its installer; GPT4All `mysettings.cpp` with Qt's standard paths; Jan
`src-tauri/src/core/app/`. text-generation-webui keeps all in its own folder: it is found where
that folder is given.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Layout = Literal["tree", "hub", "ollama"]
"""A tree of files; `models--org--repo/snapshots/<revision>/`; manifests that name blobs."""

BUNDLED = Path(__file__).parent.parent / "bundled"
"""The folder of the models and adapters that ship with llamadiff."""

OLLAMA_SERVICE = Path("/usr/share/ollama/.ollama/models")
"""Where Ollama keeps models when it runs as a service of a Linux system."""

_MAX_SETTINGS = 1 << 20
"""Bytes of a program's settings file."""


@dataclass(frozen=True)
class Place:
    """A folder that may be there, whose models it holds and how they lie in it."""

    source: str
    folder: Path
    layout: Layout = "tree"


def program_places() -> list[Place]:
    """The folders of all programs, whether they are there or not."""
    return [
        *_hugging_face(),
        *_llama_cpp(),
        *_lm_studio(),
        *_ollama(),
        *_gpt4all(),
        *_jan(),
    ]


def given_places(folder: Path) -> list[Place]:
    """What a folder that a person names holds: a program's own files, or any tree."""
    if (folder / "manifests").is_dir() and (folder / "blobs").is_dir():
        return [Place("ollama", folder, "ollama")]
    webui = [folder / "user_data" / name for name in ("models", "loras")]
    if any(path.is_dir() for path in webui):
        return [Place("text-generation-webui", path) for path in webui]
    if any(folder.glob("models--*/snapshots")):
        return [Place("huggingface", folder, "hub")]
    return [Place("given", folder)]


def _variable(name: str) -> Path | None:
    """A folder that an environment variable names; None where it is unset or empty."""
    value = os.environ.get(name, "").strip()
    return _path(os.path.expandvars(value)) if value else None


def _path(text: str) -> Path:
    return Path(os.path.expanduser(text)).absolute()  # noqa: PTH111 - Path's raises for ~nobody


def _home() -> Path:
    return _path("~")


def _cache_home() -> Path:
    return _variable("XDG_CACHE_HOME") or _home() / ".cache"


def _application_data(*, roaming: bool) -> Path:
    """Where programs with windows keep their files on this system."""
    if sys.platform == "darwin":
        return _home() / "Library" / "Application Support"
    if sys.platform == "win32":
        name = "APPDATA" if roaming else "LOCALAPPDATA"
        folder = "Roaming" if roaming else "Local"
        return _variable(name) or _home() / "AppData" / folder
    return _variable("XDG_DATA_HOME") or _home() / ".local" / "share"


def _hugging_face() -> Iterator[Place]:
    home = _variable("HF_HOME") or _cache_home() / "huggingface"
    hub = _variable("HF_HUB_CACHE") or _variable("HUGGINGFACE_HUB_CACHE") or home / "hub"
    yield Place("huggingface", hub, "hub")


def _llama_cpp() -> Iterator[Place]:
    """`LLAMA_CACHE` holds both layouts; without it the new one is the Hugging Face cache."""
    own = _variable("LLAMA_CACHE")
    if own is not None:
        yield Place("llama.cpp", own, "hub")
        yield Place("llama.cpp", own)
    elif sys.platform == "darwin":
        yield Place("llama.cpp", _home() / "Library" / "Caches" / "llama.cpp")
    elif sys.platform == "win32":
        yield Place("llama.cpp", _application_data(roaming=False) / "llama.cpp")
    else:
        yield Place("llama.cpp", _cache_home() / "llama.cpp")


def _lm_studio() -> Iterator[Place]:
    """Its home is where a file in the person's home points, else a new or an old folder."""
    homes = [_home() / ".lmstudio", _home() / ".cache" / "lm-studio"]
    pointed = _text(_home() / ".lmstudio-home-pointer").strip()
    if pointed and "\0" not in pointed:
        homes.insert(0, _path(pointed))
    for home in dict.fromkeys(homes):
        chosen = _setting(home / "settings.json", "downloadsFolder")
        if chosen is not None:
            yield Place("lmstudio", chosen)
        yield Place("lmstudio", home / "models")


def _ollama() -> Iterator[Place]:
    """Ollama strips blanks and quotes from the value of its variables."""
    named = os.environ.get("OLLAMA_MODELS", "").strip().strip("\"'")
    yield Place("ollama", _path(named) if named else _home() / ".ollama" / "models", "ollama")
    if sys.platform == "linux":
        yield Place("ollama", OLLAMA_SERVICE, "ollama")


def _gpt4all() -> Iterator[Place]:
    """The folder its settings name, its own, and that of its Python package."""
    if sys.platform == "win32":
        settings = [_application_data(roaming=True) / "nomic.ai"]
    else:
        config = _variable("XDG_CONFIG_HOME") or _home() / ".config"
        settings = [config / "nomic.ai", config / "gpt4all.io"]
    for folder in settings:
        for line in _text(folder / "GPT4All.ini").splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "modelPath" and value.strip():
                yield Place("gpt4all", _path(value.strip().strip('"')))
    yield Place("gpt4all", _application_data(roaming=False) / "nomic.ai" / "GPT4All")
    yield Place("gpt4all", _home() / ".cache" / "gpt4all")


def _jan() -> Iterator[Place]:
    """Models lie in `models`, in newer versions in `llamacpp/models` of the data folder."""
    data = _variable("JAN_DATA_FOLDER")
    if data is None:
        root = _variable("JAN_DATA_ROOT") or _application_data(roaming=True)
        data = _setting(root / "Jan" / "settings.json", "data_folder") or root / "Jan" / "data"
    yield Place("jan", data / "llamacpp" / "models")
    yield Place("jan", data / "models")
    yield Place("jan", _home() / "jan" / "models")


def _text(path: Path) -> str:
    """A small settings file; empty where it cannot be read."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_SETTINGS:
            return ""
        return path.read_text("utf-8", errors="replace")
    except (OSError, ValueError):
        return ""


def _setting(path: Path, key: str) -> Path | None:
    """A folder that a program's settings in JSON name."""
    try:
        settings = json.loads(_text(path) or "{}")
    except (ValueError, RecursionError):
        return None
    value = settings.get(key) if isinstance(settings, dict) else None
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        return None
    return _path(value.strip())
