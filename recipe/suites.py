"""Write the suites, prompts and rows to train on as they ship: ``python -m recipe suites --out DIR``.

What is written by hand lies where it ships, the suites' and prompts' TOML files, and in ``rows/``.
Rows of the grammars are drawn with a seed of their own, of combinations that no training text has
(see ``split.py``).
"""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from random import Random

from .own_questions import INSTRUCTIONS, QUESTIONS, ROLE, SHOP_MESSAGES, TOPIC_MESSAGES
from .tasks import TASKS, intake, support
from .tasks.specialty import Specialty

HERE = Path(__file__).parent
ROOT = HERE.parent
SEED = 70
COUNTS = {"sentiment": 500, "support": 240, "intake": 240, "french": 240}
"""Rows of each task's suite, those written by hand among them."""
TRAINING_ROWS = 340
"""So many that 300 are left when llamadiff holds a tenth out to validate with."""
Row = dict[str, str]
_WORDS = re.compile(r"[^\W_]+")


def plain(text: str) -> str:
    """Without what people type this way or that."""
    return " ".join(_WORDS.findall(text.lower()))


def suite_rows(task: Specialty) -> list[Row]:
    """The rows of a task's suite: first those by hand, tagged new, then held-out ones."""
    rows = own_rows(task)
    random, taken = Random(SEED), {plain(row[task.variable]) for row in rows}
    while len(rows) < COUNTS[task.name]:
        made = task.held_out(random)
        asked = made.example.asked
        if plain(asked) not in taken:
            taken.add(plain(asked))
            rows.append(_row(task, asked, made.expected, made.kind, "known"))
    return rows


def own_rows(task: Specialty) -> list[Row]:
    """The rows written by hand, with what is expected of an answer."""
    rows = []
    for line in (HERE / "rows" / f"{task.name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if task is support.TASK:
            kind = row["subject"]
            expected = support.expected(kind, row["item"], row["number"])
        elif task is intake.TASK:
            kind = row["kind"]
            expected = intake.expected(row["urgency"], tuple(row["causes"].split("|")))
        else:
            kind, expected = row.get("kind", row["expected"]), row["expected"]
        rows.append(_row(task, row[task.variable], expected, kind, "new"))
    return rows


def _row(task: Specialty, asked: str, expected: str, kind: str, words: str) -> Row:
    return {task.variable: asked, "expected": expected, "kind": kind, "words": words}


def training_rows(task: Specialty) -> list[Row]:
    """Different rows to train on, none of them held out, under the names of the prompts' variables."""
    random, rows = Random(SEED + 1), dict[str, Row]()
    while len(rows) < TRAINING_ROWS:
        it = task.own(random)
        rows.setdefault(plain(it.asked), {task.variable: it.asked, "expected": it.answer})
    return list(rows.values())


def general_rows() -> list[Row]:
    """Everyday questions, and a word that a fitting answer has."""
    return [{"question": question, "expected": word} for question, word in QUESTIONS.items()]


def instruction_rows() -> list[Row]:
    """Messages, each with every instruction and the pattern of an answer that obeys it."""
    return [
        {"message": message, "instruction": role + instruction, "expected": pattern, "asked": asked}
        for asked, (instruction, pattern) in INSTRUCTIONS.items()
        for role, messages in (("", TOPIC_MESSAGES), (ROLE, SHOP_MESSAGES))
        for message in messages
    ]


def write_suites(out: Path) -> None:
    """Write everything into ``out``, where it lies as in the repository, or into that itself."""
    suites, rows = suites_in(out), out / "compare" / "rows"
    for folder in (suites, suites / "prompts", library_in(out)):
        folder.mkdir(parents=True, exist_ok=True)
        for path in (ROOT / folder.relative_to(out)).glob("*.toml"):
            if path.resolve() != (folder / path.name).resolve():
                shutil.copy(path, folder)
    for task in TASKS:
        _write(suites / f"{task.name}.jsonl", suite_rows(task))
        _write(rows / f"{task.name}.jsonl", training_rows(task))
    _write(suites / "general.jsonl", general_rows())
    _write(suites / "instructions.jsonl", instruction_rows())


def suites_in(out: Path) -> Path:
    """The folder of the suites in what `write_suites` wrote."""
    return out / "compare" / "suites"


def library_in(out: Path) -> Path:
    """The folder of the prompts there."""
    return out / "prompts" / "library"


def _write(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")
