"""Measurements of the engine on this machine, beside llama.cpp called directly."""
