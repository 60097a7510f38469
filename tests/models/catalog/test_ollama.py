"""Ollama's models by name and tag; a hostile manifest reads nothing outside its folder."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from llamadiff.models.catalog import Catalog, ModelEntry
from llamadiff.models.catalog import ollama as module
from llamadiff.models.catalog.ollama import MAX_MANIFEST
from llamadiff.models.errors import ModelError

from .conftest import Ollama

WriteFile = Callable[..., Path]
LIBRARY = "registry.ollama.ai/library"


def listed() -> list[ModelEntry]:
    return [entry for entry in Catalog().models() if entry.source == "ollama"]


def test_models_go_by_name_and_tag(ollama: Ollama, write_model: WriteFile) -> None:
    layer = ollama.layer(write_model().read_bytes())
    digest, _ = ollama.blob(b'{"file_type": "Q4_K_M"}')
    ollama.manifest(f"{LIBRARY}/small/8b", [{"mediaType": "x", "digest": 3}, layer])
    ollama.manifest(f"{LIBRARY}/small/latest", [layer], config={"digest": digest})
    other = ollama.layer(write_model("b.gguf", tied=True).read_bytes())
    ollama.manifest("registry.ollama.ai/someone/own/v1", [other])
    third = ollama.layer(write_model("c.gguf", quantized=False).read_bytes())
    ollama.manifest("hf.co/org/repo/Q8_0", [third])
    assert {entry.name for entry in listed()} == {
        "small:8b",
        "someone/own:v1",
        "hf.co/org/repo:Q8_0",
    }
    assert [entry.problem for entry in listed()] == [None] * 3
    for name in ("small:8b", "small:latest", "small", "SMALL"):
        found = Catalog().model(name)
        assert found.entry.name == "small:8b"
        assert found.facts.path.name == layer["digest"].replace(":", "-")


def test_models_are_called_by_their_names(ollama: Ollama, write_model: WriteFile) -> None:
    whole = write_model().read_bytes()
    layer, cut = ollama.layer(whole), ollama.layer(whole[:-2000])
    ollama.manifest(f"{LIBRARY}/llama3/8b", [layer])
    ollama.manifest(f"{LIBRARY}/llama3/70b", [cut])
    catalog = Catalog()
    by_name = {entry.name: entry for entry in catalog.models()}
    assert (by_name["llama3:70b"].problem or "").startswith("llama3:70b is cut off")
    found = catalog.model("llama3:8b")
    assert found.facts.name == "llama3:8b"
    assert catalog.model(found.entry.path).facts.name == "llama3:8b"
    assert found.entry == by_name["llama3:8b"]
    with pytest.raises(ModelError, match=r"^llama3:70b is cut off"):
        catalog.model("llama3:70b")
    third = ollama.layer(write_model("b.gguf", tied=True).read_bytes())
    ollama.manifest(f"{LIBRARY}/llama3/1b", [third])
    with pytest.raises(ModelError, match=r"give one of llama3:1b, llama3:8b\.$"):
        Catalog().model("llama3")


def test_adapters_of_a_model(
    ollama: Ollama, write_model: WriteFile, write_adapter: WriteFile
) -> None:
    base = ollama.layer(write_model().read_bytes())
    lora = ollama.layer(write_adapter().read_bytes(), "adapter")
    ollama.manifest(f"{LIBRARY}/tuned/latest", [base, lora])
    (adapter,) = [entry for entry in Catalog().adapters() if entry.source == "ollama"]
    assert (adapter.name, adapter.rank, adapter.problem) == ("tuned:latest", 8, None)
    assert [entry.name for entry in listed()] == ["tuned:latest"]


def test_the_variable_ollama_honours(
    tmp_path: Path, write_model: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Ollama(tmp_path / "else where")
    elsewhere.manifest(f"{LIBRARY}/small/1b", [elsewhere.layer(write_model().read_bytes())])
    monkeypatch.setenv("OLLAMA_MODELS", f" '{elsewhere.root}' ")
    assert [entry.name for entry in listed()] == ["small:1b"]
    monkeypatch.delenv("OLLAMA_MODELS")
    assert listed() == []
    given = [entry.name for entry in Catalog([elsewhere.root]).models() if entry.source == "ollama"]
    assert given == ["small:1b"]


def test_a_blob_that_was_cut_off_or_is_gone(ollama: Ollama, write_model: WriteFile) -> None:
    cut, gone = ollama.layer(write_model().read_bytes()), ollama.layer(b"something")
    ollama.manifest(f"{LIBRARY}/cut/1b", [{**cut, "size": cut["size"] + 1}])
    ollama.manifest(f"{LIBRARY}/gone/1b", [gone])
    (ollama.root / "blobs" / gone["digest"].replace(":", "-")).unlink()
    problems = {entry.name: entry.problem or "" for entry in listed()}
    assert "cut off" in problems["cut:1b"] and "ollama pull cut:1b" in problems["cut:1b"]
    assert "is missing" in problems["gone:1b"]


def hostile_digests(secret: Path) -> list[object]:
    hexadecimal = "a" * 64
    return [
        "../../secret.gguf", str(secret), f"sha256:../../../{secret.name}", f"sha256:{hexadecimal}/..",
        f"sha256:{hexadecimal}\n", f"sha256:{hexadecimal.upper()}", f"sha512:{hexadecimal}",
        f"sha256:{hexadecimal}\0", "sha256:", "", None, 3, [], {}, "sha256:" + "a" * 1_000_00,
    ]  # fmt: skip


def test_a_hostile_manifest_reads_nothing_outside_its_folder(
    ollama: Ollama, write_model: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = write_model("secret.gguf")
    blobs = ollama.root / "blobs"
    links = {"b" * 64: secret, "c" * 64: Path("..") / ".." / "x", "d" * 64: Path("/dev/zero")}
    for name, target in links.items():
        (blobs / f"sha256-{name}").symlink_to(target)
    (blobs / f"sha256-{'e' * 64}").mkdir()
    os.mkfifo(blobs / f"sha256-{'f' * 64}")
    digests = [*hostile_digests(secret), *(f"sha256:{c * 64}" for c in "bcdef")]
    for number, digest in enumerate(digests):
        layer = {"mediaType": "application/vnd.ollama.image.model", "digest": digest, "size": 1}
        ollama.manifest(f"{LIBRARY}/evil/{number}", [layer], config={"digest": digest})
    opened: list[str] = []
    import builtins

    real_open, real_os_open = builtins.open, os.open

    def watch(path: object, *rest: object, **more: object) -> object:
        opened.append(os.path.realpath(str(path)))
        return real_open(path, *rest, **more)  # type: ignore[call-overload]

    def watch_os(path: object, *rest: object, **more: object) -> int:
        opened.append(os.path.realpath(str(path)))
        return real_os_open(path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "open", watch)
    monkeypatch.setattr("io.open", watch)
    monkeypatch.setattr(os, "open", watch_os)
    entries = listed()
    monkeypatch.undo()
    assert len(entries) == len(digests)
    assert all(entry.problem for entry in entries), entries
    outside = [
        path for path in opened
        if not path.startswith((str(ollama.root), str(Path(module.__file__).parent.parent)))
    ]  # fmt: skip
    assert outside == []
    assert opened, "the manifests themselves were read"


def test_manifests_that_are_none(ollama: Ollama, tmp_path: Path) -> None:
    folder = ollama.root / "manifests" / LIBRARY / "bad"
    folder.mkdir(parents=True)
    spoilt = {
        "text": b"not json", "latin": b"\xff\xfe", "list": b"[]", "empty": b"",
        "layers": b'{"layers": {}}', "many": json.dumps({"layers": [{}] * 300}).encode(),
        "deep": b"[" * 100_000, "large": b'{"layers": []}' + b" " * MAX_MANIFEST,
        "number": b'{"layers": [' + b"9" * 5000 + b"]}",
    }  # fmt: skip
    for name, content in spoilt.items():
        (folder / name).write_bytes(content)
    os.mkfifo(folder / "pipe")
    secret = tmp_path / "secret"
    secret.write_text('{"layers": []}')
    (folder / "link").symlink_to(secret)
    (ollama.root / "manifests" / "loop").symlink_to(ollama.root)
    problems = {entry.name.removeprefix("bad:"): entry.problem or "" for entry in listed()}
    assert set(problems) == {*spoilt, "pipe", "link"}
    assert "larger than" in problems["large"]
    assert "not a regular file" in problems["pipe"] and "not a regular file" in problems["link"]


def test_a_model_that_runs_elsewhere_is_passed_over(ollama: Ollama) -> None:
    ollama.manifest(f"{LIBRARY}/cloud/latest", [{"mediaType": "x", "digest": "y"}, 3, None])
    assert listed() == []
    with pytest.raises(ModelError, match="No model or file"):
        Catalog().model("cloud")


def test_names_with_control_characters_are_safe(ollama: Ollama, write_model: WriteFile) -> None:
    layer = ollama.layer(write_model().read_bytes())
    ollama.manifest(f"{LIBRARY}/\x1b[2Jx/\x07", [layer])
    (entry,) = listed()
    assert entry.name.isprintable()
