"""Put tokenized chats into rows of one length, each chat whole."""

from collections.abc import Iterable, Iterator

import torch

OPEN_ROWS = 64
IGNORED = -100


def packed(chats: Iterable[list[int]], length: int) -> Iterator[list[list[int]]]:
    """Rows of chats that together have at most ``length`` tokens; a longer chat is left out.

    Each chat goes into the fullest of the open rows that has room for it. Where none has, the
    fullest row is done.
    """
    rows: list[list[list[int]]] = []
    filled: list[int] = []
    for chat in chats:
        if len(chat) > length:
            continue
        room = [i for i, count in enumerate(filled) if count + len(chat) <= length]
        if room:
            row = max(room, key=filled.__getitem__)
            rows[row].append(chat)
            filled[row] += len(chat)
        else:
            rows.append([chat])
            filled.append(len(chat))
        if len(rows) > OPEN_ROWS:
            fullest = max(range(len(rows)), key=filled.__getitem__)
            yield rows.pop(fullest)
            del filled[fullest]


def batch(rows: list[list[list[int]]], length: int, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and targets, each (rows, length); nothing is learned of padding or a chat's first token."""
    inputs = torch.full((len(rows), length), pad)
    targets = torch.full((len(rows), length), IGNORED)
    for row, chats in enumerate(rows):
        at = 0
        for chat in chats:
            ids = torch.tensor(chat)
            inputs[row, at : at + len(chat)] = ids
            targets[row, at : at + len(chat) - 1] = ids[1:]
            at += len(chat)
    return inputs, targets
