"""What cannot be trained is refused before the first step, in one sentence each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gguf
import pytest

from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_model
from llamadiff.models.tuning.estimate import check_room, estimate
from llamadiff.models.tuning.rows import Row, TrainingRow, read_rows, rows_of, write_rows
from llamadiff.models.tuning.settings import TuningSettings, parse_settings

from .training import FEW, carry_out, job, preferences, rows

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"rank": "0"}, "rank is 0; give a whole number from 1 to 1,024."),
        ({"rank": "eight"}, "rank is eight: expected `int`, got `str`."),
        ({"dropout": "1"}, "dropout is 1; give a number from 0 to 0.9."),
        ({"learning_rate": "nan"}, "learning_rate is nan; give a number from 0 to 10."),
        ({"epochs": "0"}, "epochs is 0; give a number above 0 to 10000."),
        ({"schedule": "up"}, "schedule is up: invalid enum value 'up'."),
        ({"targets": ""}, "targets is empty; give names of modules, or all-linear."),
        ({"ranks": "8"}, "ranks is no setting of tuning; there are accumulation, alpha,"),
    ],
)
def test_settings(texts: dict[str, str], sentence: str) -> None:
    with pytest.raises(ModelError) as error:
        parse_settings(texts)
    assert str(error.value).startswith(sentence)


def test_settings_as_a_person_writes_them() -> None:
    said = parse_settings({"rank": "8", "targets": "q_proj, v_proj", "packing": "true"})
    assert said == TuningSettings(rank=8, targets=("q_proj", "v_proj"), packing=True)
    said = replace(said, epochs=3, accumulation=2)
    whole = said.complete(4096, 100)
    assert (whole.learning_rate, whole.steps, whole.eval_every) == (2e-4, 21, 3)
    assert replace(said, method="dpo").complete(4096, 100).learning_rate == 2e-5
    rates = [whole.rate_at(step) for step in range(whole.steps)]
    assert max(rates) == rates[1] == 2e-4 > rates[0] and rates[-1] < 2e-5
    falling = [replace(whole, schedule="cosine").rate_at(step) for step in range(1, whole.steps)]
    assert falling == sorted(falling, reverse=True)
    assert replace(whole, schedule="constant").rate_at(20) == 2e-4


def marked(tokens: tuple[int, ...], *marks: bool) -> list[Row]:
    return [TrainingRow(tokens, marks, "one")]


@pytest.mark.parametrize(
    ("train", "settings", "sentence"),
    [
        ([], FEW, "There are no rows to train on; give some."),
        (marked((5, 6), True, False), FEW, "The row one has no token to learn; leave it out."),
        (marked((5, 6), True), FEW, "The row one has 2 tokens and 1 marks; make it again."),
        (marked((5, 300), False, True), FEW, "The row one has tokens that the base does not;"),
        (marked((5,) * 513, *(True,) * 513), FEW, "The row one has 513 tokens and the sequence length is 512"),
        (rows(3), replace(FEW, method="dpo"), "The method dpo needs preferences, and there are none; use the method sft."),
        (preferences(3), FEW, "The method sft needs rows to learn, and there are none; use the method dpo."),
        (rows(3), replace(FEW, targets=("q_proj", "w_proj")), "targets has w_proj, which is no linear layer of the base; it has down_proj,"),
        (rows(3), replace(FEW, targets=("lm_head",)), "The adapter changes the output layer (lm_head), which in base"),
    ],
)  # fmt: skip
def test_rows_and_targets(
    write_model: Write, tmp_path: Path, train: list[Row], settings: TuningSettings, sentence: str
) -> None:
    base = write_model("base.gguf", quantized=False, tied=True)
    with pytest.raises(ModelError) as error:
        carry_out(job(tmp_path, base, train, settings=settings))
    assert str(error.value).startswith(sentence)
    assert not (tmp_path / "tuned.gguf").exists()


def test_a_file_that_holds_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    write_rows(rows_of(rows(2), rows(1)), path)
    assert read_rows(path)[0] == rows_of(rows(2), rows(1))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ModelError, match="holds no rows to train on"):
        read_rows(path)
    with pytest.raises(ModelError, match="cannot be trained on together"):
        rows_of(rows(2), preferences(1))


def test_bases_that_transformers_reads_otherwise(write_model: Write, tmp_path: Path) -> None:
    def scaled(writer: gguf.GGUFWriter) -> None:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(2.0)

    cases = {
        "olmo": (write_model("olmo.gguf", architecture="olmo"), "which transformers cannot read"),
        "linear": (write_model("linear.gguf", edit=scaled), "scales its positions"),
        "split": (write_model("split.gguf", split_max_tensors=5), "is split into"),
    }
    for base, said in cases.values():
        path = base if base.exists() else next(tmp_path.glob(f"{base.stem}-00001*"))
        with pytest.raises(ModelError, match=said):
            carry_out(job(tmp_path, path, rows(2)))


def test_a_folder_of_another_model(write_model: Write, tmp_path: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    base = write_model("base.gguf", quantized=False, tied=True)
    folder = tmp_path / "hf"
    with pytest.raises(ModelError, match=r"has no config\.json"):
        carry_out(job(tmp_path, base, rows(2), weights=folder))
    config = LlamaConfig(
        vocab_size=300, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    end, told = carry_out(job(tmp_path, base, rows(4), weights=folder))
    assert end.__class__.__name__ == "Done" and told.losses
    LlamaForCausalLM(config).save_pretrained(folder)
    with pytest.raises(ModelError, match="The folder of the weights was changed since the check"):
        carry_out(job(tmp_path, base, rows(4), weights=folder, resume=True))
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"<unk>": 0, "no": 1}}}))
    with pytest.raises(ModelError, match=r"has other tokens than base \(number 1, for one\)"):
        carry_out(job(tmp_path, base, rows(2), weights=folder))
    (folder / "tokenizer.json").unlink()
    config.num_hidden_layers = 3
    LlamaForCausalLM(config).save_pretrained(folder)
    with pytest.raises(ModelError, match="has layers 3 and base 2"):
        carry_out(job(tmp_path, base, rows(2), weights=folder))


def test_too_large_for_the_memory(base: Path) -> None:
    facts, data = check_model(base), rows(20)
    needed = estimate(facts, FEW, data)
    check_room(needed, needed.memory_bytes)
    with pytest.raises(ModelError, match=r"Training needs about .* are free; make batch smaller"):
        check_room(needed, needed.memory_bytes - 1)
    two = estimate(facts, replace(FEW, processes=2), data)
    assert 1.9 * needed.memory_bytes < two.memory_bytes < 2 * needed.memory_bytes
    on_gpus = estimate(facts, replace(FEW, processes=2), data, on_gpu=True)
    assert on_gpus.memory_bytes == two.memory_bytes // 2
    with pytest.raises(
        ModelError, match=r"Training in 2 processes needs about .* are free; set fewer"
    ):
        check_room(two, needed.memory_bytes, processes=2)
    larger = estimate(facts, replace(FEW, batch=16, sequence_length=1024), data)
    saving = estimate(facts, replace(FEW, batch=16, gradient_checkpointing=True), data)
    assert larger.memory_bytes > needed.memory_bytes and saving.memory_bytes < larger.memory_bytes
    assert estimate(facts, FEW, data, flops=1e9).seconds
