"""Fine-tune LoRA adapters on a base model, in a process of its own that alone imports torch."""
