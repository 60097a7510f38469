"""Prompts in the forms of other tools: read in, and written out."""
