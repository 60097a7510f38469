"""A new file takes the place of nothing but a GGUF file, and appears whole or not at all."""

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path
from shutil import copy

import pytest

from llamadiff.models.adapters.convert import convert
from llamadiff.models.adapters.merge import merge
from llamadiff.models.catalog import default_model
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_adapter
from llamadiff.models.quantize import quantize
from llamadiff.models.writing.whole import check_out, cut, scratch, written_whole

from ..tui.peft import write_peft

Write = Callable[[Path], object]
BUNDLED = default_model().facts


def converts(out: Path) -> None:
    folder = out.parent.parent / "peft"
    if not folder.exists():
        write_peft(folder)
    convert(folder, out, BUNDLED)


def merges(out: Path) -> None:
    adapter = check_adapter(BUNDLED.path.parent / "support.gguf")
    home = out.parent.parent
    asyncio.run(merge(BUNDLED, [(adapter, 1.0)], out, log=home / "log", cache_dir=home / "cache"))


def quantizes(out: Path) -> None:
    asyncio.run(quantize(BUNDLED, out, "Q4_0", requantize=True, log=out.parent.parent / "log"))


@pytest.mark.parametrize("write", [converts, merges, quantizes])
def test_only_a_gguf_file_is_replaced(tmp_path: Path, write: Write) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    letter, pipe, out = folder / "letter.txt", folder / "pipe", folder / "out.gguf"
    letter.write_text("Dear reader")
    os.mkfifo(pipe)
    (folder / "to-letter").symlink_to(letter)
    (folder / "to-out").symlink_to(out)
    for name, words in (
        ("letter.txt", "no GGUF file"),
        ("to-letter", "no GGUF file"),
        ("pipe", "no regular file"),
    ):
        with pytest.raises(ModelError, match=words):
            write(folder / name)
    with pytest.raises(ModelError, match="is a folder"):
        write(folder)
    assert letter.read_text() == "Dear reader" and stat.S_ISFIFO(pipe.lstat().st_mode)
    copy(BUNDLED.path.parent / "support.gguf", out)
    before = out.read_bytes()
    write(folder / "to-out")
    assert (folder / "to-out").is_symlink() and out.read_bytes() != before
    assert sorted(it.name for it in folder.iterdir()) == ["letter.txt", "out.gguf", "pipe", "to-letter", "to-out"]  # fmt: skip


def test_a_device_is_refused() -> None:
    with pytest.raises(ModelError, match="no regular file"):
        check_out(Path("/dev/null"), [], 0)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_mode_is_that_of_any_new_file(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        with written_whole(tmp_path / "out") as part:
            part.write_bytes(b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode


@pytest.mark.parametrize("name", ["n" * 255, "ü" * 127, "x"])
def test_long_names(tmp_path: Path, name: str) -> None:
    with written_whole(tmp_path / name) as part:
        part.write_bytes(b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert len(cut(name).encode()) <= 200 and name.startswith(cut(name))


def test_room_and_names_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="make room"):
        check_out(tmp_path / "out", [], 1 << 62)
    for odd in ("a\0b", "n" * 300, "nowhere/x"):
        with pytest.raises(ModelError):
            check_out(tmp_path / odd, [], 0)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(ModelError):
        check_out(loop, [], 0)


def test_what_came_meanwhile_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ModelError, match="no GGUF file"), written_whole(out) as part:
        part.write_bytes(b"new")
        out.write_bytes(b"precious")
    assert out.read_bytes() == b"precious" and list(tmp_path.iterdir()) == [out]


def test_an_exception_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit), scratch(tmp_path / "out"):
        raise SystemExit
    assert not list(tmp_path.iterdir())
