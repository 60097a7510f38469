"""Several processes that train one adapter together: the same training, however it is ended and gone
on with."""

from __future__ import annotations

import contextlib
import os
import signal
import textwrap
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil
import pytest

from llamadiff.models.adapters.training import read_training
from llamadiff.models.engine.client import EngineError
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_model
from llamadiff.models.tuning.client import Tuning
from llamadiff.models.tuning.estimate import estimate
from llamadiff.models.tuning.parallel import Group, wanted
from llamadiff.models.tuning.rows import Row
from llamadiff.models.tuning.tasks import (
    Begun,
    Done,
    Estimated,
    Failed,
    Job,
    Paused,
    Report,
    Stepped,
    Validated,
)

from ...conftest import until
from .together import Asked, carry_out_together
from .training import FEW, carry_out, job, preferences, rows

SETTINGS = replace(FEW, learning_rate=0.01, method="dpo", eval_every=1, steps=12)
TWO = replace(SETTINGS, processes=2)


def runs(it: psutil.Process) -> bool:
    """Whether a process goes on; nobody may have asked yet how an orphan ended."""
    return it.is_running() and it.status() != psutil.STATUS_ZOMBIE


def started(tuning: Tuning) -> list[psutil.Process]:
    """The launcher, and those that train in their order."""
    assert tuning.pid
    launcher = psutil.Process(tuning.pid)
    children = launcher.children()
    return [launcher, *sorted(children, key=lambda it: int(it.environ()["RANK"]))]


@pytest.mark.timeout(600)  # each of three times three processes import torch
async def test_two_processes_train_as_one_does_and_end_and_go_on_together(
    write_model: Callable[..., Path], tmp_path: Path
) -> None:
    base = write_model("base.gguf", quantized=False)
    train, held_out = preferences(7), preferences(3, seed=9)  # a batch of one row among them
    (tmp_path / "one").mkdir()
    _, alone = carry_out(job(tmp_path / "one", base, train, held_out, SETTINGS))
    asked, log = job(tmp_path, base, train, held_out, TWO), tmp_path / "log"
    reports, all_of_them = list[Report](), list[psutil.Process]()

    async def until_paused(tuning: Tuning) -> AsyncGenerator[Report]:
        """What is told, after which it waits, and then what else."""
        async with contextlib.aclosing(tuning.reports()) as told:
            async for report in told:
                reports.append(report)
                if isinstance(report, Begun):
                    all_of_them[:] = started(tuning)
                    tuning.pause()
                if isinstance(report, Paused):
                    yield report

    tuning = Tuning(asked, log)
    with pytest.raises(EngineError) as ended:
        async for _ in until_paused(tuning):
            assert len(all_of_them) == 3
            os.kill(all_of_them[2].pid, signal.SIGKILL)
    assert str(ended.value) == (
        "The process that trains was ended by SIGKILL – the system ran out of memory, or someone "
        f"ended it. It last said: Process 2 of 2 failed. Its log is {log}."
    )
    await until(lambda: not any(map(runs, all_of_them)))

    tuning = Tuning(msgspec.structs.replace(asked, resume=True), log)
    async with contextlib.aclosing(until_paused(tuning)) as told:
        await anext(told)  # and whoever listens leaves
    await until(lambda: not any(map(runs, all_of_them)))

    tuning = Tuning(msgspec.structs.replace(asked, resume=True), log)
    async for _ in until_paused(tuning):
        tuning.stop()
    await until(lambda: not any(map(runs, all_of_them)))
    assert not [path for path in tmp_path.rglob(".*") if path.suffix == ".part"]
    end, steps = reports[-1], [it.step for it in reports if isinstance(it, Paused)]
    assert isinstance(end, Done) and (end.why, end.steps) == ("stopped", steps[-1])
    begun = [it for it in reports if isinstance(it, Begun)]
    assert [it.step for it in begun] == [0, *steps[:-1]] and steps[0] < steps[1] < steps[2]
    assert (begun[0].settings.processes, begun[0].device) == (2, "2 × CPU")
    losses = [loss for it in reports if isinstance(it, Stepped) for _, loss in it.losses]
    assert losses == pytest.approx(alone.losses[: steps[-1]], rel=1e-5)
    looks, looked = (
        [(it.step, it.loss, it.margin, it.right) for it in them if isinstance(it, Validated)]
        for them in (reports, alone.reports)
    )
    assert len(looks) == steps[-1]
    assert looks == [pytest.approx(it, rel=1e-3) for it in looked[: len(looks)]]


async def test_what_ends_one_of_them_is_said_in_its_words(
    write_model: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = """
        import os
        if os.environ.get("RANK") == "1":
            from llamadiff.models.tuning import losses
            def fall(*_):
                raise RuntimeError("The GPU has fallen off the bus")
            losses.Learning.__call__ = fall
        """
    (tmp_path / "sitecustomize.py").write_text(textwrap.dedent(broken))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    base = write_model("base.gguf", quantized=False)
    tuning = Tuning(job(tmp_path, base, rows(7), (), replace(TWO, method="sft")), tmp_path / "log")
    said = r"stopped \(exit code 1\)\. It last said: .*fallen off the bus / Process 2 of 2 failed\."
    with pytest.raises(EngineError, match=said):
        _ = [report async for report in tuning.reports()]


def test_stopped_anywhere_and_gone_on_with_they_give_the_same_bytes(
    write_model: Callable[..., Path], tmp_path: Path
) -> None:
    base = write_model("base.gguf", quantized=False)

    def of(name: str, make: Callable[..., list[Row]], *, resume: bool = False) -> Job:
        (tmp_path / name).mkdir(exist_ok=True)
        method = "sft" if make is rows else "dpo"
        settings = replace(
            TWO, method=method, dropout=0.2, batch=4, accumulation=1, steps=8, eval_every=3,
            checkpoint_every=8,
        )  # fmt: skip
        return job(tmp_path / name, base, make(7), make(5, seed=9), settings, resume=resume)

    told = carry_out_together(
        tmp_path,
        [
            Asked(of("sft", rows)),
            Asked(of("sft in parts", rows), pause_at=2, stop_at=3),
            Asked(of("sft in parts", rows, resume=True), pause_at=5),
            Asked(of("dpo", preferences)),
            Asked(of("dpo in parts", preferences), pause_at=2, stop_at=3),
            Asked(of("dpo in parts", preferences, resume=True), pause_at=5),
            Asked(of("fewer", preferences), stop_at=4),
            Asked(of("fewer", preferences, resume=True), processes=1),
        ],
    )
    ends = [it[-1].why for it in told if isinstance(it[-1], Done)]
    assert ends == ["steps", "stopped", "steps"] * 2 + ["stopped", "steps"]
    for name in ("sft", "dpo"):
        one, two = (tmp_path / it / "tuned.gguf" for it in (name, f"{name} in parts"))
        assert one.read_bytes() == two.read_bytes()
    (begun,) = (it for it in told[-1] if isinstance(it, Begun))
    assert (begun.settings.processes, begun.step, begun.device) == (1, 4, "CPU")
    two, one = (it[-1] for it in told[-2:])
    assert isinstance(two, Done) and isinstance(one, Done) and two.peak_bytes > 1.5 * one.peak_bytes
    end = read_training(tmp_path / "fewer" / "tuned.gguf")
    assert [step for step, _ in end.validations] == [3, 6, 8]


def test_memory_is_that_of_all_of_them(write_model: Callable[..., Path], tmp_path: Path) -> None:
    base, train = write_model("base.gguf", quantized=False), rows(7)
    it = job(tmp_path, base, train, (), replace(FEW, steps=1))
    needed = estimate(check_model(base), replace(FEW, processes=2), train).memory_bytes
    alone, together, refused = carry_out_together(
        tmp_path, [Asked(it, 1), Asked(it, free=needed), Asked(it, free=needed - 1)]
    )
    first, done, ended = together[0], alone[-1], together[-1]
    assert isinstance(first, Estimated) and first.estimate.memory_bytes == needed
    assert isinstance(done, Done) and isinstance(ended, Done)
    assert 1.5 * done.peak_bytes < ended.peak_bytes < 2.5 * done.peak_bytes
    one, two = (
        next(it.memory_bytes for it in them if isinstance(it, Stepped))
        for them in (alone, together)
    )
    assert 1.5 * one < two < 2.5 * one
    assert ", 2 processes together |" in (tmp_path / "tuned.md").read_text()
    (_, end) = refused
    assert isinstance(end, Failed) and end.message.startswith("Training in 2 processes needs about")
    assert "are free; set fewer, make batch smaller" in end.message


def test_a_process_for_each_gpu_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert (wanted(0), wanted(2)) == (1, 2)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    assert (wanted(0), wanted(2)) == (3, 2)
    said = "processes is 4, and torch has 3 GPUs, of which each process needs one; set processes=3,"
    with pytest.raises(ModelError, match=said):
        wanted(4)


def test_each_row_of_a_batch_is_computed_by_one_process() -> None:
    batch = rows(7)
    shares = [Group(rank, 3).share(batch) for rank in range(3)]
    assert [len(it) for it in shares] == [3, 2, 2]
    assert sorted(row.key for it in shares for row in it) == [row.key for row in batch]
