"""Qdrant's REST interface as far as the store uses it: HTTP and JSON as a server's, points and searches by its engine.

What a server does beyond its engine (replicas of its own, shards, limits, keys) is not in it: for that,
CHORALE_TEST_QDRANT_URL names a server.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import uvicorn
from pydantic import TypeAdapter
from qdrant_client import QdrantClient, models
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.patience import PATIENCE
from tests.qdrant.collections import Collection, Collections

Work = Callable[[str, Any], Any]
"""Collection name and JSON body in, result out."""

_DELETION: TypeAdapter[Any] = TypeAdapter(models.PointIdsList | models.FilterSelector)
_ABSENT = "No point with id"
_MEMORY = Path("/dev/shm")  # a shard's many small files cost a disk ten times as much
_ROOM = 2**30  # bytes; a shard takes 26 MB, and a container's memory may be smaller than a few of them


class Rest:
    """Answers over `collections`. `before_batch` is called with a collection's name before each batch of changes."""

    def __init__(self, collections: Collections, version: str = "1.17.0") -> None:
        self._collections = collections
        self._version = version
        self._lock = Lock()  # one call after the other
        self.before_batch: Callable[[str], None] = lambda _: None

    def application(self) -> Starlette:
        """The routes."""
        one = "/collections/{name}"
        return Starlette(
            routes=[
                Route("/", self._root),
                self._route("GET", "/collections", self._list),
                self._route("GET", one, lambda name, _body: self._of(name).info()),
                self._route("PUT", one, self._collections.create),
                self._route("DELETE", one, lambda name, _body: self._collections.drop(name)),
                self._route("GET", f"{one}/exists", lambda name, _body: {"exists": name in self._collections.names()}),
                self._route("PUT", f"{one}/index", self._on(Collection.index)),
                self._route("PUT", f"{one}/points", self._on(Collection.upsert)),
                self._route("POST", f"{one}/points", self._on(Collection.read)),
                self._route(
                    "POST", f"{one}/points/batch", self._on(Collection.batch), lambda name: self.before_batch(name)
                ),
                self._route("PUT", f"{one}/points/vectors", self._change(models.UpdateVectors)),
                self._route("POST", f"{one}/points/payload", self._change(models.SetPayload)),
                self._route("PUT", f"{one}/points/payload", self._on(Collection.overwrite)),
                self._route("POST", f"{one}/points/payload/delete", self._change(models.DeletePayload)),
                self._route("POST", f"{one}/points/delete", self._delete),
                self._route("POST", f"{one}/points/scroll", self._on(Collection.scroll)),
                self._route("POST", f"{one}/points/count", self._on(Collection.count)),
                self._route("POST", f"{one}/points/query", self._on(Collection.query)),
            ]
        )

    def _first_of_batch(self, name: str) -> None:
        self.before_batch(name)  # whatever it is by then

    async def _root(self, _request: Request) -> JSONResponse:
        return JSONResponse({"title": "qdrant", "version": self._version})

    def _route(self, method: str, path: str, work: Work, before: Callable[[str], None] = lambda _: None) -> Route:
        async def endpoint(request: Request) -> JSONResponse:
            body = await request.json() if await request.body() else None
            name = request.path_params.get("name", "")
            await run_in_threadpool(before, name)  # outside of the lock: it may ask this server itself
            return await run_in_threadpool(self._answer, work, name, body)

        return Route(path, endpoint, methods=[method])

    def _answer(self, work: Work, name: str, body: Any) -> JSONResponse:
        try:
            with self._lock:
                return JSONResponse({"result": work(name, body), "status": "ok", "time": 0.0})
        except Exception as error:  # noqa: BLE001 -- the engine raises nothing narrower, and a client sees what it says
            return JSONResponse({"status": {"error": str(error)}, "time": 0.0}, _status(error))

    def _of(self, name: str) -> Collection:
        return self._collections.of(name)

    def _on(self, method: Callable[[Collection, Any], Any]) -> Work:
        return lambda name, body: method(self._of(name), body)

    def _list(self, _name: str, _body: Any) -> Any:
        return {"collections": [{"name": name} for name in self._collections.names()]}

    def _change(self, kind: type[Any]) -> Work:
        return lambda name, body: self._of(name).change(kind.model_validate(body))

    def _delete(self, name: str, body: Any) -> Any:
        return self._of(name).change(_DELETION.validate_python(body))


@dataclass(frozen=True)
class RunningQdrant:
    """A server: where it is, what answers there, and a client of the test's own."""

    address: str
    rest: Rest
    client: QdrantClient


@contextmanager
def running_qdrant(version: str = "1.17.0") -> Iterator[RunningQdrant]:
    """A server on a free loopback port, with a folder of its own, for the length of the block."""
    has_room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM
    with tempfile.TemporaryDirectory(dir=_MEMORY if has_room else None) as folder, socket.socket() as listening:
        collections = Collections(Path(folder))
        rest = Rest(collections, version)
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # what connects before the server runs waits
        server = uvicorn.Server(uvicorn.Config(rest.application(), log_level="error", lifespan="off", loop="asyncio"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with closing(QdrantClient(url=address, trust_env=False, check_compatibility=False)) as client:
                yield RunningQdrant(address, rest, client)
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            collections.close()


def _status(error: Exception) -> int:
    if isinstance(error, KeyError) or str(error).startswith(_ABSENT):
        return 404
    return 409 if isinstance(error, FileExistsError) else 400
