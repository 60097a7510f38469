"""Two processes that train one adapter together: the same training, ended and gone on with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from llamadiff.models.tuning.client import Tuning
from llamadiff.models.tuning.parallel import Group
from llamadiff.models.tuning.tasks import Begun, Done, Paused, Report, Saved, Stepped, Validated

from ...conftest import until
from .training import FEW, carry_out, job, preferences, rows

SETTINGS = replace(FEW, learning_rate=0.01, method="dpo")
TWO = replace(SETTINGS, processes=2)


def runs(it: psutil.Process) -> bool:
    """Whether a process goes on; nobody may have asked yet how an orphan ended."""
    return it.is_running() and it.status() != psutil.STATUS_ZOMBIE


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
                assert tuning.pid
                launcher = psutil.Process(tuning.pid)
                all_of_them = [launcher, *launcher.children(recursive=True)]
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


def test_each_row_of_a_batch_is_computed_by_one_process() -> None:
    batch = rows(7)
    shares = [Group(rank, 3).share(batch) for rank in range(3)]
    assert [len(it) for it in shares] == [3, 2, 2]
    assert sorted(row.key for it in shares for row in it) == [row.key for row in batch]
