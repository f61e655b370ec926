"""The part of Qdrant's REST interface that the store uses, answered by the client library's own engine in memory.

It puts the server's side of the store, real HTTP and JSON and every condition as a filter, under the same suite on a
machine without a server. It proves nothing about the server itself: for that, CHORALE_TEST_QDRANT_URL names one.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any

import uvicorn
from pydantic import BaseModel, TypeAdapter
from qdrant_client import QdrantClient, models
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

Handler = Callable[[str, Any], Any]

_DELETION: TypeAdapter[Any] = TypeAdapter(models.PointIdsList | models.FilterSelector)


class Rest:
    """One method per operation: collection name and JSON body in, result out."""

    def __init__(self, version: str = "1.17.0", client: QdrantClient | None = None) -> None:
        self.client = client or QdrantClient(":memory:")
        self.indexes: dict[str, set[str]] = {}
        self.version = version
        self.before_batch: Callable[[str], None] = lambda _: None

    def exists(self, name: str, body: Any) -> Any:
        return {"exists": self.client.collection_exists(name)}

    def create(self, name: str, body: Any) -> Any:
        if self.client.collection_exists(name):
            raise FileExistsError(name)
        wanted = models.CreateCollection.model_validate(body)
        return self.client.create_collection(
            name, wanted.vectors, wanted.sparse_vectors, metadata=wanted.metadata or None
        )

    def info(self, name: str, body: Any) -> Any:
        info = self.client.get_collection(name)
        schema = {"data_type": "keyword", "points": 0}
        info.payload_schema = {
            field: models.PayloadIndexInfo.model_validate(schema) for field in self.indexes.get(name, ())
        }
        return info

    def index(self, name: str, body: Any) -> Any:
        self.indexes.setdefault(name, set()).add(models.CreateFieldIndex.model_validate(body).field_name)
        return _done()

    def upsert(self, name: str, body: Any) -> Any:
        wanted = models.PointsList.model_validate(body)
        return self.client.upsert(
            name, wanted.points, update_filter=wanted.update_filter, update_mode=wanted.update_mode
        )

    def read(self, name: str, body: Any) -> Any:
        wanted = models.PointRequest.model_validate(body)
        return self.client.retrieve(
            name, wanted.ids, with_payload=wanted.with_payload is not False, with_vectors=wanted.with_vector or False
        )

    def batch(self, name: str, body: Any) -> Any:
        operations = models.UpdateOperations.model_validate(body).operations
        self.before_batch(name)
        self.client.batch_update_points(name, operations)
        return [_done() for _ in operations]

    def vectors(self, name: str, body: Any) -> Any:
        wanted = models.UpdateVectors.model_validate(body)
        return self.client.update_vectors(name, wanted.points, update_filter=wanted.update_filter)

    def set_payload(self, name: str, body: Any) -> Any:
        wanted = models.SetPayload.model_validate(body)
        return self.client.set_payload(name, wanted.payload, _selected(wanted))

    def overwrite_payload(self, name: str, body: Any) -> Any:
        wanted = models.SetPayload.model_validate(body)
        return self.client.overwrite_payload(name, wanted.payload, _selected(wanted))

    def delete_payload(self, name: str, body: Any) -> Any:
        wanted = models.DeletePayload.model_validate(body)
        return self.client.delete_payload(name, wanted.keys, _selected(wanted))

    def delete(self, name: str, body: Any) -> Any:
        return self.client.delete(name, _DELETION.validate_python(body))

    def scroll(self, name: str, body: Any) -> Any:
        wanted = models.ScrollRequest.model_validate(body)
        points, offset = self.client.scroll(name, wanted.filter, wanted.limit or 10, offset=wanted.offset)
        return {"points": _plain(points), "next_page_offset": offset}

    def count(self, name: str, body: Any) -> Any:
        return self.client.count(name, models.CountRequest.model_validate(body).filter)

    def query(self, name: str, body: Any) -> Any:
        wanted = models.QueryRequest.model_validate(body)
        return self.client.query_points(
            name,
            query=wanted.query,
            using=wanted.using,
            prefetch=wanted.prefetch,
            query_filter=wanted.filter,
            limit=wanted.limit or 10,
        )

    def drop(self, name: str, body: Any) -> Any:
        return self.client.delete_collection(name)

    def application(self) -> Starlette:
        """The routes; calls run one after another, as the engine in memory wants it."""
        lock = Lock()

        def answer(work: Handler, name: str, body: Any) -> JSONResponse:
            with lock:
                try:
                    return JSONResponse({"result": _plain(work(name, body)), "status": "ok", "time": 0.0})
                except (KeyError, FileExistsError, ValueError) as error:
                    status = 404 if isinstance(error, KeyError) else 409 if isinstance(error, FileExistsError) else 400
                    return JSONResponse({"status": {"error": str(error)}, "time": 0.0}, status)

        def route(method: str, path: str, work: Handler) -> Route:
            async def endpoint(request: Request) -> JSONResponse:
                body = await request.json() if await request.body() else None
                return await run_in_threadpool(answer, work, request.path_params.get("name", ""), body)

            return Route(path, endpoint, methods=[method])

        async def root(request: Request) -> JSONResponse:
            return JSONResponse({"title": "qdrant", "version": self.version})

        async def collections(request: Request) -> JSONResponse:
            return JSONResponse({"result": _plain(self.client.get_collections()), "status": "ok", "time": 0.0})

        one = "/collections/{name}"
        return Starlette(
            routes=[
                Route("/", root),
                Route("/collections", collections),
                route("GET", one, self.info),
                route("PUT", one, self.create),
                route("DELETE", one, self.drop),
                route("GET", f"{one}/exists", self.exists),
                route("PUT", f"{one}/index", self.index),
                route("PUT", f"{one}/points", self.upsert),
                route("POST", f"{one}/points", self.read),
                route("POST", f"{one}/points/batch", self.batch),
                route("PUT", f"{one}/points/vectors", self.vectors),
                route("POST", f"{one}/points/payload", self.set_payload),
                route("PUT", f"{one}/points/payload", self.overwrite_payload),
                route("POST", f"{one}/points/payload/delete", self.delete_payload),
                route("POST", f"{one}/points/delete", self.delete),
                route("POST", f"{one}/points/scroll", self.scroll),
                route("POST", f"{one}/points/count", self.count),
                route("POST", f"{one}/points/query", self.query),
            ]
        )


@contextmanager
def serve(rest: Rest) -> Iterator[str]:
    """Serve it on a free loopback port; yields the address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # what connects before the server runs waits
        server = uvicorn.Server(uvicorn.Config(rest.application(), log_level="error", lifespan="off", loop="asyncio"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def _selected(wanted: models.SetPayload | models.DeletePayload) -> Any:
    return wanted.points or wanted.filter


def _done() -> Any:
    return models.UpdateResult(operation_id=0, status=models.UpdateStatus.COMPLETED)


def _plain(result: Any) -> Any:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    return [_plain(item) for item in result] if isinstance(result, list) else result
