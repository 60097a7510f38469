"""The process that trains, really started, really killed, and gone on with."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from llamadiff.models.engine.client import EngineError
from llamadiff.models.tuning import client, extra
from llamadiff.models.tuning.client import Tuning
from llamadiff.models.tuning.tasks import Begun, Done, Paused, Stepped

from ...conftest import until
from .training import FEW, carry_out, job, rows

MANY = replace(FEW, steps=60, eval_every=8, checkpoint_every=3, learning_rate=0.01)


async def test_killed_and_gone_on_with_it_ends_as_if_nothing_had_happened(
    write_model: Callable[..., Path], tmp_path: Path
) -> None:
    base = write_model("base.gguf", quantized=False)
    for name in ("parts", "whole"):
        (tmp_path / name).mkdir()
    train, held_out = rows(10), rows(3, seed=9)
    _, uninterrupted = carry_out(job(tmp_path / "whole", base, train, held_out, MANY))

    parts = job(tmp_path / "parts", base, train, held_out, MANY)
    tuning, asked, paused = Tuning(parts, tmp_path / "log"), False, 0
    with pytest.raises(EngineError, match="The process that trains was ended by SIGKILL"):
        async for report in tuning.reports():
            match report:
                case Stepped(losses=[*_, (step, _)]) if step >= 4 and not asked:
                    tuning.pause()
                    asked = True
                case Paused():
                    paused = report.step
                    tuning.go_on()
                case Stepped(losses=[*_, (step, _)]) if paused and step > paused + 4:
                    assert tuning.pid
                    os.kill(tuning.pid, signal.SIGKILL)
                case _:
                    pass
    assert 4 <= paused < MANY.steps
    work = tmp_path / "parts" / "work"
    half, made = work / ".last.checkpoint.abc.part", work / ".peft-abc"
    half.write_bytes(b"half")
    made.mkdir()

    end, told = carry_out(job(tmp_path / "parts", base, train, held_out, MANY, resume=True))
    (begun,) = [it for it in told.reports if isinstance(it, Begun)]
    assert begun.step >= paused and isinstance(end, Done) and end.steps == MANY.steps
    assert [*(loss for _, loss in begun.losses), *told.losses] == uninterrupted.losses
    assert not half.exists() and not made.exists()
    one, two = (tmp_path / name / "tuned.gguf" for name in ("whole", "parts"))
    assert one.read_bytes() == two.read_bytes()


async def test_it_ends_with_whoever_started_it(
    write_model: Callable[..., Path], tmp_path: Path
) -> None:
    it = job(tmp_path, write_model("base.gguf", quantized=False), rows(10), settings=MANY)
    (tmp_path / "job").write_bytes(client.line(it))
    script = textwrap.dedent(
        f"""
        import asyncio
        from pathlib import Path
        from llamadiff.models.tuning.client import Tuning
        from llamadiff.models.tuning.tasks import read_job
        async def main():
            tuning = Tuning(read_job(Path({str(tmp_path / "job")!r}).read_bytes()), Path({str(tmp_path / "log")!r}))
            listening = asyncio.create_task(anext(tuning.reports()))
            while tuning.pid is None:
                await asyncio.sleep(0.01)
            print(tuning.pid, flush=True)
            await listening
        asyncio.run(main())
        """
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout
    child = psutil.Process(int(await asyncio.to_thread(parent.stdout.readline)))
    parent.kill()
    await until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    parent.wait()


async def test_without_the_extra_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert extra.missing_extra() is None
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "peft" else name)
    said = extra.missing_extra()
    assert said and said.startswith("Tuning needs peft, which is not installed: pip install")
    assert "GB" in said


def test_the_program_imports_no_torch_to_have_an_adapter_trained() -> None:
    modules = "client, estimate, rows, settings, tasks, extra"
    script = (
        f"import sys; from llamadiff.models.tuning import {modules}; "
        "print(sorted({'torch', 'transformers', 'peft', 'accelerate', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
