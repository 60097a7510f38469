"""The recipe, run from end to end at a tiny size, makes files that hold what was trained."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from llamadiff.models.adapters.preflight import check_fit
from llamadiff.models.adapters.training import read_training
from llamadiff.models.gguf.check import check_adapter, check_model
from llamadiff.models.hashing import sha256_file
from recipe.__main__ import main
from recipe.card import write_card
from recipe.make import bundled
from recipe.scale import TINY
from recipe.tasks import TASKS

from ..warm import warm

pytestmark = pytest.mark.timeout(600)
"""It trains five times, and other tests may run beside it."""
NAMES = [task.name for task in TASKS]
CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Repeat: 12 + 345"},
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the tiny recipe worked in; what it made is in ``out``."""
    folder = tmp_path_factory.mktemp("recipe")
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        warm(patch)
        main(["make", "--tiny", "--work", str(folder), "--out", str(folder / "out")])
    names = [Path(line).name for line in said.getvalue().splitlines() if line.endswith(".gguf")]
    assert names == [f"{TINY.name}-Q8_0.gguf", *(f"{name}.gguf" for name in NAMES)]
    return folder


@pytest.fixture(scope="module")
def base(made: Path) -> Path:
    return bundled(made / "out") / f"{TINY.name}-Q8_0.gguf"


def test_the_base_file_says_what_it_is(base: Path) -> None:
    facts = check_model(base)
    assert facts.architecture == "llama"
    assert (facts.layers, facts.embedding, facts.heads, facts.kv_heads) == (2, 64, 2, 1)
    assert (facts.context, facts.vocab_size, facts.quantization) == (1024, 512, "Q8_0")
    assert not facts.tied_embeddings
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
    assert float((want - got).abs().mean()) < 0.005 * float(want.max() - want.min())
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


@pytest.mark.parametrize("name", NAMES)
def test_each_adapter_fits_the_base_and_changes_it(made: Path, base: Path, name: str) -> None:
    path = bundled(made / "out") / f"{name}.gguf"
    adapter = check_adapter(path)
    check_fit(adapter, check_model(base))
    assert adapter.base == TINY.name
    changed = [t for t in GGUFReader(path).tensors if t.name.endswith("lora_b") and np.any(t.data)]
    assert len(changed) == len(adapter.targets) * TINY.layers > 0
    said = read_training(path)
    assert said.steps == TINY.adapter_steps
    assert said.losses[-1][0] == TINY.adapter_steps
    assert said.data_checks[0].startswith("32 chats were checked")
    assert said.peak_bytes and said.peak_bytes > 1 << 20 and said.seconds


def test_the_loss_falls_and_is_recorded(made: Path) -> None:
    record = json.loads((made / "base" / "training.json").read_text())
    assert json.loads((made / "out" / "training.json").read_text()) == {"base": record}
    assert record["steps"] == TINY.steps
    assert 0.9 < record["tokens"] / (TINY.steps * TINY.tokens_per_step) < 1
    assert record["losses"][-1][0] == TINY.steps
    assert record["losses"][-1][1] < 6.0
    lines = (made / "base" / "losses.jsonl").read_text().splitlines()
    assert [tuple(json.loads(line).values()) for line in lines] == [*map(tuple, record["losses"])]


def test_suites_prompts_and_rows_are_written_beside_the_models(made: Path) -> None:
    out = made / "out"
    for name in NAMES:
        assert (out / "compare" / "suites" / f"{name}.toml").is_file()
        assert len((out / "compare" / "suites" / f"{name}.jsonl").read_text().splitlines()) >= 150
        assert (out / "prompts" / "library" / f"{name}-engineered.toml").is_file()


def test_the_card_is_written_of_what_was_made(made: Path, base: Path) -> None:
    not_shown = write_card(made / "out", rows=2)
    assert not_shown, "so little training shows nothing"
    card = (base.parent / "README.md").read_text(encoding="utf-8")
    for path in sorted(base.parent.glob("*.gguf")):
        assert f"`{path.name}`" in card and f"{path.stat().st_size:,}" in card
        assert sha256_file(path, None) in card
    lines = [line.split(" | ") for line in card.splitlines() if line.startswith("| intake |")]
    assert [len(line) for line in lines[:4]] == [8, 6, 8, 8]
    assert all(cell.count("–") == 1 for cell in lines[0][1:])
