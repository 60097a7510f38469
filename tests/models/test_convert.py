"""PEFT folders become GGUF adapters that mean the same, or are refused in one sentence."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFReader, GGUFValueType
from safetensors.numpy import save_file

from llamadiff.models.adapters.convert import convert, rotary_rows
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
        chat_template=None,
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
        ({"peft_type": "IA3"}, "not of a LoRA"),
        ({"use_dora": True}, "use_dora"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "biases"),
        ({"lora_bias": True}, "biases"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out"),
        ({"layer_replication": [[0, 2], [1, 2]]}, "layer_replication"),
        ({"trainable_token_indices": [1]}, "trainable_token_indices"),
        ({"init_lora_weights": "pissa_niter_4"}, "pissa"),
        ({"lora_alpha": 0}, "lora_alpha"),
        ({"lora_alpha": "six"}, "lora_alpha"),
    ],
)
def test_what_a_gguf_adapter_cannot_hold_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"), **changes)
    refused(folder, facts(), words)


def test_tensors_that_are_no_plain_pair_are_refused(tmp_path: Path) -> None:
    tensors = pair("v_proj")
    key = next(iter(tensors))
    refused(save(tmp_path / "half", {key: tensors[key]}), facts(), "half a pair")
    magnitude = {"base_model.model.model.layers.1.mlp.up_proj.lora_magnitude_vector": np.ones(3)}
    refused(save(tmp_path / "dora", tensors | magnitude), facts(), "lora_magnitude_vector")
    embedding = {"base_model.model.model.embed_tokens.lora_embedding_A": np.ones((4, 9))}
    refused(save(tmp_path / "embedding", tensors | embedding), facts(), "lora_embedding_A")
    refused(save(tmp_path / "nan", tensors | {key: tensors[key] * np.nan}), facts(), "NaN")
    refused(save(tmp_path / "whole", {key: tensors[key].astype(np.int8)}), facts(), "I8")
    refused(save(tmp_path / "none", {}), facts(), "no tensors")


def test_an_adapter_of_another_base_is_refused(tmp_path: Path) -> None:
    tensors = pair("v_proj")
    folder = save(tmp_path / "one", tensors)
    refused(folder, facts("qwen2"), "qwen2")
    deep = {key.replace("layers.1", "layers.9"): value for key, value in tensors.items()}
    refused(save(tmp_path / "deep", deep), facts(), "layers.9")
    wide = {key: np.ones((value.shape[0] * 2, value.shape[1])) for key, value in tensors.items()}
    refused(save(tmp_path / "wide", wide), facts(), "does not fit")
    head = {
        "base_model.model.lm_head.lora_A.weight": np.ones((4, WIDTH)),
        "base_model.model.lm_head.lora_B.weight": np.ones((100, 4)),
    }
    refused(save(tmp_path / "head", head), facts(), "lm_head")
    convert(tmp_path / "head", tmp_path / "head.gguf", facts(tied=False), name="head")
    assert check_adapter(tmp_path / "head.gguf").targets == ("output",)


def test_missing_and_damaged_files_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", facts(), "adapter_config.json")
    folder = save(tmp_path / "peft", pair("v_proj"))
    (folder / "adapter_model.safetensors").write_bytes(b"\x00" * 40)
    refused(folder, facts(), "damaged")
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    refused(folder, facts(), "pickled")
    (folder / "adapter_config.json").write_text("{")
    refused(folder, facts(), "not JSON")


def test_a_failed_write_leaves_nothing_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save(tmp_path / "peft", pair("v_proj"))
    out = tmp_path / "out.gguf"
    out.write_bytes(b"before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gguf.GGUFWriter.write_tensors_to_file", full)
    with pytest.raises(OSError, match="No space"):
        convert(folder, out, facts(), name="one")
    assert out.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.gguf", "peft"]


def refused(folder: Path, base: ModelFacts, words: str) -> None:
    out = folder.parent / "out.gguf"
    with pytest.raises(ModelError, match=words) as caught:
        convert(folder, out, base, name="one")
    assert "\n" not in str(caught.value)
    assert not out.exists()
