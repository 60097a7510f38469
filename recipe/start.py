"""First weights that copy: an induction head is set by hand and not left to chance.

A head of layer 0 looks at the token before, and writes what it is into coordinates kept for that. A
head of layer 1 looks for places where the token before is the present one, and puts forward what stands
there. So after a word that was there already, what followed it is expected again. Models as small as
this one learn such a pair of heads late or never (C. Olsson et al., In-context Learning and Induction
Heads, 2022), and few-shot prompts do not work without it. Training starts from there and changes it.
"""

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CONSTANT = 8
"""Coordinates that are alike in all tokens, for a head that looks at places alone."""
MATCHED = 24
"""Coordinates for the token before, and dimensions of a head that a token is known again by."""
QUICK = 6
"""Pairs of dimensions of a head that turn quickly, by which the place before is found."""
PLACE_SCORE = 50.0
MATCH_SCORE = 4.0
"""How much a place, or a token that is known again, counts before the softmax."""
SHOWN = 2.0
"""How much what is put forward counts beside the present token."""
QUIET = 0.1
"""What is left of the random weights that write into the stream."""
HEAD = 0.04
"""How large the output's first weights are, which read what is put forward, beside the embeddings."""
KIN = 0.9
"""How much of a token's embedding is that of the same letters without space or capitals."""


@torch.no_grad()
def set_first_weights(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Set the weights of a fresh model in place; it has two layers or more and an output of its own."""
    layers = model.model.layers
    for layer in layers:
        layer.self_attn.o_proj.weight.mul_(QUIET)
        layer.mlp.down_proj.weight.mul_(QUIET)
    embedding = model.model.embed_tokens.weight
    embedding.normal_()
    embedding[:, :CONSTANT] = 1.0
    embedding[:, CONSTANT : CONSTANT + MATCHED] = 0.0
    _share(embedding, tokenizer)
    known, shown = (_part(rows, model.config) for rows in (MATCHED, _sizes(model.config)[0]))
    _look_before(layers[0].self_attn, model.config, known)
    _look_for_same(layers[1].self_attn, model.config, known, shown)
    model.lm_head.weight.copy_(embedding @ shown.T @ shown * HEAD)


def _share(embedding: torch.Tensor, tokenizer: PreTrainedTokenizerFast) -> None:
    """Make tokens alike that differ by a leading space or by capitals."""
    first: dict[str, int] = {}
    special = set(tokenizer.all_special_ids)
    for at, token in enumerate(tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))):
        kin = first.setdefault(token.removeprefix("Ġ").lower(), at)
        if kin != at and at not in special:
            own = embedding[at, CONSTANT + MATCHED :]
            own.mul_((1 - KIN**2) ** 0.5).add_(embedding[kin, CONSTANT + MATCHED :], alpha=KIN)


def _part(rows: int, config: LlamaConfig) -> torch.Tensor:
    """So many orthogonal directions among the coordinates that say what a token is."""
    part = torch.zeros(rows, config.hidden_size)
    torch.nn.init.orthogonal_(part[:, CONSTANT + MATCHED :])
    return part


def _sizes(config: LlamaConfig) -> tuple[int, int]:
    """The dimensions of a head, and how many heads share the first keys."""
    heads = config.num_attention_heads
    return config.hidden_size // heads, heads // config.num_key_value_heads


def _look_before(attention: torch.nn.Module, config: LlamaConfig, known: torch.Tensor) -> None:
    """The same key in every place, and as a query that key turned back by one place."""
    size, group = _sizes(config)
    half, strength = size // 2, PLACE_SCORE**0.5 / CONSTANT
    turn = config.rope_parameters["rope_theta"] ** (-torch.arange(QUICK) * 2 / size)
    key, query = torch.zeros(size), torch.zeros(size)
    key[:QUICK] = strength
    query[:QUICK] = strength * torch.cos(turn)
    query[half : half + QUICK] = -strength * torch.sin(turn)
    attention.k_proj.weight[:size] = 0.0
    attention.k_proj.weight[:size, :CONSTANT] = key[:, None]
    attention.v_proj.weight[:MATCHED] = known
    at = torch.arange(MATCHED)
    for head in range(group):
        rows = slice(head * size, (head + 1) * size)
        attention.q_proj.weight[rows] = 0.0
        attention.q_proj.weight[rows, :CONSTANT] = query[:, None]
        attention.o_proj.weight[:, rows] = 0.0
        attention.o_proj.weight[CONSTANT + at, head * size + at] = 1.0 / group


def _look_for_same(
    attention: torch.nn.Module, config: LlamaConfig, known: torch.Tensor, shown: torch.Tensor
) -> None:
    """Keys say what stood before and queries what stands here, in dimensions that turn slowly."""
    size, group = _sizes(config)
    slow, half = MATCHED // 2, size // 2
    at = torch.tensor([*range(half - slow, half), *range(size - slow, size)])
    attention.k_proj.weight[:size] = 0.0
    attention.k_proj.weight[at, CONSTANT + torch.arange(MATCHED)] = MATCH_SCORE**0.5
    attention.v_proj.weight[:size] = shown
    for head in range(group):
        rows = slice(head * size, (head + 1) * size)
        attention.q_proj.weight[rows] = 0.0
        attention.q_proj.weight[head * size + at] = known * MATCH_SCORE**0.5
        attention.o_proj.weight[:, rows] = shown.T * (SHOWN / group)
