"""Nothing that lies on a disk hangs the catalog, ends it, or leads it far away."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llamadiff.models.catalog import Catalog, files, listing
from llamadiff.models.catalog.heads import read_head

from .conftest import Ollama

Place = Callable[[Path], Path]
LISTED = """
import json, sys
from pathlib import Path
from llamadiff.models.catalog import Catalog
print(json.dumps([[e.name, e.problem] for e in Catalog([Path(sys.argv[1])]).models()]))
"""


def listed(folder: Path, name: str) -> str | None:
    """The problem of an entry, listed by a process of its own that may take 20 seconds."""
    command = [sys.executable, "-c", LISTED, str(folder)]
    done = subprocess.run(command, capture_output=True, timeout=20, check=True)
    return dict(json.loads(done.stdout))[name]


@pytest.mark.parametrize("name", ["pipe.gguf", "pipe-00001-of-00002.gguf"])
def test_a_pipe_is_listed_and_not_opened(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    assert "not a regular file" in (listed(tmp_path, name.removesuffix(".gguf")) or "")


def test_a_file_that_became_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    command = [sys.executable, "-c", "import sys\nfrom llamadiff.models.catalog.heads import read_head\nprint(read_head(sys.argv[1], 1000).problem)"]  # fmt: skip
    done = subprocess.run(
        [*command, str(tmp_path / "pipe.gguf")], capture_output=True, timeout=20, check=True
    )
    assert b"not a regular file" in done.stdout


def test_a_pipe_for_a_reference_is_not_opened(person: Path, place_model: Place) -> None:
    hub = person / ".cache" / "huggingface" / "hub" / "models--org--repo"
    place_model(hub / "snapshots" / ("1" * 40) / "m.gguf")
    (hub / "refs").mkdir()
    os.mkfifo(hub / "refs" / "main")
    assert listed(person / "none", "m") is None


def str_short(value: object) -> str:
    return str(value)[:5]


@pytest.mark.parametrize("size", [10**400, -1, True, 1 << 63, 2.5], ids=str_short)
def test_sizes_that_are_none_in_a_manifest(ollama: Ollama, size: object) -> None:
    layer = ollama.layer(b"x" * 100) | {"size": size}
    ollama.manifest("registry.ollama.ai/library/evil/latest", [layer])
    (entry,) = [entry for entry in Catalog().models() if entry.source == "ollama"]
    assert "size" in (entry.problem or "")


def test_one_candidate_does_not_end_the_list(
    ollama: Ollama, place_model: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ollama.manifest("registry.ollama.ai/library/one/latest", [ollama.layer(b"1")])
    place_model(tmp_path / "tree" / "good.gguf")
    place_model(tmp_path / "tree" / "odd.gguf")

    def head(path: str, size: int) -> object:
        if path.endswith("odd.gguf"):
            raise RuntimeError("not foreseen")
        return read_head(path, size)

    def layer(*_: object) -> object:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr(listing, "read_head", head)
    monkeypatch.setattr("llamadiff.models.catalog.ollama._layer", layer)
    problems = {e.name: e.problem for e in Catalog([tmp_path / "tree"]).models()}
    assert problems["good"] is None
    assert "RuntimeError" in (problems["odd"] or "")
    assert "RuntimeError" in (problems["one:latest"] or "")


def test_damaged_json_is_called_damaged(ollama: Ollama, tmp_path: Path) -> None:
    path = ollama.manifest("registry.ollama.ai/library/deep/latest", [])
    path.write_text("[" * 100_000)
    (entry,) = [entry for entry in Catalog().models() if entry.source == "ollama"]
    assert "damaged" in (entry.problem or "") and "recursion" not in (entry.problem or "")
    (tmp_path / "peft").mkdir()
    (tmp_path / "peft" / "adapter_config.json").write_text("[" * 100_000)
    (adapter,) = [e for e in Catalog([tmp_path]).adapters() if e.source == "given"]
    assert "damaged" in (adapter.problem or "") and "recursion" not in (adapter.problem or "")


# ------------------------------------------------------------------------ trees


def names(*folders: Path) -> set[str]:
    return {entry.name for entry in Catalog(folders).models() if entry.source != "bundled"}


def test_links_in_a_hub_lead_nowhere(person: Path, place_model: Place, tmp_path: Path) -> None:
    place_model(tmp_path / "elsewhere" / "far.gguf")
    hub = person / ".cache" / "huggingface" / "hub"
    snapshots = hub / "models--org--repo" / "snapshots"
    place_model(snapshots / ("1" * 40) / "m.gguf")
    (snapshots / ("1" * 40) / "linked").symlink_to(tmp_path / "elsewhere")
    (snapshots / ("2" * 40)).symlink_to(tmp_path / "elsewhere")
    (hub / "models--org--two").mkdir()
    (hub / "models--org--two" / "snapshots").symlink_to(tmp_path)
    assert names() == {"m"}
    assert names(hub.parent) == {"m"}, "nor where the folder above is given"


def test_links_of_ones_own_are_followed(place_model: Place, tmp_path: Path) -> None:
    place_model(tmp_path / "elsewhere" / "far.gguf")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "linked").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path / "mine") == {"far"}


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [("MAX_DEPTH", 1, "deep"), ("MAX_FOLDERS", 2, "2 folders"), ("MAX_SECONDS", 0.0, "second")],
)
def test_a_list_that_was_cut_says_so(
    place_model: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    limit: str, value: float, said: str,
) -> None:  # fmt: skip
    place_model(tmp_path / "a" / "b" / "c" / "deep.gguf")
    assert names(tmp_path) == {"deep"}
    monkeypatch.setattr(files, limit, value)
    (entry,) = [entry for entry in Catalog([tmp_path]).models() if entry.source == "given"]
    assert entry.path == str(tmp_path) and said in (entry.problem or "")


# ------------------------------------------------------------------- split models


def test_a_part_zero_is_no_part(place_model: Place, tmp_path: Path) -> None:
    place_model(tmp_path / "x-00000-of-00003.gguf")
    (entry,) = [entry for entry in Catalog([tmp_path]).models() if entry.source == "given"]
    assert entry.name == "x-00000-of-00003" and entry.problem is None


def test_parts_in_capitals_are_one_model(place_model: Place, tmp_path: Path) -> None:
    for number in (1, 2):
        place_model(tmp_path / f"x-0000{number}-of-00002.GGUF")
    (entry,) = [entry for entry in Catalog([tmp_path]).models() if entry.source == "given"]
    assert entry.name == "x"


def test_a_later_part_that_changed_is_read_again(place_model: Place, tmp_path: Path) -> None:
    for number in (1, 2):
        place_model(tmp_path / f"x-0000{number}-of-00002.gguf")
    (before,) = files.tree(str(tmp_path), "given")
    os.utime(tmp_path / "x-00002-of-00002.gguf", ns=(1, 2**62))
    (after,) = files.tree(str(tmp_path), "given")
    assert before.identity != after.identity
