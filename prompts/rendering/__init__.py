"""Render untrusted templates inside a limited helper process."""
