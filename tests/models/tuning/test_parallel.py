"""Several processes that train one adapter together: the same training, however it is ended and gone
on with."""

from __future__ import annotations

import contextlib
import os
import signal
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil
import pytest

from llamadiff.models.adapters.training import read_training
from llamadiff.models.engine.client import EngineError
from llamadiff.models.errors import ModelError
from llamadiff.models.tuning.client import Tuning
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
    Saved,
    Stepped,
    Validated,
)

from ...conftest import until
from .together import Asked, carry_out_together
from .training import FEW, carry_out, job, preferences, rows

SETTINGS = replace(FEW, learning_rate=0.01, method="dpo")
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


async def test_two_processes_train_as_one_does_and_end_and_go_on_together(
    write_model: Callable[..., Path], tmp_path: Path
) -> None:
    base = write_model("base.gguf", quantized=False)
    train, held_out = preferences(7), preferences(3, seed=9)  # a batch of one row among them
    (tmp_path / "one").mkdir()
    _, alone = carry_out(job(tmp_path / "one", base, train, held_out, SETTINGS))

    log, reports, all_of_them = tmp_path / "log", list[Report](), list[psutil.Process]()
    tuning = Tuning(job(tmp_path, base, train, held_out, TWO), log)
    async with contextlib.aclosing(tuning.reports()) as told:
        async for report in told:
            reports.append(report)
            if isinstance(report, Saved) and report.step == 2:
                tuning.pause()
            if isinstance(report, Paused):
                all_of_them = started(tuning)
                break
    assert len(all_of_them) == 3
    await until(lambda: not any(map(runs, all_of_them)))

    tuning = Tuning(job(tmp_path, base, train, held_out, TWO, resume=True), log)
    went_on = [report async for report in tuning.reports()]
    (begun,) = (it for it in went_on if isinstance(it, Begun))
    assert (
        begun.step == reports[-1].step
        and begun.settings.processes == 2
        and begun.device == "2 × CPU"
    )
    assert isinstance(went_on[-1], Done) and went_on[-1].steps == SETTINGS.steps
    losses = [loss for _, loss in begun.losses]
    losses += [loss for it in went_on if isinstance(it, Stepped) for _, loss in it.losses]
    assert losses == pytest.approx(alone.losses, rel=1e-5)
    looks, looked = (
        sorted(
            {(it.step, it.loss, it.margin, it.right) for it in them if isinstance(it, Validated)}
        )
        for them in ([*reports, *went_on], alone.reports)
    )
    assert [it[0] for it in looks] == [it[0] for it in looked] == [3, 6]
    assert [it[1:] for it in looks] == [pytest.approx(it[1:], rel=1e-3) for it in looked]


@pytest.mark.parametrize("killed", [1, 2])
async def test_when_one_is_killed_it_is_said_how_and_the_others_end(
    write_model: Callable[..., Path], tmp_path: Path, killed: int
) -> None:
    base, log = write_model("base.gguf", quantized=False), tmp_path / "log"
    asked = job(tmp_path, base, rows(7), rows(3, seed=9), replace(TWO, method="sft"))
    tuning, them = Tuning(asked, log), list[psutil.Process]()
    with pytest.raises(EngineError) as ended:
        async for report in tuning.reports():
            if isinstance(report, Saved) and not them:
                them = started(tuning)
                os.kill(them[killed].pid, signal.SIGKILL)
    assert str(ended.value).startswith(
        "The process that trains was ended by SIGKILL – the system ran"
    )
    assert str(ended.value).endswith(
        f"It last said: Process {killed} of 2 failed. Its log is {log}."
    )
    await until(lambda: not any(map(runs, them)))
    if killed == 1:
        return

    tuning = Tuning(msgspec.structs.replace(asked, resume=True), log)
    reports = list[Report]()
    async for report in tuning.reports():
        reports.append(report)
        if isinstance(report, Begun):
            them = started(tuning)
        if isinstance(report, Stepped):
            tuning.stop()
    end = reports[-1]
    assert isinstance(end, Done) and end.why == "stopped" and 2 < end.steps < TWO.steps
    await until(lambda: not any(map(runs, them)))
    assert not [it for it in tmp_path.rglob(".*") if "cache" not in it.parts]


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


@pytest.mark.parametrize("make", [rows, preferences])
def test_stopped_anywhere_and_gone_on_with_they_give_the_same_bytes(
    write_model: Callable[..., Path], tmp_path: Path, make: Callable[..., list[Row]]
) -> None:
    base = write_model("base.gguf", quantized=False)
    method = "sft" if make is rows else "dpo"
    settings = replace(TWO, method=method, dropout=0.2, steps=8, eval_every=3)

    def of(name: str, *, resume: bool = False) -> Job:
        (tmp_path / name).mkdir(exist_ok=True)
        return job(tmp_path / name, base, make(7), make(3, seed=9), settings, resume=resume)

    whole, _, again, _, fewer = carry_out_together(
        tmp_path,
        [
            Asked(of("whole")),
            Asked(of("parts"), pause_at=1, stop_at=3),
            Asked(of("parts", resume=True), pause_at=5),
            Asked(of("fewer"), stop_at=4),
            Asked(of("fewer", resume=True), processes=1),
        ],
    )
    ends = [it[-1] for it in (whole, again, fewer)]
    assert [it.why for it in ends if isinstance(it, Done)] == ["steps"] * 3
    one, two, three = (tmp_path / it / "tuned.gguf" for it in ("whole", "parts", "fewer"))
    assert one.read_bytes() == two.read_bytes()
    (begun,) = (it for it in fewer if isinstance(it, Begun))
    assert (begun.settings.processes, begun.step, begun.device) == (1, 4, "CPU")
    assert [step for step, _ in read_training(three).validations] == [3, 6, 8]


def test_memory_is_that_of_all_of_them(write_model: Callable[..., Path], tmp_path: Path) -> None:
    base = write_model("base.gguf", quantized=False)
    it = job(tmp_path, base, rows(7), (), replace(FEW, steps=1))
    alone, together = carry_out_together(tmp_path, [Asked(it, 1), Asked(it)])
    one, two = (them[0] for them in (alone, together))
    assert isinstance(one, Estimated) and isinstance(two, Estimated)
    needed = two.estimate.memory_bytes
    assert needed == pytest.approx(2 * one.estimate.memory_bytes, rel=0.01)
    card = (tmp_path / "tuned.md").read_text()
    assert ", 2 processes together |" in card
    done, ended = alone[-1], together[-1]
    assert isinstance(done, Done) and isinstance(ended, Done)
    assert 1.5 * done.peak_bytes < ended.peak_bytes < 2.5 * done.peak_bytes
    told = [
        [at.memory_bytes for at in them if isinstance(at, Stepped)] for them in (alone, together)
    ]
    assert 1.5 * told[0][0] < told[1][0] < 2.5 * told[0][0]
    (refused,) = carry_out_together(tmp_path, [Asked(it, free=needed - 1)])
    end = refused[-1]
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
