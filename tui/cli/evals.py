"""`llamadiff history evals`: suites that were run."""

from __future__ import annotations

import click

from .printing import print_json, table


@click.command("evals")
@click.option("-n", "limit", default=50, type=click.IntRange(1, 1_000_000), metavar="N", help="How many. [50]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def evals_command(limit: int, as_json: bool) -> None:
    """List the suites that were run with `llamadiff eval`, newest first.

    CHANGED is what each has otherwise than the one of the same suite before it.

    `llamadiff eval --show ID` shows one again, `llamadiff history rm ID` removes it.
    """
    from .session import open_history

    with open_history() as history:
        found = history.evaluations.entries(limit)
    if as_json:
        print_json(
            [
                {
                    "evaluation": it.key,
                    "at": it.at.isoformat(),
                    "ended": it.ended and it.ended.isoformat(),
                    "running": it.running,
                    "suite": {"name": it.suite, "path": it.path},
                    "rows": it.rows,
                    "planned": it.planned,
                    "variants": list(it.variants),
                    "models": list(it.models),
                    "answers": it.answers,
                    "answers_asked": it.of,
                    "verdict": it.verdict or None,
                    "changes": list(it.changes),
                }
                for it in found
            ],
            indent=True,
        )
        return
    rows = [("ID", "WHEN", "SUITE", "ROWS", "ANSWERS", "VERDICT", "CHANGED", "MODEL", "VARIANTS")]
    for it in found:
        when = f"{it.at.astimezone():%Y-%m-%d %H:%M}"
        count = f"{it.rows:,}" if it.rows == it.planned else f"{it.rows:,} of {it.planned:,}"
        state = "running" if it.running else "not ended"
        answers = f"{it.answers:,}" if it.ended else f"{it.answers:,} of {it.of:,}, {state}"
        changed = "; ".join(it.changes)
        models, variants = ", ".join(it.models), ", ".join(it.variants)
        rows.append(
            (it.key, when, it.suite, count, answers, it.verdict or "–", changed, models, variants)
        )
    table(rows, cut=True)
