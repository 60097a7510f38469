"""Sampling settings: their schema and ranges, and the steps they amount to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import msgspec

from ..errors import ModelError
from .protocol import Sampling

SEED_LIMIT = 2**32 - 1
TOKEN_LIMIT = 2**31
COLDEST = 1e-4
"""Temperatures below it overflow the logits; they take the likeliest token, as 0 does."""


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
    for token, bias in biases.items():
        if not (0 <= token < TOKEN_LIMIT and (abs(bias) <= 1e6 or bias == -math.inf)):
            raise ModelError(
                "logit_bias takes token ids from 0 on and biases from -1e6 to 1e6, or -inf."
            )
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


def steps(sampling: Sampling, *, constrained: bool) -> tuple[str, ...]:
    """What happens to the logits of each token, in order; steps whose settings switch them off are
    left out.

    A `grammar` is looked at last: only when it forbids the token that was drawn, everything is done
    again with the grammar in front.
    """
    s = sampling
    cold = s.temperature < COLDEST
    on = {
        "penalties": (s.repeat_penalty, s.frequency_penalty, s.presence_penalty) != (1, 0, 0),
        "dry": s.dry_multiplier > 0,
        "top_n_sigma": s.top_n_sigma > 0 and not cold,
        "top_k": s.top_k > 0 and not cold,
        "typical_p": s.typical_p < 1 and not cold,
        "top_p": s.top_p < 1 and not cold,
        "min_p": s.min_p > 0 and not cold,
        "xtc": s.xtc_probability > 0 and not cold,
        "temperature": not cold,
    }
    filters = s.samplers if s.mirostat == 0 else ("penalties", "dry", "temperature")
    draw = "greedy" if cold else {0: "dist", 1: "mirostat", 2: "mirostat_v2"}[s.mirostat]
    return (
        *(["logit_bias"] if s.logit_bias else []),
        *(name for name in filters if on[name]),
        draw,
        *(["grammar"] if constrained else []),
    )
