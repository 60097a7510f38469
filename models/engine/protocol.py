"""What the engine's client and its worker process say to each other: commands, and events."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Literal

import msgspec

FinishReason = Literal["stop", "length", "context", "cancelled", "error"]


KVType = Literal["f16", "f32", "bf16", "q8_0", "q4_0"]


class ModelSettings(msgspec.Struct, frozen=True):
    """How a base model is loaded and run. Zero means the engine's choice."""

    n_ctx: int = 0
    """Tokens per sequence; 0 is the trained length, at most 4,096."""
    n_threads: int = 0
    """Decoding threads; 0 is the number of physical cores."""
    n_ubatch: int = 0
    """Tokens computed at once during prefill; 0 is a whole chunk of the prefill grid."""
    kv_type: KVType = "f16"
    n_gpu_layers: int = -1
    """Layers given to a GPU back end; -1 is all of them, 0 none."""
    context_shift: bool = False
    """When the context is full drop the older half of what follows the prompt's start and go on,
    instead of ending with the reason `context`."""


LARGEST_SCALE = 100.0
"""Of an adapter, either way; from 1e10 on logits are no numbers any more."""


class AdapterUse(msgspec.Struct, frozen=True):
    """One adapter file and the scale it is applied with.

    `version` tells apart files that were at the same path one after the other
    (see `file_version`).
    """

    path: str
    scale: float = 1.0
    version: str = ""


class Sampling(msgspec.Struct, frozen=True):
    """Every setting of the sampler chain; the defaults are llama.cpp's own.

    `samplers` is the order in which the filters run. A temperature of 0 takes
    the most likely token.
    """

    max_tokens: int = 512
    seed: int = 0
    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    top_n_sigma: float = -1.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    mirostat: Literal[0, 1, 2] = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    dynatemp_range: float = 0.0
    dynatemp_exponent: float = 1.0
    logit_bias: dict[int, float] = {}
    samplers: tuple[str, ...] = (
        "penalties",
        "dry",
        "top_n_sigma",
        "top_k",
        "typical_p",
        "top_p",
        "min_p",
        "xtc",
        "temperature",
    )


Priority = Literal[0, 1]
SCREEN: Priority = 0
"""What a person is looking at."""
BACKGROUND: Priority = 1
"""Sweeps and suites: computed only while nothing of SCREEN is."""


class Request(msgspec.Struct, frozen=True):
    """One sequence to generate.

    Requests of one Generate command that share an adapter stack and a `group`
    start in lockstep and decode as one batch, so equal ones give equal bits.
    """

    id: int
    tokens: list[int]
    adapters: tuple[AdapterUse, ...] = ()
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    grammar: str | None = None
    """GBNF text."""
    schema: str | None = None
    """JSON Schema text; at most one of grammar and schema."""
    logprobs: int = 0
    """Report the log-probability of each token and this many alternatives; 0 is none."""
    group: int = 0
    exact: bool = False
    """Decode alone and without flash attention: the same output whatever else runs."""
    priority: Priority = SCREEN
    forced: tuple[int, ...] = ()
    """Tokens that the answer begins with, whatever would be drawn. They are decoded one by one, and
    random numbers are drawn for them, so that forcing an answer's own beginning gives that answer."""


class ScoreRequest(msgspec.Struct, frozen=True):
    """One text to score: the log-probability of each of `tokens[start:]` given those before it."""

    id: int
    tokens: list[int]
    start: int = 1
    """At least 1: nothing comes before the first token."""
    adapters: tuple[AdapterUse, ...] = ()
    top: int = 0
    """Report this many of the likeliest tokens besides."""
    logits: bool = False
    """Report the logits of the whole vocabulary besides, 4 bytes a token of it."""
    exact: bool = False
    priority: Priority = SCREEN


# ------------------------------------------------------------------ commands


class Load(msgspec.Struct, frozen=True, tag=True):
    """Answered by Loaded or Failed. Idle models may be unloaded to make room, but none of `keep`."""

    id: int
    path: str
    settings: ModelSettings
    keep: list[int] = []


class Unload(msgspec.Struct, frozen=True, tag=True):
    model: int


class Tokenize(msgspec.Struct, frozen=True, tag=True):
    """Answered by Tokens, unless it is cancelled first. No token lies across two of `texts`.

    `add_special` lets the model add its BOS and EOS.
    """

    id: int
    model: int
    texts: list[str]
    add_special: bool = True


class Pieces(msgspec.Struct, frozen=True, tag=True):
    """Answered by Tokens: the bytes that token ids stand for."""

    id: int
    model: int
    tokens: list[int]


class Generate(msgspec.Struct, frozen=True, tag=True):
    model: int
    requests: list[Request]


class Score(msgspec.Struct, frozen=True, tag=True):
    model: int
    requests: list[ScoreRequest]


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Ends requests and loads with these ids, and forgets tokenizing that has not begun."""

    ids: list[int]


Command = Load | Unload | Tokenize | Pieces | Generate | Score | Cancel


# -------------------------------------------------------------------- events


class Hello(msgspec.Struct, frozen=True, tag=True):
    """The worker is up: which llama.cpp it runs, and on what."""

    llama_cpp: str
    system_info: str
    backends: list[str]
    gpu_offload: bool
    pid: int


class ModelInfo(msgspec.Struct, frozen=True):
    """What is known of a model once it is loaded. Sizes in bytes."""

    n_ctx: int
    n_ctx_train: int
    n_vocab: int
    n_threads: int
    n_ubatch: int
    kv_type: str
    n_params: int
    size: int
    backend: str
    n_gpu_layers: int
    bos: str
    eos: str
    add_bos: bool
    can_rewind: bool
    context_shift: bool = False
    """As in `ModelSettings`."""


class SpecialTexts(msgspec.Struct, frozen=True):
    """How a vocabulary's special tokens are written.

    Those of `control` mean something other than their text (BOS, the end of a turn, unknown);
    those of `added` are kept whole by the tokenizer, be they markers or frequent words.
    """

    control: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


class Loading(msgspec.Struct, frozen=True, tag=True):
    id: int
    fraction: float


class Loaded(msgspec.Struct, frozen=True, tag=True):
    id: int
    info: ModelInfo
    special: SpecialTexts
    ends: tuple[int, ...] = ()
    """The tokens that end an answer."""


class Unloaded(msgspec.Struct, frozen=True, tag=True):
    """A model was dropped to make room for another."""

    model: int


class Tokens(msgspec.Struct, frozen=True, tag=True):
    """The tokens of a text, packed: a long prompt's are read in a moment.

    `ids` are 32-bit numbers as this machine writes them, `texts` the bytes that each of them stands
    for, special tokens included.
    """

    id: int
    ids: bytes
    texts: dict[int, bytes]

    @classmethod
    def of(cls, command: int, tokens: list[int], texts: dict[int, bytes]) -> Tokens:
        """The answer to a command."""
        return cls(command, array("i", tokens).tobytes(), texts)

    @property
    def tokens(self) -> list[int]:
        """The ids."""
        return array("i", self.ids).tolist()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.ids) // array("i").itemsize


class Prefill(msgspec.Struct, frozen=True, tag=True):
    """`done` of `total` prompt tokens are in the cache; `reused` were there already."""

    id: int
    done: int
    total: int
    reused: int


class TokenLogprob(msgspec.Struct, frozen=True, gc=False):
    """Natural log-probability of a token before sampling filters, and the likeliest ones.

    `rank` is 1 for the likeliest token of all; `entropy` is that of the whole distribution, in nats.
    """

    token: int
    logprob: float
    rank: int
    entropy: float
    top: list[tuple[int, float]]


class Delta(msgspec.Struct, tag=True):
    """New text and token ids of one request.

    `ends` holds, for each token, the length of `text` once it had arrived, in characters; the
    text lags while a character or a stop string may be forming.
    """

    id: int
    text: str
    tokens: list[int]
    ends: list[int]
    logprobs: list[TokenLogprob] = []


class Scored(msgspec.Struct, tag=True):
    """The next tokens of a text being scored, in order.

    `logits` has for each the float32 numbers, as this machine writes them, that its
    log-probability comes from; nothing when they were not asked for.
    """

    id: int
    logprobs: list[TokenLogprob]
    logits: list[bytes] = []


class Timings(msgspec.Struct, frozen=True):
    """Seconds are wall-clock; `ttft_s` runs from the request's arrival to its first token.

    `tokens_per_s` is (decode_tokens - 1) / (time of the last token - time of the first). `threads`
    is the fewest that computed: fewer than the model's while other programs held the cores.
    """

    ttft_s: float | None
    prefill_tokens: int
    prefill_reused: int
    decode_tokens: int
    tokens_per_s: float | None
    threads: int = 0


class Finished(msgspec.Struct, frozen=True, tag=True):
    id: int
    reason: FinishReason
    timings: Timings


class Failed(msgspec.Struct, frozen=True, tag=True):
    """A command could not be carried out; `message` is one sentence for the person.

    `refused` when what was asked for cannot be done; otherwise the engine failed.
    """

    id: int
    message: str
    refused: bool = False


class Counters(msgspec.Struct, frozen=True, tag=True):
    """Decode calls made so far, sent when the worker falls idle."""

    prefill_calls: int
    decode_calls: int


Event = (
    Hello
    | Loading
    | Loaded
    | Unloaded
    | Tokens
    | Prefill
    | Delta
    | Scored
    | Finished
    | Failed
    | Counters
)


def file_version(path: Path) -> str:
    """Inode, size and modification time of a file; empty when it is not there."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
