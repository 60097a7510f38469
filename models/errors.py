"""The one error of this folder: a mistake said in one sentence that is safe to print."""

from pathlib import Path


def plain(text: str) -> str:
    """`text` on one line, with every control, formatting and unprintable character a space.

    Names, paths and metadata come from files nobody vouches for; this keeps what they hold
    (escape sequences, line breaks, right-to-left marks) from reaching a terminal.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


class ModelError(Exception):
    """What is wrong, where, and what to do, in one sentence.

    The message is always passed through `plain`, so it may quote a file's own words.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(plain(sentence))


class MissingFile(ModelError):
    """There is no such file."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"{path} does not exist; check the path.")


def named(sentence: str, path: str | Path, name: str) -> str:
    """The sentence with `name` for a file whose own name is a hash, as those of Ollama's blobs."""
    own = Path(path).name
    if not own.startswith("sha256-"):
        return sentence
    return sentence.replace(plain(str(path)), name).replace(own, name)


def size_in_words(n_bytes: int) -> str:
    """A size as people say it, in decimal units: 512 bytes, 3.4 MB, 12.3 GB."""
    if n_bytes >= 1 << 63:
        return "more than any file has"
    size = float(n_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
