"""Models are found where each program keeps them, under the settings it honours."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llamadiff.models.catalog import Catalog
from llamadiff.models.errors import ModelError

Place = Callable[[Path], Path]


def found(extra: list[Path] | None = None) -> set[tuple[str, str]]:
    """(source, name) of all models that are not bundled."""
    entries = Catalog(extra or []).models()
    assert all(entry.problem is None for entry in entries), entries
    return {(entry.source, entry.name) for entry in entries if entry.source != "bundled"}


def in_hub(hub: Path, place_model: Place, repository: str, file: str, revision: str) -> Path:
    """A file as huggingface_hub keeps it: a blob, and a link to it in a snapshot."""
    folder = hub / f"models--{repository.replace('/', '--')}"
    blob = place_model(folder / "blobs" / f"{abs(hash((file, revision))):064x}")
    link = folder / "snapshots" / revision / file
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.path.relpath(blob, link.parent))
    return link


@pytest.mark.parametrize(
    ("variable", "value", "hub"),
    [
        ("", "", "{home}/.cache/huggingface/hub"),
        ("HF_HUB_CACHE", "{home}/a", "{home}/a"),
        ("HF_HUB_CACHE", "$HOME/a", "{home}/a"),
        ("HF_HUB_CACHE", "~/a", "{home}/a"),
        ("HUGGINGFACE_HUB_CACHE", "{home}/b", "{home}/b"),
        ("HF_HOME", "{home}/c", "{home}/c/hub"),
        ("XDG_CACHE_HOME", "{home}/d", "{home}/d/huggingface/hub"),
        ("LLAMA_CACHE", "{home}/e", "{home}/e"),
    ],
)
def test_the_hugging_face_cache(
    person: Path, place_model: Place, monkeypatch: pytest.MonkeyPatch,
    variable: str, value: str, hub: str,
) -> None:  # fmt: skip
    if variable:
        monkeypatch.setenv(variable, value.format(home=person))
    link = in_hub(Path(hub.format(home=person)), place_model, "org/repo", "m-Q8_0.gguf", "a" * 40)
    source = "llama.cpp" if variable == "LLAMA_CACHE" else "huggingface"
    assert found() == {(source, "m-Q8_0")}
    for name in ("m-Q8_0", "org/repo/m-Q8_0", "org/repo", "ORG/repo:q8_0"):
        assert Catalog().model(name).facts.path == link


def test_revisions_of_a_repository(person: Path, place_model: Place) -> None:
    hub = person / ".cache" / "huggingface" / "hub"
    old = in_hub(hub, place_model, "org/repo", "m.gguf", "1" * 40)
    new = in_hub(hub, place_model, "org/repo", "m.gguf", "2" * 40)
    same = new.parent.parent / ("3" * 40) / "m.gguf"
    same.parent.mkdir()
    same.symlink_to(new.readlink())
    main = hub / "models--org--repo" / "refs" / "main"
    main.parent.mkdir()
    main.write_text("2" * 40)
    assert found() == {("huggingface", "org/repo/m"), ("huggingface", "org/repo@1111111/m")}
    assert Catalog().model("org/repo/m").facts.path == new
    assert Catalog().model("org/repo@1111111/m").facts.path == old


def test_types_of_a_repository(person: Path, place_model: Place) -> None:
    """By the type that a file's name ends in, else by its header's; another revision's last."""
    hub = person / ".cache" / "huggingface" / "hub"
    large = in_hub(hub, place_model, "org/repo", "m-UD-Q4_K_XL.gguf", "1" * 40)
    plain = in_hub(hub, place_model, "org/repo", "m.F32.gguf", "1" * 40)
    place_model(hub / "models--org--repo/snapshots" / ("1" * 40) / "mmproj-F32.gguf", general_type="mmproj")  # fmt: skip
    old = in_hub(hub, place_model, "org/repo", "m-Q5_0.gguf", "0" * 40)
    main = hub / "models--org--repo" / "refs" / "main"
    main.parent.mkdir()
    main.write_text("1" * 40)
    for wanted, path in {
        "org/repo:UD-Q4_K_XL": large, "ORG/repo:q4_k_xl": large, "org/repo:f32": plain,
        "org/repo:Q5_0": old,
    }.items():  # fmt: skip
        assert Catalog().model(wanted).facts.path == path, wanted
    with pytest.raises(ModelError, match="several files"):
        Catalog().model("org/repo")
    with pytest.raises(ModelError, match=r"has .*m-UD-Q4_K_XL.*`llamadiff pull org/repo:Q6_K`"):
        Catalog().model("org/repo:Q6_K")
    with pytest.raises(ModelError, match=r"where org/repo is; .*`llamadiff pull org/repro`"):
        Catalog().model("org/repro")


def test_a_link_whose_blob_is_gone_is_listed_with_the_reason(
    person: Path, place_model: Place
) -> None:
    link = in_hub(person / ".cache/huggingface/hub", place_model, "org/repo", "m.gguf", "1" * 40)
    link.resolve().unlink()
    (broken,) = [entry for entry in Catalog().models() if entry.source == "huggingface"]
    assert broken.name == "m" and "does not exist" in (broken.problem or "")


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
@pytest.mark.parametrize(
    ("variable", "file", "expected"),
    [
        ("", ".cache/llama.cpp/org_repo_m.gguf", ("llama.cpp", "org_repo_m")),
        ("LLAMA_CACHE=x", "x/m.gguf", ("llama.cpp", "m")),
        ("XDG_CACHE_HOME=x", "x/llama.cpp/m.gguf", ("llama.cpp", "m")),
        ("", ".lmstudio/models/pub/repo/m.gguf", ("lmstudio", "m")),
        ("", ".cache/lm-studio/models/pub/repo/m.gguf", ("lmstudio", "m")),
        ("", ".local/share/nomic.ai/GPT4All/m.gguf", ("gpt4all", "m")),
        ("XDG_DATA_HOME=x", "x/nomic.ai/GPT4All/m.gguf", ("gpt4all", "m")),
        ("", ".cache/gpt4all/m.gguf", ("gpt4all", "m")),
        ("", ".local/share/Jan/data/models/m/m.gguf", ("jan", "m")),
        ("", ".local/share/Jan/data/llamacpp/models/Qwen-4B/model.gguf", ("jan", "Qwen-4B")),
        ("JAN_DATA_FOLDER=x", "x/llamacpp/models/a/Qwen-4B/model.gguf", ("jan", "Qwen-4B")),
        ("JAN_DATA_ROOT=x", "x/Jan/data/models/m.gguf", ("jan", "m")),
        ("", "jan/models/m/m.gguf", ("jan", "m")),
    ],
)
def test_folders_of_programs(
    person: Path, place_model: Place, monkeypatch: pytest.MonkeyPatch,
    variable: str, file: str, expected: tuple[str, str],
) -> None:  # fmt: skip
    if variable:
        name, _, value = variable.partition("=")
        monkeypatch.setenv(name, str(person / value))
    path = place_model(person / file)
    assert found() == {expected}
    assert Catalog().model(expected[1]).facts.path == path


@pytest.mark.parametrize(
    ("settings", "content", "source"),
    [
        (".lmstudio-home-pointer", "{elsewhere}\n", "lmstudio"),
        (".lmstudio/settings.json", '{{"downloadsFolder": "{elsewhere}/models"}}', "lmstudio"),
        (".config/nomic.ai/GPT4All.ini", "[General]\nmodelPath={elsewhere}/models\n", "gpt4all"),
        (".local/share/Jan/settings.json", '{{"data_folder": "{elsewhere}"}}', "jan"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
def test_folders_that_a_programs_settings_name(
    person: Path, tmp_path: Path, place_model: Place, settings: str, content: str, source: str
) -> None:
    place_model(tmp_path / "models" / "m.gguf")
    file = person / settings
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content.format(elsewhere=tmp_path))
    assert found() == {(source, "m")}
    for spoilt in ("[[[[" * 50_000, "\0", '{"downloadsFolder": 3, "data_folder": []}', "[]"):
        file.write_text(spoilt)
        assert found() == set()


def test_text_generation_webui_is_known_by_its_folder(
    tmp_path: Path, place_model: Place, write_adapter: Callable[..., Path]
) -> None:
    place_model(tmp_path / "user_data" / "models" / "m.gguf")
    lora = tmp_path / "user_data" / "loras" / "mine" / "adapter.gguf"
    lora.parent.mkdir(parents=True)
    shutil.move(write_adapter(), lora)
    assert found([tmp_path]) == {("text-generation-webui", "m")}
    (adapter,) = [a for a in Catalog([tmp_path]).adapters() if a.source != "bundled"]
    assert (adapter.source, adapter.name) == ("text-generation-webui", "mine")


def test_a_tree_is_searched_and_loops_end(tmp_path: Path, place_model: Place) -> None:
    path = place_model(tmp_path / "a" / "b" / "m.gguf")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "again.gguf").symlink_to(path)
    place_model(tmp_path / ".hidden" / "x.gguf")
    place_model(tmp_path / "._m.gguf")
    assert found([tmp_path]) == {("given", "again")}
    assert Catalog([tmp_path]).model("m").facts.path == tmp_path / "again.gguf"


def test_the_same_file_by_two_programs_is_listed_once(person: Path, place_model: Place) -> None:
    path = place_model(person / ".lmstudio" / "models" / "pub" / "repo" / "m.gguf")
    other = person / ".cache" / "gpt4all" / "other.gguf"
    other.parent.mkdir(parents=True)
    os.link(path, other)
    assert found() == {("lmstudio", "m")}
    assert Catalog().model("other").entry.name == "m"


def test_names_are_unique_and_resolve(tmp_path: Path, place_model: Place) -> None:
    for folder in ("x/one", "x/two", "y/two"):
        place_model(tmp_path / folder / "base.gguf")
    place_model(tmp_path / "y" / "demo-6m-Q8_0.gguf")
    catalog = Catalog([tmp_path / "x", tmp_path / "y"])
    entries = [entry for entry in catalog.models() if entry.source == "given"]
    names = {entry.name for entry in entries}
    assert names == {
        "one/base", str(tmp_path / "x/two/base.gguf"), str(tmp_path / "y/two/base.gguf"),
        "y/demo-6m-Q8_0",
    }  # fmt: skip
    for entry in entries:
        assert catalog.model(entry.name).entry.path == entry.path
    assert catalog.model("demo-6m-Q8_0").entry.source == "bundled"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_listed_with_the_reason(person: Path) -> None:
    folder = person / ".lmstudio" / "models"
    folder.mkdir(parents=True)
    folder.chmod(0)
    (broken,) = [entry for entry in Catalog().models() if entry.source == "lmstudio"]
    folder.chmod(0o700)
    assert "cannot be read" in (broken.problem or "")


def test_names_no_terminal_should_see(tmp_path: Path, place_model: Place) -> None:
    path = place_model(tmp_path / "m.gguf")
    strange = tmp_path / os.fsdecode(b"\x1b[2J\xff\nm.gguf")
    path.rename(strange)
    (entry,) = [
        e for e in Catalog([tmp_path], cache_dir=tmp_path / "c").models() if e.source == "given"
    ]
    assert entry.name.isprintable() and entry.problem is None
    assert json.dumps(entry.path)
