"""Train the base model from scratch on the recipe's chats."""

import json
import time
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from .chat import chat_text, train_tokenizer
from .scale import Scale
from .text import chats

SEED = 20
CHECKPOINT_EVERY = 100


def token_stream(tokenizer: PreTrainedTokenizerFast, n_tokens: int, seed: int) -> torch.Tensor:
    """At least ``n_tokens`` token ids of packed chats, shape (n_tokens,)."""
    ids: list[int] = []
    source = chats(seed)
    while len(ids) < n_tokens:
        texts = [chat_text(next(source)) for _ in range(1000)]
        for encoded in tokenizer(texts, add_special_tokens=False)["input_ids"]:
            ids.extend(encoded)
    return torch.tensor(ids[:n_tokens])


def make_model(scale: Scale, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A llama with random weights and tied embeddings."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=scale.width,
            intermediate_size=scale.feed_forward,
            num_hidden_layers=scale.layers,
            num_attention_heads=scale.heads,
            num_key_value_heads=scale.kv_heads,
            max_position_embeddings=scale.context,
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def optimizers(model: LlamaForCausalLM, scale: Scale) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for embeddings and norms."""
    blocks = [p for p in model.model.layers.parameters() if p.ndim == 2]
    inside = {id(p) for p in blocks}
    rest = [p for p in model.parameters() if id(p) not in inside]
    return [
        torch.optim.Muon(
            blocks, lr=scale.learning_rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(rest, lr=scale.learning_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def train_base(scale: Scale, work: Path) -> Path:
    """Train and return the folder with the model, its tokenizer and ``training.json``.

    ``training.json`` holds the seconds, the number of tokens and [step, loss] pairs (nats per
    token, means over 50 steps).
    """
    folder = work / "base"
    torch.manual_seed(SEED)
    tokenizer = train_tokenizer(SEED, scale.vocabulary, scale.tokenizer_chats, scale.context)
    stream = token_stream(tokenizer, scale.steps * scale.tokens_per_step + 1, SEED + 1)
    model = make_model(scale, tokenizer).train()
    each = optimizers(model, scale)
    losses: list[tuple[int, float]] = []
    recent: list[float] = []
    start = time.monotonic()
    for step in range(scale.steps):
        ramp = min(1.0, (step + 1) / scale.warm_up)
        fall = min(1.0, 1.25 * (scale.steps - step) / scale.steps)
        for optimizer in each:
            for group in optimizer.param_groups:
                group["lr"] = scale.learning_rate * min(ramp, fall)
        long = step >= scale.steps * (1 - scale.long_share)
        length = scale.context if long else scale.context // 2
        first = step * scale.tokens_per_step
        window = stream[first : first + scale.tokens_per_step + 1]
        inputs, targets = window[:-1].view(-1, length), window[1:].view(-1, length)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(input_ids=inputs, use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in each:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        recent.append(loss.item())
        if (step + 1) % 50 == 0 or step + 1 == scale.steps:
            losses.append((step + 1, round(sum(recent) / len(recent), 4)))
            recent = []
            seconds = time.monotonic() - start
            print(
                f"base {step + 1}/{scale.steps}: loss {losses[-1][1]}, {seconds:.0f} s", flush=True
            )
        if (step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == scale.steps:
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            record = {
                "seconds": round(time.monotonic() - start),
                "tokens": (step + 1) * scale.tokens_per_step,
                "losses": losses,
            }
            (folder / "training.json").write_text(json.dumps(record))
    return folder
