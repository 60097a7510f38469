"""Measurements. Nothing here asserts a time; run with `make bench`."""
