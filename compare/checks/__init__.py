"""Checks: what makes an answer good, as a score from 0 to 1 with a reason in words."""
