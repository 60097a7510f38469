"""Mistakes in what was asked for, said in one sentence."""

from ..models.errors import ModelError
from ..prompts.errors import PromptError


class CompareError(Exception):
    """A variant, a variable or a setting that cannot be used; the message says what to do."""


MISTAKES = (PromptError, ModelError, CompareError)
"""What a person can put right; everything else is ours or the engine's."""
