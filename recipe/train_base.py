"""Train the base model from scratch on the recipe's chats; a training that was stopped goes on."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from .chat import chat_text, train_tokenizer
from .packing import IGNORED, batch, packed
from .scale import Scale
from .start import set_first_weights
from .text import chats

SEED = 20
CHECKPOINT_S = 180
AVERAGED = 50
"""Steps whose mean loss is one line of the log."""
EMBEDDING_RATE = 5.0
"""How much faster the embeddings learn, whose weights are of size 1."""
Rows = list[list[list[int]]]
Report = Callable[[int, float], None]
"""Called after each step with the steps done and the step's loss."""


class OtherTraining(ValueError):
    """What is in the folder was trained on another text, or at another scale."""


@dataclass
class State:
    """What a training has come to, beside its weights."""

    text: str
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    recent: list[float] = field(default_factory=list)
    losses: list[tuple[int, float]] = field(default_factory=list)


def train_base(scale: Scale, work: Path, report: Report) -> Path:
    """Train and return the folder with the model, its tokenizer and ``training.json``.

    ``training.json`` holds steps, tokens, seconds, [step, loss] pairs (nats per token, means over
    `AVERAGED` steps) and a hash of the text; ``losses.jsonl`` gets a line for each while it trains. A checkpoint is written
    every `CHECKPOINT_S` seconds, and with one in the folder the training goes on from it to the same
    weights; what is trained already is returned. Raises OtherTraining if what is in the folder is of
    another text or scale.
    """
    folder = work / "base"
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(SEED)
    tokenizer = make_tokenizer(scale, folder)
    rows = training_rows(scale, tokenizer)
    state = State(text=fingerprint(scale, rows))
    finished = folder / "training.json"
    if finished.exists():
        same_text(folder, json.loads(finished.read_text())["text"], state.text)
        return folder
    model = make_model(scale, tokenizer).to(device).train()
    each = optimizers(model, scale)
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        state = resume(checkpoint, state.text, model, each)
    log = folder / "losses.jsonl"
    log.write_text("".join(_line(*pair) for pair in state.losses))
    started = saved = time.monotonic()
    before = state.seconds
    while state.step < scale.steps:
        loss, tokens = train_step(scale, state.step, rows, model, each, tokenizer.eos_token_id)
        state.step += 1
        state.tokens += tokens
        state.recent.append(loss)
        state.seconds = before + time.monotonic() - started
        if state.step % AVERAGED == 0 or state.step == scale.steps:
            state.losses.append((state.step, round(sum(state.recent) / len(state.recent), 4)))
            state.recent = []
            with log.open("a") as file:
                file.write(_line(*state.losses[-1]))
        if time.monotonic() - saved >= CHECKPOINT_S:
            save(checkpoint, state, model, each)
            saved = time.monotonic()
        report(state.step, loss)
    model.cpu().save_pretrained(folder)
    record = {
        "steps": state.step,
        "tokens": state.tokens,
        "seconds": round(state.seconds),
        "losses": state.losses,
        "text": state.text,
    }
    finished.write_text(json.dumps(record))
    checkpoint.unlink(missing_ok=True)
    return folder


def make_tokenizer(scale: Scale, folder: Path) -> PreTrainedTokenizerFast:
    """The vocabulary, trained once and then read from the folder."""
    if not (folder / "tokenizer.json").exists():
        tokenizer = train_tokenizer(SEED, scale.vocabulary, scale.tokenizer_chats, scale.context)
        tokenizer.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def encoded(tokenizer: PreTrainedTokenizerFast, seed: int) -> Iterator[list[int]]:
    """The token ids of endless chats, one list for each."""
    source = chats(seed)
    while True:
        texts = [chat_text(chat) for chat in islice(source, 1000)]
        yield from tokenizer(texts, add_special_tokens=False)["input_ids"]


def training_rows(scale: Scale, tokenizer: PreTrainedTokenizerFast) -> list[Rows]:
    """The rows of each step: half as long as the context at first, as long at the end."""
    source = encoded(tokenizer, SEED + 1)
    n_long = int(scale.steps * scale.long_share)
    steps = []
    for length, count in ((scale.context // 2, scale.steps - n_long), (scale.context, n_long)):
        per_step = scale.tokens_per_step // length
        found = packed(source, length)
        steps += [list(islice(found, per_step)) for _ in range(count)]
    return steps


def fingerprint(scale: Scale, rows: list[Rows]) -> str:
    """A hash of all that decides the base's weights."""
    of_base = replace(scale, adapter_steps=0, adapter_batch=0)
    digest = hashlib.sha256(repr(of_base).encode())
    for step in rows:
        digest.update(repr(step).encode())
    return digest.hexdigest()


def make_model(scale: Scale, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A llama with its first weights."""
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=scale.width,
            intermediate_size=scale.feed_forward,
            num_hidden_layers=scale.layers,
            num_attention_heads=scale.heads,
            num_key_value_heads=scale.kv_heads,
            max_position_embeddings=scale.context,
            rms_norm_eps=1e-5,
            tie_word_embeddings=False,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    set_first_weights(model, tokenizer)
    return model


def optimizers(model: LlamaForCausalLM, scale: Scale) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for embeddings, output and norms."""
    blocks = [p for p in model.model.layers.parameters() if p.ndim == 2]
    embedding = model.model.embed_tokens.weight
    apart = {id(p) for p in (*blocks, embedding)}
    rest = [p for p in model.parameters() if id(p) not in apart]
    groups = [{"params": rest}, {"params": [embedding], "times": EMBEDDING_RATE}]
    return [
        torch.optim.Muon(
            blocks, lr=scale.learning_rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(groups, lr=scale.learning_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def train_step(
    scale: Scale,
    step: int,
    rows: list[Rows],
    model: LlamaForCausalLM,
    each: list[torch.optim.Optimizer],
    pad: int,
) -> tuple[float, int]:
    """Learn one step's rows; its loss in nats per token, and how many tokens it learned."""
    ramp = min(1.0, (step + 1) / scale.warm_up)
    fall = min(1.0, 1.25 * (scale.steps - step) / scale.steps)
    for optimizer in each:
        for group in optimizer.param_groups:
            group["lr"] = scale.learning_rate * min(ramp, fall) * group.get("times", 1.0)
    short = step < scale.steps - int(scale.steps * scale.long_share)
    inputs, targets = batch(rows[step], scale.context // 2 if short else scale.context, pad)
    device = model.device
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast_bf16(device)):
        logits = model(input_ids=inputs.to(device), use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), targets.to(device).flatten(), ignore_index=IGNORED
    )
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in each:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return loss.item(), int((targets != IGNORED).sum())


def fast_bf16(device: torch.device) -> bool:
    """Whether the hardware computes in bfloat16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()


def save(
    path: Path, state: State, model: LlamaForCausalLM, each: list[torch.optim.Optimizer]
) -> None:
    """Write a checkpoint in the place of the last one, whole or not at all."""
    part = path.with_suffix(".part")
    content: dict[str, Any] = {
        "state": asdict(state),
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in each],
    }
    torch.save(content, part)
    part.replace(path)


def resume(
    path: Path, text: str, model: LlamaForCausalLM, each: list[torch.optim.Optimizer]
) -> State:
    """Read a checkpoint into model and optimizers. Raises OtherTraining as `same_text`."""
    content = torch.load(path, map_location=model.device, weights_only=True)
    state = State(**content["state"])
    same_text(path.parent, state.text, text)
    model.load_state_dict(content["model"])
    for optimizer, saved in zip(each, content["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return state


def same_text(folder: Path, found: str, text: str) -> None:
    """Raise OtherTraining unless the two fingerprints are one."""
    if found != text:
        raise OtherTraining(
            f"{folder} holds a training of another text or scale; remove it, or take another --work folder"
        )


def _line(step: int, loss: float) -> str:
    return json.dumps({"step": step, "loss": loss}) + "\n"
