"""PEFT folders become GGUF adapters that mean the same, or are refused in one sentence."""

import dataclasses
import hashlib
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from safetensors.numpy import save_file

from llamadiff.models.adapters.convert import OutType, convert
from llamadiff.models.adapters.names import rotary_rows
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_adapter
from llamadiff.models.gguf.facts import ModelFacts

LAYERS, HEADS, KV_HEADS, HEAD_DIM, WIDTH, HIDDEN = 2, 4, 2, 8, 32, 48
SHAPES = {
    "attn_q": (WIDTH, HEADS * HEAD_DIM),
    "attn_k": (WIDTH, KV_HEADS * HEAD_DIM),
    "attn_v": (WIDTH, KV_HEADS * HEAD_DIM),
    "attn_output": (HEADS * HEAD_DIM, WIDTH),
    "ffn_gate": (WIDTH, HIDDEN),
    "ffn_up": (WIDTH, HIDDEN),
    "ffn_down": (HIDDEN, WIDTH),
}
CONFIG: dict[str, Any] = {
    "peft_type": "LORA",
    "lora_alpha": 6,
    "r": 4,
    "bias": "none",
    "modules_to_save": None,
}


def facts(architecture: str = "llama", tied: bool = True) -> ModelFacts:
    shapes = {
        f"blk.{layer}.{name}.weight": shape
        for layer in range(LAYERS)
        for name, shape in SHAPES.items()
    }
    shapes["token_embd.weight"] = (WIDTH, 100)
    if not tied:
        shapes["output.weight"] = (WIDTH, 100)
    return ModelFacts(
        name="base",
        path=Path("base.gguf"),
        parts=(Path("base.gguf"),),
        title="Base One",
        license=None,
        architecture=architecture,
        parameters=1,
        quantization="F32",
        bytes=1,
        context=64,
        layers=LAYERS,
        embedding=WIDTH,
        heads=HEADS,
        kv_heads=KV_HEADS,
        key_length=HEAD_DIM,
        value_length=HEAD_DIM,
        kv_per_token=1,
        vocab_size=100,
        tied_embeddings=tied,
        bos_id=0,
        eos_id=1,
        chat_templates={},
        shapes=shapes,
        bytes_by_type={},
    )


def pair(module: str, rank: int = 4, seed: int = 0) -> dict[str, np.ndarray]:
    """A random pair for one of PEFT's modules of layer 1."""
    names = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "down_proj": "ffn_down"}
    row, rows = SHAPES[names[module]]
    parent = "mlp" if module == "down_proj" else "self_attn"
    key = f"base_model.model.model.layers.1.{parent}.{module}"
    random = np.random.default_rng(seed)
    return {
        f"{key}.lora_A.weight": random.normal(size=(rank, row)).astype(np.float32),
        f"{key}.lora_B.weight": random.normal(size=(rows, rank)).astype(np.float32),
    }


def save(folder: Path, tensors: dict[str, np.ndarray], **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(CONFIG | changes))
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder


def read(path: Path) -> dict[str, np.ndarray]:
    return {tensor.name: np.array(tensor.data) for tensor in GGUFReader(path).tensors}


def rotate(x: np.ndarray, position: int, neighbours: bool) -> np.ndarray:
    """Rotary position embedding of one head, in either of the two orders."""
    half = x.size // 2
    angles = position * 10000.0 ** (-np.arange(half) / half)
    one, two = (x[0::2], x[1::2]) if neighbours else (x[:half], x[half:])
    turned = (
        one * np.cos(angles) - two * np.sin(angles),
        two * np.cos(angles) + one * np.sin(angles),
    )
    if neighbours:
        return np.stack(turned, axis=1).ravel()
    return np.concatenate(turned)


def test_attention_is_the_same_in_both_rotary_orders() -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=WIDTH), random.normal(size=WIDTH)
    weight = random.normal(size=(HEADS * HEAD_DIM, WIDTH))
    moved = rotary_rows(weight, HEADS)

    def scores(matrix: np.ndarray, neighbours: bool) -> list[float]:
        q, k = (matrix @ x).reshape(HEADS, -1), (matrix @ y).reshape(HEADS, -1)
        return [
            float(rotate(q[h], 7, neighbours) @ rotate(k[h], 3, neighbours)) for h in range(HEADS)
        ]

    np.testing.assert_allclose(scores(moved, True), scores(weight, False), rtol=1e-10)
    assert not np.allclose(scores(weight, True), scores(weight, False))


def test_rotary_rows_go_by_the_heads_of_q_and_of_k(tmp_path: Path) -> None:
    tensors = pair("q_proj") | pair("k_proj") | pair("v_proj")
    out = tmp_path / "out.gguf"
    convert(save(tmp_path / "peft", tensors), out, facts(), name="one", outtype="f32")
    got = read(out)
    key = "base_model.model.model.layers.1.self_attn."
    for module, name, heads in (("q_proj", "attn_q", HEADS), ("k_proj", "attn_k", KV_HEADS)):
        b = tensors[f"{key}{module}.lora_B.weight"]
        # rows of the first head: 0, 4, 1, 5, 2, 6, 3, 7
        np.testing.assert_array_equal(got[f"blk.1.{name}.weight.lora_b"][1], b[HEAD_DIM // 2])
        np.testing.assert_array_equal(
            got[f"blk.1.{name}.weight.lora_b"][-HEAD_DIM], b[(heads - 1) * HEAD_DIM]
        )
        np.testing.assert_array_equal(
            got[f"blk.1.{name}.weight.lora_a"], tensors[f"{key}{module}.lora_A.weight"]
        )
    np.testing.assert_array_equal(
        got["blk.1.attn_v.weight.lora_b"], tensors[f"{key}v_proj.lora_B.weight"]
    )


def test_the_file_is_an_adapter_with_a_float32_alpha(tmp_path: Path) -> None:
    out = tmp_path / "out.gguf"
    convert(save(tmp_path / "peft", pair("down_proj")), out, facts(), name="one")
    fields = GGUFReader(out).fields
    assert fields["adapter.lora.alpha"].types == [GGUFValueType.FLOAT32]
    assert fields["adapter.type"].contents() == "lora"
    assert fields["general.name"].contents() == "one"
    assert read(out)["blk.1.ffn_down.weight.lora_a"].dtype == np.float16
    adapter = check_adapter(out)
    assert (adapter.alpha, adapter.rank, adapter.base) == (6.0, 4, "Base One")
    assert adapter.targets == ("ffn_down",)


@pytest.mark.parametrize(
    ("changes", "rank", "scale"),
    [
        ({}, 4, 6 / 4),
        ({"use_rslora": True}, 4, 6 / math.sqrt(4)),
        ({"rank_pattern": {"v_proj": 2}}, 2, 6 / 2),
        ({"alpha_pattern": {"v_proj": 10}}, 4, 10 / 4),
        ({"alpha_pattern": {"q_proj": 10}}, 4, 6 / 4),
        ({"alpha_pattern": {r"layers\.1\..*v_proj": 10}, "use_rslora": True}, 4, 10 / 2),
    ],
)
def test_the_true_scale_is_baked_in(
    tmp_path: Path, changes: dict[str, Any], rank: int, scale: float
) -> None:
    tensors = pair("v_proj", rank)
    out = tmp_path / "out.gguf"
    convert(save(tmp_path / "peft", tensors, **changes), out, facts(), name="one", outtype="f32")
    a, b = tensors.values()
    got = read(out)
    got_a, got_b = got["blk.1.attn_v.weight.lora_a"], got["blk.1.attn_v.weight.lora_b"]
    alpha = check_adapter(out).alpha
    assert alpha is not None
    np.testing.assert_allclose(got_b @ got_a * alpha / rank, b @ a * scale, rtol=1e-4, atol=1e-5)


def test_bfloat16_weights_are_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_torch

    tensors = pair("v_proj")
    folder = save(tmp_path / "peft", tensors)
    halved = {key: torch.tensor(value).bfloat16() for key, value in tensors.items()}
    save_torch(halved, folder / "adapter_model.safetensors")
    out = tmp_path / "out.gguf"
    convert(folder, out, facts(), name="one", outtype="f32")
    a = next(iter(halved.values())).float().numpy()
    np.testing.assert_array_equal(read(out)["blk.1.attn_v.weight.lora_a"], a)


def test_every_change_equals_what_peft_computes(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    peft = pytest.importorskip("peft")
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        vocab_size=100,
        hidden_size=WIDTH,
        intermediate_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS,
    )
    lora = peft.LoraConfig(
        r=4,
        lora_alpha=6,
        use_rslora=True,
        target_modules="all-linear",
        rank_pattern={"k_proj": 2},
        alpha_pattern={r"layers\.0\.mlp\.up_proj": 3},
    )
    torch.manual_seed(0)
    model = peft.get_peft_model(transformers.LlamaForCausalLM(config), lora)
    expected: dict[str, np.ndarray] = {}
    for name, module in model.named_modules():
        if hasattr(module, "get_delta_weight") and "default" in module.lora_B:
            torch.nn.init.normal_(module.lora_B["default"].weight)
            expected[name.removeprefix("base_model.model.")] = (
                module.get_delta_weight("default").detach().numpy()
            )
    model.save_pretrained(tmp_path / "peft")
    out = tmp_path / "out.gguf"
    convert(tmp_path / "peft", out, facts(), name="one", outtype="f32")
    got, alpha = read(out), check_adapter(out).alpha
    assert alpha is not None
    assert len(expected) == len(got) // 2 == LAYERS * 7
    names = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output"}
    for module, delta in expected.items():
        _, _, layer, _, short = module.split(".")
        name = names.get(short) or f"ffn_{short.removesuffix('_proj')}"
        a = got[f"blk.{layer}.{name}.weight.lora_a"]
        b = got[f"blk.{layer}.{name}.weight.lora_b"]
        heads = {"q_proj": HEADS, "k_proj": KV_HEADS}.get(short)
        want = rotary_rows(delta, heads) if heads else delta
        np.testing.assert_allclose(b @ a * alpha / a.shape[0], want, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"peft_type": "IA3"}, "is IA3, not LoRA"),
        ({"peft_type": "PREFIX_TUNING"}, "is PREFIX_TUNING, not LoRA"),
        ({"peft_type": 3}, "of no known kind"),
        ({"task_type": "SEQ_CLS"}, "task SEQ_CLS"),
        ({"use_dora": True}, "uses DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "biases"),
        ({"lora_bias": True}, "biases"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out"),
        ({"layer_replication": [[0, 2], [1, 2]]}, "layer_replication"),
        ({"trainable_token_indices": [1]}, "trainable_token_indices"),
        ({"target_parameters": ["mlp.experts.down_proj"]}, "target_parameters"),
        ({"alora_invocation_tokens": [1, 2]}, "alora_invocation_tokens"),
        ({"init_lora_weights": "pissa_niter_4"}, "pissa"),
        ({"init_lora_weights": "lora_ga"}, "lora_ga"),
        ({"lora_alpha": 0}, "lora_alpha of 0"),
        ({"lora_alpha": "six"}, "lora_alpha that is not a number"),
        ({"lora_alpha": 10**400}, "lora_alpha that is not a number"),
        ({"lora_alpha": math.nan}, "lora_alpha that is not a number"),
        ({"r": 0}, "r that is not a whole number"),
        ({"r": "4"}, "r that is not a whole number"),
        ({"r": 8}, "gives model.layers.1.self_attn.v_proj rank 8 and its weights have 4"),
        ({"use_rslora": "yes"}, "use_rslora that is not true or false"),
        ({"rank_pattern": ["v_proj"]}, "rank_pattern that is not a table"),
        ({"rank_pattern": {"v_proj": 2.5}}, "rank_pattern that is not a whole number"),
        ({"alpha_pattern": "v_proj"}, "alpha_pattern that is not a table"),
        ({"alpha_pattern": {"v_proj": None}}, "alpha_pattern that is not a number"),
        ({"alpha_pattern": {"v_proj": True}}, "alpha_pattern that is not a number"),
        ({"alpha_pattern": {"(": 2}}, "not a regular expression"),
    ],
)
def test_what_a_gguf_adapter_cannot_hold_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"), **changes)
    refused(folder, facts(), words)


def test_a_pattern_that_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamadiff.models.adapters.patterns.DEADLINE_S", 0.5)
    hostile = {r"(\w+\.?)+(\w+\.?)+(\w+\.?)+!": 2}
    folder = save(tmp_path / "peft", pair("v_proj"), alpha_pattern=hostile)
    before = time.monotonic()
    refused(folder, facts(), "too long to match")
    assert time.monotonic() - before < 5


def test_settings_nobody_knows_are_mentioned(tmp_path: Path) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"), use_magic=True, other_magic=None)
    converted = convert(folder, tmp_path / "out.gguf", facts(), name="one")
    assert converted.pairs == 1
    (note,) = converted.notes
    assert "sets use_magic, which llamadiff does not know" in note


def test_tensors_that_are_no_plain_pair_are_refused(tmp_path: Path) -> None:
    tensors = pair("v_proj")
    key = next(iter(tensors))
    prefix = "base_model.model.model."

    def odd(name: str, words: str, extra: dict[str, np.ndarray]) -> None:
        refused(save(tmp_path / name, tensors | extra), facts(), words)

    refused(save(tmp_path / "half", {key: tensors[key]}), facts(), "half a pair")
    magnitude = f"{prefix}layers.1.mlp.up_proj.lora_magnitude_vector"
    odd("dora", "uses DoRA", {magnitude: np.ones(3)})
    odd("bias", "trains biases", {f"{prefix}layers.1.mlp.up_proj.lora_B.bias": np.ones(3)})
    odd("whole", "vocabulary was resized", {f"{prefix}embed_tokens.weight": np.ones((4, 9))})
    odd("other", "not half of a plain LoRA", {f"{prefix}norm.weight": np.ones(4)})
    odd("half2", "half a pair", {f"{prefix}embed_tokens.lora_embedding_A": np.ones((4, 9))})
    odd("nan", "NaN", {key: tensors[key] * np.nan})
    odd("infinite", "infinity", {key: np.full((4, WIDTH), np.inf)})
    odd("too large", "infinity", {key: np.full((4, WIDTH), 1e300)})
    odd("whole numbers", "I8", {key: tensors[key].astype(np.int8)})
    odd("flat", "are no LoRA pair", {key: np.ones(WIDTH, np.float32)})
    odd("empty", "are no LoRA pair", {key: np.ones((0, WIDTH), np.float32)})
    odd("ranks", "A of .* has rank 8 and B 4", {key: np.ones((8, WIDTH), np.float32)})
    refused(save(tmp_path / "none", {}), facts(), "no LoRA tensors")


def test_numbers_past_the_type_are_refused(tmp_path: Path) -> None:
    tensors = pair("v_proj")
    key = next(iter(tensors))
    tensors[key] *= 1e6
    folder = save(tmp_path / "peft", tensors)
    refused(folder, facts(), "too large for f16; convert it with outtype bf16 or f32")
    convert(folder, tmp_path / "out.gguf", facts(), outtype="bf16")


@pytest.mark.parametrize(
    ("outtype", "scale", "changes", "words"),
    [
        ("q8_0", 2e5, {}, "too large for f16; convert it with outtype bf16 or f32"),
        ("bf16", 3.4e38, {}, "too large for bf16; convert it with outtype f32"),
        ("f16", 3.4e38, {}, "too large for f16; convert it with outtype f32"),
        ("f32", 1e28, {"alpha_pattern": {"v_proj": 1e29}}, "past what float32 holds"),
    ],
)
def test_no_file_has_infinities(
    tmp_path: Path, outtype: OutType, scale: float, changes: dict[str, Any], words: str
) -> None:
    tensors = pair("v_proj", rank=8)  # rows of B, 8 numbers, fill no block of Q8_0
    key = next(key for key in tensors if "lora_B" in key)
    tensors[key] = np.full_like(tensors[key], scale)
    folder = save(tmp_path / "peft", tensors, r=8, **changes)
    out = tmp_path / "out.gguf"
    with pytest.raises(ModelError, match=words):
        convert(folder, out, facts(), outtype=outtype)
    if not changes:
        convert(folder, out, facts(), outtype="f32")
        assert all(np.isfinite(values).all() for values in read(out).values())


@pytest.mark.parametrize("alpha", [1e-46, -1e-46, 1e-40])
def test_an_alpha_that_float32_does_not_hold_is_refused(tmp_path: Path, alpha: float) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"), lora_alpha=alpha)
    refused(folder, facts(), "with which it changes nothing")


def test_an_adapter_of_another_base_is_refused(tmp_path: Path) -> None:
    tensors = pair("v_proj")
    folder = save(tmp_path / "one", tensors)
    refused(folder, facts("gptneox"), "architecture gptneox, whose adapters")

    def renamed(name: str, old: str, new: str, words: str) -> None:
        other = {key.replace(old, new): value for key, value in tensors.items()}
        refused(save(tmp_path / name, other), facts(), words)

    renamed("deep", "layers.1", "layers.9", r"layers\.9.*, which base does not have")
    renamed("seeing", "model.layers", "vision_tower.encoder.layers", "sees images")
    renamed("mixture", "self_attn.v_proj", "mlp.experts.3.up_proj", "expert of a mixture")
    wide = {key: np.ones((value.shape[0] * 2, value.shape[1])) for key, value in tensors.items()}
    wide |= {key: value for key, value in tensors.items() if "lora_A" in key}
    refused(save(tmp_path / "wide", wide), facts(), "v_proj is 32 × 32 in the adapter and 16 × 32")


def test_the_output_layer_where_it_is_one(tmp_path: Path) -> None:
    head = {
        "base_model.model.lm_head.lora_A.weight": np.ones((4, WIDTH)),
        "base_model.model.lm_head.lora_B.weight": np.ones((100, 4)),
        "base_model.model.lm_head.base_layer.weight": np.ones((100, WIDTH)),
    }
    folder = save(tmp_path / "head", head)
    refused(folder, facts(), "also the token embedding")
    convert(folder, tmp_path / "head.gguf", facts(tied=False), name="head")
    assert check_adapter(tmp_path / "head.gguf").targets == ("output",)


def test_the_token_embedding_where_it_is_not_the_output(tmp_path: Path) -> None:
    a = np.arange(400, dtype=np.float32).reshape(4, 100)
    key = "base_model.model.model.embed_tokens.lora_embedding_"
    folder = save(tmp_path / "embedding", {f"{key}A": a, f"{key}B": np.ones((WIDTH, 4))})
    refused(folder, facts(), "also the output layer")
    convert(folder, tmp_path / "embedding.gguf", facts(tied=False), outtype="f32")
    np.testing.assert_array_equal(
        read(tmp_path / "embedding.gguf")["token_embd.weight.lora_a"], a.T
    )
    assert check_adapter(tmp_path / "embedding.gguf").targets == ("token_embd",)


def test_missing_and_damaged_files_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", facts(), "does not exist")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", facts(), "no adapter_config.json")
    folder = save(tmp_path / "peft", pair("v_proj"))
    refused(folder / "adapter_config.json", facts(), "is not a folder")
    save(tmp_path / "several", {}).rename(tmp_path / "empty" / "one")
    refused(tmp_path / "empty", facts(), "folders of their own; give one of one")
    weights = folder / "adapter_model.safetensors"
    weights.rename(folder / "adapter_model.bin")
    refused(folder, facts(), "a pickle .*safe_serialization=True")
    (folder / "adapter_model.bin").unlink()
    refused(folder, facts(), "has no adapter_model.safetensors")
    for text in ("{", "[]", "[" * 100_000, "\xff"):
        (folder / "adapter_config.json").write_bytes(text.encode("latin-1"))
        refused(folder, facts(), "is not JSON|does not hold a config")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda whole: b"", "cut off"),
        (lambda whole: whole[:7], "cut off"),
        (lambda whole: whole[:200], "cut off"),
        (lambda whole: whole[:-1], "cut off: it has"),
        (lambda whole: whole + b"more", "follow its last tensor"),
        (lambda whole: (1 << 62).to_bytes(8, "little") + whole[8:], "cut off"),
        (lambda whole: (5 << 20).to_bytes(8, "little") + bytes(6 << 20), "claims"),
        (lambda whole: whole.replace(b'"F32"', b'"F3"  ', 1), "as F3"),
        (lambda whole: whole.replace(b'"F32"', b'"F16"', 1), "not that of its shape"),
        (lambda whole: whole.replace(b'"F32"', b"  321", 1), "is not described"),
        (lambda whole: whole.replace(b"[4,32]", b"[4,-2]", 1), "is not described"),
        (lambda whole: whole.replace(b"[4,32]", b"[4,1e9", 1), "not JSON"),
        (lambda whole: whole.replace(b"[0,512]", b"[8,520]", 1), "out of place"),
        (lambda whole: whole.replace(b"lora_A", b"lora_B", 1), "not JSON"),
        (lambda whole: whole[:8] + whole[8:].replace(b"{", b"[", 1), "not JSON"),
    ],
)
def test_hostile_weights_are_refused(tmp_path: Path, edit: Any, words: str) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"))
    weights = folder / "adapter_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(edit(whole))
    assert weights.read_bytes() != whole
    refused(folder, facts(), words)


def shard(folder: Path) -> Path:
    """Spread the weights over two files and an index, as transformers does."""
    weights = folder / "adapter_model.safetensors"
    from safetensors.numpy import load_file

    tensors = load_file(weights)
    weights.unlink()
    places = {
        key: f"adapter_model-{number % 2 + 1:05d}-of-00002.safetensors"
        for number, key in enumerate(sorted(tensors))
    }
    for name in set(places.values()):
        save_file({k: v for k, v in tensors.items() if places[k] == name}, folder / name)
    index = folder / "adapter_model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return index


def test_sharded_weights_are_the_same_adapter(tmp_path: Path) -> None:
    folder = save(tmp_path / "peft", pair("v_proj") | pair("down_proj"))
    convert(folder, tmp_path / "whole.gguf", facts())
    shard(folder)
    convert(folder, tmp_path / "sharded.gguf", facts())
    whole, sharded = read(tmp_path / "whole.gguf"), read(tmp_path / "sharded.gguf")
    assert whole.keys() == sharded.keys()
    for key, values in whole.items():
        np.testing.assert_array_equal(values, sharded[key])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../secret.safetensors", "names the file"),
        ("/etc/passwd", "names the file"),
        ("missing.safetensors", "lacks missing.safetensors"),
        (7, "names the file"),
    ],
)
def test_an_index_leads_nowhere_else(tmp_path: Path, name: object, words: str) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"))
    index = shard(folder)
    document = json.loads(index.read_text())
    document["weight_map"][next(iter(document["weight_map"]))] = name
    index.write_text(json.dumps(document))
    (tmp_path / "secret.safetensors").write_bytes(b"")
    refused(folder, facts(), words)


def test_an_index_that_names_more_than_there_is(tmp_path: Path) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"))
    index = shard(folder)
    document = json.loads(index.read_text())
    document["weight_map"]["another"] = next(iter(document["weight_map"].values()))
    index.write_text(json.dumps(document))
    refused(folder, facts(), "lacks another, which its index names")


def test_where_it_is_from_is_recorded(tmp_path: Path) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"), base_model_name_or_path="org/Base-1B")
    path = tmp_path / "base.gguf"
    base = dataclasses.replace(facts(), path=path, parts=(path,))
    base.path.write_bytes(b"base")
    convert(folder, tmp_path / "out.gguf", base, cache_dir=tmp_path / "cache")
    fields = GGUFReader(tmp_path / "out.gguf").fields
    found = {key: field.contents() for key, field in fields.items()}
    digest = hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()
    assert found["general.name"] == "peft"
    assert found["general.base_model.0.name"] == "Base One"
    assert found["general.base_model.0.repo_url"] == "https://huggingface.co/org/Base-1B"
    assert found["llamadiff.source.folder"] == "peft"
    assert found["llamadiff.source.files"] == ["adapter_model.safetensors"]
    assert found["llamadiff.source.sha256"] == [digest]
    assert found["llamadiff.base.file"] == "base.gguf"
    assert found["llamadiff.base.sha256"] == hashlib.sha256(b"base").hexdigest()
    assert found["llamadiff.version"]
    assert not [key for key, value in found.items() if str(tmp_path) in str(value)]


def test_an_adapter_that_is_there_is_replaced_and_a_model_is_not(
    write_model: Callable[..., Path], tmp_path: Path
) -> None:
    folder, out = save(tmp_path / "peft", pair("v_proj")), tmp_path / "out.gguf"
    convert(folder, out, facts())
    before = out.stat().st_ino
    convert(folder, out, facts())
    assert out.stat().st_ino != before
    model = write_model("model.gguf")
    was = model.read_bytes()
    with pytest.raises(ModelError, match="is there and no adapter, so it is not replaced"):
        convert(folder, model, facts())
    assert model.read_bytes() == was


def test_a_hubs_snapshot_goes_by_its_repository(tmp_path: Path) -> None:
    folder = tmp_path / "models--org--poet-lora" / "snapshots" / ("a" * 40)
    folder.mkdir(parents=True)
    convert(save(folder, pair("v_proj")), tmp_path / "out.gguf", facts())
    fields = GGUFReader(tmp_path / "out.gguf").fields
    assert fields["general.name"].contents() == "poet-lora"
    assert fields["llamadiff.source.folder"].contents() == "org/poet-lora"


def test_a_path_is_not_taken_for_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models" / "base").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    folder = save(tmp_path / "peft", pair("v_proj"), base_model_name_or_path="models/base")
    convert(folder, tmp_path / "out.gguf", facts())
    fields = GGUFReader(tmp_path / "out.gguf").fields
    assert "general.base_model.0.repo_url" not in fields


def test_layers_with_heads_of_their_own_are_refused(tmp_path: Path) -> None:
    base = dataclasses.replace(facts(), kv_heads=KV_HEADS * 2)  # the widest layer's
    refused(save(tmp_path / "peft", pair("k_proj")), base, "whose layers differ")


@pytest.mark.parametrize(
    ("outtype", "kinds"),
    [
        ("f32", {"F32"}),
        ("f16", {"F16"}),
        ("bf16", {"BF16"}),
        ("q8_0", {"Q8_0", "F16"}),  # rows of B are as long as the rank
    ],
)
def test_types(tmp_path: Path, outtype: OutType, kinds: set[str]) -> None:
    tensors = pair("v_proj")
    folder = save(tmp_path / "peft", tensors)
    out = tmp_path / "out.gguf"
    convert(folder, out, facts(), outtype=outtype)
    assert {tensor.tensor_type.name for tensor in GGUFReader(out).tensors} == kinds
    assert check_adapter(out).rank == 4


def test_progress_is_told_and_can_end_it(tmp_path: Path) -> None:
    folder = save(tmp_path / "peft", pair("v_proj") | pair("down_proj"))
    told: list[tuple[str, int, int]] = []
    convert(folder, tmp_path / "out.gguf", facts(), progress=lambda *it: told.append(it))
    done = [it[1] for it in told]
    assert done[0] == 0 and done == sorted(done) and len({total for _, _, total in told}) == 1
    assert done[-1] > 0.9 * told[-1][2]
    assert list(dict.fromkeys(what for what, _, _ in told)) == ["hashing peft", "converting"]
    (tmp_path / "out.gguf").unlink()

    def stop(what: str, done: int, total: int) -> None:
        if done > 0.8 * total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(folder, tmp_path / "out.gguf", facts(), progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["peft"]


def test_the_base_is_hashed_with_progress_and_can_be_stopped(tmp_path: Path) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"))
    parts = tuple(tmp_path / f"base-0000{number}-of-00002.gguf" for number in (1, 2))
    for part in parts:
        part.write_bytes(part.name.encode() * 500_000)
    base = dataclasses.replace(facts(), path=parts[0], parts=parts)
    hashes = [hashlib.sha256(part.read_bytes()).hexdigest() for part in parts]
    told: list[tuple[str, int, int]] = []

    class Stopped(Exception):
        pass

    def stop(what: str, done: int, total: int) -> None:
        told.append((what, done, total))
        if done > 20_000_000:
            raise Stopped

    out, cache = tmp_path / "out.gguf", tmp_path / "cache"
    with pytest.raises(Stopped):
        convert(folder, out, base, cache_dir=cache, progress=stop)
    assert len(told) > 3 and all(total > 20_000_000 for _, _, total in told)
    assert {what for what, _, _ in told} == {"hashing base-00001-of-00002.gguf"}
    assert not out.exists()
    told.clear()
    convert(folder, out, base, cache_dir=cache, progress=lambda *it: told.append(it))
    assert check_adapter(out).provenance["llamadiff.base.sha256"] == " ".join(hashes)
    assert told[-1][1] > 0.9 * told[-1][2]
    told.clear()
    convert(folder, out, base, cache_dir=cache, progress=lambda *it: told.append(it))
    assert told[0][2] < 1_000_000, "what is known is not read again"


def test_a_failed_write_leaves_nothing_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"))
    out = tmp_path / "out.gguf"
    convert(folder, out, facts(), name="before")
    before = out.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gguf.GGUFWriter.write_tensor_data", full)
    with pytest.raises(ModelError, match="cannot be written: No space left on device"):
        convert(folder, out, facts(), name="one")
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.gguf", "peft"]


def test_places_where_nothing_can_be_written(tmp_path: Path) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"))
    path = tmp_path / "base.gguf"
    base = dataclasses.replace(facts(), path=path, parts=(path,))
    base.path.write_bytes(b"GGUF base")
    for out, words in (
        (tmp_path / "nowhere" / "out.gguf", "does not exist; make it"),
        (tmp_path, "is a folder"),
        (base.path, "made of"),
        (folder / "adapter_model.safetensors", "no GGUF file"),
    ):
        with pytest.raises(ModelError, match=words):
            convert(folder, out, base)
    assert base.path.read_bytes() == b"GGUF base"


PEAK = """
import resource, sys
from pathlib import Path
from llamadiff.models.adapters.convert import convert
from llamadiff.models.gguf.check import check_model
import gguf, numpy
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
convert(Path(sys.argv[1]), Path(sys.argv[2]), check_model(Path(sys.argv[3])))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_memory_is_that_of_one_tensor(tmp_path: Path) -> None:
    layers, width, rank = 8, 2048, 256
    tensors = {
        f"base_model.model.model.layers.{layer}.self_attn.{module}.lora_{half}.weight": np.full(
            (rank, width) if half == "A" else (width, rank), 0.5, np.float32
        )
        for layer in range(layers)
        for module in ("q_proj", "k_proj", "v_proj", "o_proj")
        for half in "AB"
    }
    folder = save(tmp_path / "peft", tensors, r=rank)
    one = width * rank * 4
    base = tmp_path / "base.gguf"
    writer = GGUFWriter(base, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_head_count(32)
    writer.add_token_list(["a", "b"])
    weight = np.zeros((width, width // 32, 34), np.uint8).reshape(width, -1)
    for layer in range(layers):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(
                f"blk.{layer}.{name}.weight", weight, raw_dtype=GGMLQuantizationType.Q8_0
            )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    asked = [sys.executable, "-c", PEAK, str(folder), str(tmp_path / "out.gguf"), str(base)]
    peak = int(subprocess.run(asked, check=True, capture_output=True).stdout)
    assert len(tensors) * one > 120_000_000
    assert peak < 16 * one < len(tensors) * one / 3


def refused(folder: Path, base: ModelFacts, words: str) -> None:
    out = folder.parent / "out.gguf"
    with pytest.raises(ModelError, match=words) as caught:
        convert(folder, out, base, name="one")
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    assert not out.exists()
