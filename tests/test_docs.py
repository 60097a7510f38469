"""The documentation is of this program: pages made of it are fresh, links lead somewhere, and every
command line that is shown can be given."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from llamadiff.tui.cli.commands import COMMANDS, cli

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("models/bundled/*.md")])
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda it: str(it.relative_to(ROOT)))


@pytest.mark.parametrize("made", ["write_settings", "write_commands"])
def test_a_page_made_of_the_program_is_fresh(made: str) -> None:
    module = loaded(ROOT / "docs" / f"{made}.py")
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), f"run python docs/{made}.py"


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@by_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        file, _, heading = link.partition("#")
        if ":" in file:
            continue
        target = page.parent / file if file else page
        assert target.exists(), link
        if heading:
            assert heading in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The names by which the headings of a page are linked to."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", it).strip().lower().replace(" ", "-") for it in titles}


@by_page
def test_command_lines_that_are_shown_can_be_given(page: Path) -> None:
    for line in command_lines(page.read_text(encoding="utf-8")):
        words = shlex.split(line)[1:]
        command: click.Command = cli
        context = click.Context(cli)
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words[0].split("|")[0])
            assert found or command is not cli, f"{line}: {words[0]} is not a command"
            if found is None:
                break
            command, words = found, words[1:]
        known = {
            name
            for it in command.get_params(context)
            if isinstance(it, click.Option)
            for name in (*it.opts, *it.secondary_opts)
        }
        given = [it.partition("=")[0] for it in words if re.match(r"--?[a-z]", it)]
        assert set(given) <= known, f"{line}: {set(given) - known}"


def command_lines(text: str) -> Iterator[str]:
    """Command lines in blocks and in backticks, without what is said beside them."""
    blocks = re.findall(r"^(?: {4})?(?:\$ )?(llamadiff .*)$", text, re.MULTILINE)
    for line in [*blocks, *re.findall(r"`(llamadiff [^`]*)`", text)]:
        command = re.split(r" {2,}|[…;|&<>\[]| #", line)[0]
        if command.split()[1:2] and (
            command.split()[1] in COMMANDS or command.split()[1][0] == "-"
        ):
            yield command


def test_a_command_line_is_checked() -> None:
    assert list(
        command_lines("    llamadiff run -p x      says x\n`llamadiff diff --files a b`")
    ) == [
        "llamadiff run -p x",
        "llamadiff diff --files a b",
    ]
