"""Which Qdrant: the embedded engine or a server. The address decides here, and nowhere else."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from qdrant_client import QdrantClient, models

from chorale.domain.errors import StartupError
from datasources.qdrant.engine import AWAY, JUNK, Engine, said
from datasources.qdrant.salvage import salvage, storages, unsound

_log = logging.getLogger(__name__)

EMBEDDED = "file:"
_SERVER_THREADS = 8
_SERVER_TIMEOUT = 10  # s: a call that nobody waits for any longer gives its thread back
_MINIMUM_VERSION = (1, 17)  # the first with insert-only upserts; an older one would ignore the word and overwrite


@asynccontextmanager
async def open_engine(url: str, path: Path) -> AsyncIterator[Engine]:
    """`file:` keeps everything in the folder `path`, with one owner; `http(s)://` is a server, and `path` unused.

    Of a damaged folder, what can be read is kept: see `salvage`. Raises StartupError where nothing can, or the folder
    is taken, or the server is away or too old.
    """
    exclusive = url == EMBEDDED
    threads = ThreadPoolExecutor(1 if exclusive else _SERVER_THREADS, thread_name_prefix="qdrant")
    loop = asyncio.get_running_loop()
    try:
        client = await loop.run_in_executor(threads, lambda: _embedded(path) if exclusive else _server(url))
        try:
            yield Engine(client, threads, exclusive)
        finally:
            await loop.run_in_executor(threads, client.close)
    finally:
        threads.shutdown(wait=True)


def _embedded(path: Path) -> QdrantClient:
    try:
        _prepare(path)
        damaged = unsound(path)
        for file in damaged:
            salvage(file)
        try:
            return QdrantClient(path=str(path))
        except OSError:
            raise
        except Exception as error:
            if _is_taken(error) or damaged:
                raise
            _log.warning("The content in %s cannot be read as it is: %r", path, error)
        for file in storages(path):
            salvage(file)
        return QdrantClient(path=str(path))
    except Exception as error:
        raise _refusal(path, error) from error


def _refusal(path: Path, error: Exception) -> StartupError:
    if _is_taken(error):
        return StartupError(
            f"The content in {path} is open in another process. "
            "Stop that process, or give this one a CHORALE_DATA of its own."
        )
    return StartupError(
        f"The content in {path} cannot be read: {said(error)}. Put back a copy of the folder, or start with another "
        "CHORALE_DATA. To go on without what cannot be read, move the file away: `restoreContent` takes texts again."
    )


def _is_taken(error: Exception) -> bool:
    return isinstance(error, RuntimeError) and "already accessed" in str(error)


def _prepare(path: Path) -> None:
    """Make the table of contents where there is none to be read: killed or cut off here, the engine itself would leave
    it empty. The collection is found again in its folder, under the name that chain, program and model give it."""
    meta = path / "meta.json"
    if meta.exists():
        if _is_table(meta.read_bytes()):
            return
        aside = meta.replace(path / "meta.json.damaged")
        _log.warning("The content store's table of contents is damaged and set aside as %s; it is made anew", aside)
    path.mkdir(parents=True, exist_ok=True)
    aside = path / "meta.json.new"
    aside.write_text(json.dumps({"collections": {}, "aliases": {}}), "utf-8")
    aside.replace(meta)


def _is_table(text: bytes) -> bool:
    try:
        found = json.loads(text)
        for config in found["collections"].values():
            models.CreateCollection.model_validate(config)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return isinstance(found["aliases"], dict)


def _server(url: str) -> QdrantClient:
    host = urlsplit(url).hostname  # all that is shown of an address: it may hold a password
    client = QdrantClient(url=url, timeout=_SERVER_TIMEOUT, check_compatibility=False)
    try:
        version = client.info().version
        number = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
    except (*AWAY, *JUNK) as error:
        client.close()
        raise StartupError(
            f"CHORALE_CONTENT_URL (host {host}) does not answer as Qdrant: {said(error)}. "
            "Start it, or use file: instead."
        ) from error
    if number < _MINIMUM_VERSION:
        client.close()
        wanted = ".".join(map(str, _MINIMUM_VERSION))
        raise StartupError(f"Qdrant at {host} has version {version}. Chorale needs {wanted} or later: update it.")
    return client
