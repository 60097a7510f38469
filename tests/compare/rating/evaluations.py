"""Evaluations that are over, in a history, without an engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from llamadiff.compare.checks.result import Result
from llamadiff.compare.evaluation.answers import Checked
from llamadiff.compare.history.history import History
from llamadiff.compare.history.ratings import Rated
from llamadiff.models.catalog import BUNDLED

from ..evaluation.suites import plan_of, write_suite

SECRETS = ("zebra", "quokka", "wombat", "okapi", "ocelot", "numbat", "771234", "demo", "0.37")
"""What only belongs to one of the variants of `three`, or to how they are run."""

THREE = """
[[variants]]
label = "zebra"
prompt = "wombat.toml"
adapter = "none"
seed = 771234
[[variants]]
label = "quokka"
prompt = "wombat.toml"
adapter = "okapi.gguf@0.37"
[[variants]]
label = "ocelot"
prompt = "numbat.toml"
adapter = "none"
"""


def texts(row: int, variant: str) -> str:
    """An answer that differs from all others, and is as long as they are."""
    word = {"A": "pears", "B": "plums", "C": "grapes"}[variant]
    return f"We would take the {word} of number {row:03} and be glad of them."


def three(
    folder: Path,
    history: History,
    rows: int = 12,
    said: Callable[[int, str], str | None] = texts,
    score: Callable[[int, str], float] = lambda row, variant: 0.5,
    repeats: int = 1,
) -> Rated:
    """A suite of three variants that was run; None in place of an answer is an error."""
    shutil.copyfile(BUNDLED / "support.gguf", folder / "okapi.gguf")
    (folder / "wombat.toml").write_text('name = "Wombat words"\nuser = "{{ message }}"\n')
    (folder / "numbat.toml").write_text(
        'name = "Numbat words"\nsystem = "Be brief, numbat."\nuser = "Numbat asks: {{ message }}"\n'
    )
    top = f'repeats = {repeats}\n[[checks]]\ncheck = "contains"\n[[checks]]\ncheck = "length"\nmost = 9\n'
    plan = plan_of(write_suite(folder, rows, top, THREE))
    key = history.evaluations.begin(plan, "1.2.3")
    answers: list[Checked] = []
    for row in range(rows):
        for variant in plan.variants:
            for repeat in range(repeats):
                text, value = said(row, variant.name), score(row, variant.name)
                answers.append(
                    Checked(
                        row, variant.name, repeat, repeat, text or "", text or "", 9, 20, "stop",
                        None if text is not None else "too long", None, value,
                        (Result(value, ""), Result(1 - value, "")),
                    )
                )  # fmt: skip
    history.evaluations.add(key, answers)
    history.evaluations.end(key)
    return Rated("evaluation", key)
