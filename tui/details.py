"""What is known of a model, an adapter or a prompt, as labels and values for the details pane."""

from __future__ import annotations

from pathlib import Path

from ..models.adapters.peft_config import PeftConfig, read_config
from ..models.catalog import AdapterEntry, ModelEntry
from ..models.gguf.check import check_adapter, check_model
from ..models.gguf.facts import AdapterFacts, ModelFacts
from ..prompts.document import Prompt
from ..prompts.library import PromptEntry
from ..prompts.parse import load_prompt
from .amounts import count, size
from .library import Entry

Details = list[tuple[str, str]]

SHOWN_CONTEXT = 4096
"""Tokens of context for which memory is estimated, or the model's own if that is less."""


def whole(entry: Entry) -> tuple[Details, Details]:
    """Details from the whole header, and the texts. Raises ModelError or PromptError."""
    path = Path(entry.path)
    if isinstance(entry, PromptEntry):
        prompt = load_prompt(path)
        return _of_prompt(entry, prompt), _texts_of(prompt)
    if isinstance(entry, AdapterEntry) and entry.is_peft:
        return _of_peft(entry, read_config(path)), []
    if isinstance(entry, AdapterEntry):
        return _of_adapter(entry, check_adapter(path, values=False)), []
    return _of_model(entry, check_model(path)), []


def of_entry(entry: Entry) -> Details:
    """What the list says; shown at once."""
    if isinstance(entry, AdapterEntry):
        return _adapter(entry)
    if isinstance(entry, PromptEntry):
        return _prompt(entry)
    return [
        ("architecture", entry.architecture or "–"),
        ("parameters", count(entry.parameters)),
        ("type", entry.quantization or "–"),
        ("size", size(entry.bytes)),
        ("context", f"{entry.context:,} tokens" if entry.context else "–"),
        *_where(entry),
    ]


def _of_model(entry: ModelEntry, facts: ModelFacts) -> Details:
    """What the whole header says, with the memory it takes."""
    from ..models.memory import fit

    n_ctx = min(facts.context, SHOWN_CONTEXT)
    types = sorted(facts.bytes_by_type.items(), key=lambda item: -item[1])
    shared = f", {facts.kv_heads} for keys and values" if facts.kv_heads != facts.heads else ""
    return [
        ("title", facts.title or "–"),
        ("architecture", facts.architecture),
        ("parameters", f"{count(facts.parameters)} ({facts.parameters:,})"),
        ("type", facts.quantization),
        ("tensors", ", ".join(f"{name} {size(taken)}" for name, taken in types)),
        ("size", size(facts.bytes) + (f" in {len(facts.parts)} files" * (len(facts.parts) > 1))),
        ("memory", f"{fit(facts, n_ctx)}, with {n_ctx:,} tokens of context"),
        ("context", f"{facts.context:,} tokens"),
        ("layers", f"{facts.layers}, {facts.embedding:,} wide"),
        ("heads", f"{facts.heads}{shared}"),
        ("vocabulary", f"{facts.vocab_size:,} tokens"),
        ("template", "its own" if facts.chat_template else "none"),
        ("licence", facts.license or "–"),
        *_where(entry),
    ]


def _of_adapter(entry: AdapterEntry, facts: AdapterFacts) -> Details:
    """What the whole header says, with the scale it has at 1."""
    scales = sorted({facts.alpha / rank if facts.alpha else 1.0 for rank in facts.ranks})
    details = dict(_adapter(entry))
    details["rank"] = ", ".join(map(str, facts.ranks))
    details["parameters"] = f"{count(facts.parameters)} ({facts.parameters:,})"
    details["scale at 1"] = ", ".join(f"{scale:g}" for scale in scales)
    where = dict(_where(entry))
    return [*((k, v) for k, v in details.items() if k not in where), *where.items()]


def _of_peft(entry: AdapterEntry, config: PeftConfig) -> Details:
    """What the config of a PEFT folder says, and what becomes of the folder."""
    details = dict(_adapter(entry))
    details["rank"] = ", ".join(f"{rank}" for rank in sorted({config.rank, *config.ranks.values()}))
    details["alpha"] = ", ".join(
        f"{alpha:g}" for alpha in sorted({config.alpha, *config.alphas.values()})
    )
    how = "a PEFT folder: {library.use} converts it for the variant's model, and keeps the result"
    return [("format", how), *((k, v) for k, v in details.items() if k != "architecture")]


def _of_prompt(entry: PromptEntry, prompt: Prompt) -> Details:
    """What a prompt has besides its texts."""
    details = dict(_prompt(entry))
    path = details.pop("path")
    variables = [f"{v.name} = {v.default}" if v.default is not None else v.name for v in prompt.variables]  # fmt: skip
    rules = [name for name in ("stop", "grammar", "schema") if getattr(prompt.output, name)]
    further = {
        "variables": ", ".join(variables),
        "examples": str(len(prompt.examples) or ""),
        "sampling": ", ".join(f"{key} {value}" for key, value in prompt.sampling.items()),
        "output": ", ".join(rules),
    }
    return [*details.items(), *((k, v) for k, v in further.items() if v), ("path", path)]


def _texts_of(prompt: Prompt) -> Details:
    """The texts of a prompt, each with what it is."""
    return [(field, text) for _, field, text in prompt.text_fields()]


def _prompt(entry: PromptEntry) -> Details:
    known = [("about", entry.description), ("tags", " ".join(entry.tags)), ("file", entry.slug)]
    return [
        *((k, v) for k, v in known if v),
        ("path", "shipped" if entry.shipped else str(entry.path)),
    ]


def _adapter(entry: AdapterEntry) -> Details:
    return [
        ("architecture", entry.architecture or "–"),
        ("base", entry.base or "–"),
        ("rank", str(entry.rank or "–")),
        ("alpha", "–" if entry.alpha is None else f"{entry.alpha:g}"),
        ("targets", " ".join(entry.targets) or "–"),
        ("size", size(entry.bytes)),
        *_where(entry),
    ]


def _where(entry: ModelEntry | AdapterEntry) -> Details:
    return [("source", entry.source), ("path", entry.path)]
