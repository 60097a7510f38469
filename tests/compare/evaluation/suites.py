"""Small suites of the bundled model, as files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from llamadiff.compare.evaluation.answers import Checked
from llamadiff.compare.evaluation.evaluator import Evaluator
from llamadiff.compare.evaluation.judging import suite_judges
from llamadiff.compare.evaluation.plan import Plan
from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.evaluation.rows import suite_rows
from llamadiff.compare.evaluation.settling import make_plan
from llamadiff.compare.evaluation.shipped import SHIPPED
from llamadiff.compare.evaluation.variants import suite_variants
from llamadiff.compare.history.evaluations import Evaluations
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults
from llamadiff.models.adapters.training import read_training
from llamadiff.models.catalog import BUNDLED
from llamadiff.models.engine.protocol import ModelSettings

VARIANTS = """
[[variants]]
label = "base"
prompt = "support"
adapter = "none"
temperature = 1.0
max_tokens = 24
[[variants]]
label = "tuned"
prompt = "support"
adapter = "support"
temperature = 1.0
max_tokens = 24
"""
LEARNED = f"{read_training(BUNDLED / 'support.gguf').rows:,} rows: "
"""What is said of the rows that the adapter has seen."""
CHECKS = '[[checks]]\ncheck = "contains"\nignore_case = true\n'


def write_suite(folder: Path, rows: int, text: str = "", variants: str = VARIANTS) -> Path:
    """A suite of the first messages of a dataset that ships; `text` are its own keys and checks."""
    shipped = [*map(json.loads, (SHIPPED / "support.jsonl").read_text().splitlines()[:rows])]
    write_rows(
        folder,
        [
            {"message": it["message"], "expected": "thank you", "subject": it["kind"]}
            for it in shipped
        ],
    )
    path = folder / "suite.toml"
    top = 'dataset = { file = "rows.jsonl", tags = "subject" }\n'
    path.write_text(top + (text or CHECKS) + variants)
    return path


def write_rows(folder: Path, rows: Sequence[dict[str, str]]) -> None:
    """Put other rows in the place of a suite's."""
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))


def plan_of(path: Path, kept: Evaluations | None = None, limit: int | None = None) -> Plan:
    """The plan of a suite's file."""
    suite = load_suite(path)
    variants = suite_variants(suite, Defaults())
    judges = suite_judges(suite, Defaults())
    rows = suite_rows(suite)
    return make_plan(suite, variants, rows, ModelSettings(), kept=kept, limit=limit, judges=judges)


async def evaluated(
    runner: Runner,
    plan: Plan,
    before: Sequence[Checked] = (),
    on_group: Callable[[list[Checked]], None] = lambda answers: None,
) -> list[Checked]:
    """The answers of a plan, by their places."""
    answers: list[Checked] = []

    def add(group: list[Checked]) -> None:
        answers.extend(group)
        on_group(group)

    await Evaluator(runner, plan, add).run(before)
    return sorted(answers, key=lambda answer: answer.place)
