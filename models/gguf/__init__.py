"""Read and check GGUF files without loading them."""
