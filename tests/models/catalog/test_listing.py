"""What the list says of each kind of file, read from no more than its head."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gguf
import pytest

from llamadiff.models.catalog import (
    AdapterEntry,
    Catalog,
    ModelEntry,
    heads,
    places,
)
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_model

WriteFile = Callable[..., Path]


def models(folder: Path, cache: Path | None = None) -> dict[str, ModelEntry]:
    entries = Catalog([folder], cache_dir=cache).models()
    return {entry.name: entry for entry in entries if entry.source == "given"}


def adapters(folder: Path) -> dict[str, AdapterEntry]:
    return {entry.name: entry for entry in Catalog([folder]).adapters() if entry.source == "given"}


def vocabulary(size: int, *, scores: bool = False) -> Callable[[gguf.GGUFWriter], None]:
    """A vocabulary with a file type behind it, as llama.cpp writes it, and a label that is wrong."""

    def edit(writer: gguf.GGUFWriter) -> None:
        writer.add_size_label("8x1.5B")
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list([f"token{i}".encode() for i in range(size)])
        if scores:
            writer.add_token_scores([-float(i) for i in range(size)])
        writer.add_token_types([1] * size)
        if not scores:
            writer.add_token_merges([f"to ken{i}" for i in range(size)])
        writer.add_chat_template("{{ messages }}" * 300)
        writer.add_file_type(15)

    return edit


def test_a_small_head_is_counted_as_the_full_check_does(
    write_model: WriteFile, tmp_path: Path
) -> None:
    for name, options in {"a": {}, "b": {"tied": True}, "c": {"quantized": False}}.items():
        write_model(f"{name}.gguf", **options)
    listed = models(tmp_path)
    for name in "abc":
        assert listed[name] == replace(Catalog([tmp_path]).model(name).entry)


@pytest.mark.parametrize("scores", [False, True])
def test_a_large_vocabulary_is_not_read(
    write_model: WriteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores: bool
) -> None:
    path = write_model("big-Q5_0.gguf", tokens=False, edit=vocabulary(100_000, scores=scores))
    whole = check_model(path)
    taken: list[int] = []
    for name in ("read", "pread"):
        monkeypatch.setattr(heads.os, name, counting(getattr(os, name), taken))
    monkeypatch.setattr(places, "BUNDLED", tmp_path / "none")
    monkeypatch.setattr(heads, "careful_head", lambda path: pytest.fail(path))
    entry = models(tmp_path)["big-Q5_0"]
    assert (entry.parameters, entry.quantization, entry.context, entry.problem) == (
        whole.parameters, "Q4_K_M", 512, None,
    )  # fmt: skip
    assert whole.quantization == "Q4_K_M", "not what its name says"
    assert 0 < sum(taken) <= 400_000 < path.stat().st_size / 5


def counting(read: Callable[..., bytes], taken: list[int]) -> Callable[..., bytes]:
    def counted(*arguments: int) -> bytes:
        data = read(*arguments)
        taken.append(len(data))
        return data

    return counted


@pytest.mark.parametrize("left", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("scores", [False, True])
def test_a_model_with_a_large_vocabulary_that_was_cut_off(
    write_model: WriteFile, tmp_path: Path, left: float, scores: bool
) -> None:
    path = write_model("cut.gguf", tokens=False, edit=vocabulary(50_000, scores=scores))
    os.truncate(path, int(path.stat().st_size * left))
    assert re.search("is cut off|it ends inside", models(tmp_path)["cut"].problem or "")


def test_a_type_of_tensors_goes_before_a_name(write_model: WriteFile, tmp_path: Path) -> None:
    def edit(writer: gguf.GGUFWriter) -> None:
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list([f"token{i}".encode() for i in range(5000)])

    write_model("lies-Q2_K.gguf", tokens=False, edit=edit)
    assert models(tmp_path)["lies-Q2_K"].quantization == "Q8_0"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "run git lfs pull"),
        (b"<!DOCTYPE html>\n<html>", "is a web page"),
        (b"\xef\xbb\xbf\n <HTML lang=en>", "is a web page"),
        (b"<xml>", "is not a GGUF file"),
        (b"", "is not a GGUF file"),
    ],
)
def test_what_was_fetched_in_place_of_a_model(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "m.gguf").write_bytes(content)
    assert words in (models(tmp_path)["m"].problem or "")


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("Llama-3.2-1B-Instruct-Q4_K_M", "Q4_K_M"), ("x.iq2_xxs", "IQ2_XXS"), ("x-f16", "F16"),
        ("x-UD-Q4_K_XL", "Q4_K_XL"), ("gpt-oss-20b-MXFP4", "MXFP4"), ("x-BF16", "BF16"),
        ("QwQ-32B", None), ("x", None), ("Qwen3-8B", None),
    ],
)  # fmt: skip
def test_a_quantization_in_a_name(name: str, quantization: str | None) -> None:
    assert heads.quantization_in(name) == quantization


def test_what_is_no_base_model_is_set_apart(write_model: WriteFile, tmp_path: Path) -> None:
    write_model("z-good.gguf")
    write_model("mmproj.gguf", general_type="mmproj")
    write_model("clip.gguf", architecture="clip", general_type=None)
    write_model("imatrix.gguf", general_type="imatrix")
    write_model("vocab.gguf", tensors=False)
    write_model("embed.gguf", architecture="bert")
    write_model("new.gguf", architecture="llama9000")
    write_model("encoder.gguf", edit=lambda writer: writer.add_causal_attention(False))
    listed = models(tmp_path)
    assert next(iter(listed)) == "z-good" and listed["z-good"].problem is None
    for name, words in {
        "mmproj": "is a projector, not a base model",
        "clip": "is a projector, not a base model",
        "imatrix": "is an importance matrix, not a base model",
        "vocab": "is a vocabulary without weights, not a base model",
        "embed": "is a text-embedding model, not a base model",
        "encoder": "is a text-embedding model, not a base model",
        "new": "llama9000, which this llama.cpp does not know",
    }.items():
        assert words in (listed[name].problem or ""), name
        with pytest.raises(ModelError):
            Catalog([tmp_path]).model(name)


@pytest.mark.parametrize("gone", [1, 3, None])
def test_a_split_model_with_and_without_all_parts(
    write_model: WriteFile, tmp_path: Path, gone: int | None
) -> None:
    whole = write_model("whole.gguf")
    write_model("parts.gguf", split_max_tensors=6)
    whole_entry = models(tmp_path)["whole"]
    whole.unlink()
    if gone:
        (tmp_path / f"parts-{gone:05d}-of-00004.gguf").unlink()
    (entry,) = models(tmp_path).values()
    assert entry.name == "parts"
    if gone:
        assert f"lacks parts-{gone:05d}-of-00004.gguf" in (entry.problem or "")
    else:
        sizes = sum(path.stat().st_size for path in tmp_path.glob("parts*"))
        assert (entry.problem, entry.bytes) == (None, sizes)
        assert entry.parameters == whole_entry.parameters


def peft(folder: Path, config: object, weights: str = "adapter_model.safetensors") -> Path:
    folder.mkdir(parents=True)
    text = config if isinstance(config, str) else json.dumps(config)
    (folder / "adapter_config.json").write_text(text)
    (folder / weights).write_bytes(b"12345")
    return folder


def test_peft_folders_are_adapters_to_be_converted(tmp_path: Path) -> None:
    config = {
        "r": 8, "lora_alpha": 16, "target_modules": ["v_proj", "q_proj"],
        "base_model_name_or_path": "org/base", "peft_type": "LORA",
    }  # fmt: skip
    folder = peft(tmp_path / "loras" / "mine", config)
    entry = adapters(tmp_path)["mine"]
    assert entry.is_peft
    assert (entry.path, entry.rank, entry.alpha, entry.base, entry.bytes) == (
        str(folder), 8, 16.0, "org/base", 5,
    )  # fmt: skip
    assert entry.targets == ("q_proj", "v_proj")
    assert entry.problem is None
    for wanted in ("mine", str(folder)):
        with pytest.raises(ModelError, match="llamadiff convert"):
            Catalog([tmp_path]).adapter(wanted)
    given = [a for a in Catalog([folder]).adapters() if a.source == "given"]
    assert [(a.name, a.path) for a in given] == [("mine", str(folder))]


@pytest.mark.parametrize(
    "config",
    ["", "[", "[]", "[" * 100_000, "\x00", "9" * 5000, {"r": "x", "lora_alpha": [], "target_modules": 3},
     {"r": True, "lora_alpha": 1e400, "target_modules": [3, None], "base_model_name_or_path": {}}],
)  # fmt: skip
def test_a_spoilt_peft_folder_is_listed_with_a_problem(tmp_path: Path, config: object) -> None:
    peft(tmp_path / "mine", config)
    entry = adapters(tmp_path)["mine"]
    assert entry.problem
    assert (entry.rank, entry.alpha, entry.targets, entry.base) == (None, None, (), None)


@pytest.mark.parametrize(
    ("config", "weights", "words"),
    [
        ({"use_dora": True}, "adapter_model.safetensors", "uses DoRA"),
        ({"peft_type": "IA3"}, "adapter_model.safetensors", "is IA3, not LoRA"),
        ({"modules_to_save": ["lm_head"]}, "adapter_model.safetensors", "replaces whole modules"),
        ({"lora_alpha": 0}, "adapter_model.safetensors", "changes nothing"),
        ({}, "adapter_model.bin", "as a pickle"),
        ({}, "other.safetensors", "has no adapter_model.safetensors"),
    ],
)
def test_a_folder_that_convert_refuses_is_listed_with_its_reason(
    tmp_path: Path, config: dict[str, object], weights: str, words: str
) -> None:
    folder = peft(tmp_path / "mine", {"peft_type": "LORA", "r": 8} | config, weights)
    entry = adapters(tmp_path)["mine"]
    assert words in (entry.problem or "") and "llamadiff convert" not in (entry.problem or "")
    with pytest.raises(ModelError, match=words):
        Catalog([tmp_path]).adapter(str(folder))


def test_folders_that_cannot_be_read_are_listed_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_model: WriteFile
) -> None:
    write_model()
    folder = peft(tmp_path / "mine", {"peft_type": "LORA"})
    (tmp_path / "closed").mkdir()
    closed, config = str(tmp_path / "closed"), folder / "adapter_config.json"
    scan, is_file = os.scandir, Path.is_file

    def scandir(path: str) -> object:
        if path == closed:
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    def file(path: Path) -> bool:
        if path == config:
            raise PermissionError(13, "Permission denied", path)
        return is_file(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Path, "is_file", file)
    said = f"{closed} cannot be read: Permission denied."
    assert models(tmp_path)[closed].problem == adapters(tmp_path)[closed].problem == said
    assert models(tmp_path)["base"].problem is None
    assert adapters(tmp_path)["mine"].problem == f"{config} cannot be read: Permission denied."


def test_cut_off_at_any_byte_is_listed_or_refused_but_never_raises(
    write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path
) -> None:
    for write in (write_model, write_adapter):
        path = write()
        content = path.read_bytes()
        for end in [*range(0, 400, 7), *range(400, len(content), len(content) // 40)]:
            path.write_bytes(content[:end])
            (entry,) = [*models(tmp_path).values(), *adapters(tmp_path).values()]
            assert entry.problem, end
        path.unlink()


# ------------------------------------------------------------------ what is remembered


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the heads that are read from now on."""
    from llamadiff.models.catalog import listing

    read: list[str] = []
    real = listing.read_head

    def reading(path: str, size: int) -> heads.Head:
        read.append(Path(path).name)
        return real(path, size)

    monkeypatch.setattr(listing, "read_head", reading)
    return read


def test_heads_are_read_once(
    write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    path = write_model()
    write_adapter()
    (tmp_path / "noise.gguf").write_bytes(b"noise")
    cache = tmp_path / "cache"
    before = models(tmp_path, cache)
    read = counted(monkeypatch)
    assert models(tmp_path, cache) == before
    assert read == []
    os.utime(path, ns=(1, 1))
    assert models(tmp_path, cache) == before
    assert read == ["base.gguf"]
    path.write_bytes(path.read_bytes()[:-2000])
    assert "cut off" in (models(tmp_path, cache)["base"].problem or "")
    write_model("new.gguf").replace(path)
    assert models(tmp_path, cache)["base"].problem is None


@pytest.mark.parametrize("spoilt", [b"", b"\xff" * 1000, b"\x92", b"[" * 100_000, None])
def test_a_spoilt_cache_is_thrown_away(
    write_model: WriteFile, tmp_path: Path, spoilt: bytes | None
) -> None:
    write_model()
    cache = tmp_path / "cache"
    before = models(tmp_path, cache)
    file = cache / "catalog.msgpack"
    assert file.exists()
    file.write_bytes(file.read_bytes()[:-30] if spoilt is None else spoilt)
    assert models(tmp_path, cache) == before
    assert len(file.read_bytes()) > 100, "written anew"


def test_a_cache_that_cannot_be_written_costs_nothing_else(
    write_model: WriteFile, tmp_path: Path
) -> None:
    write_model()
    (tmp_path / "file").write_text("")
    assert models(tmp_path, tmp_path / "file" / "cache")["base"].problem is None


def test_two_processes_may_write_at_once(write_model: WriteFile, tmp_path: Path) -> None:
    for number in range(20):
        write_model(f"m{number}.gguf", tied=bool(number % 2))
    script = (
        "import sys; from pathlib import Path; from llamadiff.models.catalog import Catalog\n"
        "for i in range(15):\n"
        "  found = [e for e in Catalog([Path(sys.argv[1])], cache_dir=Path(sys.argv[2])).models()"
        " if e.source == 'given']\n"
        "  assert len(found) == 20 and not any(e.problem for e in found), found\n"
        "  (Path(sys.argv[2]) / 'catalog.msgpack').unlink(missing_ok=True) if i % 3 == 2 else None\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path), str(tmp_path / "cache")]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert not [p for p in (tmp_path / "cache").iterdir() if p.name != "catalog.msgpack"]
