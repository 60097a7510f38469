"""Write the trained base model as a quantized GGUF file that llama.cpp runs."""

import json
from pathlib import Path

import numpy as np
from gguf import (
    GGMLQuantizationType,
    GGUFType,
    GGUFWriter,
    LlamaFileType,
    TokenType,
    get_tensor_name_map,
    quants,
)
from gguf.constants import MODEL_ARCH
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from llamadiff.models.adapters.names import rotary_rows

AUTHOR = "llamadiff"
LICENSE = "MIT"


def export_base(folder: Path, out: Path, name: str) -> None:
    """Write the model in ``folder`` to ``out``: matrices as Q8_0, norms as float32.

    Keys and tensor names follow the GGUF specification for the architecture llama; the rows of q
    and k are put in llama.cpp's rotary order.
    """
    model = LlamaForCausalLM.from_pretrained(folder)
    writer = GGUFWriter(out, "llama")
    _write_header(writer, model.config, name, sum(p.numel() for p in model.parameters()))
    _write_vocabulary(writer, folder)
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, model.config.num_hidden_layers)
    tied = model.config.tie_word_embeddings
    for key, tensor in model.state_dict().items():
        if tied and key == "lm_head.weight":
            continue
        data = tensor.float().numpy()
        if key.endswith("q_proj.weight"):
            data = rotary_rows(data, model.config.num_attention_heads)
        elif key.endswith("k_proj.weight"):
            data = rotary_rows(data, model.config.num_key_value_heads)
        gguf_name = names.get_name(key, try_suffixes=(".weight",))
        if gguf_name is None:
            raise ValueError(f"{key} has no name in GGUF")
        kind = GGMLQuantizationType.Q8_0 if data.ndim == 2 else GGMLQuantizationType.F32
        data = quants.quantize(np.ascontiguousarray(data), kind)
        writer.add_tensor(gguf_name, data, raw_dtype=kind)
    out.parent.mkdir(parents=True, exist_ok=True)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_header(writer: GGUFWriter, config: LlamaConfig, name: str, parameters: int) -> None:
    writer.add_type(GGUFType.MODEL)
    writer.add_name(name)
    writer.add_author(AUTHOR)
    writer.add_license(LICENSE)
    writer.add_languages(["en"])
    writer.add_size_label(f"{parameters / 1e6:.1f}M")
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(2)
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])


def _write_vocabulary(writer: GGUFWriter, folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    special = set(tokenizer.all_special_ids)
    ids = range(len(tokenizer))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokenizer.convert_ids_to_tokens(list(ids)))
    writer.add_token_types([TokenType.CONTROL if i in special else TokenType.NORMAL for i in ids])
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)
