"""Long prompts' caches on disk: read back bit for bit, and never trusted blindly."""

import asyncio
import os
import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from llamadiff.models.engine import saved
from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.protocol import AdapterUse, ModelSettings, file_version

from ...conftest import Heard, listen, until
from .asking import bits, request

PROMPT = [9 + i * 31 % 2_000 for i in range(700)]
Run = Callable[..., Awaitable[Heard]]

EAGER = """
from llamadiff.models.engine import lane, worker
lane.WORTH_S = 0.0
worker.main()
"""
"""A worker that thinks every prompt worth saving."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "prompts"


@pytest.fixture
async def run(
    tmp_path: Path, folder: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Run]:
    """Run a prompt on an engine of its own, which is closed again."""
    python = tmp_path / "python"
    words = shlex.join([sys.executable, "-P", "-c", EAGER])
    python.write_text(f'#!/bin/sh\nshift 3\nexec {words} "$@"\n')
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))

    async def once(
        tokens: list[int] = PROMPT,
        adapters: tuple[AdapterUse, ...] = (),
        settings: ModelSettings | None = None,
        keep: bool = True,
        width: int = 1,
    ) -> Heard:
        engine = Engine(tmp_path / "engine.log", prompts=folder if keep else None)
        try:
            model = await engine.load(base, settings or ModelSettings())
            asked = [
                request(engine, tokens, n=24, adapters=adapters, logprobs=1) for _ in range(width)
            ]
            heard, *_ = await listen(engine, model, asked)
        finally:
            await engine.close()
        assert heard.failure is None
        return heard

    yield once


def reused(heard: Heard) -> int:
    assert heard.timings
    return heard.timings.prefill_reused


async def test_a_later_start_reads_the_prompt_back_with_the_same_bits(
    run: Run, folder: Path
) -> None:
    first = await run()
    assert reused(first) == 0
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o077 == 0 and folder.stat().st_mode & 0o077 == 0
    again = await run()
    assert reused(again) > 650
    assert bits(again) == bits(first)
    changed = [*PROMPT[:-4], 5, 6, 7, 8]
    warm, cold = await run(changed), await run(changed, keep=False)
    assert reused(warm) > 650 and reused(cold) == 0
    assert bits(warm) == bits(cold)


async def test_nothing_is_written_where_no_folder_is_given(run: Run, folder: Path) -> None:
    await run(keep=False)
    assert not folder.exists()


async def test_other_adapters_and_caches_have_files_of_their_own(
    run: Run, folder: Path, support: Path
) -> None:
    await run()
    stack = (AdapterUse(str(support), 1.0, file_version(support)),)
    tuned = await run(adapters=stack)
    assert reused(tuned) == 0
    assert reused(await run(settings=ModelSettings(kv_type="q8_0"))) == 0
    assert len(list(folder.iterdir())) == 3
    again = await run(adapters=stack)
    assert reused(again) > 650
    assert bits(again) == bits(tuned)


@pytest.mark.parametrize("damage", ["cut", "flipped", "header", "empty"])
async def test_a_damaged_file_is_dropped(run: Run, folder: Path, damage: str) -> None:
    first = await run()
    (file,) = folder.iterdir()
    data = bytearray(file.read_bytes())
    match damage:
        case "cut":
            data = data[: len(data) // 2]
        case "flipped":
            data[-1_000] ^= 1
        case "header":
            data[40] ^= 1
        case _:
            data.clear()
    file.write_bytes(data)
    again = await run()
    assert reused(again) == 0
    assert bits(again) == bits(first)
    assert reused(await run()) > 650, "it was written anew"


async def test_a_context_of_another_size_leaves_the_file_alone(run: Run, folder: Path) -> None:
    first = await run()
    small = await run(settings=ModelSettings(n_ctx=800))
    assert reused(small) == 0
    again = await run()
    assert reused(again) > 650
    assert bits(again) == bits(first)


async def test_an_adapter_of_unknown_version_saves_nothing(
    run: Run, folder: Path, support: Path
) -> None:
    await run(adapters=(AdapterUse(str(support)),))
    assert not folder.exists()


async def test_a_neighbours_prefix_and_the_disk_do_not_mix(
    tmp_path: Path, folder: Path, base: Path, run: Run
) -> None:
    """A copy from a neighbour is due until the next decode; it must not go over what was read."""
    (cold,) = [await run(keep=False, width=2)]
    await run(width=2)
    engine = Engine(tmp_path / "engine.log", prompts=folder)
    try:
        model = await engine.load(base)
        other = [*PROMPT[:300], *range(20, 60)]
        seen: list[int] = []
        both = [request(engine, other, n=500), request(engine, other, n=500, seed=1)]
        ahead = asyncio.create_task(
            listen(engine, model, both, lambda delta: seen.append(delta.id))
        )
        await until(lambda: len(set(seen)) == 2)
        engine.cancel([both[1].id])
        (heard,) = await listen(engine, model, [request(engine, PROMPT, n=24, logprobs=1)])
        assert not ahead.done()
        await ahead
    finally:
        await engine.close()
    assert reused(heard) > 650
    assert heard.tokens[0] == cold.tokens[0]
    assert abs(heard.logprobs[0].logprob - cold.logprobs[0].logprob) == 0


@pytest.mark.parametrize("name", ["file", "x" * 300])
async def test_a_folder_that_cannot_be_written_costs_nothing(
    run: Run, folder: Path, tmp_path: Path, name: str
) -> None:
    if name == "file":
        folder.write_text("a file, not a folder")
    else:
        folder.symlink_to(tmp_path / name)
    first = await run()
    assert first.tokens and bits(await run()) == bits(first)


def test_old_files_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "BUDGET", 1_000)
    for age in range(4):
        path = tmp_path / f"{age}.kv"
        path.write_bytes(bytes(300))
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    (tmp_path / "old.123").write_bytes(b"abandoned")
    os.utime(tmp_path / "old.123", (0, 0))
    (tmp_path / "new.124").write_bytes(b"being written")
    saved._write(tmp_path / "new.kv", saved.Header([1, 2], [2]), memoryview(bytes(300)))
    assert sorted(it.name for it in tmp_path.iterdir()) == ["0.kv", "1.kv", "new.124", "new.kv"]


def test_a_prompt_larger_than_its_share_or_the_disk_is_not_saved(tmp_path: Path) -> None:
    assert saved._room(tmp_path / "not" / "there", 1)
    assert not saved._room(tmp_path, saved.BUDGET)
