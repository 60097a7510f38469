"""The engine's small parts: chunk plans, text streams, the outbox, sampling settings."""

import contextlib
import os
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.models.engine import outbox
from llamadiff.models.engine.chunks import SIZES, plan, reusable
from llamadiff.models.engine.frames import decode_events
from llamadiff.models.engine.outbox import Outbox
from llamadiff.models.engine.protocol import Counters, Delta, Event, Finished, Sampling, Timings
from llamadiff.models.engine.samplers import FIELDS, make_sampling, parse_value
from llamadiff.models.engine.text_stream import TextStream
from llamadiff.models.errors import ModelError


@given(st.integers(1, 5000))
def test_a_plan_covers_the_prompt_in_whole_chunks_and_a_fine_tail(length: int) -> None:
    ends = plan(length)
    assert ends[-1] == length
    sizes = [b - a for a, b in pairwise([0, *ends])]
    assert sizes[:-1] == sorted(sizes[:-1], reverse=True)
    assert set(sizes[:-1]) <= set(SIZES)
    assert 0 < sizes[-1] <= SIZES[-1]
    assert all(sizes[:-1].count(small) < large // small + 1 for large, small in pairwise(SIZES))


@given(st.integers(1, 1200), st.integers(1, 1200), st.integers(0, 1200))
def test_reuse_is_a_common_chunk_end_and_never_the_last(old: int, new: int, same: int) -> None:
    a = [1] * old
    b = [1] * min(same, new) + [2] * (new - min(same, new))
    kept = reusable(a, plan(old), b, plan(new)[:-1])
    assert kept < new
    assert kept == 0 or (kept in plan(old) and kept in plan(new))
    assert a[:kept] == b[:kept]
    if old == new and same >= new > 1:
        assert kept == ([0, *plan(new)][-2])


def stream(text: str, stop: list[str], cuts: list[int]) -> tuple[str, bool]:
    data = text.encode()
    bounds = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    it, shown = TextStream(stop), ""
    for a, b in pairwise(bounds):
        piece, stopped = it.feed(data[a:b])
        shown += piece
        if stopped:
            return shown + it.finish(), True
    return shown + it.finish(), False


@given(
    st.text(alphabet="ab\n€😀", max_size=30),
    st.lists(st.text(alphabet="ab\n😀", min_size=1, max_size=4), max_size=3),
    st.lists(st.integers(0, 200), max_size=10),
)
def test_streamed_text_ends_before_the_first_stop(
    text: str, stop: list[str], cuts: list[int]
) -> None:
    shown, stopped = stream(text, stop, cuts)
    assert stopped == any(s in text for s in stop)
    assert text.startswith(shown)
    assert not any(s in shown for s in stop)
    if not stopped:
        assert shown == text


def test_characters_split_over_tokens_are_whole_and_wrong_bytes_are_marked() -> None:
    it = TextStream()
    assert it.feed("€".encode()[:1]) == ("", False)
    assert it.feed("€".encode()[1:]) == ("€", False)
    assert it.feed(b"\xff") == ("\ufffd", False)
    it.feed("€".encode()[:2])
    assert it.finish() == "\ufffd"


def drain(fd: int) -> list[Event]:
    os.set_blocking(fd, False)
    data = b""
    try:
        while chunk := os.read(fd, 1 << 20):
            data += chunk
    except BlockingIOError:
        pass
    events: list[Event] = []
    while data:
        size = int.from_bytes(data[:4], "big")
        assert len(data) >= 4 + size
        events += decode_events(data[4 : 4 + size])
        data = data[4 + size :]
    return events


def test_the_outbox_merges_what_waits_and_keeps_the_order() -> None:
    read, write = os.pipe()
    box = Outbox(write)
    box.put(Counters(1, 1))
    box.flush()
    for letter in "ab":
        box.put(Delta(7, letter, [ord(letter)], [1]))
        box.put(Delta(8, letter * 2, [0], [2]))
    box.put(Finished(7, "stop", Timings(None, 1, 0, 2, None)))
    box.flush()
    assert not box.pending
    counters, seven, eight, finished = drain(read)
    assert counters == Counters(1, 1)
    assert seven == Delta(7, "ab", [97, 98], [1, 2])
    assert eight == Delta(8, "aabb", [0, 0], [2, 4])
    assert isinstance(finished, Finished)


def test_tokens_wait_for_more_but_first_ones_and_ends_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "PACE_S", 1e9)
    read, write = os.pipe()
    box = Outbox(write)
    box.put(Delta(7, "a", [1], [1]))
    box.flush(more=True)
    assert drain(read) == [Delta(7, "a", [1], [1])]
    box.put(Delta(7, "b", [2], [1]))
    box.flush(more=True)
    assert box.pending
    box.put(Delta(8, "x", [5], [1]))
    box.flush(more=True)
    assert drain(read) == [Delta(7, "b", [2], [1]), Delta(8, "x", [5], [1])]
    box.put(Delta(7, "c", [3], [1]))
    box.flush(more=True)
    box.put(Finished(7, "stop", Timings(None, 1, 0, 3, None)))
    box.flush(more=True)
    assert [type(event) for event in drain(read)] == [Delta, Finished]
    box.put(Delta(8, "y", [6], [1]))
    box.flush(more=True)
    assert box.pending
    monkeypatch.setattr(outbox, "PACE_S", 0.0)
    box.flush(more=True)
    assert drain(read) == [Delta(8, "y", [6], [1])]


def test_the_outbox_does_not_wait_for_a_reader() -> None:
    read, write = os.pipe()
    box = Outbox(write)
    for i in range(100_000):
        box.put(Delta(1, "word ", [i], [5]))
        box.flush()
    assert box.pending
    got: list[Event] = []
    data = b""
    os.set_blocking(read, False)
    while box.pending or data:
        with contextlib.suppress(BlockingIOError):
            data += os.read(read, 1 << 20)
        while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:4], "big"):
            size = int.from_bytes(data[:4], "big")
            got += decode_events(data[4 : 4 + size])
            data = data[4 + size :]
        box.flush()
    deltas = [event for event in got if isinstance(event, Delta)]
    assert [t for d in deltas for t in d.tokens] == list(range(100_000))
    assert "".join(d.text for d in deltas) == "word " * 100_000


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("temprature", "1", "did you mean temperature"),
        ("temperature", "hot", "must be a number"),
        ("temperature", "-1", "from 0 to 100"),
        ("temperature", "nan", "from 0 to 100"),
        ("top_k", "1.5", "whole number"),
        ("top_p", 2, "from 0 to 1"),
        ("max_tokens", 0, "from 1"),
        ("max_tokens", True, "whole number"),
        ("logit_bias", 3, "table"),
        ("logit_bias", {"1": float("inf")}, "biases from"),
        ("logit_bias", {str(10**23): 1.0}, "token ids"),
        ("top_k", float("inf"), "from 0 to 1,000,000"),
        ("top_k", "9" * 400, "from 0 to 1,000,000"),
        ("seed", 2**32, "from 0 to 4,294,967,294"),
        ("samplers", "top_k;warmth", "list of"),
    ],
)
def test_wrong_sampling_settings_are_refused_in_words(key: str, value: object, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        parse_value(key, value)


def test_sampling_settings_are_laid_over_each_other() -> None:
    sampling = make_sampling({"temperature": 0.2, "top_k": "5"}, {"temperature": "0.7"})
    assert (sampling.temperature, sampling.top_k, sampling.top_p) == (0.7, 5, Sampling().top_p)


def test_every_sampling_setting_has_a_schema_and_a_default_inside_it() -> None:
    defaults = Sampling()
    assert {*FIELDS, "logit_bias", "samplers"} == set(Sampling.__struct_fields__)
    for key in FIELDS:
        assert parse_value(key, getattr(defaults, key)) == getattr(defaults, key)
