"""Training's speed beside a bare PEFT loop, on the same rows, in turns; and what packing changes.

The bare loop is what a person would write: batches padded in the order in which rows come, all
logits, cross-entropy that ignores what is not to be learned, AdamW. One thread, as tuning uses for a
model this small.

python benchmarks/tuning.py [-n 5] [--shape 29M]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from torch.nn.functional import cross_entropy

from llamadiff.models.catalog import default_model
from llamadiff.models.gguf.check import check_model
from llamadiff.models.gguf.facts import ModelFacts
from llamadiff.models.tuning.base import load_base
from llamadiff.models.tuning.checkpoints import Checkpoints, Origin, State
from llamadiff.models.tuning.lora import Tensors
from llamadiff.models.tuning.rows import TrainingRow, rows_of
from llamadiff.models.tuning.settings import TuningSettings
from llamadiff.models.tuning.tasks import Report
from llamadiff.models.tuning.trainer import Trainer

STEPS = 8
SETTINGS = TuningSettings(
    steps=STEPS,
    rank=8,
    alpha=16,
    batch=16,
    accumulation=1,
    checkpoint_every=STEPS,
    eval_every=STEPS,
)
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
IGNORED = -100


def rows(n: int) -> list[TrainingRow]:
    """Rows of 20 to 90 tokens of which the last 1 to 30 are learned, as questions with answers are."""
    draw, made = random.Random(0), []
    for i in range(n):
        asked, answer = draw.randrange(19, 60), draw.randrange(1, 31)
        tokens = tuple(draw.randrange(300, 2000) for _ in range(asked + answer))
        made.append(TrainingRow(tokens, (False,) * asked + (True,) * answer, str(i)))
    return made


class Ever:
    """Nobody asks for anything."""

    paused = False

    def check(self) -> None:
        pass

    def wait(self) -> None:
        pass


def bare(facts: ModelFacts, data: list[TrainingRow], threads: int) -> float:
    """Tokens per second of the bare loop."""
    base = load_base(facts, None, "f32", threads)
    config = LoraConfig(r=8, lora_alpha=16, target_modules=LINEAR, task_type="CAUSAL_LM")
    model = get_peft_model(base.model, config).train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-3, weight_decay=0.0)
    tokens, start = 0, time.perf_counter()
    for step in range(STEPS):
        batch = [data[(step * 16 + i) % len(data)] for i in range(16)]
        longest = max(len(row.tokens) for row in batch)
        ids = torch.tensor([[*it.tokens, *[0] * (longest - len(it.tokens))] for it in batch])
        labels = torch.full_like(ids, IGNORED)
        for i, row in enumerate(batch):
            at = row.trained.index(True)
            labels[i, at : len(row.tokens)] = ids[i, at : len(row.tokens)]
        logits = model(input_ids=ids).logits[:, :-1]
        loss = cross_entropy(
            logits.float().flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        tokens += sum(len(row.tokens) for row in batch)
    return tokens / (time.perf_counter() - start)


def ours(
    facts: ModelFacts, data: list[TrainingRow], threads: int, packing: bool, precision: str
) -> float:
    """Tokens per second of llamadiff's loop, its checkpoint included."""
    settings = TuningSettings(**{**vars(SETTINGS), "packing": packing, "precision": precision})
    settings = settings.complete(facts.embedding, len(data))
    base = load_base(facts, None, settings.precision, threads)

    def convert(state: State, adapter: Tensors) -> str:
        return ""

    def say(report: Report) -> None:
        pass

    with tempfile.TemporaryDirectory() as work:
        checkpoints = Checkpoints(Path(work), Origin((), "", ""))
        trainer = Trainer(base, rows_of(data), settings, checkpoints, convert, say, Ever())
        start = time.perf_counter()
        trainer.run()
        return trainer.state.tokens / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5, help="runs of each, in turns")
    parser.add_argument(
        "--shape", help="a shape of benchmarks/shapes.py instead of the bundled model"
    )
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    os.environ["TQDM_DISABLE"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        path = default_model().facts.path
        if options.shape:
            path = Path(folder) / "shape.gguf"
            script = Path(__file__).with_name("shapes.py")
            subprocess.run(
                [sys.executable, str(script), options.shape, "Q8_0", str(path)], check=True
            )
        facts, data = check_model(path), rows(128)
        kinds = {
            "bare PEFT loop": lambda: bare(facts, data, options.threads),
            "llamadiff": lambda: ours(facts, data, options.threads, False, "f32"),
            "llamadiff, packed": lambda: ours(facts, data, options.threads, True, "f32"),
            "llamadiff, bf16": lambda: ours(facts, data, options.threads, False, "bf16"),
        }
        speeds: dict[str, list[float]] = {name: [] for name in kinds}
        for _ in range(options.n):
            for name, run in kinds.items():
                speeds[name].append(run())
    for name, found in speeds.items():
        shares = [a / b for a, b in zip(found, speeds["bare PEFT loop"], strict=True)]
        print(
            f"{name}: median {statistics.median(found):,.0f} tokens/s, "
            f"{statistics.median(shares):.2f} of the bare loop (of pairs in turn)"
        )


if __name__ == "__main__":
    main()
