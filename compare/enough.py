"""How many outputs of a variant it takes to tell a difference from noise (`noise.py`)."""

LEAST = 6
"""Of the 32 ways to swap six pairs the one that was found is 3 %, of the 16 for five pairs 6 %."""
