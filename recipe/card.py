"""Write the card of the bundled files, models/bundled/README.md; every figure in it is measured."""

import asyncio
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llamadiff.compare.statistics.figures import Estimate
from llamadiff.models.adapters.training import read_training
from llamadiff.models.errors import size_in_words
from llamadiff.models.gguf.check import check_adapter, check_model
from llamadiff.models.gguf.facts import AdapterFacts, ModelFacts
from llamadiff.models.hashing import sha256_file

from .endings import TOPICS, Endings, measure_endings
from .facts import load_topics
from .measure import BOTH, ENGINEERED, PLAIN, Scores, guided, measure
from .split import ONE_IN
from .suites import HERE, TRAINING_ROWS
from .tasks import TASKS, intake, support

BUNDLED = Path("models") / "bundled"
NAMES = {
    "sentiment": "one label for a review: positive, negative or neutral",
    "support": f"customer support of a clothing shop, {support.SHOP}",
    "intake": "medical intake notes in a strict form, never advice",
    "french": "short English phrases in French",
}
"""What each adapter is for."""
ENDS = 0.95
"""The share of answers that must end by themselves."""


@dataclass(frozen=True)
class Bundle:
    """The files that were made, what they scored, and how the base's answers end.

    ``record`` is that of the base's training.
    """

    base: ModelFacts
    adapters: tuple[AdapterFacts, ...]
    record: Mapping[str, Any]
    scores: Sequence[Scores]
    endings: Endings


def write_card(out: Path, rows: int | None = None) -> list[str]:
    """Run the suites in ``out``, or ``rows`` of each, on the models there; write the card beside those.

    Gives the sentences on what the table was to show and does not; none where all is shown.
    """
    folder = out / BUNDLED
    (base,) = folder.glob("*-Q8_0.gguf")
    adapters = tuple(check_adapter(folder / f"{task.name}.gguf") for task in TASKS)
    with tempfile.TemporaryDirectory() as work:
        scores = asyncio.run(measure(base, out, Path(work), rows))
        endings = asyncio.run(measure_endings(base, Path(work), rows or TOPICS))
    record = json.loads((out / "training.json").read_text(encoding="utf-8"))["base"]
    made = Bundle(check_model(base), adapters, record, scores, endings)
    text = (HERE / "card.md").read_text(encoding="utf-8").format(**_parts(made))
    (folder / "README.md").write_text(text, encoding="utf-8")
    return [said for said, holds in [*claims(scores), *made_to_end(endings)] if not holds]


def _parts(made: Bundle) -> dict[str, str]:
    base = made.base
    return {
        "name": base.title or base.name,
        "files": _table(("file", "what it is", "parameters", "bytes", "SHA-256"), _files(made)),
        "parameters": f"{base.parameters / 1e6:.1f}",
        "architecture": (
            f"{base.architecture}, {base.layers} layers, width {base.embedding}, {base.heads} heads "
            f"({base.kv_heads} for keys and values), context {base.context:,} tokens, "
            f"vocabulary {base.vocab_size:,}"
        ),
        "ranks": _listed(sorted({str(rank) for it in made.adapters for rank in it.ranks})),
        "topics": str(len(load_topics())),
        "examples": _listed([topic.name for topic in load_topics()][:6]),
        "one_in": str(ONE_IN),
        "shop": support.SHOP,
        "rows": str(TRAINING_ROWS),
        "unseen_subjects": _listed([it for it in support.RULES if it not in support.OTHER_RULES]),
        "unseen_complaints": _listed([it.name for it in intake.COMPLAINTS[intake.KNOWN :]]),
        "training": _table(("", "steps", "tokens", "time", "peak memory", "loss"), _training(made)),
        "scores": _scores(made.scores, [it.all_rows for it in made.scores]),
        "guided": _guided(made.scores[: len(TASKS)]),
        "new": _scores(made.scores[: len(TASKS)], [it.new for it in made.scores[: len(TASKS)]]),
        "known": _scores(made.scores[: len(TASKS)], [it.known for it in made.scores[: len(TASKS)]]),
        "shown": "\n".join(
            f"- {said}: {'yes' if holds else 'no'}."
            for said, holds in [*claims(made.scores), *made_to_end(made.endings)]
        ),
    }


def _files(made: Bundle) -> Iterable[Sequence[str]]:
    base = made.base
    yield _file(base.path, "the base model", base.parameters)
    for it in made.adapters:
        yield _file(it.path, f"adapter: {NAMES[it.path.stem]}", it.parameters)


def _file(path: Path, what: str, parameters: int) -> Sequence[str]:
    size = f"{path.stat().st_size:,}"
    return f"`{path.name}`", what, f"{parameters:,}", size, f"`{sha256_file(path, None)}`"


def _training(made: Bundle) -> Iterable[Sequence[str]]:
    record = made.record
    steps, losses = record["steps"], record["losses"]
    yield (
        "base", f"{steps:,}", f"{record['tokens']:,}", _minutes(record["seconds"]), "", _losses(losses)
    )  # fmt: skip
    for it in made.adapters:
        said = read_training(it.path)
        yield (
            it.path.stem,
            f"{said.steps:,}",
            f"{said.tokens:,}",
            _minutes(said.seconds) if said.seconds else "",
            size_in_words(said.peak_bytes) if said.peak_bytes else "",
            _losses(said.losses),
        )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _losses(losses: Sequence[Sequence[float]]) -> str:
    """The first, the middle and the last of them, with their steps."""
    some = dict.fromkeys((0, len(losses) // 2, len(losses) - 1))
    return ", ".join(f"{losses[i][1]:.2f} ({losses[i][0]:,})" for i in some)


def _scores(of: Sequence[Scores], tables: Sequence[Mapping[str, Estimate]]) -> str:
    columns = (PLAIN, ENGINEERED, *(task.name for task in TASKS), BOTH)
    rows = [
        (it.suite, *(_estimate(table.get(column)) for column in columns))
        for it, table in zip(of, tables, strict=True)
    ]
    return _table(("suite", *columns), rows)


def _guided(of: Sequence[Scores]) -> str:
    """The adapters of other tasks under the engineered prompt, which the base alone is the first of."""
    names = [task.name for task in TASKS]
    columns = (ENGINEERED, *map(guided, names))
    rows = [(it.suite, *(_estimate(it.all_rows.get(column)) for column in columns)) for it in of]
    return _table(("suite", ENGINEERED, *names), rows)


def _estimate(it: Estimate | None) -> str:
    """A score in points of 100 with its interval; nothing where there is none."""
    if it is None:
        return ""
    return f"{100 * it.mean:.0f} ({100 * it.interval.low:.0f}–{100 * it.interval.high:.0f})"


def claims(scores: Sequence[Scores]) -> list[tuple[str, bool]]:
    """What the table is to show, and whether it does; above is meant of whole intervals, and worse of
    the same rows under the same prompt."""
    by_suite = {it.suite: it.all_rows for it in scores}

    def above(suite: str, high: str, low: str) -> bool:
        table = by_suite[suite]
        return table[high].interval.low > table[low].interval.high

    names = [task.name for task in TASKS]
    helped = [it for it in names if above(it, ENGINEERED, PLAIN)]
    orders = [it for it in helped if above(it, it, ENGINEERED)]
    enough = [it for it in helped if it not in orders]
    found = [
        (
            f"the adapter is above the engineered prompt and that above the plain one on {_listed(orders)}",
            len(orders) > 1,
        ),
        (f"the engineered prompt is as good as the adapter on {_listed(enough)}", bool(enough)),
    ]
    for name in names:
        others = [it.suite for it in scores if name in it.worse]
        found.append(
            (f"the adapter {name} is worse than the base on {_listed(others)}", bool(others))
        )
    return found


def made_to_end(found: Endings) -> list[tuple[str, bool]]:
    """What is said of the answers' ends, and whether it is as good as it should be."""
    of = f"of {found.asked} answers to prompts of the library"
    return [
        (f"{found.ended} {of} end by themselves", found.ended >= ENDS * found.asked),
        (f"{found.looped} {of} say a sentence twice", found.looped <= (1 - ENDS) * found.asked),
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
