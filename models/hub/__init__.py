"""Fetch files from the Hugging Face hub into the cache all its tools share."""
