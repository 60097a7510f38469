"""Sampling settings: their schema and ranges, and the native sampler chain they become.

Only the worker builds chains; the schema is used on both sides.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import ModelError
from .protocol import Sampling

if TYPE_CHECKING:
    from .native import Context, Model

SEED_LIMIT = 2**32 - 1
TOKEN_LIMIT = 2**31
COLDEST = 1e-4
"""Temperatures below it overflow the logits; they take the likeliest token, as 0 does."""
MAX_GRAMMAR = 200_000
"""Characters; together with MAX_NESTING it keeps llama.cpp's recursive parser off the stack's end."""
MAX_NESTING = 500


@dataclass(frozen=True)
class Field:
    """The accepted values of one sampling setting, and what it does in a line."""

    kind: type
    low: float
    high: float
    help: str


FIELDS: Mapping[str, Field] = {
    "max_tokens": Field(int, 1, 1_000_000, "stop after this many tokens"),
    "seed": Field(int, 0, SEED_LIMIT - 1, "random seed; the same seed gives the same output"),
    "temperature": Field(float, 0, 100, "0 takes the likeliest token, higher is more random"),
    "top_k": Field(int, 0, 1_000_000, "keep the k likeliest tokens; 0 keeps all"),
    "top_p": Field(float, 0, 1, "keep the likeliest tokens up to this probability; 1 keeps all"),
    "min_p": Field(float, 0, 1, "drop tokens below this share of the likeliest; 0 drops none"),
    "typical_p": Field(float, 0, 1, "locally typical sampling; 1 is off"),
    "top_n_sigma": Field(float, -1, 100, "keep logits within n standard deviations; -1 is off"),
    "xtc_probability": Field(float, 0, 1, "chance of excluding top choices; 0 is off"),
    "xtc_threshold": Field(float, 0, 1, "probability that counts as a top choice"),
    "dry_multiplier": Field(float, 0, 100, "strength of the DRY repetition penalty; 0 is off"),
    "dry_base": Field(float, 1, 100, "growth of the DRY penalty with the repeat's length"),
    "dry_allowed_length": Field(int, 0, 1_000_000, "repeats up to this length are free"),
    "dry_penalty_last_n": Field(int, -1, 1_000_000, "tokens DRY looks back; -1 is the context"),
    "repeat_penalty": Field(float, 0.01, 100, "divides the logits of recent tokens; 1 is off"),
    "repeat_last_n": Field(int, -1, 1_000_000, "tokens the penalties look back; -1 is all"),
    "frequency_penalty": Field(float, -100, 100, "per occurrence of a recent token; 0 is off"),
    "presence_penalty": Field(float, -100, 100, "once per recent token; 0 is off"),
    "mirostat": Field(int, 0, 2, "Mirostat version; 0 is off and replaces the other filters"),
    "mirostat_tau": Field(float, 0, 100, "Mirostat's target surprise"),
    "mirostat_eta": Field(float, 0, 1, "Mirostat's learning rate"),
    "dynatemp_range": Field(float, 0, 100, "temperature varies by this much with entropy"),
    "dynatemp_exponent": Field(float, 0, 100, "how entropy maps to the temperature"),
}

ORDER = Sampling().samplers


def parse_value(key: str, value: object) -> object:
    """`value` as sampling setting `key` takes it; text is converted.

    Raises ModelError for an unknown key, a wrong type or a value out of range.
    """
    if key == "logit_bias":
        return _parse_bias(value)
    if key == "samplers":
        return _parse_order(value)
    if key not in FIELDS:
        near = get_close_matches(key, [*FIELDS, "logit_bias", "samplers"], 1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(FIELDS)}."
        raise ModelError(f"{key} is not a sampling setting{hint}")
    field = FIELDS[key]
    number: Any = value
    if isinstance(value, str):
        try:
            number = field.kind(value)
        except ValueError:
            number = None
    wanted = "a whole number" if field.kind is int else "a number"
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise ModelError(f"{key} must be {wanted}, not {_shown(value)}.")
    if not field.low <= number <= field.high:
        low, high = (f"{bound:,.10g}" for bound in (field.low, field.high))
        raise ModelError(f"{key} must be from {low} to {high}, not {_shown(value)}.")
    if field.kind is int and number != int(number):
        raise ModelError(f"{key} must be {wanted}, not {_shown(value)}.")
    return field.kind(number)


def _shown(value: object) -> str:
    """A wrong value as it stands in a sentence."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _parse_bias(value: object) -> dict[int, float]:
    if not isinstance(value, Mapping):
        raise ModelError("logit_bias must be a table of token ids and biases.")
    try:
        biases = {int(token): float(bias) for token, bias in value.items()}
    except (TypeError, ValueError, OverflowError):
        raise ModelError("logit_bias must be a table of token ids and biases.") from None
    if not all(0 <= token < TOKEN_LIMIT and abs(bias) <= 1e6 for token, bias in biases.items()):
        raise ModelError("logit_bias takes token ids from 0 on and biases from -1e6 to 1e6.")
    return biases


def _parse_order(value: object) -> tuple[str, ...]:
    names = value.replace(";", " ").split() if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(name in ORDER for name in names):
        raise ModelError(f"samplers must be a list of {', '.join(ORDER)}.")
    return tuple(str(name) for name in names)


def make_sampling(*layers: Mapping[str, object]) -> Sampling:
    """The defaults with each layer's settings laid over them, later ones winning.

    Raises ModelError as `parse_value` does.
    """
    merged = {key: parse_value(key, value) for layer in layers for key, value in layer.items()}
    return msgspec.convert(merged, Sampling, strict=False)


def refuse_grammar(grammar: str) -> None:
    """Raise NativeError for a grammar that would overflow llama.cpp's parser or be cut short."""
    from .native import NativeError

    if "\0" in grammar:
        raise NativeError("The grammar holds a NUL character; remove it.")
    depth = deepest = 0
    for character in grammar:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if len(grammar) > MAX_GRAMMAR or deepest > MAX_NESTING:
        raise NativeError(
            f"The grammar is too large: at most {MAX_GRAMMAR:,} characters and {MAX_NESTING} "
            "brackets inside each other."
        )


class Sampler:
    """The native chain of one sequence. Close it when the sequence ends.

    `prompt` feeds the penalties, never the grammar. Raises NativeError when a
    grammar does not parse.
    """

    def __init__(
        self, model: Model, sampling: Sampling, prompt: list[int], grammar: str | None
    ) -> None:
        from .native import lib

        self._lib = lib
        self._model = model
        self._has_grammar = grammar is not None
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        try:
            self._build(sampling, prompt, grammar)
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        self._lib.llama_sampler_free(self._chain)

    def _add(self, sampler: Any) -> None:
        self._lib.llama_sampler_chain_add(self._chain, sampler)

    def _build(self, sampling: Sampling, prompt: list[int], grammar: str | None) -> None:
        from .native import NativeError, complaint, recent_log

        lib, model, s = self._lib, self._model, sampling
        if s.logit_bias:
            if wrong := [token for token in s.logit_bias if not 0 <= token < model.n_vocab]:
                raise NativeError(
                    f"logit_bias names token {wrong[0]}, but the vocabulary has {model.n_vocab}."
                )
            array = (lib.llama_logit_bias * len(s.logit_bias))(
                *(lib.llama_logit_bias(token, bias) for token, bias in s.logit_bias.items())
            )
            self._add(lib.llama_sampler_init_logit_bias(model.n_vocab, len(array), array))
        if grammar is not None:
            refuse_grammar(grammar)
            recent_log.clear()
            sampler = lib.llama_sampler_init_grammar(model.vocab, grammar.encode(), b"root")
            if not sampler:
                raise NativeError(f"The grammar does not parse: {complaint()}.")
            self._add(sampler)
        for name in s.samplers if s.mirostat == 0 else ("penalties", "dry"):
            if sampler := self._filter(name, s, prompt):
                self._add(sampler)
        if s.temperature < COLDEST:
            self._add(lib.llama_sampler_init_greedy())
        elif s.mirostat == 1:
            self._add(lib.llama_sampler_init_temp(s.temperature))
            self._add(
                lib.llama_sampler_init_mirostat(
                    model.n_vocab, s.seed, s.mirostat_tau, s.mirostat_eta, 100
                )
            )
        elif s.mirostat == 2:
            self._add(lib.llama_sampler_init_temp(s.temperature))
            self._add(lib.llama_sampler_init_mirostat_v2(s.seed, s.mirostat_tau, s.mirostat_eta))
        else:
            self._add(lib.llama_sampler_init_dist(s.seed))

    def _filter(self, name: str, s: Sampling, prompt: list[int]) -> Any:
        """One filter of the chain, or None where its settings switch it off."""
        lib = self._lib
        if name == "penalties":
            if (s.repeat_penalty, s.frequency_penalty, s.presence_penalty) == (1, 0, 0):
                return None
            last = self._model.n_ctx if s.repeat_last_n < 0 else s.repeat_last_n
            sampler = lib.llama_sampler_init_penalties(
                self._model.n_vocab, last, s.repeat_penalty, s.frequency_penalty, s.presence_penalty
            )
            return self._accepting(sampler, prompt[-last:] if last else [])
        if name == "dry":
            if s.dry_multiplier == 0:
                return None
            last = self._model.n_ctx if s.dry_penalty_last_n < 0 else s.dry_penalty_last_n
            breakers = (ctypes.c_char_p * 4)(b"\n", b":", b'"', b"*")
            sampler = lib.llama_sampler_init_dry(
                self._model.vocab, s.dry_multiplier, s.dry_base, s.dry_allowed_length, last,
                breakers, len(breakers),
            )  # fmt: skip
            return self._accepting(sampler, prompt[-last:] if last else [])
        if s.temperature < COLDEST:
            return None
        if name == "temperature":
            if s.dynatemp_range > 0:
                return lib.llama_sampler_init_temp_ext(
                    s.temperature, s.dynatemp_range, s.dynatemp_exponent
                )
            return lib.llama_sampler_init_temp(s.temperature)
        if name == "top_k":
            return lib.llama_sampler_init_top_k(s.top_k) if s.top_k else None
        if name == "top_p":
            return lib.llama_sampler_init_top_p(s.top_p, 1) if s.top_p < 1 else None
        if name == "min_p":
            return lib.llama_sampler_init_min_p(s.min_p, 1) if s.min_p > 0 else None
        if name == "typical_p":
            return lib.llama_sampler_init_typical(s.typical_p, 1) if s.typical_p < 1 else None
        if name == "top_n_sigma":
            return lib.llama_sampler_init_top_n_sigma(s.top_n_sigma) if s.top_n_sigma > 0 else None
        if name == "xtc" and s.xtc_probability > 0:
            return lib.llama_sampler_init_xtc(s.xtc_probability, s.xtc_threshold, 1, s.seed)
        return None

    def _accepting(self, sampler: Any, tokens: list[int]) -> Any:
        for token in tokens:
            self._lib.llama_sampler_accept(sampler, token)
        return sampler

    def sample(self, context: Context, index: int) -> int | None:
        """The next token from the logits of batch row `index`.

        None when the grammar forbids every token, which would otherwise abort
        the process on acceptance.
        """
        if not self._has_grammar:
            return self._lib.llama_sampler_sample(self._chain, context.handle, index)
        return self._sample_constrained(context, index)

    def _sample_constrained(self, context: Context, index: int) -> int | None:
        import numpy as np

        lib, n = self._lib, self._model.n_vocab
        logits = context.logits(index)
        data = (lib.llama_token_data * n)()
        view = np.frombuffer(data, dtype=[("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])
        view["id"] = np.arange(n, dtype=np.int32)
        view["logit"] = logits
        array = lib.llama_token_data_array(
            data=ctypes.cast(data, ctypes.POINTER(lib.llama_token_data)),
            size=n, selected=-1, sorted=False,
        )  # fmt: skip
        lib.llama_sampler_apply(self._chain, ctypes.byref(array))
        if not 0 <= array.selected < array.size:
            return None
        chosen = array.data[array.selected]
        if chosen.logit == -math.inf:
            return None
        lib.llama_sampler_accept(self._chain, chosen.id)
        return chosen.id
