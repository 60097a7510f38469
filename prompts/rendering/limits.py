"""What one request to the template helper may use."""

from __future__ import annotations

DEADLINE_S = 0.9
"""Seconds of wall time from sending a request to having its answer."""

MEMORY_MB = 512
"""Address space beyond what the idle helper has, where the platform can limit it (Linux)."""

MAX_CHARACTERS = 4_000_000
"""The longest text that one request may produce."""

MAX_ANSWER_BYTES = 16 * MAX_CHARACTERS
"""The longest answer line; JSON writes a character as at most 12 bytes."""

START_S = 30.0
"""Seconds the helper may take to start."""
