"""What the catalog lists, and which file a name means."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import gguf
import pytest

from llamadiff.models.catalog import (
    Catalog,
    default_model,
    places,
)
from llamadiff.models.errors import ModelError

WriteFile = Callable[..., Path]


def given(entries: list) -> list[str]:
    return [entry.name for entry in entries if entry.source == "given"]


def test_the_bundled_files_are_listed() -> None:
    (model, *_), adapters = Catalog().models(), Catalog().adapters()
    assert (model.source, model.problem) == ("bundled", None)
    assert len(adapters) >= 2
    assert {(entry.source, entry.problem) for entry in adapters} == {("bundled", None)}
    assert default_model().entry == model
    assert Catalog().adapter(adapters[0].name).entry == adapters[0]


def test_fields_are_those_of_the_design() -> None:
    model = json.loads(json.dumps(asdict(Catalog().models()[0])))
    assert list(model) == [
        "name",
        "path",
        "source",
        "architecture",
        "parameters",
        "quantization",
        "bytes",
        "context",
        "problem",
    ]
    adapter = json.loads(json.dumps(asdict(Catalog().adapters()[0])))
    assert list(adapter) == [
        "name",
        "path",
        "source",
        "architecture",
        "rank",
        "alpha",
        "targets",
        "base",
        "bytes",
        "problem",
    ]


def test_folders_and_files_are_listed_by_kind(
    write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path
) -> None:
    base, tuned = write_model(), write_adapter()
    assert given(Catalog([tmp_path, base]).models()) == ["base"]
    assert given(Catalog([tmp_path, tuned]).adapters()) == ["tuned"]
    assert given(Catalog([tuned]).models()) == []


def test_a_split_model_is_listed_once(write_model: WriteFile, tmp_path: Path) -> None:
    write_model("parts.gguf", split_max_tensors=6)
    assert given(Catalog([tmp_path]).models()) == ["parts"]
    assert Catalog([tmp_path]).model("parts").facts.path.name == "parts-00001-of-00004.gguf"


def test_what_cannot_be_used_is_listed_with_its_problem(
    write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path
) -> None:
    base, tuned = write_model(), write_adapter()
    for path in (base, tuned):
        path.write_bytes(path.read_bytes()[:-2000])
    (tmp_path / "noise.gguf").write_bytes(b"noise")
    missing = tmp_path / "missing.gguf"
    models = {entry.name: entry for entry in Catalog([tmp_path, missing]).models()}
    assert "cut off" in (models["base"].problem or "")
    assert models["base"].bytes == base.stat().st_size
    assert "not a GGUF file" in (models["noise"].problem or "")
    assert "does not exist" in (models["missing"].problem or "")
    assert models["missing"].bytes is None
    (adapter,) = [entry for entry in Catalog([tmp_path]).adapters() if entry.source == "given"]
    assert "cut off" in (adapter.problem or "")
    assert adapter.targets == ()


@pytest.mark.parametrize("wanted", ["base", "BASE", "base.gguf", "a small LLAMA"])
def test_names_of_a_model(write_model: WriteFile, tmp_path: Path, wanted: str) -> None:
    path = write_model()
    found = Catalog([tmp_path]).model(wanted)
    assert found.facts.path == path
    assert (found.entry.path, found.entry.source) == (str(path), "given")


def test_paths(write_model: WriteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_model("base.gguf")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for wanted in (str(path), "base.gguf", "./base.gguf", "~/base.gguf"):
        found = Catalog().model(wanted)
        assert (found.facts.path, found.entry.source) == (path, "given")
    path.rename("bare")
    assert Catalog().model("bare").facts.path == tmp_path / "bare"


def test_a_file_goes_by_its_own_name_before_its_title(
    write_model: WriteFile, tmp_path: Path
) -> None:
    def title(name: str) -> Callable[[gguf.GGUFWriter], None]:
        def edit(writer: gguf.GGUFWriter) -> None:
            del writer.kv_data[0]["general.name"]
            writer.add_name(name)

        return edit

    one = write_model("one.gguf", edit=title("two"))
    two = write_model("two.gguf", edit=title("three"))
    assert Catalog([tmp_path]).model("two").facts.path == two
    assert Catalog([tmp_path]).model("one").facts.path == one


def test_an_ambiguous_name_lists_the_candidates(write_model: WriteFile, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first, second = write_model("base.gguf"), write_model("other/base.gguf")
    with pytest.raises(ModelError, match="several files") as refusal:
        Catalog([tmp_path, tmp_path / "other"]).model("base")
    assert str(first) in str(refusal.value)
    assert str(second) in str(refusal.value)
    assert Catalog().model(str(second)).facts.path == second


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        ("bose", r"did you mean base\?"),
        ("nothing like it", "choose one of .*base"),
        ("", "choose one of"),
        (".", "choose one of"),
        ("a\0b", "choose one of"),
        ("tuned", "is an adapter, not a base model; give it with -a"),
        ("elsewhere/base.gguf", "does not exist"),
        ("~nobody-here/base.gguf", "does not exist"),
    ],
)
def test_unknown_models(
    write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path, wanted: str, word: str
) -> None:
    write_model()
    write_adapter()
    with pytest.raises(ModelError, match=word):
        Catalog([tmp_path]).model(wanted)


def test_unknown_adapters(write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path) -> None:
    base = write_model()
    write_adapter()
    with pytest.raises(ModelError, match=r"did you mean tuned\?"):
        Catalog([tmp_path]).adapter("tuend")
    with pytest.raises(ModelError, match="is a base model, not an adapter; give it with -m"):
        Catalog([tmp_path]).adapter("base")
    with pytest.raises(ModelError, match="is not an adapter"):
        Catalog().adapter(str(base))


def test_a_part_of_a_name_is_enough_where_no_other_has_it(
    write_model: WriteFile, write_adapter: WriteFile, tmp_path: Path
) -> None:
    first = write_model("Tiny-Llama-1B-Q8_0.gguf")
    tuned = write_adapter("tiny-tuned.gguf")
    catalog = Catalog([tmp_path])
    assert catalog.model("tiny-llama").facts.path == first
    assert catalog.model("1b-q8").facts.path == first
    assert catalog.adapter("tiny").facts.path == tuned
    both = write_model("tiny-llama-3b.gguf")
    catalog = Catalog([tmp_path])
    with pytest.raises(ModelError, match="several files") as refusal:
        catalog.model("tiny-llama")
    assert str(first) in str(refusal.value) and str(both) in str(refusal.value)
    with pytest.raises(ModelError, match="several files"):
        catalog.either("tiny")
    both.write_bytes(both.read_bytes()[:-2000])
    assert Catalog([tmp_path]).model("tiny-llama").facts.path == first, "the one that can be used"
    with pytest.raises(ModelError, match="give it with -a"):
        catalog.model("-tuned")


def test_a_name_goes_before_a_file_of_that_name_and_a_part_behind_it(
    write_model: WriteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, here = tmp_path / "kept", tmp_path / "here"
    folder.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    kept = write_model("kept/base.gguf")
    for name in ("base", "bas"):
        (here / name).write_bytes(kept.read_bytes())
    catalog = Catalog([folder])
    assert catalog.model("base").facts.path == kept
    assert catalog.model("bas").facts.path == here / "bas"
    assert catalog.model("ase").facts.path == kept


def test_only_the_places_given(write_model: WriteFile, tmp_path: Path) -> None:
    write_model()
    assert [entry.name for entry in Catalog([tmp_path], only=True).models()] == ["base"]
    assert Catalog([tmp_path], only=True).adapters() == []


def test_a_found_file_must_be_usable(write_model: WriteFile, tmp_path: Path) -> None:
    path = write_model()
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ModelError, match="cut off"):
        Catalog([tmp_path]).model("base")


def test_an_installation_without_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "BUNDLED", tmp_path)
    assert Catalog().models() == []
    with pytest.raises(ModelError, match="no bundled model"):
        default_model()
    with pytest.raises(ModelError, match="No model or file is called 'x'; give a path"):
        Catalog().model("x")


def test_the_catalog_imports_nothing_heavy() -> None:
    code = (
        "import sys; from llamadiff.models.catalog import default_model; "
        "import llamadiff.models.memory, llamadiff.models.hashing; default_model(); "
        "print([m for m in ('numpy', 'gguf', 'psutil', 'llama_cpp') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
