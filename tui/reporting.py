"""A report of an evaluation, to be written to a file."""

from __future__ import annotations

import asyncio
from functools import partial

from ..compare.evaluation.reports import FORMS
from ..compare.hashes import FileHashes
from .evaluating import Evaluating
from .exporting import Written
from .safe_text import safe_line


def of_evaluation(it: Evaluating, hashes: FileHashes) -> Written:
    """What an evaluation says by now, as `llamadiff eval --report` writes it. Call on the loop."""
    loop = asyncio.get_running_loop()

    def text(form: str) -> str:
        document = asyncio.run_coroutine_threadsafe(it.document(hashes), loop).result()
        return FORMS[form](document)

    return Written(
        f"a report of {safe_line(it.plan.suite.name)}",
        f"{it.plan.suite.path.stem}.html",
        ".html .md .json, .xml for JUnit, the screen .svg",
        {form: partial(text, form) for form in FORMS},
    )
