"""Evaluation: a suite's rows put to its variants, the answers checked, and what that says."""
