"""Prompt documents, their library and their rendering; files and pure functions."""
