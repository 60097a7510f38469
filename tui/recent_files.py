"""Files of rows that were trained on, the last one first."""

from __future__ import annotations

from pathlib import Path

MOST = 10


def recent_files(folder: Path) -> list[Path]:
    """Those noted in `folder`. Reads a file."""
    try:
        lines = (folder / "recent").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return [Path(line) for line in lines[:MOST] if line]


def note_file(folder: Path, path: Path) -> None:
    """Note a file as the last one. Where nothing can be written nothing is remembered."""
    others = [it for it in recent_files(folder) if it != path]
    lines = "".join(f"{it}\n" for it in [path, *others][:MOST])
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "recent").write_text(lines, "utf-8")
    except (OSError, UnicodeEncodeError):
        return
