"""Data to train on: rows read, rendered and tokenized as inference will see them, and checked."""
