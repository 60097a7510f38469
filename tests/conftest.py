"""What every test shares: a home of its own, and the bundled model on a real engine."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from llamadiff.models.catalog import BUNDLED, default_model, places
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import (
    Delta,
    Failed,
    Finished,
    Prefill,
    Request,
    Timings,
    TokenLogprob,
)

from .warm import is_template

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""torch, of models as small as those of the tests: of several threads most only wait, at full speed."""
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
"""Hundreds of commands are started, which else compile all of the program each time."""
ROOT = Path(__file__).parent.parent
OTHER_PROGRAMS = (
    "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "JAN_DATA_FOLDER", "JAN_DATA_ROOT",
    "LLAMA_CACHE", "OLLAMA_MODELS", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
)  # fmt: skip
"""Variables that say where other programs keep their models."""


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests of the app spend much of their time waiting for it."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """What the tests and their libraries are made of stays: no collection need look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty LLAMADIFF_HOME, and none of this machine's own models."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LLAMADIFF_HOME", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("person")))
    for variable in OTHER_PROGRAMS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv("LLAMADIFF_PROMPTS", raising=False)
    monkeypatch.setattr(places, "OLLAMA_SERVICE", folder / "no-such-service")
    return folder


@pytest.fixture(scope="session")
def base() -> Path:
    """The bundled base model."""
    return default_model().facts.path


@pytest.fixture(scope="session")
def support() -> Path:
    """The bundled adapter that answers for a clothing shop."""
    return BUNDLED / "support.gguf"


@pytest.fixture(scope="session")
def sentiment() -> Path:
    """The bundled adapter that answers with a label."""
    return BUNDLED / "sentiment.gguf"


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """A llama of a shape and type of benchmarks/shapes.py, with random weights; written once.

    The workers of the tests share the files.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    script = ROOT / "benchmarks" / "shapes.py"

    def write(shape: str, kind: str) -> Path:
        path = folder / f"{shape}-{kind}.gguf"
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                part = path.with_suffix(".part")
                subprocess.run([sys.executable, str(script), shape, kind, str(part)], check=True)
                part.rename(path)
        return path

    return write


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """A real engine; its worker is ended with the test."""
    it = Engine(tmp_path / "engine.log")
    yield it
    await it.close()


@pytest.fixture
async def model(engine: Engine, base: Path) -> LoadedModel:
    """The bundled model, resident."""
    return await engine.load(base)


@dataclass
class Heard:
    """All that a request's stream said."""

    text: str = ""
    tokens: list[int] = field(default_factory=list[int])
    ends: list[int] = field(default_factory=list[int])
    logprobs: list[TokenLogprob] = field(default_factory=list[TokenLogprob])
    prefills: list[Prefill] = field(default_factory=list[Prefill])
    reason: str | None = None
    timings: Timings | None = None
    failure: str | None = None


async def listen(
    engine: Engine,
    model: LoadedModel,
    requests: Sequence[Request],
    on_delta: Callable[[Delta], None] | None = None,
) -> list[Heard]:
    """Run requests to their end; what each said, in their order."""
    heard = {request.id: Heard() for request in requests}
    async for events in engine.generate(model, requests):
        for event in events:
            it = heard[event.id]
            match event:
                case Delta():
                    it.ends += [len(it.text) + end for end in event.ends]
                    it.text += event.text
                    it.tokens += event.tokens
                    it.logprobs += event.logprobs
                    if on_delta:
                        on_delta(event)
                case Prefill():
                    it.prefills.append(event)
                case Finished():
                    it.reason, it.timings = event.reason, event.timings
                case Failed():
                    it.failure = event.message
    return list(heard.values())


async def until(condition: Callable[[], object], timeout_s: float = 60) -> None:
    """Wait for a condition; fails the test when it does not come true.

    Many of them draw the screen, so it is asked less and less often.
    """
    pause_s = 0.01
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(pause_s)
            pause_s = min(1.5 * pause_s, 0.03)


@pytest.fixture
def closing() -> Iterator[list[Callable[[], object]]]:
    """Callables to run when the test is over, last one first."""
    todo: list[Callable[[], object]] = []
    yield todo
    for call in reversed(todo):
        call()


def workers(parent: int, module: str = "engine.worker") -> list[int]:
    """The children of a process that run this module of llamadiff, but for those that are dead."""
    found: list[int] = []
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(parent).children():
            with suppress(psutil.NoSuchProcess):  # a zombie is one too
                runs = any(it.endswith(module) for it in child.cmdline())
                if runs and not is_template(child.pid):
                    found.append(child.pid)
    return found
