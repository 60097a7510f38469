"""`llamadiff pull`: fetch models and adapters from the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...models.adapters.peft_config import CONFIG as PEFT_CONFIG
from .printing import data, note, print_json, size, table
from .progress import ProgressLine

if TYPE_CHECKING:
    from ...models.hub.listing import RemoteFile

ADDRESSES = ("https://huggingface.co/", "https://hf.co/", "huggingface.co/", "hf.co/", "hf://")


@click.command("pull")
@click.argument("repo", metavar="REPO[:FILE]")
@click.argument("files", nargs=-1, metavar="[FILE]…")
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, and fetch nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def pull_command(repo: str, files: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Fetch FILEs of the Hugging Face repository REPO (OWNER/NAME) into its cache on this disk.

    FILE is a name, a pattern or a type as Q4_K_M; without one, the one model of the repository, or
    its PEFT adapter. What was stopped goes on where it was. This is the only command that uses the
    network by itself.

    \b
    llamadiff pull bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M
    """
    from huggingface_hub.utils import logging

    from ...models.hub.fetch import fetch, look_up

    logging.set_verbosity_error()
    name, file = _meant(repo)
    repository = look_up(name)
    chosen = repository.chosen((file, *files) if file else files)
    if dry_run:
        _tell(name, chosen, as_json)
        return
    total = sum(it.bytes for it in chosen)
    before, paths = 0, list[str]()
    with ProgressLine() as line:
        for it in chosen:

            def show(file: RemoteFile, here: int, before: int = before) -> None:
                done = before + here
                line.show(file.name, done / max(total, 1), f"{size(done)} of {size(total)}")

            paths.append(str(fetch(repository, it, show)))
            before += it.bytes
    if as_json:
        print_json({"repo": name, "commit": repository.commit, "paths": paths}, indent=True)
        return
    config = next((path for path in paths if Path(path).name == PEFT_CONFIG), None)
    for path in [str(Path(config).parent)] if config else paths:  # a PEFT adapter is its folder
        data(path)
    note(f"{size(total)} of {name} {'is' if len(paths) == 1 else 'are'} here.")


def _meant(repo: str) -> tuple[str, str]:
    """The repository and the file, if any, in `OWNER/NAME:FILE` or an address from a browser.

    Raises UsageError for an address of another revision than `main`.
    """
    text = repo
    for address in ADDRESSES:
        text = text.removeprefix(address)
    text = text.partition("?")[0].rstrip("/") if text != repo else text.rstrip("/")
    parts = text.split("/")
    if len(parts) > 3 and parts[2] in ("blob", "resolve", "tree"):
        if parts[3] != "main":
            raise click.UsageError(f"{repo!r} is of {parts[3]!r}; only main can be fetched.")
        return "/".join(parts[:2]), "/".join(parts[4:])
    name, _, file = text.partition(":")
    return name, file


def _tell(repo: str, files: list[RemoteFile], as_json: bool) -> None:
    missing = sum(it.bytes for it in files if not it.cached)
    if as_json:
        found = [
            {"name": it.name, "bytes": it.bytes, "cached": str(it.cached) if it.cached else None}
            for it in files
        ]
        print_json({"repo": repo, "files": found, "bytes_to_fetch": missing}, indent=True)
        return
    table([("FILE", "SIZE", "HERE"), *((it.name, size(it.bytes), "yes" if it.cached else "no") for it in files)])  # fmt: skip
    note(f"{size(missing)} would be fetched.")
