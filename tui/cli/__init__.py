"""The command line: one file a command, thin over compare and models."""
