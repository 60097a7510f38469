"""`llamadiff diff`: what differs between variants, or between two saved texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..safe_text import safe_line, safe_text
from .options import Asked, variant_options
from .printing import coloured, data, note, outcome, print_json
from .turns import repeat_option, replies_option, stream_option, teller

if TYPE_CHECKING:
    from ...compare.diff.ignore import Ignore
    from ...compare.diff.live import Mode
    from ...compare.diff.result import Diff
    from ...compare.run import Run

MARKS = {
    "added": ("{+", "+}", "green"),
    "removed": ("[-", "-]", "red"),
    "arrived": ("{~", "~}", "magenta"),
    "left": ("[~", "~]", "magenta"),
}
LARGEST_FILE = 20_000_000
Command = TypeVar("Command", bound=Callable[..., Any])


def compared_options(command: Command) -> Command:
    """How two texts are compared: `mode`, `ignore_case`, `ignore_space`."""
    for option in (
        click.option("--ignore-space", is_flag=True, help="Any white space is as good as a space."),
        click.option("--ignore-case", is_flag=True, help="Capitals are as good as small letters."),
        click.option("--mode", default="word", type=click.Choice(["word", "char", "line", "token"]), help="What is compared."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("diff")
@variant_options
@compared_options
@click.option("--files", nargs=2, type=click.Path(path_type=Path), metavar="A B", help="Compare two saved texts; nothing is run.")  # fmt: skip
@repeat_option("Run each variant N times, repeat i with seed + i, and compare repeat by repeat.")
@replies_option
@click.option("--json", "as_json", is_flag=True, help="Print the run as a JSON document.")
@stream_option
def diff_command(
    asked: Asked,
    mode: Mode,
    ignore_case: bool,
    ignore_space: bool,
    files: tuple[Path, Path] | None,
    repeat: int,
    replies: tuple[str, ...],
    as_json: bool,
    stream: bool,
) -> int:
    """Compare the outputs of two or more variants with the first one's.

    The exit code is 0 when all are equal, but for what is ignored, and 1 when any differs.

    \b
    llamadiff diff -p tell-me-about --variant label=base --variant adapter=support
    """
    from ...compare.diff.ignore import Ignore

    ignore = Ignore(ignore_case, ignore_space)
    on_change = teller(stream, as_json)
    if files:
        if not asked.nothing or repeat > 1 or replies or stream:
            raise click.UsageError("--files compares two files; leave out the other options.")
        return _diff_files(*files, mode, ignore, as_json)
    if len(asked.variants) < 2 and all(len(values) < 2 for values in asked.each.values()):
        raise click.UsageError("diff needs two or more variants: give --variant twice, or --files.")
    from ...compare.document import conversation_document
    from .session import converse, raise_failed

    runs = converse(asked, replies, repeats=repeat, hashes=as_json, on_change=on_change)
    raise_failed(runs[-1])
    document = conversation_document(runs, version("llamadiff"), ignore)
    if as_json:
        print_json(document, indent=not stream)
    else:
        for run in runs:
            _print_run(run, mode, ignore)
    diffs = [diff for turn in (document, *document.get("turns", ())) for diff in turn["diffs"]]
    return 0 if all(diff["equal"] for diff in diffs) else 1


def _print_run(run: Run, mode: Mode, ignore: Ignore) -> None:
    """Each repeat of the first variant, and what differs from it in the others'."""
    from ...compare.reasoning import answer_alone

    if run.outputs[0].follows is not None:
        data(f"\n── you · {safe_line(run.outputs[0].reply)} ──")
    for number, output in enumerate(run.of(run.variants[0])):
        first, before = answer_alone(output), "\n" if number else ""
        data(
            f"{before}── {first.name} · {safe_line(first.variant.title)} ──\n{safe_text(first.text)}"
        )
        note(f"{outcome(first)} · baseline")
        for variant in run.variants[1:]:
            other = answer_alone(run.of(variant)[number])
            ends = first.token_ends, other.token_ends
            diff = compare(first.text, other.text, mode, ignore, *ends)
            title = safe_line(variant.title)
            data(f"\n── {other.name} · {title} · {summary(diff, mode)} ──")
            data(painted(diff, first.text, other.text), raw=True)  # made safe piece by piece
            note(outcome(other))


def _diff_files(a: Path, b: Path, mode: Mode, ignore: Ignore, as_json: bool) -> int:
    from ...compare.errors import CompareError

    if mode == "token":
        raise click.UsageError("--mode token needs tokens; files have only text.")
    texts: list[str] = []
    for path in (a, b):
        try:
            if path.stat().st_size > LARGEST_FILE:
                raise CompareError(f"{path} is larger than {LARGEST_FILE // 1_000_000} MB.")
            texts.append(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise CompareError(f"{path} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise CompareError(f"{path} is not UTF-8 text.") from None
    diff = compare(texts[0], texts[1], mode, ignore)
    if as_json:
        print_json(file_document(diff), indent=True)
    else:
        data(f"── {safe_line(str(a))} → {safe_line(str(b))} · {summary(diff, mode)} ──")
        data(painted(diff, *texts), raw=True)
    return 0 if diff.equal else 1


def file_document(diff: Diff) -> dict[str, Any]:
    return {
        "equal": diff.equal,
        "first_divergence": None if diff.equal else {"token": None, "char": diff.first_divergence},
        "words_added": diff.words_added,
        "words_removed": diff.words_removed,
        "words_moved": diff.words_moved,
        "similarity": diff.similarity,
    }


def compare(
    a: str,
    b: str,
    mode: Mode,
    ignore: Ignore,
    a_ends: Sequence[int] | None = None,
    b_ends: Sequence[int] | None = None,
) -> Diff:
    """The diff of two finished texts."""
    from ...compare.diff.ignoring import differ

    ends = {"a_ends": a_ends, "b_ends": b_ends} if mode == "token" else {}
    return differ(mode, ignore).update(a, b, a_done=True, b_done=True, **ends)


def summary(diff: Diff, mode: Mode = "word") -> str:
    """The difference in a few words: +31 −4 words · ~6 moved · 78 % same."""
    from ..diffing import unit_name

    if diff.equal:
        return "same"
    moved = f" · ~{diff.moved} moved" if diff.moved else ""
    counts = f"+{diff.added} −{diff.removed} {unit_name(mode)}"
    return f"{counts}{moved} · {diff.similarity:.0%} same".replace("%", " %")


def painted(diff: Diff, a: str, b: str) -> str:
    """One text with what was removed and added marked, in colour where stdout takes it."""
    from ...compare.diff.unified import unified

    colour = coloured()
    pieces: list[str] = []
    for kind, text in unified(diff, a, b):
        shown = safe_text(text)
        if kind not in MARKS:
            pieces.append(shown)
            continue
        before, after, name = MARKS[kind]
        if colour:
            looks = {"italic": kind in ("arrived", "left")}
            looks["strikethrough" if kind in ("removed", "left") else "underline"] = True
            pieces.append(click.style(shown, fg=name, **looks))
        else:
            pieces.append(f"{before}{shown}{after}")
    return "".join(pieces)
