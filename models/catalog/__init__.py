"""Which base models and adapters there are on this disk, and which of them a name means."""

from .entries import AdapterEntry, FoundAdapter, FoundModel, ModelEntry
from .listing import Catalog, default_model
from .peft import PeftFolderError
from .places import BUNDLED

__all__ = [
    "BUNDLED",
    "AdapterEntry",
    "Catalog",
    "FoundAdapter",
    "FoundModel",
    "ModelEntry",
    "PeftFolderError",
    "default_model",
]
