"""What differs between two texts, also while both still grow."""
