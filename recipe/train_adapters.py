"""Train the tasks' adapters on the quantized base, with the project's own trainer."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import psutil
from rich.progress import Progress, TaskID

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


async def train_adapters(
    tasks: Sequence[Specialty], scale: Scale, base: Path, work: Path, out: Path, progress: Progress
) -> list[Path]:
    """Train the adapters for the GGUF file ``base``, and give their files in ``out``, each with its card.

    As many are trained at once as there are cores: for so small a base, one thread computes faster
    than several that wait for each other. Goes on from the last checkpoints in ``work``, where there
    are such of the same rows and base. Raises RuntimeError when a training fails.
    """
    free = asyncio.Semaphore(psutil.cpu_count(logical=False) or 1)
    out.mkdir(parents=True, exist_ok=True)

    async def train(task: Specialty) -> Path:
        bar = progress.add_task(task.name, total=scale.adapter_steps, loss=float("nan"))
        async with free:
            path = out.resolve() / f"{task.name}.gguf"
            await _train(
                task, scale, base.resolve(), (work / task.name).resolve(), path, progress, bar
            )
        return path

    return await asyncio.gather(*map(train, tasks))


def rank_for(facts: ModelFacts) -> int:
    """The largest rank of which an adapter of this base is small enough."""
    fit = (
        rank
        for rank in range(LARGEST_RANK, 1, -1)
        if 4 * lora_parameters(facts, TuningSettings(rank=rank)) <= MOST_BYTES
    )
    return next(fit, 1)


async def _train(
    task: Specialty,
    scale: Scale,
    base: Path,
    folder: Path,
    out: Path,
    progress: Progress,
    bar: TaskID,
) -> None:
    write_chats(task, scale.adapter_steps * scale.adapter_batch, SEED, folder / "chats.jsonl")
    write_suites(folder / "suites")
    settings = TuningSettings(
        rank=(rank := rank_for(check_model(base))),
        alpha=2.0 * rank,
        steps=scale.adapter_steps,
        batch=scale.adapter_batch,
        accumulation=1,
        sequence_length=scale.context,
        seed=SEED,
    )
    engine = Engine(folder / "engine.log")
    try:
        with Renderer() as renderer:
            runner = Runner(engine, renderer, cache_dir=folder / "cache")
            job = await _job(runner, task, settings, base, folder, out)
    finally:
        await engine.close()
    async for report in Tuning(job, folder / "tuning.log").reports():
        match report:
            case Stepped(losses=losses):
                step, loss = losses[-1]
                progress.update(bar, completed=step, loss=loss)
            case Validated(step=step, loss=loss):
                progress.print(f"{task.name}: step {step}, loss held out {loss:.3f}")
            case Failed(message=message):
                raise RuntimeError(f"{task.name}: {message}")
            case Done(seconds=seconds):
                progress.print(f"{task.name}: done in {seconds:.0f} s")
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
        threads=1,
        data_sha256=sha256_file(chats, None),
        data_checks=(
            f"{report.examples:,} chats were checked, the suite's rows against them.",
            *checks,
        ),
    )
