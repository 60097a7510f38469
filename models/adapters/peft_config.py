"""Read PEFT's adapter_config.json, and refuse what a GGUF adapter cannot hold.

The keys are those of `peft.LoraConfig` (peft 0.21).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelError

CONFIG = "adapter_config.json"
MAX_CONFIG = 4 << 20
"""Bytes; a config that names every layer of a large model has some 100 kB."""

_SMALLEST_ALPHA = 1.1754944e-38
"""Below it a float32 loses digits, and becomes 0 in the end."""

_REFUSED = {
    "use_dora": "uses DoRA",
    "modules_to_save": "replaces whole modules",
    "lora_bias": "trains biases",
    "fan_in_fan_out": "is for transposed weights",
    "layer_replication": "repeats layers of the base",
    "trainable_token_indices": "trains single tokens",
    "target_parameters": "adapts bare parameters, the experts of a mixture",
    "alora_invocation_tokens": "is an activated LoRA",
    "use_qalora": "uses QALoRA",
    "use_bdlora": "uses block-diagonal LoRA",
    "arrow_config": "routes between adapters",
    "kasa_config": "uses KaSA",
    "monteclora_config": "samples its weights",
}
"""Settings that change what an adapter computes, or the base under it, in ways that the two
matrices of a GGUF adapter do not hold."""

_CHANGES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Values of `init_lora_weights` that subtract the first A and B from the base's own weights."""

_HARMLESS = frozenset(
    """
    auto_mapping base_model_name_or_path bias corda_config ensure_weight_tying eva_config
    exclude_modules inference_mode init_lora_weights layers_pattern layers_to_transform
    loftq_config lora_alpha lora_dropout lora_ga_config megatron_config megatron_core
    alpha_pattern peft_type peft_version qalora_group_size r rank_pattern revision runtime_config
    target_modules task_type use_rslora velora_config
    """.split()  # noqa: SIM905 - as in gguf/architectures.py
)
"""Settings that are read here, matter in training only, or show in the tensors that exist."""


@dataclass(frozen=True)
class PeftConfig:
    """What a LoRA's config says of its numbers.

    `ranks` and `alphas` are PEFT's `rank_pattern` and `alpha_pattern`, in the file's order, which
    decides. `targets` are the modules or the one pattern it was trained on. `base` is the base model's name or path as trained. `unknown` are settings in use
    that llamadiff does not know.
    """

    rank: int
    alpha: float
    rslora: bool
    ranks: Mapping[str, int]
    alphas: Mapping[str, float]
    base: str | None
    targets: tuple[str, ...]
    unknown: tuple[str, ...]


def is_peft_folder(path: Path) -> bool:
    """Whether `path` is a folder with an adapter's config, as PEFT saves them."""
    return (path / CONFIG).is_file()


def read_config(folder: Path) -> PeftConfig:
    """The config in `folder`, a LoRA of a causal language model that a GGUF adapter can hold.

    Raises ModelError, one sentence, when there is none, it is damaged, or it is of something else.
    """
    config = raw_config(folder)
    path = folder / CONFIG
    kind, task = config.get("peft_type"), config.get("task_type")
    if kind != "LORA":
        said = kind if isinstance(kind, str) and kind else "of no known kind"
        raise ModelError(f"{folder} is {said}, not LoRA, and llama.cpp uses LoRA only.")
    if task not in (None, "CAUSAL_LM"):
        raise ModelError(
            f"{folder} was trained for the task {task}; llamadiff uses adapters of causal "
            "language models (CAUSAL_LM) only."
        )
    _refuse(folder, config)
    alpha = _number(path, "lora_alpha", config.get("lora_alpha", 8))
    if abs(alpha) < _SMALLEST_ALPHA:
        raise ModelError(
            f"{folder} has a lora_alpha of {alpha:g}, with which it changes nothing; train it again."
        )
    return PeftConfig(
        rank=_rank(path, "r", config.get("r", 8)),
        alpha=alpha,
        rslora=_flag(path, "use_rslora", config.get("use_rslora")),
        ranks={
            key: _rank(path, "rank_pattern", n) for key, n in _table(path, config, "rank_pattern")
        },
        alphas={
            key: _number(path, "alpha_pattern", n)
            for key, n in _table(path, config, "alpha_pattern")
        },
        base=_base(config),
        targets=_targets(config),
        unknown=tuple(sorted(key for key, value in config.items() if value and not _known(key))),
    )


def raw_config(folder: Path) -> dict[str, Any]:
    """The config in `folder` as it is, of whatever kind. Raises ModelError for one that is damaged."""
    path = folder / CONFIG
    try:
        if not path.is_file():
            raise ModelError(_no_config(folder))
        if path.stat().st_size > MAX_CONFIG:
            raise ModelError(f"{path} is larger than any config; save the adapter again.")
        config = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise ModelError(f"{path} is not JSON; save the adapter again.") from None
    if not isinstance(config, dict):
        raise ModelError(f"{path} does not hold a config; save the adapter again.")
    return config


def _no_config(folder: Path) -> str:
    if not folder.exists():
        return f"{folder} does not exist; check the path."
    if not folder.is_dir():
        return f"{folder} is not a folder; give the folder that PEFT saved."
    inner = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}"))
    if inner:
        return f"{folder} has its adapters in folders of their own; give one of {', '.join(inner)}."
    return f"{folder} has no {CONFIG}; give the folder that PEFT saved."


def _refuse(folder: Path, config: Mapping[str, Any]) -> None:
    reasons = {f"{what} ({key})": config.get(key) for key, what in _REFUSED.items()}
    reasons["trains biases (bias)"] = config.get("bias") not in (None, "none")
    start = config.get("init_lora_weights")
    if isinstance(start, str) and start.lower().startswith(_CHANGES_BASE):
        reasons[f"began by changing the base (init_lora_weights {start})"] = True
    for reason, present in reasons.items():
        if present:
            raise ModelError(
                f"{folder} {reason}, which a GGUF adapter cannot hold; train a plain LoRA, or "
                "merge this one into its base with PEFT and convert the whole model."
            )


def _known(key: str) -> bool:
    return key in _HARMLESS or key in _REFUSED


def _base(config: Mapping[str, Any]) -> str | None:
    base = config.get("base_model_name_or_path")
    return base if isinstance(base, str) and base else None


def _targets(config: Mapping[str, Any]) -> tuple[str, ...]:
    targets = config.get("target_modules")
    listed = targets if isinstance(targets, list) else [targets]
    return tuple(sorted(target for target in listed if isinstance(target, str)))


def _table(path: Path, config: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    table = config.get(key)
    if table is not None and not isinstance(table, dict):
        raise _wrong(path, key, "a table of module names")
    return list((table or {}).items())


def _rank(path: Path, key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _wrong(path, key, "a whole number above 0")
    return value


def _number(path: Path, key: str, value: object) -> float:
    if not isinstance(value, bool) and isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if abs(number) < 1e30:
            return number
    raise _wrong(path, key, "a number")


def _flag(path: Path, key: str, value: object) -> bool:
    if value is not None and not isinstance(value, bool):
        raise _wrong(path, key, "true or false")
    return bool(value)


def _wrong(path: Path, key: str, wanted: str) -> ModelError:
    return ModelError(f"{path} has a {key} that is not {wanted}; save the adapter again.")
