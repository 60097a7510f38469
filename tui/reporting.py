"""A report of an evaluation, written to a file."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from pathlib import Path

from ..compare.evaluation.document import evaluation_document
from ..compare.evaluation.reports import write_report
from ..compare.hashes import FileHashes
from .evaluating import Evaluating


async def write_evaluation(path: Path, it: Evaluating, cache_dir: Path) -> None:
    """Write what an evaluation says by now, as `llamadiff eval --report` does. Raises CompareError."""
    while it.seen is None or it.seen.answers != len(it.answers):
        await it.look()
    hashes = FileHashes(cache_dir)
    files = {file for v in it.plan.variants for file in (v.model, *(a.path for a in v.adapters))}
    known = {file: await hashes.sha256(file) for file in files}
    document = evaluation_document(
        it.plan, it.seen.board, it.answers, key=it.key, program=version("llamadiff"), hashes=known
    )
    await asyncio.to_thread(write_report, path, document)
