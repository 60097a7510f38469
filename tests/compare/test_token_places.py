"""Where each token stands in the text, for vocabularies that respell it around special tokens."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.compare.preview import counts, lookalikes, special_places, token_starts
from llamadiff.prompts.rendering.special import Special

from ..models.engine.test_tokenizing import answers_of

TURNS = ("Hello there, 🦙!", "Yes. ", "  Ça va?\n\nwell", "<|fin|> <s", "one")
CHATS = {
    "llama-spm": "<s>[INST] {} [/INST] {} </s>",
    "phi-3": "<|user|>\n{}<|end|>\n<|assistant|>\n{}<|end|>\n",
    "gemma-4": "<|turn>user\n{}<turn|>\n<|turn>model\n{}<turn|>\n",
}


@pytest.mark.parametrize("name", CHATS)
def test_tokens_stand_where_their_texts_are_over_several_turns(name: str) -> None:
    text, spans = "", []
    for asked, answered in zip(TURNS, reversed(TURNS), strict=True):
        before, between, after = CHATS[name].split("{}")
        for said, around in ((asked, before), (answered, between)):
            text += around
            spans.append((len(text), len(text) + len(said)))
            text += said
        text += after
    asks = [{"do": "texts", "text": it} for it in (text, *(text[a:b] for a, b in spans))]
    (ids, spelled, control), *alone = answers_of(name, asks)
    texts = {int(token): piece.encode("latin-1") for token, piece in spelled.items()}
    starts = token_starts(text, ids, texts)
    assert len(starts) == len(ids) + 1 and starts == sorted(starts) and starts[-1] == len(text)
    for token, start, end in zip(ids, starts, starts[1:], strict=False):
        piece = texts[token].decode("utf-8", "ignore").strip()
        assert text[start:end].strip() == piece or len(piece) == 0
    known = Special(control)
    special = special_places(ids, texts, known)
    assert [text[starts[at] :].startswith(texts[ids[at]].decode()) for at in special] == [
        True
    ] * len(special)
    written = sum(text.count(it) for it in {texts[ids[at]].decode() for at in special})
    assert len(special) == written >= 2 * len(TURNS) - 1
    looks = [text[start:end] for start, end in lookalikes(text, starts, special, known)]
    brackets = [it for it in ("[INST]", "[/INST]") * len(TURNS) if name == "llama-spm"]
    assert sorted(looks) == sorted([*brackets, "<|fin|>", "<|fin|>"])
    found, around = counts(starts, spans)
    assert sum(found) + around == len(ids)
    for count, (whole, _, _) in zip(found, alone, strict=True):
        assert abs(count - len(whole)) <= 1, "but for a token that a neighbour joins or parts"


@given(st.lists(st.sampled_from(["a", "é", " ", "\n", "<s>", "🦙"]), max_size=30))
def test_places_are_in_order_and_exact_wherever_a_token_is_the_text(parts: list[str]) -> None:
    """A vocabulary that sets a space behind `<s>`, and leaves out the blanks there."""
    text = "".join(parts)
    pieces: list[bytes] = []
    for part in parts:
        after_special = bool(pieces) and pieces[-1] == b"<s>"
        if after_special and part.isspace():
            continue
        if part == "🦙":
            pieces += [b" "] * after_special + [bytes([byte]) for byte in part.encode()]
        else:
            pieces.append((b" " if after_special and part != "<s>" else b"") + part.encode())
    texts = dict(enumerate(dict.fromkeys(pieces)))
    ids = [list(texts.values()).index(piece) for piece in pieces]
    starts = token_starts(text, ids, texts)
    assert starts == sorted(starts) and len(starts) == len(ids) + 1 and starts[-1] == len(text)
    found = [text[a:b].strip() for a, b in pairwise(starts)]
    wanted = "".join(text.split())
    assert "".join("".join(found).split()) == wanted if ids else True


def test_a_letter_the_vocabulary_does_not_know_moves_no_other_token() -> None:
    texts = {0: b"<s>", 1: b" one", 2: b"<unk>", 3: b" two"}
    text = "<s>one " + "ж" * 30 + " two<s>one"
    starts = token_starts(text, [0, 1, 2, 2, 3, 0, 1], texts)
    assert [text[at:] for at in starts[4:]] == ["two<s>one", "<s>one", "one", ""]
