"""Write model files: in a process of its own, and under another name until they are complete."""
