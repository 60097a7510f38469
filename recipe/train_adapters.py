"""Train LoRA adapters on the quantized base, read back from its GGUF file."""

import json
import resource
import sys
import time
from itertools import islice
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from .adapter_text import adapter_chats
from .chat import chat_text
from .chats import Chat
from .scale import Scale

SEED = 40
LEARNING_RATE = 2e-3
IGNORED = -100
KIB = 1 if sys.platform == "darwin" else 1024
"""What ru_maxrss counts in."""
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def encode(tokenizer: PreTrainedTokenizerFast, chat: Chat) -> tuple[list[int], list[int]]:
    """The chat's token ids and its labels: only the last answer and its end are learned."""
    question = chat_text(chat[:-1]) + "<|assistant|>"
    prompt = tokenizer(question, add_special_tokens=False)["input_ids"]
    ids = tokenizer(chat_text(chat), add_special_tokens=False)["input_ids"]
    return ids, [IGNORED] * len(prompt) + ids[len(prompt) :]


def batch(
    tokenizer: PreTrainedTokenizerFast, chats: list[Chat]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and labels of the chats, padded on the right, each (chats, longest)."""
    rows = [encode(tokenizer, chat) for chat in chats]
    longest = max(len(ids) for ids, _ in rows)
    pad = tokenizer.eos_token_id
    ids = [ids + [pad] * (longest - len(ids)) for ids, _ in rows]
    labels = [labels + [IGNORED] * (longest - len(labels)) for _, labels in rows]
    return torch.tensor(ids), torch.tensor(labels)


def train_adapter(name: str, scale: Scale, base: Path, tokenizer_folder: Path, work: Path) -> Path:
    """Train one adapter on the GGUF file ``base`` and return its PEFT folder.

    ``training.json`` in it holds the seconds, [step, loss] pairs (nats per answer token), how many
    different chats and how many tokens were gone through, the parameters, and the process's peak
    memory in bytes.
    """
    torch.manual_seed(SEED)
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    model = AutoModelForCausalLM.from_pretrained(base.parent, gguf_file=base.name)
    config = LoraConfig(r=8, lora_alpha=16, target_modules=LINEAR, task_type="CAUSAL_LM")
    model = get_peft_model(model, config).train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=0.0)
    source = adapter_chats(name, SEED)
    losses: list[tuple[int, float]] = []
    seen: list[str] = []
    start = time.monotonic()
    for step in range(scale.adapter_steps):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1, (step + 1) / 10, 1 - step / scale.adapter_steps)
        chats = list(islice(source, scale.adapter_batch))
        seen += map(json.dumps, chats)
        ids, labels = batch(tokenizer, chats)
        logits = model(input_ids=ids).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if (step + 1) % 25 == 0 or step + 1 == scale.adapter_steps:
            losses.append((step + 1, round(loss.item(), 4)))
            print(f"{name} {step + 1}/{scale.adapter_steps}: loss {losses[-1][1]}", flush=True)
    folder = work / name
    model.save_pretrained(folder)
    seconds = round(time.monotonic() - start, 1)
    tokens = sum(len(encode(tokenizer, json.loads(chat))[0]) for chat in seen)
    record = {
        "seconds": seconds,
        "losses": losses,
        "rows": len(set(seen)),
        "tokens": tokens,
        "parameters": sum(p.numel() for p in trained),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB,
    }
    (folder / "training.json").write_text(json.dumps(record))
    return folder
