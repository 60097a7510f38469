"""How large a run of the recipe is: the real one, or a tiny one that tests the way from end to end."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes of the model and of the training.

    ``long_share`` is the share of the steps, at the end, whose sequences are ``context`` tokens
    long; the earlier ones are half as long. Every step sees ``tokens_per_step`` tokens.
    """

    name: str
    vocabulary: int
    width: int
    feed_forward: int
    layers: int
    heads: int
    kv_heads: int
    context: int
    tokens_per_step: int
    steps: int
    long_share: float
    warm_up: int
    learning_rate: float
    tokenizer_chats: int
    adapter_steps: int
    adapter_batch: int


FULL = Scale(
    name="demo-6m",
    vocabulary=3072,
    width=256,
    feed_forward=768,
    layers=6,
    heads=4,
    kv_heads=2,
    context=1024,
    tokens_per_step=2048,
    steps=2850,
    long_share=0.2,
    warm_up=100,
    learning_rate=6e-3,
    tokenizer_chats=20_000,
    adapter_steps=150,
    adapter_batch=16,
)
TINY = Scale(
    name="demo-tiny",
    vocabulary=512,
    width=64,
    feed_forward=192,
    layers=2,
    heads=2,
    kv_heads=1,
    context=1024,
    tokens_per_step=1024,
    steps=30,
    long_share=0.3,
    warm_up=5,
    learning_rate=4e-3,
    tokenizer_chats=500,
    adapter_steps=8,
    adapter_batch=4,
)
