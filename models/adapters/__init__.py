"""Adapter files: do they fit a base, and how they are converted."""
