"""Run models: a worker process that wraps llama.cpp, and its client."""
