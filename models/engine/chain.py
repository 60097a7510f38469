"""The native sampler chain of one sequence, and the grammar that may constrain it."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np

from .context import Context
from .native import Model, NativeError, complaint, lib, listen
from .protocol import Sampling
from .samplers import steps

Logits = np.ndarray[Any, np.dtype[np.float32]]

MAX_GRAMMAR = 200_000
"""Characters; together with MAX_NESTING it keeps llama.cpp's recursive parser off the stack's end."""
MAX_NESTING = 500
MIROSTAT_M = 100
"""Tokens from which Mirostat v1 estimates the distribution, as in its paper."""


class Grammar:
    """A native grammar and how far a text has gone in it. Close it at the end.

    `start` is the rule that a text follows. Raises NativeError when the grammar does not parse.
    """

    def __init__(self, model: Model, text: str, start: str = "root") -> None:
        _refuse_grammar(text)
        listen()
        self._model = model
        self._native = lib.llama_sampler_init_grammar(model.vocab, text.encode(), start.encode())
        if not self._native:
            raise NativeError(f"The grammar does not parse: {complaint()}.")

    def close(self) -> None:
        lib.llama_sampler_free(self._native)

    def accept(self, token: int) -> None:
        """Go on by a token that is allowed; any other would end the process."""
        lib.llama_sampler_accept(self._native, token)

    def allows(self, token: int) -> bool:
        """Whether a token may come next."""
        one = lib.llama_token_data(id=token, logit=1.0, p=0.0)
        array = lib.llama_token_data_array(
            data=ctypes.pointer(one), size=1, selected=-1, sorted=False
        )
        self.restrict(array)
        return one.logit != -math.inf

    def allowed(self, logits: Logits) -> np.ndarray[Any, np.dtype[np.intp]]:
        """Ids of all tokens that may come next, given finite `logits`, shape (n_vocab,)."""
        self.restrict(self._model.candidates(logits))
        return np.flatnonzero(self._model.candidate_logits() != -math.inf)

    def restrict(self, array: Any) -> None:
        """Give every candidate that may not come next the logit -inf."""
        lib.llama_sampler_apply(self._native, ctypes.byref(array))


class Sampler:
    """The native chain of one sequence. Close it when the sequence ends.

    `prompt` feeds the penalties, never the grammar. Raises NativeError when a
    grammar does not parse.
    """

    def __init__(
        self, model: Model, sampling: Sampling, prompt: list[int], grammar: str | None
    ) -> None:
        self._model = model
        self._grammar: Grammar | None = None
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        try:
            for name in steps(sampling, constrained=False):
                lib.llama_sampler_chain_add(self._chain, self._make(name, sampling, prompt))
            if grammar is not None:
                self._grammar = Grammar(model, grammar)
        except NativeError:
            self.close()
            raise

    def close(self) -> None:
        lib.llama_sampler_free(self._chain)
        if self._grammar:
            self._grammar.close()

    def sample(self, context: Context, index: int, forced: int | None = None) -> int | None:
        """The next token from the logits of batch row `index`, or `forced` in its place.

        None when the grammar forbids every token, or the forced one, which would otherwise abort
        the process on acceptance.
        """
        grammar = self._grammar
        if grammar is None and forced is None:
            return lib.llama_sampler_sample(self._chain, context.handle, index)
        logits = context.logits(index)
        token = self._draw(logits, None)
        if grammar and (token is None or not grammar.allows(token)):
            token = self._draw(logits, grammar)
        if forced is not None:
            token = forced
        if token is None or (grammar and not grammar.allows(token)):
            return None
        if grammar:
            grammar.accept(token)
        lib.llama_sampler_accept(self._chain, token)
        return token

    def _draw(self, logits: Logits, grammar: Grammar | None) -> int | None:
        """Run the chain over all tokens, or over those that the grammar allows."""
        array = self._model.candidates(logits)
        if grammar:
            grammar.restrict(array)
        lib.llama_sampler_apply(self._chain, ctypes.byref(array))
        return array.data[array.selected].id if 0 <= array.selected < array.size else None

    # --------------------------------------------------------------------- chain

    def _make(self, name: str, s: Sampling, prompt: list[int]) -> Any:
        """The native sampler for one of the names that `steps` gives."""
        match name:
            case "logit_bias":
                return self._bias(s.logit_bias)
            case "penalties":
                last = self._model.n_ctx if s.repeat_last_n < 0 else s.repeat_last_n
                sampler = lib.llama_sampler_init_penalties(
                    self._model.n_vocab, last,
                    s.repeat_penalty, s.frequency_penalty, s.presence_penalty,
                )  # fmt: skip
                return _fed(sampler, prompt, last)
            case "dry":
                last = self._model.n_ctx if s.dry_penalty_last_n < 0 else s.dry_penalty_last_n
                breakers = (ctypes.c_char_p * 4)(b"\n", b":", b'"', b"*")
                sampler = lib.llama_sampler_init_dry(
                    self._model.vocab, s.dry_multiplier, s.dry_base, s.dry_allowed_length, last,
                    breakers, len(breakers),
                )  # fmt: skip
                return _fed(sampler, prompt, last)
            case "temperature" if s.dynatemp_range > 0 and s.mirostat == 0:
                return lib.llama_sampler_init_temp_ext(
                    s.temperature, s.dynatemp_range, s.dynatemp_exponent
                )
            case "temperature":
                return lib.llama_sampler_init_temp(s.temperature)
            case "top_k":
                return lib.llama_sampler_init_top_k(s.top_k)
            case "top_p":
                return lib.llama_sampler_init_top_p(s.top_p, 1)
            case "min_p":
                return lib.llama_sampler_init_min_p(s.min_p, 1)
            case "typical_p":
                return lib.llama_sampler_init_typical(s.typical_p, 1)
            case "top_n_sigma":
                return lib.llama_sampler_init_top_n_sigma(s.top_n_sigma)
            case "xtc":
                return lib.llama_sampler_init_xtc(s.xtc_probability, s.xtc_threshold, 1, s.seed)
            case "greedy":
                return lib.llama_sampler_init_greedy()
            case "dist":
                return lib.llama_sampler_init_dist(s.seed)
            case "mirostat":
                return lib.llama_sampler_init_mirostat(
                    self._model.n_vocab, s.seed, s.mirostat_tau, s.mirostat_eta, MIROSTAT_M
                )
            case "mirostat_v2":
                return lib.llama_sampler_init_mirostat_v2(s.seed, s.mirostat_tau, s.mirostat_eta)
            case _:
                raise NativeError(f"There is no sampler {name}.")

    def _bias(self, biases: dict[int, float]) -> Any:
        n_vocab = self._model.n_vocab
        if wrong := [token for token in biases if not 0 <= token < n_vocab]:
            raise NativeError(
                f"logit_bias names token {wrong[0]}, but the vocabulary has {n_vocab}."
            )
        array = (lib.llama_logit_bias * len(biases))(
            *(lib.llama_logit_bias(token, bias) for token, bias in biases.items())
        )
        return lib.llama_sampler_init_logit_bias(n_vocab, len(array), array)


def _fed(sampler: Any, prompt: list[int], last: int) -> Any:
    """The sampler, having seen the last tokens of the prompt."""
    for token in prompt[-last:] if last else []:
        lib.llama_sampler_accept(sampler, token)
    return sampler


def _refuse_grammar(grammar: str) -> None:
    """Raise NativeError for a grammar that would overflow llama.cpp's parser or be cut short."""
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
