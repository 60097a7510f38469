"""What is remembered: runs and their outputs, versions of prompts, drafts; one SQLite file."""
