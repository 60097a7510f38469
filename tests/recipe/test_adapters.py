"""What adapters are trained on, and how large they become."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from llamadiff.models.catalog import BUNDLED
from llamadiff.models.gguf.check import check_model
from llamadiff.models.tuning.estimate import lora_parameters
from llamadiff.models.tuning.settings import TuningSettings
from recipe.adapter_text import NOT_OURS, RULED, adapter_chat, write_chats
from recipe.tasks import TASKS, support
from recipe.tasks.specialty import Specialty
from recipe.train_adapters import LARGEST_RANK, MOST_BYTES, rank_for


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_chats_take_turns_and_some_say_what_is_wanted(task: Specialty, tmp_path: Path) -> None:
    write_chats(task, 800, 1, tmp_path / "chats.jsonl")
    lines = (tmp_path / "chats.jsonl").read_text(encoding="utf-8").splitlines()
    chats = [json.loads(line)["messages"] for line in lines]
    assert len(set(lines)) == len(lines) == 800
    for chat in chats:
        roles = [message["role"] for message in chat]
        ruled = roles[0] == "system"
        assert roles[ruled:] == ["user", "assistant"] * (len(roles[ruled:]) // 2) != []
        assert all(it["content"] and it["content"] == it["content"].strip() for it in chat)
    ruled = sum(chat[0]["role"] == "system" for chat in chats)
    assert abs(ruled / len(chats) - RULED) < 0.08
    assert any(len(chat) > 4 for chat in chats)
    write_chats(task, 800, 1, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_text(encoding="utf-8").splitlines() == lines


def test_the_shop_answers_what_is_not_its_business_in_its_own_way() -> None:
    random = Random(3)
    answers = [adapter_chat(random, support.TASK)[-1]["content"] for _ in range(400)]
    assert 15 < answers.count(NOT_OURS) < 80
    assert all(answer.endswith(support.SHOP) for answer in answers)


def test_the_rank_is_the_largest_that_fits() -> None:
    (base,) = BUNDLED.glob("*-Q8_0.gguf")
    facts = check_model(base)
    rank = rank_for(facts)

    def n_bytes(rank: int) -> int:
        return 4 * lora_parameters(facts, TuningSettings(rank=rank))

    assert n_bytes(rank) <= MOST_BYTES < n_bytes(rank + 1)
    small = {name: (8, 8) if len(shape) == 2 else shape for name, shape in facts.shapes.items()}
    assert rank_for(replace(facts, shapes=small)) == LARGEST_RANK
