"""`models` and `adapters` as a shell runs them: where they look, and what a row says."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from .peft import write_peft
from .test_cli import LLAMADIFF, llamadiff


@pytest.fixture
def folder(tmp_path: Path, base: Path) -> Path:
    """A model, one that was cut off, and a pointer."""
    place = tmp_path / "place"
    place.mkdir()
    shutil.copy(base, place / "tiny-whole.gguf")
    (place / "tiny-cut.gguf").write_bytes(base.read_bytes()[:-100_000])
    (place / "pointer.gguf").write_text("version https://git-lfs.github.com/spec/v1\n")
    return place


def names(*arguments: str, **env: str) -> list[str]:
    listed = json.loads(llamadiff("models", *arguments, "--json", **env).stdout)
    return [entry["name"] for entry in listed]


def test_a_folder_alone_and_words(folder: Path) -> None:
    assert names(str(folder)) == ["tiny-whole", "pointer", "tiny-cut"]
    assert names(str(folder / "tiny-whole.gguf")) == ["tiny-whole"]
    assert names("TINY", str(folder)) == ["tiny-whole", "tiny-cut"]
    everywhere = {"LLAMADIFF_MODELS": str(folder)}
    assert names("tiny", **everywhere) == ["tiny-whole", "tiny-cut"]
    assert names("demo", "q8_0", **everywhere) == ["demo-6m-Q8_0"]
    none = llamadiff("models", "nothing-like-it")
    assert none.returncode == 0 and "no such models: nothing-like-it" in none.stderr


@pytest.mark.parametrize("word", ["./gone", "/gone", "gone/", "gone.gguf"])
def test_a_path_that_is_none(word: str) -> None:
    done = llamadiff("models", word)
    assert done.returncode == 2 and f"{word} does not exist" in done.stderr


def test_a_row_says_why_a_model_cannot_be_used(folder: Path) -> None:
    done = llamadiff("models", str(folder))
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "✗ is cut off: it has 6.7 MB of 6.8 MB; fetch or copy it again." in rows["tiny-cut"]
    assert "✗ is a Git LFS pointer, not the model: run git lfs pull." in rows["pointer"]
    assert "–" not in done.stdout
    assert done.stderr == "2 of 3 cannot be used; `--json` has the paths.\n"


def test_a_row_is_cut_to_the_terminal(folder: Path) -> None:
    import fcntl
    import pty
    import termios

    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [LLAMADIFF, "models", str(folder)]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=env) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(mine, 4096)
            except OSError:  # as Linux says that nobody has the other end open
                break
            if not piece:
                break
            shown += piece
    os.close(mine)
    assert process.returncode == 0
    (row,) = [line for line in shown.decode().splitlines() if line.startswith("tiny-cut")]
    assert len(row) == 40 and row.endswith("…")


def test_folders_of_peft_keep_their_columns(tmp_path: Path) -> None:
    write_peft(tmp_path / "poet", target_modules=["o_proj"], base_model_name_or_path="a/b")
    done = llamadiff("adapters", str(tmp_path))
    assert "a/b" in done.stdout and "✗" not in done.stdout
    assert "1 of 1 are PEFT folders; -a converts one" in done.stderr


def test_a_model_of_ollama_goes_by_its_name(tmp_path: Path, base: Path) -> None:
    digest = "a" * 64
    (tmp_path / "blobs").mkdir()
    shutil.copy(base, tmp_path / "blobs" / f"sha256-{digest}")
    manifest = tmp_path / "manifests" / "registry.ollama.ai" / "library" / "llama3" / "8b"
    manifest.parent.mkdir(parents=True)
    layer = {
        "mediaType": "application/vnd.ollama.image.model",
        "digest": f"sha256:{digest}",
        "size": base.stat().st_size,
    }
    manifest.write_text(json.dumps({"layers": [layer]}))
    ollama = {"OLLAMA_MODELS": str(tmp_path)}
    (entry,) = json.loads(llamadiff("models", "llama3", "--json", **ollama).stdout)
    assert (entry["name"], entry["quantization"]) == ("llama3:8b", "Q8_0")
    assert entry["parameters"] == 6_294_784
    assert json.loads(llamadiff("inspect", "llama3", "--json", **ollama).stdout)["name"] == "llama3:8b"  # fmt: skip
    done = llamadiff("run", "-m", "llama3:8b", "-p", "support", "-c", "1000000000", **ollama)
    assert done.returncode == 2 and "llama3:8b with a context of" in done.stderr
    assert digest not in done.stderr


def test_an_adapter_of_another_revision_is_named_with_a_scale(
    tmp_path: Path, support: Path
) -> None:
    for revision, file in (("1" * 40, "one"), ("2" * 40, "two")):
        folder = tmp_path / "hub" / "models--org--lora" / "snapshots" / revision
        folder.mkdir(parents=True)
        (folder / "lora.gguf").write_bytes(support.read_bytes() + file.encode())
    done = llamadiff("run", "-p", "support", "-a", "org/lora@1111111/lora@0.5", HF_HOME=str(tmp_path))  # fmt: skip
    assert done.returncode == 0 and "org/lora@1111111/lora@0.5" in done.stderr
