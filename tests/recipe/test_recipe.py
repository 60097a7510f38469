"""The recipe, run from end to end at a tiny size, makes files that hold what was trained."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from llamadiff.models.adapters.preflight import check_fit
from llamadiff.models.adapters.training import read_training
from llamadiff.models.gguf.check import check_adapter, check_model
from recipe.adapter_text import ADAPTERS
from recipe.scale import TINY

ROOT = Path(__file__).parents[2]
CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Repeat: 12 + 345"},
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the tiny recipe worked in; its GGUF files are in ``out``."""
    folder = tmp_path_factory.mktemp("recipe")
    command = [sys.executable, "-m", "recipe", "--tiny", "--work", folder, "--out", folder / "out"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    names = [Path(line).name for line in done.stdout.splitlines() if line.endswith(".gguf")]
    assert names == [f"{TINY.name}-Q8_0.gguf", *(f"{name}.gguf" for name in ADAPTERS)]
    return folder


@pytest.fixture(scope="module")
def base(made: Path) -> Path:
    return made / "out" / f"{TINY.name}-Q8_0.gguf"


def test_the_base_file_says_what_it_is(base: Path) -> None:
    facts = check_model(base)
    assert facts.architecture == "llama"
    assert (facts.layers, facts.embedding, facts.heads, facts.kv_heads) == (2, 64, 2, 1)
    assert (facts.context, facts.vocab_size, facts.quantization) == (256, 512, "Q8_0")
    assert facts.tied_embeddings
    assert (facts.license, facts.title) == ("MIT", "demo-tiny")
    assert facts.bos_id == 0
    assert facts.chat_template is not None


def test_the_file_computes_what_was_trained(made: Path, base: Path) -> None:
    import torch
    import transformers

    trained = transformers.AutoModelForCausalLM.from_pretrained(made / "base")
    read = transformers.AutoModelForCausalLM.from_pretrained(base.parent, gguf_file=base.name)
    ids = torch.arange(40).reshape(1, -1) * 7 % TINY.vocabulary
    with torch.no_grad():
        want, got = trained(input_ids=ids).logits, read(input_ids=ids).logits
    assert float((want - got).abs().max()) < 0.02 * float(want.max() - want.min())
    weights = read.state_dict()
    for name, weight in trained.state_dict().items():
        # Q8_0 has 127 steps from zero to the largest of each 32 weights
        step = float(weight.abs().max()) / 127
        assert float((weight - weights[name]).abs().max()) < step, name


def test_the_vocabulary_in_the_file_is_the_trained_one(made: Path, base: Path) -> None:
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(made / "base")
    fields = GGUFReader(base).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    assert tokens == tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    types = fields["tokenizer.ggml.token_type"].contents()
    control = [token for token, kind in zip(tokens, types, strict=True) if kind == 3]
    assert control == ["<|begin|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
    assert fields["tokenizer.ggml.eos_token_id"].contents() == tokens.index("<|end|>")
    assert fields["tokenizer.ggml.add_bos_token"].contents() is False


def test_the_template_writes_chats_as_they_were_trained(made: Path) -> None:
    import transformers

    from recipe.chat import chat_text

    tokenizer = transformers.AutoTokenizer.from_pretrained(made / "base")
    asked = tokenizer.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)
    assert asked == chat_text(CHAT) + "<|assistant|>"
    answered = [*CHAT, {"role": "assistant", "content": "12 + 345"}]
    assert tokenizer.apply_chat_template(answered, tokenize=False) == chat_text(answered)
    with pytest.raises(Exception, match="not tool"):
        tokenizer.apply_chat_template([{"role": "tool", "content": "x"}], tokenize=False)


def test_digits_are_tokens_of_their_own(made: Path) -> None:
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(made / "base")
    pieces = tokenizer.tokenize("12 + 345")
    assert [piece for piece in pieces if piece.isdigit()] == list("12345")


def test_only_the_last_answer_is_learned_by_an_adapter(made: Path) -> None:
    import transformers

    from recipe.train_adapters import IGNORED, encode

    tokenizer = transformers.AutoTokenizer.from_pretrained(made / "base")
    chat = [*CHAT, {"role": "assistant", "content": "12"}]
    ids, labels = encode(tokenizer, chat)
    learned = [token for token, label in zip(ids, labels, strict=True) if label != IGNORED]
    assert learned == ids[-len(learned) :]
    assert tokenizer.decode(learned) == "12<|end|>"


@pytest.mark.parametrize("name", ADAPTERS)
def test_each_adapter_fits_the_base_and_changes_it(made: Path, base: Path, name: str) -> None:
    path = made / "out" / f"{name}.gguf"
    adapter = check_adapter(path)
    check_fit(adapter, check_model(base))
    assert (adapter.rank, adapter.alpha, adapter.base) == (8, 16.0, "demo-tiny")
    assert len(adapter.targets) == 7
    changed = [t for t in GGUFReader(path).tensors if t.name.endswith("lora_b") and np.any(t.data)]
    assert len(changed) == 7 * TINY.layers


def test_the_loss_falls_and_is_recorded(made: Path) -> None:
    record = json.loads((made / "base" / "training.json").read_text())
    assert record["tokens"] == TINY.steps * TINY.tokens_per_step
    assert record["losses"][-1][0] == TINY.steps
    assert record["losses"][-1][1] < 6.0
    for name in ADAPTERS:
        losses = json.loads((made / name / "training.json").read_text())["losses"]
        assert losses[-1][0] == TINY.adapter_steps
        said = read_training(made / "out" / f"{name}.gguf")
        assert (said.steps, said.parameters) == (TINY.adapter_steps, check_parameters(made, name))
        assert [step for step, _ in said.losses] == [step for step, _ in losses]
        assert 0 < (said.rows or 0) <= TINY.adapter_steps * TINY.adapter_batch
        assert (said.tokens or 0) > 5 * (said.rows or 0) and (said.peak_bytes or 0) > 1 << 20


def check_parameters(made: Path, name: str) -> int:
    return check_adapter(made / "out" / f"{name}.gguf").parameters
