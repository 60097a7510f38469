"""What an adapter's file says of where it is from: written by convert, read by check.

GGUF's own keys where there are some (`general.base_model.0.*`), `llamadiff.*` otherwise.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import plain

if TYPE_CHECKING:
    from gguf import GGUFWriter

BASE_FILE = "llamadiff.base.file"
BASE_SHA256 = "llamadiff.base.sha256"
_REPOSITORY = re.compile(r"([\w-][\w.-]*)/([\w-][\w.-]*)")


@dataclass(frozen=True)
class Provenance:
    """Where an adapter is from. `local` says that `trained_on` is a path.

    `folder` is the name of PEFT's folder, `sources` the SHA-256 of the weight files in it by their
    names, `trained_on` the base model as PEFT names it; `base`, `base_file` and `base_sha256` are
    the title, file name and hash (`hashing.model_sha256`) of the GGUF model it was converted for.
    """

    folder: str
    sources: Mapping[str, str]
    trained_on: str | None
    base: str
    base_file: str
    base_sha256: str | None
    local: bool

    def record(self, writer: "GGUFWriter") -> None:
        """Add it to a file's metadata. Only names of folders are kept, not whole paths."""
        from importlib.metadata import version

        writer.add_base_model_count(1)
        writer.add_base_model_name(0, self.base)
        # A path may look like OWNER/NAME; one that is there is a path.
        named = self.trained_on or ""
        repository = None if self.local else _REPOSITORY.fullmatch(named)
        if repository:
            writer.add_base_model_organization(0, repository[1])
            writer.add_base_model_repo_url(0, f"https://huggingface.co/{self.trained_on}")
        texts = {
            "llamadiff.version": version("llamadiff"),
            "llamadiff.source.folder": self.folder,
            BASE_FILE: self.base_file,
            BASE_SHA256: self.base_sha256,
        }
        for key, text in texts.items():
            if text:
                writer.add_string(key, plain(text))
        writer.add_array("llamadiff.source.files", list(self.sources))
        writer.add_array("llamadiff.source.sha256", list(self.sources.values()))
