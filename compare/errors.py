"""Mistakes in what was asked for, said in one sentence."""


class CompareError(Exception):
    """A variant, a variable or a setting that cannot be used; the message says what to do."""
