"""A person's own settings: what there is to set, where it is read from, and how it is written."""
