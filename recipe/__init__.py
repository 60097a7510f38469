"""How the bundled model and its adapters are made, from facts written here to GGUF files."""
