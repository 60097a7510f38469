"""Run llama.cpp's own conversion on folders of transformers models: python … SOURCES FOLDER…

Each FOLDER/hf becomes FOLDER/base.gguf, in float32. Only the vocabulary is ours, since the
conversion knows the tokenizers of published models alone.
"""

import runpy
import sys
from pathlib import Path
from typing import Any

sources = Path(sys.argv[1])
sys.path[:0] = [str(sources), str(sources / "gguf-py")]

from conversion import base  # noqa: E402


def write_vocabulary(model: Any) -> None:
    """One byte for each of 256 tokens, after three special ones; words fill the rest."""
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    words = [f"word{i}" for i in range(model.hparams["vocab_size"] - len(special))]
    writer = model.gguf_writer
    writer.add_tokenizer_model("llama")
    writer.add_token_list(special + words)
    writer.add_token_scores([0.0] * (len(special) + len(words)))
    writer.add_token_types([2, 3, 3] + [6] * 256 + [1] * len(words))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def main() -> None:
    register = base.ModelBase.register

    def with_vocabulary(*names: str) -> Any:
        def decorate(model: Any) -> Any:
            model.set_vocab = write_vocabulary
            return register(*names)(model)

        return decorate

    base.ModelBase.register = with_vocabulary
    for folder in map(Path, sys.argv[2:]):
        sys.argv = [
            "convert",
            str(folder / "hf"),
            "--outfile",
            str(folder / "base.gguf"),
            "--outtype",
            "f32",
        ]
        runpy.run_path(str(sources / "convert_hf_to_gguf.py"), run_name="__main__")


main()
