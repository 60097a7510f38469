"""How an adapter was trained is written by the converter and read back; nonsense is left out."""

from pathlib import Path

import pytest
from gguf import GGUFType, GGUFWriter

from llamadiff.models.adapters import training
from llamadiff.models.adapters.training import (
    Training,
    card_head,
    card_of,
    read_training,
    training_of,
)
from llamadiff.models.errors import ModelError

FULL = Training(
    rows=120, tokens=9_000, steps=40, seconds=12.5, peak_bytes=1 << 33, parameters=194_560,
    losses=((10, 1.5), (40, 0.25)), data_sha256="ab" * 32,
    data_checks=("No row is there twice.", "12 rows are longer than the context."), method="sft",
    step=30, validations=((10, 1.75), (40, 0.5)), settings=("rank=8",), versions=("torch 2.13.0",),
    data_keys=("0a1b", "2c3d"),
)  # fmt: skip


def written(path: Path, *entries: tuple[str, str, object]) -> Path:
    """A header alone, with metadata as (method, key, value)."""
    writer = GGUFWriter(path, "llama")
    writer.add_type(GGUFType.ADAPTER)
    for method, key, value in entries:
        getattr(writer, f"add_{method}")(key, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    return path


def test_what_is_recorded_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    writer = GGUFWriter(path, "llama")
    FULL.record(writer)
    writer.add_string("llamadiff.base.sha256", "cd" * 32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    said = read_training(path)
    assert said == Training(**{**vars(FULL), "base_sha256": "cd" * 32})


def test_more_than_a_short_array_has(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    writer = GGUFWriter(path, "llama")
    Training(
        losses=tuple((step, 1 / 2**step) for step in range(1, 700)),
        data_keys=tuple(f"{number:020}" for number in range(3000)),
    ).record(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    said = read_training(path)
    assert len(said.losses) == 699 and len(said.data_keys) == 3000


def test_nothing_is_recorded_where_nothing_is_known(tmp_path: Path) -> None:
    assert read_training(written(tmp_path / "a.gguf")) == Training()
    assert training_of(tmp_path / "none.gguf") == Training()
    with pytest.raises(ModelError):
        read_training(tmp_path / "none.gguf")


@pytest.mark.parametrize(
    "entry",
    [
        ("string", training.ROWS, "120"),
        ("int32", training.ROWS, -5),
        ("bool", training.STEPS, True),
        ("float32", training.SECONDS, float("nan")),
        ("float32", training.SECONDS, -1.0),
        ("string", training.LOSSES, "1.5"),
        ("array", training.LOSSES, [1.0, 2.0]),
        ("array", training.DATA_CHECKS, [1, 2]),
        ("uint32", training.DATA_SHA256, 5),
    ],
)
def test_nonsense_is_nothing_known(tmp_path: Path, entry: tuple[str, str, object]) -> None:
    assert read_training(written(tmp_path / "a.gguf", entry)) == Training()


def test_the_bundled_adapters_say_how_they_were_trained(support: Path, sentiment: Path) -> None:
    for path in (support, sentiment):
        said = read_training(path)
        assert said.steps == 150 and said.seconds and said.tokens and said.rows
        assert said.losses[0][1] > said.losses[-1][1]
        assert said.peak_bytes and len(said.data_checks) > 1


def test_time_and_memory_are_read_from_the_card_of_this_very_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.gguf")
    card = card_of(path)
    card.write_text(f"{card_head(path, 12.5, 1 << 33)}# a\n")
    assert read_training(path) == Training(seconds=12.5, peak_bytes=1 << 33)
    written(path, ("uint64", training.ROWS, 3))
    assert read_training(path) == Training(rows=3)
    for broken in (b"", b"---\n", b"---\nadapter-sha256: 0\n---\n", b"\xff" * 9_000):
        card.write_bytes(broken)
        assert read_training(path) == Training(rows=3)
