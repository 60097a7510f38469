"""The header walk: what it reads from sound files, and that hostile ones cost nothing."""

import random
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest

from llamadiff.models.catalog import default_model
from llamadiff.models.errors import ModelError
from llamadiff.models.gguf.check import check_adapter, check_model
from llamadiff.models.gguf.header import ArraySummary, Header, read_header

LayOut = Callable[..., bytes]
WriteFile = Callable[..., Path]

HUGE = 2**63 + 5


def u64(number: int) -> bytes:
    return struct.pack("<Q", number)


def string(text: bytes) -> bytes:
    return u64(len(text)) + text


def array(type_id: int, length: int, payload: bytes = b"") -> bytes:
    return struct.pack("<IQ", type_id, length) + payload


def test_agrees_with_the_gguf_library() -> None:
    path = default_model().facts.path
    header = read_header(path)
    theirs = gguf.GGUFReader(path)
    fields = {name for name in theirs.fields if not name.startswith("GGUF.")}
    assert set(header.metadata) == fields
    for name in fields:
        value, other = header.metadata[name], theirs.fields[name].contents()
        if isinstance(value, ArraySummary):
            assert value.length == len(other), name
        elif isinstance(value, tuple):
            assert list(value) == other, name
        else:
            assert value == other, name
    assert header.alignment == theirs.alignment
    assert header.data_offset == theirs.data_offset
    for ours, other in zip(header.tensors, theirs.tensors, strict=True):
        assert (ours.name, ours.type_name) == (other.name, other.tensor_type.name)
        assert ours.shape == tuple(int(extent) for extent in other.shape)
        assert ours.n_bytes == other.n_bytes
        assert header.data_offset + ours.offset == other.data_offset


def test_every_value_type_is_read(tmp_path: Path) -> None:
    path = tmp_path / "values.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint8("u8", 200)
    writer.add_int8("i8", -100)
    writer.add_uint16("u16", 60000)
    writer.add_int16("i16", -30000)
    writer.add_uint32("u32", 4_000_000_000)
    writer.add_int32("i32", -2_000_000_000)
    writer.add_float32("f32", 0.5)
    writer.add_bool("bool", True)
    writer.add_string("str", "grüße")
    writer.add_uint64("u64", 2**63)
    writer.add_int64("i64", -(2**62))
    writer.add_float64("f64", 0.1)
    writer.add_array("arr[i32]", [1, -2, 3])
    writer.add_array("arr[str]", ["a", ""])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    header = read_header(path)
    expected = {
        "u8": 200,
        "i8": -100,
        "u16": 60000,
        "i16": -30000,
        "u32": 4_000_000_000,
        "i32": -2_000_000_000,
        "f32": 0.5,
        "bool": True,
        "str": "grüße",
        "u64": 2**63,
        "i64": -(2**62),
        "f64": 0.1,
        "arr[i32]": (1, -2, 3),
        "arr[str]": ("a", ""),
    }
    assert {key: header.metadata[key] for key in expected} == expected
    assert {key: header.types[key] for key in expected} == {key: key for key in expected}
    assert header.metadata["bool"] is True


@pytest.fixture
def large_vocabulary(tmp_path: Path, lay_out: LayOut) -> Path:
    tokens = b"".join(string(f"token {i}".encode()) for i in range(150_000))
    scores = struct.pack("<150000f", *([0.5] * 150_000))
    path = tmp_path / "large.gguf"
    path.write_bytes(
        lay_out(
            [
                (b"general.architecture", 8, string(b"llama")),
                (b"tokenizer.ggml.tokens", 9, array(8, 150_000, tokens)),
                (b"tokenizer.ggml.scores", 9, array(6, 150_000, scores)),
                (b"tokenizer.ggml.merges", 9, array(8, 150_000, tokens)),
                (b"tokenizer.ggml.eos_token_id", 4, struct.pack("<I", 7)),
                (b"tokenizer.chat_template", 8, string(b"{{ messages }}")),
            ],
            [(b"token_embd.weight", (32,), 0, 0)],
            data=bytes(128),
        )
    )
    return path


def test_long_arrays_are_skipped_fast(large_vocabulary: Path) -> None:
    started = time.process_time()
    header = read_header(large_vocabulary)
    assert time.process_time() - started < 0.5  # 0.03 s on a quiet machine; the library takes 8
    assert header.metadata["tokenizer.ggml.tokens"] == ArraySummary("str", 150_000)
    assert header.metadata["tokenizer.ggml.scores"] == ArraySummary("f32", 150_000)
    assert header.metadata["tokenizer.ggml.eos_token_id"] == 7
    assert header.metadata["tokenizer.chat_template"] == "{{ messages }}"
    assert [tensor.name for tensor in header.tensors] == ["token_embd.weight"]


def test_an_array_asked_for_is_kept_whole(large_vocabulary: Path) -> None:
    metadata = read_header(large_vocabulary, arrays=("tokenizer.ggml.tokens",)).metadata
    tokens = metadata["tokenizer.ggml.tokens"]
    assert isinstance(tokens, tuple)
    assert (len(tokens), tokens[149_999]) == (150_000, "token 149999")
    assert isinstance(metadata["tokenizer.ggml.merges"], ArraySummary)


def test_stopping_before_the_tokenizer(large_vocabulary: Path) -> None:
    header = read_header(large_vocabulary, stop_before_tokenizer=True)
    assert dict(header.metadata) == {"general.architecture": "llama"}
    assert (header.tensors, header.data_offset) == ((), None)


def test_leaving_the_tensors_out(large_vocabulary: Path) -> None:
    header = read_header(large_vocabulary, tensors=False)
    assert (header.tensors, header.data_offset) == ((), None)
    assert header.metadata["tokenizer.ggml.eos_token_id"] == 7


def hostile_files(lay: LayOut) -> dict[str, tuple[bytes, str]]:
    """Files that must be refused, and a word of the sentence."""
    zero_strings = array(8, 3_900_000, bytes(8 * 3_900_000))
    many_floats = [(f"k{i}".encode(), 9, array(0, 512, bytes(512))) for i in range(10_000)]
    tensor = (b"t", (32,), 0, 0)
    return {
        "empty": (b"", "not a GGUF file"),
        "only the magic": (b"GGUF", "ends inside"),
        "another magic": (lay(magic=b"ggjt"), "not a GGUF file"),
        "version 1": (lay(version=1), "version 1"),
        "version 0": (lay(version=0), "version 0"),
        "version 4": (lay(version=4), "version 4"),
        "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        "huge entry count": (lay(n_entries=HUGE), "metadata entries"),
        "huge tensor count": (lay(n_tensors=HUGE), "tensors"),
        "more entries than there are": (lay(n_entries=3), "ends inside"),
        "more tensors than there are": (lay([], [tensor], n_tensors=9), "damaged"),
        "huge key": (lay(n_entries=1) + u64(HUGE), "ends inside"),
        "empty key": (lay([(b"", 4, b"abcd")]), "empty or repeated"),
        "repeated key": (lay([(b"a", 4, b"abcd")] * 2), "empty or repeated"),
        "huge string": (lay([(b"a", 8, u64(HUGE))]), "ends inside"),
        "string just past the end": (lay([(b"a", 8, u64(9) + b"12345678")]), "ends inside"),
        "unknown value type": (lay([(b"a", 13, bytes(8))]), "value type 13"),
        "unknown element type": (lay([(b"a", 9, array(77, 1, bytes(8)))]), "value type 77"),
        "nested arrays": (lay([(b"a", 9, array(9, 1, array(9, 1)))]), "value type 9"),
        "huge numeric array": (lay([(b"a", 9, array(12, HUGE))]), "ends inside"),
        "huge string array": (lay([(b"a", 9, array(8, HUGE))]), "more than any model"),
        "string array past the end": (lay([(b"a", 9, array(8, 1000, u64(HUGE)))]), "ends inside"),
        "millions of empty strings": (lay([(b"a", 9, zero_strings)] * 2), "empty or repeated"),
        "millions of them twice": (
            lay([(b"a", 9, zero_strings), (b"b", 9, zero_strings)]),
            "more than any model",
        ),
        "millions of small numbers": (lay(many_floats), "more than any model"),
        "a long bad UTF-8 string": (
            lay([(b"a", 8, string(b"\xff" * 5_000_000))]),
            "more than any model",
        ),
        "alignment 0": (lay([(b"general.alignment", 4, bytes(4))]), "power of two"),
        "alignment 48": (lay([(b"general.alignment", 4, struct.pack("<I", 48))]), "power of two"),
        "alignment of another type": (lay([(b"general.alignment", 8, string(b"x"))]), "u32"),
        "nameless tensor": (lay([], [(b"", (32,), 0, 0)]), "name of 0 bytes"),
        "long tensor name": (lay([], [(b"t" * 64, (32,), 0, 0)]), "name of 64 bytes"),
        "tensor twice": (lay([], [tensor, tensor]), "twice"),
        "five dimensions": (lay([], [(b"t", (1,) * 5, 0, 0)]), "5 dimensions"),
        "rows unfit for the type": (lay([], [(b"t", (33,), 8, 0)]), "rows of 33"),
        "tensor type of tomorrow": (lay([], [(b"t", (32,), 43, 0)]), "newer than this llama.cpp"),
        "tensor type of yesterday": (lay([], [(b"t", (32,), 31, 0)]), "dropped"),
    }


def test_hostile_headers_are_refused_in_a_second(tmp_path: Path, lay_out: LayOut) -> None:
    path = tmp_path / "hostile.gguf"
    for what, (content, word) in hostile_files(lay_out).items():
        path.write_bytes(content)
        started = time.process_time()
        with pytest.raises(ModelError) as refusal:
            read_header(path)
        assert time.process_time() - started < 1, what
        assert word in str(refusal.value), what
        assert "\n" not in str(refusal.value), what


def test_a_large_sparse_file_takes_no_memory(tmp_path: Path, lay_out: LayOut) -> None:
    path = tmp_path / "sparse.gguf"
    claims = {
        "string": [(b"a", 8, u64(4 << 30))],
        "strings": [(b"a", 9, array(8, 1 << 29))],
        "numbers": [(b"a", 9, array(12, 1 << 29))],
    }
    for what, entries in claims.items():
        path.write_bytes(lay_out(entries))
        with path.open("r+b") as file:
            file.truncate(8 << 30)
        tracemalloc.start()
        started = time.process_time()
        with pytest.raises(ModelError, match="damaged"):
            read_header(path)
        assert time.process_time() - started < 1, what
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 16 << 20, what


def test_mutated_files_give_facts_or_one_sentence(
    tmp_path: Path, write_model: WriteFile, write_adapter: WriteFile
) -> None:
    chance = random.Random(7)
    refused = 0
    path = tmp_path / "mutated.gguf"
    for source, check in ((write_model(), check_model), (write_adapter(), check_adapter)):
        original = source.read_bytes()
        data_offset = read_header(source).data_offset or 0
        for _ in range(300):
            content = bytearray(original)
            at = chance.randrange(data_offset - 8)
            match chance.randrange(4):
                case 0:
                    content[at] = chance.randrange(256)
                case 1:
                    content[at : at + 8] = u64(chance.choice((0, 1, 2**31, 2**32, 2**63, HUGE)))
                case 2:
                    del content[at : at + chance.randrange(1, 9)]
                case _:
                    del content[at:]
            path.write_bytes(content)
            started = time.process_time()
            try:
                check(path)
            except ModelError as error:
                refused += 1
                assert str(error).isprintable()
            assert time.process_time() - started < 1
    assert refused > 200


def test_what_is_no_file(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    for path, word in (
        (tmp_path / "missing.gguf", "does not exist"),
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "not a regular file"),
        (tmp_path / ("x" * 300), "cannot be read"),
        (Path("a\0b"), "cannot be the path"),
    ):
        with pytest.raises(ModelError, match=word):
            read_header(path)


def test_the_message_is_safe_to_print(tmp_path: Path, lay_out: LayOut) -> None:
    path = tmp_path / "\x1b[31mred.gguf"
    path.write_bytes(lay_out([], [(b"\x1b]0;title\x07\xe2\x80\xae", (33,), 8, 0)]))
    with pytest.raises(ModelError) as refusal:
        read_header(path)
    assert str(refusal.value).isprintable()


def test_a_header_is_what_was_asked_for(large_vocabulary: Path) -> None:
    header = read_header(large_vocabulary)
    assert isinstance(header, Header)
    assert header.file_size == large_vocabulary.stat().st_size
    assert (header.version, header.alignment) == (3, 32)
