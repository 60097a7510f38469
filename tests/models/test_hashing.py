"""Digests are right, remembered, forgotten when the file changes, and never half written."""

import hashlib
import json
import os
import threading
from pathlib import Path

import pytest

from llamadiff.models.errors import ModelError
from llamadiff.models.hashing import cached_sha256, sha256_file


def hexadecimal(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    return path


def test_a_digest_is_known_after_it_was_asked_for(model: Path, cache: Path) -> None:
    assert cached_sha256(model, cache) is None
    assert sha256_file(model, cache) == hexadecimal(b"weights")
    assert cached_sha256(model, cache) == hexadecimal(b"weights")


def test_a_known_digest_is_not_computed_again(model: Path, cache: Path) -> None:
    sha256_file(model, cache)
    memory = cache / "sha256.json"
    (identity,) = json.loads(memory.read_text())
    memory.write_text(json.dumps({identity: "remembered"}))
    assert sha256_file(model, cache) == "remembered"


def test_a_changed_file_is_hashed_again(model: Path, cache: Path) -> None:
    sha256_file(model, cache)
    before = model.stat()
    model.write_bytes(b"WEIGHTS")
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert cached_sha256(model, cache) is None
    assert sha256_file(model, cache) == hexadecimal(b"WEIGHTS")


def test_links_share_a_digest(model: Path, cache: Path, tmp_path: Path) -> None:
    sha256_file(model, cache)
    link = tmp_path / "link.gguf"
    link.symlink_to(model)
    assert cached_sha256(link, cache) == hexadecimal(b"weights")


@pytest.mark.parametrize("prefix", ["", "sha256-"])
def test_blobs_are_taken_at_their_word(tmp_path: Path, cache: Path, prefix: str) -> None:
    digest = "0123456789abcdef" * 4
    blob = tmp_path / "blobs" / f"{prefix}{digest}"
    blob.parent.mkdir()
    blob.write_bytes(b"something else")
    link = tmp_path / "snapshot.gguf"
    link.symlink_to(blob)
    assert cached_sha256(link, cache) == sha256_file(link, cache) == digest
    assert not cache.exists()


def test_the_same_name_elsewhere_proves_nothing(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / ("0123456789abcdef" * 4)
    path.write_bytes(b"weights")
    assert cached_sha256(path, cache) is None
    assert sha256_file(path, cache) == hexadecimal(b"weights")


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1}', "\udcff"])
def test_a_spoilt_cache_is_replaced(model: Path, cache: Path, content: str) -> None:
    cache.mkdir()
    (cache / "sha256.json").write_text(content, errors="surrogateescape")
    assert sha256_file(model, cache) == hexadecimal(b"weights")
    assert cached_sha256(model, cache) == hexadecimal(b"weights")


def test_a_cache_that_cannot_be_written_does_no_harm(model: Path, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    assert sha256_file(model, in_the_way / "cache") == hexadecimal(b"weights")


def test_many_at_once_leave_a_sound_cache(tmp_path: Path, cache: Path) -> None:
    paths = [tmp_path / f"{number}.gguf" for number in range(16)]
    for path in paths:
        path.write_bytes(path.name.encode())
    digests: dict[Path, str] = {}
    threads = [
        threading.Thread(target=lambda path=path: digests.update({path: sha256_file(path, cache)}))
        for path in paths
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert digests == {path: hexadecimal(path.name.encode()) for path in paths}
    assert set(json.loads((cache / "sha256.json").read_text()).values()) <= set(digests.values())
    assert [path.name for path in cache.iterdir()] == ["sha256.json"]


def test_a_missing_file(tmp_path: Path, cache: Path) -> None:
    assert cached_sha256(tmp_path / "missing.gguf", cache) is None
    with pytest.raises(ModelError, match="cannot be read"):
        sha256_file(tmp_path / "missing.gguf", cache)
    with pytest.raises(ModelError, match="cannot be read"):
        sha256_file(tmp_path, cache)


def test_a_file_that_changes_while_it_is_read(model: Path, cache: Path) -> None:
    def and_grow(done: int) -> None:
        if done == 7:
            with model.open("ab") as more:
                more.write(b"more")

    with pytest.raises(ModelError, match="changed while it was read"):
        sha256_file(model, cache, and_grow)
    assert cached_sha256(model, cache) is None
