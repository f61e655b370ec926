"""One PubSub WebSocket: its calls, its subscriptions, and a bounded queue that a slow reader cannot outgrow."""

from __future__ import annotations

import asyncio
import contextlib

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from datasources.solana.localnet.errors import PARSE_ERROR, RpcError, invalid_params, method_not_found
from datasources.solana.localnet.model import Json
from datasources.solana.localnet.params import Params
from datasources.solana.localnet.pubsub import Hub, Subscription
from datasources.solana.localnet.rpc import error_response, internal_error, parse_call, result_response

KINDS = ("account", "program", "signature", "logs", "slot", "root")
MAX_QUEUED = 4_096
MAX_QUEUED_BYTES = 32 << 20
_TOO_SLOW = 1013
_CLOSE_SECONDS = 1.0


class Connection:
    """Serves one WebSocket until it closes, or is closed for reading too slowly."""

    def __init__(self, websocket: WebSocket, hub: Hub) -> None:
        self._websocket = websocket
        self._hub = hub
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queued_bytes = 0
        self._overflown = asyncio.Event()
        self._subscriptions: dict[int, Subscription] = {}

    async def run(self) -> None:
        """Accept and serve."""
        await self._websocket.accept()
        tasks = [asyncio.create_task(part()) for part in (self._read, self._write, self._overflown.wait)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for subscription in self._subscriptions.values():
                self._hub.unsubscribe(subscription)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._overflown.is_set():
            with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._websocket.close(_TOO_SLOW, "notifications were read too slowly")

    def _send(self, message: bytes) -> None:
        if self._queue.qsize() >= MAX_QUEUED or self._queued_bytes > MAX_QUEUED_BYTES:
            self._overflown.set()
            return
        self._queued_bytes += len(message)
        self._queue.put_nowait(message)

    async def _write(self) -> None:
        while True:
            message = await self._queue.get()
            self._queued_bytes -= len(message)
            await self._websocket.send_text(message.decode())

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            self._take(message.get("text") or message.get("bytes") or b"")

    def _take(self, text: str | bytes) -> None:
        try:
            request = orjson.loads(text)
        except orjson.JSONDecodeError:
            self._reply(error_response(None, RpcError(PARSE_ERROR, "Parse error")))
            return
        for each in request if isinstance(request, list) else [request]:
            self._call(each)

    def _call(self, request: Json) -> None:
        call_id = request.get("id") if isinstance(request, dict) else None
        try:
            call_id, name, params = parse_call(request)
            kind = name.removesuffix("Unsubscribe").removesuffix("Subscribe")
            if kind not in KINDS:
                raise method_not_found()
            if name == f"{kind}Unsubscribe":
                self._reply(result_response(call_id, self._unsubscribe(params)))
            elif name == f"{kind}Subscribe":
                subscription, after = self._hub.subscribe(kind, params, self._send)
                self._subscriptions[subscription.number] = subscription
                self._reply(result_response(call_id, subscription.number))
                after()
            else:
                raise method_not_found()
        except RpcError as error:
            self._reply(error_response(call_id, error))
        except Exception:  # noqa: BLE001 -- one odd call must not take the chain down
            self._reply(error_response(call_id, internal_error("a subscription")))

    def _unsubscribe(self, params: Params) -> bool:
        subscription = self._subscriptions.pop(params.number(0), None)
        if subscription is None:
            raise invalid_params("Invalid subscription id.")
        self._hub.unsubscribe(subscription)
        return True

    def _reply(self, response: Json) -> None:
        self._send(orjson.dumps(response))
