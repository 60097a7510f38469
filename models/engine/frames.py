"""How commands and events travel between the engine's client and its worker process.

A frame is four bytes (length, big endian) and one msgpack document: from the
client one command, from the worker a list of events (one frame per decode
step, whatever the number of sequences).
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from .protocol import Command, Event

LENGTH = struct.Struct(">I")
BEAT = struct.Struct(">f")
"""A sign of life: the seconds that the worker's main thread has been at one step."""

_encoder = msgspec.msgpack.Encoder()
_commands: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Command)
_events: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(list[Event])


def frame(document: Command | list[Event]) -> bytes:
    """A document as it travels: its length and its msgpack bytes."""
    body = _encoder.encode(document)
    return LENGTH.pack(len(body)) + body


def decode_command(body: bytes) -> Command:
    return _commands.decode(body)


def decode_events(body: bytes) -> list[Event]:
    return _events.decode(body)
