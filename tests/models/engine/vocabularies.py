"""What the engine's tokenizer makes of texts, without a model's weights, in a process of its own.

Run as `python vocabularies.py VOCABULARY`. It reads JSON: a list of texts, each with
what to do with it, and answers with a list. A crash ends only this process.
"""

from __future__ import annotations

import ctypes
import json
import random
import sys
import threading
from typing import Any

import llama_cpp.llama_cpp as bindings

from llamadiff.models.engine import stretches, tokenizing
from llamadiff.models.engine.native import Model, _Pieces
from llamadiff.models.engine.worker import TOKENIZER_STACK

lib: Any = bindings


@lib.llama_log_callback
def say_nothing(level: int, text: bytes, _: object) -> None:
    """Keeps what llama.cpp logs off the terminal."""


class Vocabulary(Model):
    """The engine's model of a file that holds a vocabulary and no weights."""

    def __init__(self, path: str) -> None:
        params = lib.llama_model_default_params()
        params.vocab_only = True
        self.handle = lib.llama_model_load_from_file(path.encode(), params)
        assert self.handle, path
        self.vocab = lib.llama_model_get_vocab(self.handle)
        self.n_vocab = lib.llama_vocab_n_tokens(self.vocab)
        self._pieces = _Pieces(self.vocab, special=True)
        self._plain_pieces = _Pieces(self.vocab, special=False)

    def text_of(self, tokens: list[int]) -> str:
        """The text that tokens stand for, as llama.cpp detokenizes all of them at once."""
        data = (lib.llama_token * len(tokens))(*tokens)
        size = 2**22
        buffer = ctypes.create_string_buffer(size)
        n = lib.llama_detokenize(self.vocab, data, len(tokens), buffer, size, False, True)
        assert n >= 0
        return buffer.raw[:n].decode("utf-8", "replace")


EDITS = (
    " and", "x", "\n", "  ", "<s>", "é", "123", "\n\n    return", "\t", "🦙", "<|im_start|>", "don't",
)  # fmt: skip


def edited(vocabulary: Vocabulary, text: str) -> Any:
    stretches.LEAST, least = 60, stretches.LEAST
    source = random.Random(1)
    asked = 0
    plain_tokens = vocabulary.plain_tokens

    def count(part: str, add_special: bool) -> list[int]:
        nonlocal asked
        asked += len(part)
        return plain_tokens(part, add_special)

    wrong = 0
    vocabulary.tokenize([text], False)
    for edit in EDITS:
        at, taken = source.randrange(len(text)), source.choice((0, 0, 1, 5))
        text = text[:at] + edit + text[at + taken :]
        vocabulary.plain_tokens = count
        tokens = vocabulary.tokenize([text], False)
        vocabulary.plain_tokens = plain_tokens
        wrong += tokens != plain_tokens(text, False)
    stretches.LEAST = least
    return [wrong, asked / len(EDITS) / len(text)]


def main() -> None:
    lib.llama_log_set(say_nothing, ctypes.c_void_p(0))
    vocabulary = Vocabulary(sys.argv[1])
    print(json.dumps([ask(vocabulary, **it) for it in json.load(sys.stdin)]), flush=True)


def ask(vocabulary: Vocabulary, do: str, text: str, times: int = 1) -> Any:
    """Do one thing with `text`, repeated so many times.

    `ids`: the token ids. `texts`: those, the bytes that each of them stands for (as Latin-1), and
    how the control tokens are written. `count`: how many there are, and whether they stand for the text. `cut`:
    the ids, set around as a prompt is, in pieces of 400 characters, and those of the whole.
    `edit`: how many of a series of edits were tokenized otherwise than the whole, and which part of
    the text was tokenized again on average.
    """
    text *= times
    match do:
        case "edit":
            return edited(vocabulary, text)
        case "ids":
            return vocabulary.tokenize([text], False)
        case "texts":
            ids = vocabulary.tokenize([text], False)
            texts = {
                token: piece.decode("latin-1") for token, piece in vocabulary.texts(ids).items()
            }
            return [ids, texts, vocabulary.special.control]
        case "count":
            tokens = vocabulary.tokenize([text], False)
            return [len(tokens), vocabulary.text_of(tokens) == text]
        case _:
            tokenizing.LONGEST, longest = 400, tokenizing.LONGEST
            tokens = vocabulary.tokenize([text], True)
            tokenizing.LONGEST = longest
            return [tokens, vocabulary.plain_tokens(text, True)]


if __name__ == "__main__":
    threading.stack_size(TOKENIZER_STACK)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
