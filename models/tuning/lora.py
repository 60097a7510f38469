"""The adapter that is trained: put on a base, kept, put back, and turned into a GGUF file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..adapters.convert import convert
from ..adapters.peft_config import CONFIG
from ..adapters.training import Training
from ..errors import ModelError
from ..gguf.facts import ModelFacts
from .base import Base
from .settings import ALL_LINEAR, TuningSettings

if TYPE_CHECKING:
    import torch

_FOLDER = "adapter"
"""The name of PEFT's folder, which the converted file records: always the same."""
MADE_IN = ".peft-"
"""How the names of folders begin in which PEFT's files lie meanwhile."""

Tensors: TypeAlias = "dict[str, torch.Tensor]"


def put_on(base: Base, settings: TuningSettings) -> Any:
    """The base's model with a new adapter, which changes nothing yet. Raises ModelError."""

    import torch
    from peft import LoraConfig, get_peft_model

    targets = list(settings.targets)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]  # any number
        target_modules=ALL_LINEAR if targets == [ALL_LINEAR] else targets,
        lora_dropout=settings.dropout,
        use_rslora=settings.rslora,
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(settings.seed)
    _check_targets(base.model, targets)
    model = get_peft_model(base.model, config)
    if settings.gradient_checkpointing:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model


def _check_targets(model: Any, targets: list[str]) -> None:
    import torch

    linear = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    for target in targets:
        if target != ALL_LINEAR and target not in linear:
            raise ModelError(
                f"targets has {target}, which is no linear layer of the base; it has "
                f"{', '.join(sorted(linear))}."
            )


def trained_parameters(model: Any) -> list[torch.nn.Parameter]:
    return [it for it in model.parameters() if it.requires_grad]


def tensors_of(model: Any) -> Tensors:
    """A copy of the adapter's weights, by their names in PEFT."""
    from peft import get_peft_model_state_dict

    state: Mapping[str, torch.Tensor] = get_peft_model_state_dict(
        model, save_embedding_layers=False
    )
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}


def put_back(model: Any, tensors: Tensors) -> None:
    from peft import set_peft_model_state_dict

    set_peft_model_state_dict(model, tensors)


def write_adapter(
    model: Any,
    tensors: Tensors,
    out: Path,
    facts: ModelFacts,
    training: Training,
    *,
    name: str,
    cache_dir: Path,
    work: Path,
) -> None:
    """Write the adapter's weights to the GGUF file `out`, in float32 as they were trained. PEFT's files
    lie in the folder `work` meanwhile.

    Raises ModelError, as when the disk is full.
    """
    from safetensors.torch import save

    config = model.peft_config["default"].to_dict()
    config["base_model_name_or_path"] = None
    try:
        with tempfile.TemporaryDirectory(prefix=MADE_IN, dir=work) as made:
            folder = Path(made) / _FOLDER
            folder.mkdir()
            (folder / CONFIG).write_text(json.dumps(config, default=sorted))
            weights = save({name: it.contiguous() for name, it in tensors.items()})
            (folder / "adapter_model.safetensors").write_bytes(weights)
            convert(
                folder, out, facts, name=name, outtype="f32", cache_dir=cache_dir, training=training
            )
    except OSError as error:
        raise ModelError(f"{out} cannot be written: {error.strerror or error}.") from None
