"""Can a PEFT folder become a GGUF adapter, as far as its config and its files' names say?"""

from pathlib import Path

from ..errors import ModelError
from .peft_config import read_config
from .peft_weights import weight_files


def refusal(folder: Path) -> str | None:
    """Why `convert` refuses `folder` whatever the base, a sentence; no tensor is looked at."""
    try:
        read_config(folder)
        weight_files(folder)
    except ModelError as error:
        return str(error)
    except OSError as error:
        return f"{folder} cannot be read: {error.strerror or error}."
    return None
