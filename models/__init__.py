"""Model files and all that is done with them."""
