"""Fetch a file of the hub: go on where an earlier attempt ended, and check what came."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from ..errors import ModelError, size_in_words
from .listing import RemoteFile, Repository

OnProgress = Callable[[RemoteFile, int], None]
"""Called with the file and how many of its bytes are here."""

ATTEMPTS = 5
"""In a row that bring nothing new."""
WAIT_S = 1.0
TIMEOUT_S = 30.0
PIECE = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def look_up(repo: str) -> Repository:
    """What `repo` (`owner/name`) holds now.

    Raises ModelError, one sentence, when the hub cannot be reached, knows no such repository, or
    lets only some people in.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache

    with _in_words(repo):
        info = HfApi(library_name="llamadiff").model_info(repo, files_metadata=True)
    commit = info.sha or "main"
    files: list[RemoteFile] = []
    for it in info.siblings or ():
        if not _inside(it.rfilename):
            continue
        digest = it.lfs.sha256 if it.lfs else it.blob_id
        cached = try_to_load_from_cache(repo, it.rfilename, revision=commit)
        files.append(
            RemoteFile(
                it.rfilename,
                it.size or 0,
                digest if digest and _DIGEST.fullmatch(digest) else None,
                Path(cached) if isinstance(cached, str) else None,
            )
        )
    return Repository(repo, commit, tuple(files))


def _inside(name: str) -> bool:
    """A file's name that leads to no place outside its folder."""
    plain = name.isprintable() and "\\" not in name and not name.startswith("/")
    return plain and ".." not in name.split("/")


def fetch(repository: Repository, file: RemoteFile, on_progress: OnProgress) -> Path:
    """Where `file` lies in the cache, fetched if it was not there.

    What came before a connection was lost, or the program was stopped, is kept and not fetched
    again. Raises ModelError when it cannot be fetched, or is not what the hub says it is.
    """
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.file_download import repo_folder_name
    from huggingface_hub.utils import WeakFileLock

    if file.cached:
        on_progress(file, file.bytes)
        return file.cached
    with _in_words(repository.name):
        # Larger files are not to be had by plain HTTP; the hub's own way has no resuming.
        if file.digest and file.bytes <= constants.MAX_HTTP_DOWNLOAD_SIZE:
            folder = repo_folder_name(repo_id=repository.name, repo_type="model")
            cache = Path(constants.HF_HUB_CACHE)
            lock = cache / ".locks" / folder / f"{file.digest}.lock"
            lock.parent.mkdir(parents=True, exist_ok=True)
            blob = cache / folder / "blobs" / file.digest
            blob.parent.mkdir(parents=True, exist_ok=True)
            with WeakFileLock(lock):
                if not blob.exists():
                    _Download(repository, file, blob, on_progress).carry_out()
        # With the blob in place this puts it under its name and fetches nothing.
        path = hf_hub_download(
            repository.name, file.name, revision=repository.commit, library_name="llamadiff"
        )
        _point_main_at(repository)
        return Path(path)


def _point_main_at(repository: Repository) -> None:
    """Have the cache's `main` be the commit that was looked up, as if `main` had been asked for."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    if _DIGEST.fullmatch(repository.commit):
        folder = repo_folder_name(repo_id=repository.name, repo_type="model")
        main = Path(constants.HF_HUB_CACHE) / folder / "refs" / "main"
        main.parent.mkdir(parents=True, exist_ok=True)
        new = main.with_name(f".main.{os.getpid()}")
        new.write_text(repository.commit)
        new.replace(main)


class _Download:
    """One file on its way to `blob`, through `<blob>.incomplete`, which outlives a failure."""

    def __init__(
        self, repository: Repository, file: RemoteFile, blob: Path, on_progress: OnProgress
    ) -> None:
        from huggingface_hub import hf_hub_url

        self._file, self._blob, self._on_progress = file, blob, on_progress
        self._url = hf_hub_url(repository.name, file.name, revision=repository.commit)
        self._part = blob.with_name(f"{blob.name}.incomplete")

    def carry_out(self) -> None:
        here = self._part.stat().st_size if self._part.exists() else 0
        if here > self._file.bytes:
            self._part.unlink()
            here = 0
        free = shutil.disk_usage(self._part.parent).free
        if self._file.bytes - here > free:
            raise ModelError(
                f"{self._file.name} needs {size_in_words(self._file.bytes - here)} and "
                f"{size_in_words(free)} are free in {self._part.parent}; make room first."
            )
        check = self._checksum()
        with self._part.open("ab+") as part:
            part.seek(0)
            while known := part.read(PIECE):
                check.update(known)
            self._go_on(part, check)
        if check.hexdigest() != self._file.digest:
            self._part.unlink()
            raise ModelError(
                f"{self._file.name} did not arrive as the hub has it (its checksum differs) and "
                "was thrown away; fetch it again."
            )
        self._part.replace(self._blob)

    def _checksum(self) -> Any:
        if len(self._file.digest or "") == 64:
            return hashlib.sha256()
        # git's name of a file is the SHA-1 of this and its bytes.
        return hashlib.sha1(b"blob %d\0" % self._file.bytes, usedforsecurity=False)

    def _go_on(self, part: BinaryIO, check: Any) -> None:
        """Fetch what is missing, again where the connection is lost."""
        import httpx2

        attempts = 0
        while (here := part.tell()) < self._file.bytes:
            self._on_progress(self._file, here)
            try:
                self._fetch_from(here, part, check)
                if part.tell() == here:
                    raise httpx2.ReadError("nothing came")
            except httpx2.TransportError:
                attempts = 1 if part.tell() > here else attempts + 1
                if attempts >= ATTEMPTS:
                    raise
                time.sleep(WAIT_S)
        self._on_progress(self._file, self._file.bytes)

    def _fetch_from(self, start: int, part: BinaryIO, check: Any) -> None:
        """Append what the server sends from `start` on. Raises httpx2's errors and the hub's."""
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        headers = build_hf_headers(library_name="llamadiff") | {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with get_session().stream(
            "GET", self._url, headers=headers, follow_redirects=True, timeout=TIMEOUT_S
        ) as response:
            hf_raise_for_status(response)
            # A server that knows no ranges begins anew: what is here already is passed over.
            skip = start if start and response.status_code != 206 else 0
            for piece in response.iter_bytes(PIECE):
                fresh, skip = piece[skip:], max(0, skip - len(piece))
                part.write(fresh[: self._file.bytes - part.tell()])
                check.update(fresh)
                self._on_progress(self._file, part.tell())


@contextlib.contextmanager
def _in_words(repo: str) -> Iterator[None]:
    """What goes wrong with the hub, as a ModelError of one sentence."""
    import httpx2
    from huggingface_hub import constants, errors

    host = urlsplit(constants.ENDPOINT).netloc
    try:
        yield
    except errors.OfflineModeIsEnabled:
        raise ModelError(
            "Fetching is switched off by HF_HUB_OFFLINE; unset it to fetch, all else works offline."
        ) from None
    except errors.HFValidationError:
        raise ModelError(f"{repo!r} is no repository; give OWNER/NAME, as on {host}.") from None
    except errors.GatedRepoError:
        raise ModelError(
            f"{repo} asks for its terms to be accepted; do so at {constants.ENDPOINT}/{repo} and "
            "log in with `hf auth login`."
        ) from None
    except errors.RepositoryNotFoundError:
        raise ModelError(
            f"{host} shows no repository {repo}; check the name, and log in with `hf auth login` "
            "if it is private."
        ) from None
    except errors.HfHubHTTPError as error:
        code = error.response.status_code
        if code == 401:
            raise ModelError(
                f"{host} wants to know who asks for {repo}; log in with `hf auth login`."
            ) from None
        raise ModelError(f"{host} refuses {repo} (HTTP {code}); try again later.") from None
    except (httpx2.TransportError, errors.LocalEntryNotFoundError) as error:
        why = str(error) if isinstance(error, httpx2.TransportError) else "no answer"
        raise ModelError(
            f"{host} cannot be reached ({why or type(error).__name__}); check the connection and run "
            "the same again: what has come is kept."
        ) from None
    except OSError as error:
        raise ModelError(f"{repo} cannot be stored: {error.strerror or error}.") from None
