"""Whole trainings on a small llama: what is learned, kept, gone on from, and refused."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.models.adapters.preflight import check_fit
from llamadiff.models.adapters.training import read_training
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_adapter, check_model
from llamadiff.models.tuning import files, session, trainer
from llamadiff.models.tuning.rows import Row
from llamadiff.models.tuning.settings import TuningSettings
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

from .training import FEW, Told, carry_out, job, preferences, rows

Write = Callable[..., Path]


@pytest.fixture
def small(write_model: Write) -> Path:
    return write_model("base.gguf", quantized=False)


def steps_done(report: Report) -> int | None:
    return report.losses[-1][0] if isinstance(report, Stepped) else None


def test_a_training_learns_and_leaves_an_adapter_that_says_how(small: Path, tmp_path: Path) -> None:
    settings = replace(FEW, steps=40, learning_rate=0.02, eval_every=10, checkpoint_every=15)
    end, told = carry_out(job(tmp_path, small, rows(16), rows(4, seed=9), settings))
    assert isinstance(end, Done) and end.why == "steps" and end.steps == 40
    assert told.losses[-1] < told.losses[0]
    looks = [it for it in told.reports if isinstance(it, Validated)]
    assert [it.step for it in looks] == [10, 20, 30, 40]
    assert end.step == min(looks, key=lambda it: it.loss).step
    facts = check_adapter(tmp_path / "tuned.gguf")
    assert check_fit(facts, check_model(small)) == ()
    assert facts.targets == (
        "attn_k", "attn_output", "attn_q", "attn_v", "ffn_down", "ffn_gate", "ffn_up",
    )  # fmt: skip
    said = read_training(tmp_path / "tuned.gguf")
    assert [loss for _, loss in said.losses] == pytest.approx(told.losses)
    assert [step for step, _ in said.validations] == [10, 20, 30, 40]
    assert (said.rows, said.steps, said.step, said.method) == (16, 40, end.step, "sft")
    assert "rank=4" in said.settings and said.versions and said.base_sha256
    assert (said.seconds, said.peak_bytes) == (pytest.approx(end.seconds, abs=1e-3), end.peak_bytes)
    card = Path(end.card).read_text()
    assert "16 trained on, 4 held out" in card and "| rank | 4 |" in card
    first, measured = [it for it in told.reports if isinstance(it, Estimated)]
    assert first.estimate.parameters == facts.parameters == said.parameters
    assert not first.measured and measured.measured
    (begun,) = [it for it in told.reports if isinstance(it, Begun)]
    assert begun.settings.learning_rate == 0.02 and begun.precision == "f32"


def test_two_trainings_with_one_seed_give_the_same_bytes(small: Path, tmp_path: Path) -> None:
    written: list[bytes] = []
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        folder = tmp_path / name
        folder.mkdir()
        carry_out(
            job(folder, small, rows(9), rows(3, seed=9), replace(FEW, seed=seed, dropout=0.2))
        )
        written.append((folder / "tuned.gguf").read_bytes())
    assert written[0] == written[1] != written[2]


@pytest.mark.parametrize("make", [rows, preferences])
def test_a_training_that_goes_on_ends_as_if_it_had_never_stopped(
    small: Path, tmp_path: Path, make: Callable[..., list[Row]]
) -> None:
    settings = replace(
        FEW, method="sft" if make is rows else "dpo", dropout=0.2, seed=3, learning_rate=0.01
    )
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole = job(tmp_path / "whole", small, make(7), make(3, seed=9), settings)
    _, told = carry_out(whole)

    class Gone(Exception):
        """The process ends here."""

    def leave(_: Told, report: Report) -> None:
        if steps_done(report) == 5:
            raise Gone

    parts = job(tmp_path / "parts", small, make(7), make(3, seed=9), settings)
    with pytest.raises(Gone):
        carry_out(parts, Told(leave))
    end, went_on = carry_out(
        job(tmp_path / "parts", small, make(7), make(3, seed=9), settings, resume=True)
    )
    assert isinstance(end, Done)
    (begun,) = [it for it in went_on.reports if isinstance(it, Begun)]
    assert begun.step == 4 and [loss for _, loss in begun.losses] == told.losses[:4]
    assert went_on.losses == told.losses[4:]
    one, two = (Path(it.out).read_bytes() for it in (whole, parts))
    assert one == two


def test_stop_keeps_the_best_so_far_and_pause_a_checkpoint(small: Path, tmp_path: Path) -> None:
    def act(told: Told, report: Report) -> None:
        told.paused = steps_done(report) == 3 or (
            told.paused and isinstance(report, Validated | Saved)
        )
        told.stopped = told.stopped or steps_done(report) == 5

    end, told = carry_out(job(tmp_path, small, rows(8), rows(3, seed=9)), Told(act))
    assert isinstance(end, Done) and (end.why, end.step, end.steps) == ("stopped", 3, 5)
    assert [it.step for it in told.reports if isinstance(it, Paused)] == [3]
    assert [it.step for it in told.reports if isinstance(it, Saved)] == [2, 3, 4, 5]
    kept = sorted(path.name for path in (tmp_path / "work").iterdir())
    assert kept == [
        "best-000003.adapter", "last.checkpoint", "step-000003.gguf", "step-000004.gguf", "step-000005.gguf",
    ]  # fmt: skip
    assert check_adapter(tmp_path / "work" / "step-000004.gguf").rank == 4


@pytest.mark.parametrize("at", [3, 6])
def test_a_validation_that_a_stop_cut_short_is_made_when_it_goes_on(
    small: Path, tmp_path: Path, at: int
) -> None:
    class StoppedMeanwhile(Told):
        """Stops it once one of two batches of the validation is done."""

        looks = 0

        def check(self) -> None:
            self.looks += bool(self.reports) and steps_done(self.reports[-1]) == at
            self.stopped = self.looks == 2
            super().check()

    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    settings = replace(FEW, checkpoint_every=4)
    carry_out(job(tmp_path / "whole", small, rows(8), rows(3, seed=9), settings))
    end, told = carry_out(
        job(tmp_path / "parts", small, rows(8), rows(3, seed=9), settings), StoppedMeanwhile()
    )
    assert isinstance(end, Done) and (end.why, end.steps) == ("stopped", at)
    assert [it.step for it in told.reports if isinstance(it, Validated)] == [3][: at // 3 - 1]
    end, told = carry_out(
        job(tmp_path / "parts", small, rows(8), rows(3, seed=9), settings, resume=True)
    )
    assert isinstance(end, Done) and end.why == "steps"
    assert [it.step for it in told.reports if isinstance(it, Validated)] == [3, 6][at // 3 - 1 :]
    one, two = (tmp_path / name / "tuned.gguf" for name in ("whole", "parts"))
    assert one.read_bytes() == two.read_bytes()


def test_patience_ends_a_training_that_gets_no_better(small: Path, tmp_path: Path) -> None:
    settings = replace(FEW, steps=30, eval_every=1, patience=2, learning_rate=0.5)
    end, told = carry_out(job(tmp_path, small, rows(8), rows(3, seed=9), settings))
    looks = [it for it in told.reports if isinstance(it, Validated)]
    assert isinstance(end, Done) and end.why == "patience" and end.steps < 30
    assert [it.best for it in looks[-2:]] == [False, False] and looks[end.step - 1].best
    again, _ = carry_out(job(tmp_path, small, rows(8), rows(3, seed=9), settings, resume=True))
    assert isinstance(again, Done) and (again.why, again.steps) == ("patience", end.steps)


def test_a_loss_that_is_no_number_ends_it_and_keeps_the_last_good(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = trainer.Learning.__call__

    def broken(self: trainer.Learning, model: object, batch: list[Row]):  # type: ignore[no-untyped-def]
        loss, sums = real(self, model, batch)
        return (
            (loss * float("nan"), replace(sums, nats=float("nan")))
            if told.losses[2:]
            else (loss, sums)
        )

    told = Told()
    monkeypatch.setattr(trainer.Learning, "__call__", broken)
    end, _ = carry_out(job(tmp_path, small, rows(8)), told)
    assert isinstance(end, Failed)
    assert end.message == (
        "The loss is no number any more at step 4; the adapter of step 2 is kept. Train with a "
        "learning rate below 0.0056."
    )
    assert end.kept and check_adapter(Path(end.kept)).rank == 4
    assert not (tmp_path / "tuned.gguf").exists()


def test_held_out_rows_whose_loss_is_no_number_end_it_too(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = trainer.Trainer.measure
    monkeypatch.setattr(
        trainer.Trainer, "measure", lambda *them: replace(real(*them), nats=float("nan"))
    )
    end, told = carry_out(job(tmp_path, small, rows(8), rows(3, seed=9)))
    assert isinstance(end, Failed) and not [it for it in told.reports if isinstance(it, Validated)]
    assert end.message.startswith("The loss is no number any more at step 3; the adapter of step 2")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("unable to mmap: Cannot allocate memory (12)"),
    ],
)
def test_memory_that_is_used_up_is_one_sentence(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(session, "load_base", full)
        end, _ = carry_out(job(tmp_path, small, rows(8)))
    assert isinstance(end, Failed) and end.message.startswith("The memory is used up; make batch")
    assert end.kept is None

    def act(_: Told, report: Report) -> None:
        if steps_done(report) == 3:
            monkeypatch.setattr(trainer.Learning, "__call__", full)

    end, _ = carry_out(job(tmp_path, small, rows(8)), Told(act))
    assert isinstance(end, Failed) and end.message.startswith("The memory is used up; make batch")
    assert end.kept and check_adapter(Path(end.kept)).rank == 4


@pytest.mark.parametrize("written", [0, 1], ids=["converting", "the checkpoint"])
def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    flushed: list[int] = []

    def act(_: Told, report: Report) -> None:
        if steps_done(report) == 3:
            monkeypatch.setattr(files.os, "fsync", full)

    def full(file: int) -> None:
        flushed.append(file)
        if len(flushed) > written:
            raise OSError(errno.ENOSPC, "No space left on device")

    it = job(tmp_path, small, rows(8))
    end, _ = carry_out(it, Told(act))
    monkeypatch.undo()
    assert isinstance(end, Failed)
    assert end.message.endswith("cannot be written: No space left on device.")
    assert not list((tmp_path / "work").glob(".*"))
    end, told = carry_out(job(tmp_path, small, rows(8), resume=True))
    (begun,) = [it for it in told.reports if isinstance(it, Begun)]
    assert begun.step == 2 and isinstance(end, Done)


def test_going_on_is_refused_when_the_base_the_rows_or_the_settings_are_others(
    small: Path, write_model: Write, tmp_path: Path
) -> None:
    def resumed(base: Path, n: int, settings: TuningSettings = FEW) -> Job:
        return job(tmp_path, base, rows(n), settings=settings, resume=True)

    carry_out(resumed(small, 8))
    with pytest.raises(ModelError, match="The data was changed since the checkpoint"):
        carry_out(resumed(small, 9))
    with pytest.raises(ModelError, match="was made with rank=4; go on with the same settings"):
        carry_out(resumed(small, 8, replace(FEW, rank=8)))
    with pytest.raises(ModelError, match="The base was changed since the checkpoint"):
        carry_out(resumed(write_model("other.gguf", quantized=True), 8))
    last = tmp_path / "work" / "last.checkpoint"
    last.write_bytes(last.read_bytes()[:-3000])
    with pytest.raises(ModelError, match="is damaged; start the training anew"):
        carry_out(resumed(small, 8))
    end, _ = carry_out(job(tmp_path, small, rows(9)))
    assert isinstance(end, Done)


def test_less_memory_or_precision_learns_the_same(small: Path, tmp_path: Path) -> None:
    losses: list[list[float]] = []
    for name, change in (
        ("plain", {}), ("again", {"gradient_checkpointing": True}), ("rounded", {"precision": "bf16"}),
    ):  # fmt: skip
        (tmp_path / name).mkdir()
        _, told = carry_out(job(tmp_path / name, small, rows(8), settings=replace(FEW, **change)))
        losses.append(told.losses)
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    assert losses[2] == pytest.approx(losses[0], rel=1e-3) and losses[2] != losses[0]


def test_a_disk_that_is_full_in_the_end_leaves_no_half_adapter(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(_: Told, report: Report) -> None:
        if isinstance(report, Saved) and report.step == FEW.steps:
            monkeypatch.setattr(Path, "write_bytes", full)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    end, _ = carry_out(job(tmp_path, small, rows(8)), Told(act))
    monkeypatch.undo()
    assert isinstance(end, Failed) and end.message.endswith("No space left on device.")
    assert end.kept and check_adapter(Path(end.kept)).rank == 4
    assert not list(tmp_path.glob("*tuned*")) and not list(tmp_path.glob(".peft*"))
