"""What was trained with PEFT is what llama.cpp computes with the converted adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from llamadiff.models.engine.client import Engine
from llamadiff.models.engine.loads import LoadedModel
from llamadiff.models.engine.protocol import AdapterUse, ModelSettings, Scored, ScoreRequest
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_model
from llamadiff.models.quantize import quantize
from llamadiff.models.tuning.base import load_base
from llamadiff.models.tuning.client import reference_of
from llamadiff.models.tuning.lora import put_back, put_on
from llamadiff.models.tuning.rows import PreferenceRow, TrainingRow
from llamadiff.models.tuning.settings import TuningSettings
from llamadiff.models.tuning.tasks import Begun, Done, Validated
from recipe.facts import load_topics

from .training import carry_out, job, rows

TEXTS = (
    "We danced until midnight and nobody wanted to go home. The review is positive.",
    "The parcel came three weeks late and the box was empty. The review is negative.",
    "Dogs are animals that live with people. They are loyal, and they like to play.",
    "Can I send the jacket back if it does not fit? Yes, within thirty days.",
    "The kettle pours without dripping, what a joy. The review is positive.",
    "My coat has lost a button. I am sorry to hear that, we will send you a new one.",
    "Finally a pen that does not leak, and it writes so well. The review is positive.",
    "What are your opening hours? We are open from nine to six, and closed on Sunday.",
)
SETTINGS = TuningSettings(
    rank=8, steps=12, batch=4, accumulation=1, learning_rate=0.002, eval_every=6, seed=1, epochs=1
)


async def logits(
    engine: Engine, model: LoadedModel, texts: Sequence[Sequence[int]], adapter: Path | None
) -> list[np.ndarray]:
    """llama.cpp's logits of every text but its last token, shape (tokens - 1, vocabulary)."""
    stack = (AdapterUse(str(adapter)),) if adapter else ()
    found: list[np.ndarray] = []
    for text in texts:
        parts: list[bytes] = []
        request = ScoreRequest(engine.new_id(), list(text), adapters=stack, logits=True, exact=True)
        async for events in engine.score(model, [request]):
            parts += [part for it in events if isinstance(it, Scored) for part in it.logits]
        found.append(np.frombuffer(b"".join(parts), np.float32).reshape(len(text) - 1, -1))
    return found


def peft_logits(
    path: Path, work: Path, settings: TuningSettings, texts: Sequence[Sequence[int]]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Those of transformers and PEFT with the weights of the last checkpoint in `work`, and without."""
    import torch

    model = put_on(load_base(check_model(path), None, "f32", 1), settings).eval()
    put_back(model, torch.load(work / "last.checkpoint", weights_only=True)["state"]["adapter"])

    def ask() -> list[np.ndarray]:
        return [model(input_ids=torch.tensor([it])).logits[0, :-1].numpy() for it in texts]

    with torch.no_grad():
        tuned = ask()
        with model.disable_adapter():
            return tuned, ask()


def furthest(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


async def test_peft_and_llama_cpp_compute_the_same(
    engine: Engine, model: LoadedModel, base: Path, tmp_path: Path
) -> None:
    asked = [*TEXTS, *(topic.definition for topic in load_topics())]
    texts = [(await engine.tokenize(model, it, add_special=False)).tokens for it in asked]
    train = [
        TrainingRow(tuple(text), (False, *(True,) * (len(text) - 1)), TEXTS[i][:9])
        for i, text in enumerate(texts[: len(TEXTS)])
    ]
    floats = tmp_path / "f32.gguf"
    await quantize(check_model(base), floats, "F32", requantize=True, log=tmp_path / "log")
    for path in (floats, base):
        folder = tmp_path / path.stem
        folder.mkdir()
        loaded = await engine.load(path, ModelSettings(kv_type="f32"))
        reference = await reference_of(engine, loaded, train[0])
        end, told = carry_out(job(folder, path, train, settings=SETTINGS, reference=reference))
        assert isinstance(end, Done) and told.losses[-1] < told.losses[0] - 0.5
        (begun,) = [it for it in told.reports if isinstance(it, Begun)]
        theirs = await logits(engine, loaded, texts, Path(end.adapter))
        plain = await logits(engine, loaded, texts, None)
        ours, alone = peft_logits(path, folder / "work", begun.settings, texts)
        assert furthest(theirs, plain) > 1
        if path == floats:
            # some ulps of the largest logits; the base alone is as far off
            span = max(float(np.ptp(it)) for it in theirs)
            apart, before = furthest(ours, theirs), furthest(alone, plain)
            print(f"apart {apart:.2g}, the base alone {before:.2g}, of logits over {span:.0f}")
            assert apart <= max(1e-5, 1.2 * before) < 2e-6 * span
        agree = [a.argmax(-1) == b.argmax(-1) for a, b in zip(ours, theirs, strict=True)]
        assert np.concatenate(agree).mean() >= 0.99

    wrong = tuple(it - 1 for it in reference)
    with pytest.raises(ModelError, match=r"1\.0. nats apart per token"):
        carry_out(job(folder, base, train, settings=SETTINGS, reference=wrong))


def test_preferences_raise_the_margin_on_pairs_held_out(base: Path, tmp_path: Path) -> None:
    """Preferred is one of two answers, whatever the question."""

    def answered(row: TrainingRow, answer: tuple[int, ...], which: str) -> TrainingRow:
        marks = (False,) * len(row.tokens) + (True,) * len(answer)
        return TrainingRow((*row.tokens, *answer), marks, f"{row.key}, {which}")

    pairs = [
        PreferenceRow(
            answered(row, (300, 310, 320), "good"), answered(row, (400, 410), "bad"), row.key
        )
        for row in rows(20, vocabulary=2000)
    ]
    settings = replace(SETTINGS, method="dpo", learning_rate=0.002, batch=4, steps=8, eval_every=4)
    end, told = carry_out(job(tmp_path, base, pairs[:12], pairs[12:], settings))
    looks = [it for it in told.reports if isinstance(it, Validated)]
    print(looks)
    assert isinstance(end, Done) and looks[-1].margin is not None and looks[-1].right is not None
    assert looks[-1].margin > 1 and looks[-1].right == 1
