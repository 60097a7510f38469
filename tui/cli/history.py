"""`llamadiff history`: runs already made, listed, shown, compared, marked, exported, removed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..safe_text import safe_line, safe_text
from .diff import compared_options, painted, summary
from .evals import evals_command
from .printing import data, note, outcome, print_json, table

if TYPE_CHECKING:
    from ...compare.diff.live import Mode
    from ...compare.history.entries import RunEntry, Side
    from ...compare.history.history import History
    from ...compare.run import Output


class Time(click.ParamType):
    """A moment, in UTC: so long ago (90d, 12h, 30m, 2w), or a date."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, datetime):
            return value
        from ...compare.errors import CompareError
        from ...compare.history.asking import moment_of

        try:
            return moment_of(value)
        except CompareError as error:
            self.fail(str(error))


_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
_out = click.option("-o", "--out", type=click.Path(path_type=Path), metavar="OUT", help="Write to a file that ends in .html, .md or .json; replaced if it is there.")  # fmt: skip


@click.group("history")
def history_command() -> None:
    """Runs already made, in the app or with `run` and `diff`, and suites run with `eval`.

    RUN is the id of a run, its first characters, or `last`.
    """


history_command.add_command(evals_command)


@history_command.command("list")
@click.argument("words", nargs=-1)
@click.option("--model", default="", help="Only runs of models with this in their name.")
@click.option("--adapter", default="", help="Only with an adapter with this in its name.")
@click.option("--prompt", default="", help="Only with a prompt with this in its name.")
@click.option("--label", default="", help="Only with a variant with this in its label.")
@click.option("--tag", default="", help="Only with this tag.")
@click.option("--version", type=int, metavar="N", help="Only with this version of a prompt, as `prompts versions` numbers them.")  # fmt: skip
@click.option("--since", type=Time(), metavar="TIME", help="Only runs since: 7d, 12h, 2026-01-31.")
@click.option("--until", type=Time(), metavar="TIME", help="Only runs before that.")
@click.option(
    "-n", "limit", default=50, type=click.IntRange(1, 1_000_000), metavar="N", help="How many. [50]"
)
@_json
def list_command(words: tuple[str, ...], limit: int, as_json: bool, **wanted: Any) -> None:
    """List runs, newest first; with WORDS those that say them, or were asked with them.

    All words have to be there. Words in one pair of "quotes" stand together.
    """
    from ...compare.history.entries import Wanted
    from ..listed import asked_of, marks_of, said_of
    from .session import open_history

    with open_history() as history:
        runs = history.page(Wanted(text=" ".join(words), **wanted), limit=limit)
    if as_json:
        print_json([_entry(run) for run in runs], indent=True)
        return
    rows = [("RUN", "WHEN", "VARIANTS", "PROMPT", "MODEL", "TEXT")]
    for run in runs:
        prompts = dict.fromkeys(variant.prompt for variant in run.variants)
        models = dict.fromkeys(variant.model for variant in run.variants)
        asked, said = asked_of(run), run.excerpt or said_of(run)
        text = " → ".join([it for it in (asked[:60], " ".join(said.split())[:60]) if it])
        marked = " ".join([*marks_of(run), *(f"#{tag}" for tag in run.tags)])
        marked = " · ".join(it for it in (marked, text) if it)
        when = f"{run.at.astimezone():%Y-%m-%d %H:%M}"
        rows.append((run.id, when, str(len(run.variants)), ", ".join(prompts), ", ".join(models), marked))  # fmt: skip
    table(rows, cut=True)


def _entry(run: RunEntry) -> dict[str, Any]:
    from dataclasses import asdict

    entry = asdict(run)
    del entry["number"]
    return {
        "run_id": entry.pop("id"),
        **entry,
        "at": run.at.isoformat(),
        "ended": run.ended and run.ended.isoformat(),
        "outputs": [{**asdict(output), "state": output.state.value} for output in run.outputs],
    }


@history_command.command("show")
@click.argument("run", metavar="RUN")
@_json
def show_command(run: str, as_json: bool) -> None:
    """Show a run: what was asked and what each variant said; --json as `run --json`."""
    from ...compare.history.export import as_document
    from .session import open_history

    with open_history() as history:
        recorded = history.recorded(history.find(run))
    if as_json:
        print_json(as_document(recorded), indent=True)
        return
    said = [f"{recorded.run.id} · {recorded.at.astimezone():%Y-%m-%d %H:%M:%S %Z}"]
    said += [f"{name} = {value}" for name, value in recorded.run.values.items()]
    said += [recorded.note] if recorded.note else []
    said += [", ".join(recorded.tags)] if recorded.tags else []
    note(safe_line(" · ".join(said)))
    for output in recorded.run.outputs:
        if output.reply:
            before = output.follows.run_id if output.follows else "a run that is gone"
            note(safe_line(f"{output.variant.name} · reply to {before}: {output.reply}"))
        data(f"── {_title(output)} · seed {output.seed} ──\n{safe_text(output.text)}")
        note(outcome(output))
        if output.error:
            note(safe_line(f"{output.variant.name}: {output.error}"))


def _title(output: Output) -> str:
    return f"{output.name} · {safe_line(output.variant.title)}"


@history_command.command("diff")
@click.argument("a", metavar="RUN[:VARIANT[.REPEAT]]")
@click.argument("b", metavar="RUN[:VARIANT[.REPEAT]]")
@compared_options
@_json
@_out
def diff_command(
    a: str,
    b: str,
    mode: Mode,
    ignore_case: bool,
    ignore_space: bool,
    as_json: bool,
    out: Path | None,
) -> int:
    """Compare any two outputs without their reasoning; the exit code is 0 when they are equal and 1 when they differ.

    -o writes the comparison: a page of HTML that needs nothing else, Markdown, or JSON.

    \b
    llamadiff history diff last:A last:B
    llamadiff history diff 3f9a:A last:A.2 -o cats.html
    """
    from ...compare.diff.ignore import Ignore
    from ...compare.history.pair import as_document, compared
    from .session import open_history

    if out and as_json:
        raise click.UsageError("Give either --json or -o.")
    form = _form(out, "json")
    with open_history() as history:
        sides = _side(history, a), _side(history, b)
    first, other = (side.output for side in sides)
    if mode == "token" and first.variant.model != other.variant.model:
        raise click.UsageError("--mode token needs outputs of one model; these are of two.")
    pair = compared(first, other, mode, Ignore(ignore_case, ignore_space))
    if out:
        from ...compare.history.forms import pair_text

        _write(out, pair_text(pair, sides, form))
    elif as_json:
        print_json(as_document(pair, sides), indent=True)
    else:
        data(f"── {_title(first)} → {_title(other)} · {pair.silent or summary(pair.diff, mode)} ──")
        shown = (
            "\n".join(map(safe_text, filter(None, pair.texts)))
            if pair.silent
            else painted(pair.diff, *pair.texts)
        )
        data(shown, raw=True)  # made safe piece by piece
    return 0 if pair.equal else 1


def _side(history: History, name: str) -> Side:
    """The output that `RUN:VARIANT.REPEAT` means; repeats count from 1. Raises CompareError."""
    from ...compare.errors import CompareError
    from ...compare.history.entries import Side

    run_name, _, rest = name.partition(":")
    recorded = history.recorded(history.find(run_name))
    run = recorded.run
    variant, _, repeat = rest.partition(".")
    found = [
        output
        for output in run.outputs
        if output.variant.name == (variant or run.variants[0].name)
        and str(output.repeat + 1) == (repeat or "1")
    ]
    if not found:
        known = ", ".join(f"{o.variant.name}.{o.repeat + 1}" for o in run.outputs)
        raise CompareError(f"The run {run.id} has no output {rest!r}; it has {known}.")
    return Side(recorded, found[0])


@history_command.command("tag")
@click.argument("run", metavar="RUN")
@click.argument("tags", nargs=-1, metavar="[TAG…]")
@click.option("--clear", is_flag=True, help="Take all tags off.")
@_json
def tag_command(run: str, tags: tuple[str, ...], clear: bool, as_json: bool) -> None:
    """Give a run these tags in place of those it has; without TAG, say which it has."""
    from .session import open_history

    if tags and clear:
        raise click.UsageError("--clear takes all tags off: give no TAG with it.")
    with open_history() as history:
        found = history.find(run)
        if tags or clear:
            history.tag(found, tags)
        kept = history.recorded(found).tags
    if as_json:
        print_json({"run_id": found, "tags": list(kept)})
    else:
        note(f"{found}: {', '.join(kept) or 'no tags'}")


@history_command.command("note")
@click.argument("run", metavar="RUN")
@click.argument("text")
@_json
def note_command(run: str, text: str, as_json: bool) -> None:
    """Write a note to a run in place of the one it has; an empty TEXT takes it off."""
    from .session import open_history

    with open_history() as history:
        found = history.find(run)
        history.annotate(found, text)
    if as_json:
        print_json({"run_id": found, "note": text})
    else:
        note(f"{found}: {text or 'no note'}")


@history_command.command("export")
@click.argument("runs", nargs=-1, required=True, metavar="RUN…")
@click.option("--format", "form", type=click.Choice(["json", "markdown", "html"]), help="[as OUT ends; json to stdout]")  # fmt: skip
@_out
def export_command(runs: tuple[str, ...], form: str | None, out: Path | None) -> None:
    """Export runs as JSON (a list if there are several), Markdown, or a page of HTML.

    The page needs nothing else: no script, and colours for light and dark.
    """
    from ...compare.history.forms import runs_document, runs_text
    from .session import open_history

    form = form or _form(out, "json")
    with open_history() as history:
        found = [history.recorded(history.find(name)) for name in runs]
    if out:
        _write(out, runs_text(found, form))
    elif form == "json":
        print_json(runs_document(found), indent=True)
    else:
        data(safe_text(runs_text(found, form)))


def _form(out: Path | None, otherwise: str) -> str:
    """The format that the name of a file asks for. Raises CompareError for a name that asks for none."""
    from ...compare.history.forms import form_of

    return form_of(out) if out else otherwise


def _write(out: Path, text: str) -> None:
    from ...compare.errors import CompareError

    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise CompareError(f"{out} cannot be written: {error.strerror}.") from None


@history_command.command("rm")
@click.argument("runs", nargs=-1, metavar="[RUN…]")
@click.option("--older-than", type=Time(), metavar="TIME", help="All runs and evaluations before: 90d, 2026-01-31.")  # fmt: skip
@click.option(
    "--with-replies", is_flag=True, help="Remove what replies to them or branches off them too."
)
@_json
def rm_command(
    runs: tuple[str, ...], older_than: datetime | None, with_replies: bool, as_json: bool
) -> None:
    """Remove runs for good: their texts are overwritten on the disk. Ids of suites that were run,
    as `history evals` lists them, do too.

    A run that others reply to or branch off is not removed without them, since they repeat what it
    says. With --older-than a conversation is as old as its newest run, its branches included, and
    stays if any of it has a tag, a note or a rating.

    What long prompts left in the models' caches is deleted too, that of all runs.

    Versions of prompts that were saved or named stay, and drafts; and damaged histories that were
    put aside, history-damaged-….db (`llamadiff doctor` says where).
    """
    if not runs and older_than is None:
        raise click.UsageError("Say which: RUN…, or --older-than 90d.")
    from ...compare.errors import CompareError
    from ..paths import prompts_cache
    from ..removing import remove
    from .session import open_history

    with open_history() as history:
        evaluations = [key for name in runs if (key := history.evaluations.named(name))]
        gone = [history.find(name) for name in runs if not history.evaluations.named(name)]
        if not with_replies and (following := history.following(gone)):
            raise CompareError(_followed(gone, following))
        old = history.older_than(older_than) if older_than is not None else None
        gone += old.ids if old else ()
        evaluations += old.evaluations if old else ()
        suites = len(set(evaluations))
        removed = remove(history, prompts_cache(), [*gone, *evaluations]) - suites
    if as_json:
        print_json({"removed": removed, "evaluations": suites, "wiped": not history.unwiped})
    else:
        counts = [f"{removed} run{'s' * (removed != 1)}"] if removed or not suites else []
        counts += [f"{suites} evaluation{'s' * (suites != 1)}"] if suites else []
        note(f"Removed {' and '.join(counts)}.")
        if old and old.stay:
            said = f"{old.stay} as old stay{'s' * (old.stay == 1)}"
            note(
                f"{said}: tagged, noted, rated, going on, or in a conversation with such or newer runs."
            )
    if history.unwiped:
        note(
            f"Another program is reading the history: the texts stay in {history.file.name}-wal "
            "until every llamadiff is closed."
        )


def _followed(runs: Sequence[str], following: Sequence[str]) -> str:
    """Why runs cannot be removed alone."""
    which = f"the run {runs[0]}" if len(runs) == 1 else "these runs"
    more = f" and {len(following) - 5} more" if len(following) > 5 else ""
    those = f"{', '.join(following[:5])}{more}"
    go_on = "goes on from" if len(following) == 1 else "go on from"
    repeats = "repeats" if len(following) == 1 else "repeat"
    return f"{those} {go_on} {which} and {repeats} what was said; --with-replies removes all."


@history_command.command("run")
@click.argument("run", metavar="RUN")
@click.option("--no-history", "history", is_flag=True, flag_value=False, default=True, help="Keep nothing of the new run.")  # fmt: skip
@_json
def run_command(run: str, history: bool, as_json: bool) -> int:
    """Run again what was run, as it was, and compare with what was said then.

    The exit code is 0 when every output is the same and 1 when any differs. A file of a model or
    adapter that is not what it was is told.
    """
    from .again import run_again

    return run_again(run, history=history, as_json=as_json)
