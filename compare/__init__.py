"""What happens when prompts meet models: variants, runs, outputs and their differences."""
