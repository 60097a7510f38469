"""`llamadiff rate`: rate answers blind, see what ratings say, and write them to train on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .commands import EndedError
from .printing import data, note, print_json, statement
from .printing import table as print_table

if TYPE_CHECKING:
    from ...compare.history.history import History
    from ...compare.history.ratings import Kept, Rated
    from ...compare.rating.export import Form
    from ...compare.rating.source import Source


@click.command("rate")
@click.argument("what", metavar="[EVALUATION|RUN]", default="last")
@click.option("--rater", metavar="NAME", help="Who rates; with --results and --export: only this one. [who is logged in; all]")  # fmt: skip
@click.option("--results", is_flag=True, help="Print what the ratings say.")
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON document.")
@click.option("--export", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the ratings as JSONL to train on.")  # fmt: skip
@click.option("--as", "form", type=click.Choice(["preferences", "instructions"]), help="What to write: which answer was preferred, or what answers should have said. [preferences]")  # fmt: skip
@click.option("--replace", is_flag=True, help="Write over a file that is there.")
def rate_command(
    what: str,
    rater: str | None,
    results: bool,
    as_json: bool,
    file: Path | None,
    form: Form | None,
    replace: bool,
) -> None:
    """Rate answers two at a time, not knowing whose they are.

    EVALUATION is the key of an evaluation or how it begins, or the name of a suite that was run;
    RUN is the id of a run or how it begins. `last`, or nothing, is the newest of both; which one it
    is is said. Everything is kept as it is said: stop at any time, the next time goes on from there.
    Several people may rate the same.

    \b
    llamadiff rate sentiment
    llamadiff rate last --results
    llamadiff rate last --export preferred.jsonl
    """
    if as_json and not results:
        raise click.UsageError("--json goes with --results.")
    if (form or replace) and file is None:
        raise click.UsageError("--as and --replace go with --export FILE.")
    if rater is not None and not rater.strip():
        raise click.UsageError("--rater needs a name.")
    from .session import open_history

    with open_history() as history:
        found = history.ratings.find(what)
        if file is not None:
            _export(history, found, file, form or "preferences", rater, replace=replace)
        if results:
            _results(history, found, rater, as_json=as_json)
        if not results and file is None:
            _rate(history, found, rater)


def _rate(history: History, found: Rated, rater: str | None) -> None:
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise click.UsageError("rating needs a terminal; --results and --export do not.")
    from ...compare.rating.source import load_source
    from ..config.current import configured
    from ..rating_app import RatingApp

    _say_which(
        load_source(history, found)
    )  # what is wrong with it is told before anything is drawn
    it = configured()
    app = RatingApp(history, found, (rater or "").strip(), it)
    app.run(mouse=it.config.mouse)
    if app.ended_by is not None:
        raise EndedError(app.ended_by)
    if any(it.answer for it in history.ratings.all(found)):
        note(f"`llamadiff rate {found.key}` goes on, --results says what came out.")


def _say_which(source: Source) -> None:
    note(f"The {source.what.kind} {source.what.key}: {source.name}.")


def _kept(history: History, found: Rated, rater: str | None) -> list[Kept]:
    """What was said, by one rater or by all. Raises CompareError for one there is not."""
    from ...compare.errors import CompareError

    kept = history.ratings.all(found)
    names = dict.fromkeys(it.rater for it in kept)
    if rater is not None and rater not in names:
        known = f"; there are {', '.join(names)}" if names else ""
        raise CompareError(f"{rater} has rated nothing of the {found.kind} {found.key}{known}.")
    return [it for it in kept if rater in (None, it.rater)]


def _results(history: History, found: Rated, rater: str | None, *, as_json: bool) -> None:
    from ...compare.rating.document import results_document
    from ...compare.rating.results import results
    from ...compare.rating.source import load_source
    from ..rating_words import ABOUT_CHECKS, checks_table, sentences, table

    source, kept = load_source(history, found), _kept(history, found, rater)
    _say_which(source)
    it = results(source, kept, history.ratings.seeds(found), rater)
    if as_json:
        print_json(results_document(source, it), indent=True)
        return
    if not it.rated:
        note(f"Nothing is rated yet; `llamadiff rate {found.key}` does.")
        return
    print_table(table(source, it))
    data("")
    for sentence in sentences(it):
        statement(sentence)
    if checks := checks_table(it):
        data("")
        print_table(checks)
        data("")
        statement(ABOUT_CHECKS)


def _export(
    history: History, found: Rated, file: Path, form: Form, rater: str | None, *, replace: bool
) -> None:
    from ...compare.rating.export import export
    from ...compare.rating.source import load_source
    from ..rating_words import counted

    source, kept = load_source(history, found), _kept(history, found, rater)
    done = export(source, kept, form, file, replace=replace)
    _say_which(source)
    left = ", ".join(f"{count:,} {said}" for said, count in sorted(done.left_out.items()))
    note(f"{file}: {counted(done.rows, 'row')}{f', left out {left}' if left else ''}.")
    if done.several_prompts:
        baseline = next(iter(source.variants.values())).title
        note(f"The variants were asked in different words: the rows have those of {baseline}.")
