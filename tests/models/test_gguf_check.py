"""Which files may be loaded: what is said of sound ones, and each refusal."""

import dataclasses
import json
import math
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest

from llamadiff.models.catalog import default_model
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_adapter, check_model
from llamadiff.models.gguf.header import TensorInfo, read_header

WriteFile = Callable[..., Path]
LayOut = Callable[..., bytes]

ASK_LLAMA_CPP = """
import ctypes, json, sys
import llama_cpp.llama_cpp as lib
silent = lib.llama_log_callback(lambda level, text, data: None)
lib.llama_log_set(silent, ctypes.c_void_p(0))
model = lib.llama_model_load_from_file(sys.argv[1].encode(), lib.llama_model_default_params())
vocab = lib.llama_model_get_vocab(model)
print(json.dumps({
    "parameters": lib.llama_model_n_params(model),
    "context": lib.llama_model_n_ctx_train(model),
    "layers": lib.llama_model_n_layer(model),
    "embedding": lib.llama_model_n_embd(model),
    "heads": lib.llama_model_n_head(model),
    "kv_heads": lib.llama_model_n_head_kv(model),
    "vocab_size": lib.llama_vocab_n_tokens(vocab),
    "bos_id": lib.llama_vocab_bos(vocab),
    "eos_id": lib.llama_vocab_eos(vocab),
}))
"""


@pytest.mark.parametrize("which", ["bundled", "small", "tied"])
def test_facts_are_those_of_llama_cpp(which: str, write_model: WriteFile) -> None:
    path = default_model().facts.path if which == "bundled" else write_model(tied=which == "tied")
    asked = subprocess.run(
        [sys.executable, "-c", ASK_LLAMA_CPP, str(path)], capture_output=True, check=True
    )
    theirs = json.loads(asked.stdout)
    ours = dataclasses.asdict(check_model(path))
    assert {key: ours[key] for key in theirs} == theirs


def test_facts_of_a_small_model(write_model: WriteFile) -> None:
    path = write_model("small.gguf")
    facts = check_model(path)
    assert (facts.name, facts.title, facts.license) == ("small", "A small llama", "MIT")
    assert (facts.path, facts.parts, facts.bytes) == (path, (path,), path.stat().st_size)
    assert (facts.key_length, facts.value_length) == (16, 16)
    assert facts.kv_per_token == 2 * 2 * 2 * 16
    assert facts.quantization == "Q8_0"
    assert not facts.tied_embeddings
    assert facts.chat_template == "{{ messages }}"
    assert facts.shapes["blk.0.ffn_down.weight"] == (128, 64)
    assert sum(facts.bytes_by_type.values()) < facts.bytes
    assert check_model(write_model(tied=True)).tied_embeddings


def test_chat_templates_are_known_by_name(write_model: WriteFile) -> None:
    def edit(writer: gguf.GGUFWriter) -> None:
        writer.add_chat_template([{"name": "tool_use", "template": "{{ tools }}"}])

    facts = check_model(write_model(edit=edit))
    assert facts.chat_templates == {"default": "{{ messages }}", "tool_use": "{{ tools }}"}


def test_the_file_type_names_the_quantization(write_model: WriteFile) -> None:
    path = write_model(edit=lambda writer: writer.add_file_type(15))
    assert check_model(path).quantization == "Q4_K_M"


def test_heads_may_differ_by_layer(write_model: WriteFile) -> None:
    def edit(writer: gguf.GGUFWriter) -> None:
        del writer.kv_data[0]["deepseek2.attention.head_count_kv"]
        writer.add_head_count_kv([2, 0])
        writer.add_key_length(24)

    facts = check_model(write_model(architecture="deepseek2", edit=edit))
    assert (facts.kv_heads, facts.key_length, facts.value_length) == (2, 24, 16)
    assert facts.kv_per_token == 2 * (24 + 16)


def test_a_model_may_leave_out_its_type(write_model: WriteFile) -> None:
    assert check_model(write_model(general_type=None)).architecture == "llama"


def without(key: str) -> Callable[[gguf.GGUFWriter], None]:
    def edit(writer: gguf.GGUFWriter) -> None:
        del writer.kv_data[0][key]

    return edit


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"architecture": "llama9"}, "does not know"),
        ({"architecture": "clip"}, "projector"),
        ({"architecture": "bert"}, "text-embedding"),
        ({"architecture": "t5"}, "encoder-decoder"),
        ({"architecture": "llada"}, "diffusion"),
        ({"general_type": "mmproj"}, "projector"),
        ({"general_type": "imatrix"}, "importance matrix"),
        ({"general_type": "adapter"}, "is an adapter, not a base model"),
        ({"tensors": False}, "no weights"),
        ({"tokens": False}, "no vocabulary"),
        ({"edit": lambda writer: writer.add_causal_attention(False)}, "text-embedding"),
        ({"edit": without("general.architecture")}, "names no architecture"),
        ({"edit": without("llama.block_count")}, "block count"),
        ({"edit": without("llama.context_length")}, "context length"),
        ({"edit": without("llama.embedding_length")}, "embedding length"),
    ],
)
def test_what_is_no_causal_model_is_refused(
    write_model: WriteFile, options: dict, word: str
) -> None:
    path = write_model(**options)
    with pytest.raises(ModelError, match=word) as refusal:
        check_model(path)
    assert str(path) in str(refusal.value)


def test_architectures_can_be_given(write_model: WriteFile) -> None:
    path = write_model(architecture="llama9")
    assert check_model(path, architectures={"llama9"}).architecture == "llama9"


def test_too_many_layers(write_model: WriteFile) -> None:
    def edit(writer: gguf.GGUFWriter) -> None:
        del writer.kv_data[0]["llama.block_count"]
        writer.add_block_count(513)

    with pytest.raises(ModelError, match="513 layers"):
        check_model(write_model(edit=edit))


def test_a_truncated_model_says_how_much_is_there(write_model: WriteFile) -> None:
    path = write_model()
    whole = path.read_bytes()
    tensors = read_header(path)
    last = tensors.tensors[-1]
    assert tensors.data_offset is not None
    end = tensors.data_offset + last.offset + last.n_bytes
    path.write_bytes(whole[:end])
    check_model(path)  # padding behind the last tensor is not missed
    path.write_bytes(whole[: end - 1])
    with pytest.raises(ModelError, match=r"cut off: it has \d+\.\d kB of \d+\.\d kB"):
        check_model(path)


def test_tensors_out_of_place(tmp_path: Path, lay_out: LayOut) -> None:
    def string(text: bytes) -> bytes:
        return struct.pack("<Q", len(text)) + text

    entries = [(b"general.architecture", 8, string(b"llama"))]
    tensors = [(b"a", (32,), 0, 0), (b"b", (32,), 0, 64)]
    path = tmp_path / "overlap.gguf"
    path.write_bytes(lay_out(entries, tensors, data=bytes(256)))
    with pytest.raises(ModelError, match="the tensor b is out of place"):
        check_model(path)


class TestSplit:
    def test_all_parts_count(self, write_model: WriteFile, tmp_path: Path) -> None:
        whole = check_model(write_model("whole.gguf"))
        write_model("parts.gguf", split_max_tensors=6)
        paths = tuple(sorted(tmp_path.glob("parts-*.gguf")))
        assert len(paths) == 4
        facts = check_model(paths[0])
        assert (facts.name, facts.parts) == ("parts", paths)
        assert facts.parameters == whole.parameters
        assert facts.shapes == whole.shapes
        assert facts.bytes == sum(path.stat().st_size for path in paths)

    @pytest.fixture
    def parts(self, write_model: WriteFile, tmp_path: Path) -> list[Path]:
        write_model("parts.gguf", split_max_tensors=6)
        return sorted(tmp_path.glob("parts-*.gguf"))

    def test_a_missing_part_is_named(self, parts: list[Path]) -> None:
        parts[2].unlink()
        with pytest.raises(ModelError, match=r"parts-00003-of-00004\.gguf is missing"):
            check_model(parts[0])

    def test_a_truncated_part_is_named(self, parts: list[Path]) -> None:
        parts[3].write_bytes(parts[3].read_bytes()[:-4000])
        with pytest.raises(ModelError, match=r"parts-00004-of-00004\.gguf is cut off"):
            check_model(parts[0])

    def test_a_part_in_the_place_of_another(self, parts: list[Path]) -> None:
        parts[2].write_bytes(parts[1].read_bytes())
        with pytest.raises(ModelError, match="not the part its name says"):
            check_model(parts[0])

    def test_a_later_part_points_to_the_first(self, parts: list[Path]) -> None:
        with pytest.raises(ModelError, match=r"part 2 of 4 .* give parts-00001-of-00004\.gguf"):
            check_model(parts[1])

    def test_a_renamed_part(self, parts: list[Path]) -> None:
        renamed = parts[0].rename(parts[0].with_name("renamed.gguf"))
        with pytest.raises(ModelError, match=r"must be named like renamed-00001-of-00004\.gguf"):
            check_model(renamed)


class TestAdapter:
    def test_facts(self, write_adapter: WriteFile) -> None:
        def edit(writer: gguf.GGUFWriter) -> None:
            writer.add_string("general.base_model.0.name", "A small llama")

        path = write_adapter("style.gguf", edit=edit)
        facts = check_adapter(path)
        assert (facts.name, facts.path, facts.base) == ("style", path, "A small llama")
        assert (facts.architecture, facts.alpha) == ("llama", 16.0)
        assert (facts.ranks, facts.rank) == ((4, 8), 8)
        assert facts.targets == ("attn_q", "ffn_down")
        assert facts.parameters == 4 * (64 + 64) + 8 * (128 + 64)
        assert facts.bytes == path.stat().st_size
        a, b = facts.pairs["blk.1.ffn_down.weight"]
        assert isinstance(a, TensorInfo)
        assert (a.shape, b.shape) == ((128, 8), (8, 64))

    @pytest.mark.parametrize("alpha", [None, 0.0])
    def test_alpha_may_be_missing_or_zero(
        self, write_adapter: WriteFile, alpha: float | None
    ) -> None:
        assert check_adapter(write_adapter(alpha=alpha)).alpha is None

    def test_the_rank_of_a_token_embedding_pair(self, write_adapter: WriteFile) -> None:
        pairs = {"token_embd.weight": ((300, 4), (64, 4))}
        facts = check_adapter(write_adapter(pairs=pairs))
        assert (facts.ranks, facts.targets) == ((4,), ("token_embd",))

    def test_a_model_is_refused(self, write_model: WriteFile) -> None:
        with pytest.raises(ModelError, match="is not an adapter"):
            check_adapter(write_model())

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            ({"adapter_type": "dora"}, "of the type dora"),
            ({"pairs": {}}, "no LoRA tensors"),
            ({"without": ["blk.0.attn_q.weight.lora_b"]}, r"lacks blk\.0\.attn_q\.weight\.lora_b"),
            ({"without": ["blk.0.attn_q.weight.lora_a"]}, r"lacks blk\.0\.attn_q\.weight\.lora_a"),
            ({"pairs": {"blk.0.attn_q.weight": ((64,), (64, 1))}}, "an empty LoRA pair"),
            ({"alpha": math.nan}, "alpha of nan"),
            ({"fill": math.nan}, r"NaN or infinity in blk\.0\.attn_q\.weight\.lora_a"),
            ({"fill": math.inf, "dtype": np.float16}, "NaN or infinity"),
            ({"fill": -math.inf}, "NaN or infinity"),
        ],
    )
    def test_what_is_no_sound_adapter(
        self, write_adapter: WriteFile, options: dict, word: str
    ) -> None:
        path = write_adapter(**options)
        with pytest.raises(ModelError, match=word) as refusal:
            check_adapter(path)
        assert str(path) in str(refusal.value)

    @pytest.mark.parametrize("dtype", [np.float32, np.float16])
    def test_ordinary_numbers_are_finite(
        self, write_adapter: WriteFile, dtype: type[np.generic]
    ) -> None:
        check_adapter(write_adapter(fill=-65504.0, dtype=dtype))

    def test_bfloat16_is_looked_through(self, write_adapter: WriteFile) -> None:
        def edit(writer: gguf.GGUFWriter) -> None:
            bits = np.array([[0x3F80, last]], dtype=np.uint16)
            for half in ("lora_a", "lora_b"):
                writer.add_tensor(
                    f"blk.0.attn_k.weight.{half}",
                    bits.view(np.uint8),
                    raw_dtype=gguf.GGMLQuantizationType.BF16,
                )

        last = 0x7F7F
        check_adapter(write_adapter(edit=edit))
        last = 0x7FC0
        with pytest.raises(ModelError, match="NaN"):
            check_adapter(write_adapter(edit=edit))

    def test_numbers_are_left_alone_when_not_wanted(self, write_adapter: WriteFile) -> None:
        check_adapter(write_adapter(fill=math.nan), values=False)

    @pytest.mark.parametrize("add", ["add_float64", "add_uint32"])
    def test_alpha_of_another_type_would_abort(self, write_adapter: WriteFile, add: str) -> None:
        def edit(writer: gguf.GGUFWriter) -> None:
            getattr(writer, add)("adapter.lora.alpha", 16)

        with pytest.raises(ModelError, match="wants a float32"):
            check_adapter(write_adapter(alpha=None, edit=edit))

    def test_a_foreign_tensor(self, write_adapter: WriteFile) -> None:
        def edit(writer: gguf.GGUFWriter) -> None:
            writer.add_tensor("blk.0.attn_q.bias", np.zeros(4, np.float32))

        with pytest.raises(ModelError, match=r"blk\.0\.attn_q\.bias, which is no part"):
            check_adapter(write_adapter(edit=edit))

    def test_truncated(self, write_adapter: WriteFile) -> None:
        path = write_adapter()
        path.write_bytes(path.read_bytes()[:-1000])
        with pytest.raises(ModelError, match="cut off"):
            check_adapter(path)


def test_a_name_from_a_file_is_safe_to_print(write_model: WriteFile) -> None:
    def edit(writer: gguf.GGUFWriter) -> None:
        del writer.kv_data[0]["general.name"]
        writer.add_name("evil\x1b[2J\nname\u202e")

    title = check_model(write_model(edit=edit)).title
    assert title is not None and title.isprintable() and "evil" in title
