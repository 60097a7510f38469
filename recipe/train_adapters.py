"""Train a task's adapter on the quantized base, with the project's own trainer."""

import asyncio
import sys
from pathlib import Path

import psutil

from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.runner import Runner
from llamadiff.compare.training_data.checking import Data
from llamadiff.compare.training_data.examples import read_examples
from llamadiff.compare.training_data.leakage import held_out
from llamadiff.compare.training_data.splitting import rows_in, split
from llamadiff.compare.training_data.tokens import prepare
from llamadiff.compare.training_data.words import sentence
from llamadiff.models.engine.client import Engine
from llamadiff.models.gguf.check import check_model
from llamadiff.models.gguf.facts import ModelFacts
from llamadiff.models.hashing import sha256_file
from llamadiff.models.tuning.client import Tuning, reference_of
from llamadiff.models.tuning.estimate import lora_parameters
from llamadiff.models.tuning.rows import rows_of, write_rows
from llamadiff.models.tuning.settings import TuningSettings
from llamadiff.models.tuning.tasks import Done, Failed, Job, Stepped, Validated
from llamadiff.prompts.library import Library
from llamadiff.prompts.rendering.helper import Renderer

from .adapter_text import write_chats
from .scale import Scale
from .suites import library_in, write_suites
from .tasks.specialty import Specialty

SEED = 40
MOST_BYTES = 585_000
"""Of an adapter's weights in float32: its file has at most 0.6 MB."""
LARGEST_RANK = 8
HELD_OUT = 0.02
"""The share of the chats that the best checkpoint is chosen by."""


def train_adapter(task: Specialty, scale: Scale, base: Path, work: Path, out: Path) -> None:
    """Train the adapter for the GGUF file ``base`` and write it to ``out``, its card beside it.

    Goes on from the last checkpoint in ``work``, where there is one of the same rows and base.
    Raises RuntimeError when the training fails.
    """
    folder = work / task.name
    steps = scale.adapter_steps * task.lessons
    write_chats(task, steps * scale.adapter_batch, SEED, folder / "chats.jsonl")
    write_suites(folder / "suites")
    facts = check_model(base)
    settings = TuningSettings(
        rank=(rank := rank_for(facts)),
        alpha=2.0 * rank,
        steps=steps,
        batch=scale.adapter_batch,
        accumulation=1,
        sequence_length=scale.context,
        seed=SEED,
    )
    asyncio.run(_train(task, settings, base.resolve(), folder.resolve(), out.resolve()))


def rank_for(facts: ModelFacts) -> int:
    """The largest rank of which an adapter of this base is small enough."""
    fit = (
        rank
        for rank in range(LARGEST_RANK, 1, -1)
        if 4 * lora_parameters(facts, TuningSettings(rank=rank)) <= MOST_BYTES
    )
    return next(fit, 1)


async def _train(
    task: Specialty, settings: TuningSettings, base: Path, folder: Path, out: Path
) -> None:
    engine = Engine(folder / "engine.log")
    try:
        with Renderer() as renderer:
            runner = Runner(engine, renderer, cache_dir=folder / "cache")
            job = await _job(runner, task, settings, base, folder, out)
    finally:
        await engine.close()
    out.parent.mkdir(parents=True, exist_ok=True)
    async for report in Tuning(job, folder / "tuning.log").reports():
        match report:
            case Stepped(losses=losses, left_s=left):
                step, loss = losses[-1]
                _say(
                    f"{task.name}: step {step} of {settings.steps}, loss {loss:.3f}, {left:.0f} s left"
                )
            case Validated(step=step, loss=loss):
                _say(f"{task.name}: step {step}, loss held out {loss:.3f}\n")
            case Failed(message=message):
                raise RuntimeError(f"{task.name}: {message}")
            case Done(seconds=seconds):
                _say(f"{task.name}: done in {seconds:.0f} s\n")
            case _:
                pass


async def _job(
    runner: Runner, task: Specialty, settings: TuningSettings, base: Path, folder: Path, out: Path
) -> Job:
    """The chats as the engine is given them, checked and written, and what is to be done with them."""
    chats, suites = folder / "chats.jsonl", folder / "suites"
    library = Library(shipped=library_in(suites))
    suite = load_suite(suites / "compare" / "suites" / f"{task.name}.toml")
    model = await runner.engine.load(base, runner.settings)
    prepared = await prepare(runner, model, read_examples(chats, None, runner.renderer))
    data = Data(prepared, settings.sequence_length)
    report = data.check([held_out(suite, library, runner.renderer)])
    if not report.sound:
        said = " ".join(sentence(it) for it in report.findings if it.grave)
        raise RuntimeError(f"{task.name}: {said}")
    parts = split(data.usable, data.classes, share=HELD_OUT, seed=SEED)
    train = rows_in(parts.train)
    write_rows(rows_of(train, rows_in(parts.validation)), folder / "rows")
    checks = tuple(sentence(it) for it in report.findings)
    return Job(
        base=str(base),
        rows=str(folder / "rows"),
        work=str(folder),
        out=str(out),
        cache_dir=str(folder / "cache"),
        settings=settings,
        resume=True,
        name=task.name,
        reference=await reference_of(runner.engine, model, train[0]),
        threads=psutil.cpu_count(logical=False) or 1,
        data_sha256=sha256_file(chats, None),
        data_checks=(
            f"{report.examples:,} chats were checked, the suite's rows against them.",
            *checks,
        ),
    )


def _say(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()
