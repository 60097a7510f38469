"""Blind rating: two answers side by side, whose they are unknown, and what people's choices say."""
