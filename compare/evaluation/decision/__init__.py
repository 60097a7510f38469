"""The decision table: prompting, fine-tuning and both side by side, and what follows from it."""
