"""One connection of graphql-transport-ws, from its initialisation to its end."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import aclosing, suppress
from typing import Any

import orjson
import strawberry
from graphql import GraphQLError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry.types import ExecutionResult

from chorale.auth import Viewer
from chorale.domain.errors import AuthorityUnavailableError
from chorale.limits import Limits
from resolvers.transport.errors import formatted
from resolvers.transport.gate import Gate, bearer
from resolvers.transport.messages import Complete, ConnectionInit, Ping, Pong, Subscribe, read_message
from resolvers.transport.params import BadRequestError, Params
from resolvers.transport.results import is_request_error, response_body

BAD_REQUEST = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403  # clients connect again after it, with a new token; 4401 would be fatal to them
INIT_TIMEOUT = 4408
DUPLICATE_ID = 4409
TOO_MANY_INITS = 4429
TOO_BIG = 1009
TRY_AGAIN_LATER = 1013

_MAX_REASON_BYTES = 120


class Connection:
    """Operations of one accepted socket, each with a context of its own."""

    def __init__(self, websocket: WebSocket, schema: strawberry.Schema, gate: Gate, limits: Limits) -> None:
        self._websocket = websocket
        self._schema = schema
        self._gate = gate
        self._limits = limits
        self._name = secrets.token_hex(16)
        self._token: str | None = None
        self._initialised = False
        self._acknowledged = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._guards: list[asyncio.Task[None]] = []
        self._stalled = asyncio.Event()

    async def run(self) -> None:
        """Serve the connection to its end. A client that does not read is given up: its operations end, and once it
        reads again it is told to connect anew and to resume behind its last cursor."""
        serving = asyncio.create_task(self._serve())
        stalled = asyncio.create_task(self._stalled.wait())
        try:
            await asyncio.wait((serving, stalled), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (serving, stalled):
                task.cancel()
            await asyncio.gather(serving, stalled, return_exceptions=True)
        if not serving.cancelled() and (error := serving.exception()) is not None:
            raise error
        if self._stalled.is_set():
            await self._close(TRY_AGAIN_LATER, "Read faster, and resume behind your last cursor")

    async def _serve(self) -> None:
        self._guards.append(asyncio.create_task(self._await_init()))
        try:
            while True:
                text = await self._receive()
                if len(text.encode()) > self._limits.ws_message_bytes:
                    await self._close(TOO_BIG, "Message too big")
                    return
                await self._handle(text)
        except BadRequestError as error:
            await self._close(BAD_REQUEST, str(error))
        except (WebSocketDisconnect, ConnectionError):
            pass
        finally:
            tasks = [*self._guards, *self._operations.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self) -> str:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        if not isinstance(text, str):
            raise BadRequestError("Messages are text, not binary.")
        return text

    async def _handle(self, text: str) -> None:
        match read_message(text):
            case ConnectionInit(payload):
                await self._initialise(payload)
            case Ping(None):
                await self._send({"type": "pong"})
            case Ping(payload):
                await self._send({"type": "pong", "payload": payload})
            case Pong():
                pass
            case Subscribe(name, params):
                await self._subscribe(name, params)
            case Complete(name):
                if (operation := self._operations.pop(name, None)) is not None:
                    operation.cancel()

    async def _initialise(self, payload: dict[str, Any]) -> None:
        if self._initialised:
            await self._close(TOO_MANY_INITS, "Too many initialisation requests")
            return
        self._initialised = True
        authorization = payload.get("authorization", payload.get("Authorization"))
        if not isinstance(authorization, str | None):
            raise BadRequestError("`authorization` must be a string.")
        self._token = bearer(authorization)
        if self._token is not None:
            try:
                viewer = await self._gate.admit(self._token)
            except AuthorityUnavailableError as error:
                await self._close(TRY_AGAIN_LATER, str(error))
                return
            if viewer is None:
                await self._close(FORBIDDEN, "Forbidden")
                return
            self._guards.append(asyncio.create_task(self._await_expiry(viewer)))
        self._acknowledged = True
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, name: str, params: Params) -> None:
        if not self._acknowledged:
            await self._close(UNAUTHORIZED, "Unauthorized")
        elif name in self._operations:
            await self._close(DUPLICATE_ID, f"Subscriber for {name} already exists")
        elif len(self._operations) >= self._limits.ws_operations_per_connection:
            explanation = f"A connection runs {self._limits.ws_operations_per_connection} operations at most."
            await self._fail(name, [GraphQLError(explanation, extensions={"code": "TOO_MANY_OPERATIONS"})])
        else:
            task = asyncio.create_task(self._operate(name, params))
            self._operations[name] = task

    async def _operate(self, name: str, params: Params) -> None:
        try:
            viewer = None if self._token is None else await self._gate.admit(self._token)
            if self._token is not None and viewer is None:
                await self._close(FORBIDDEN, "The session has ended")
                return
            await self._stream(name, params, viewer)
        except (WebSocketDisconnect, ConnectionError):
            pass  # the peer left; the receiving side cleans up
        except Exception as error:  # noqa: BLE001 -- one operation's fault must not take down its siblings
            self._end(name)
            await self._fail(name, [GraphQLError(str(error), original_error=error)])

    async def _stream(self, name: str, params: Params, viewer: Viewer | None) -> None:
        context = self._gate.context(viewer, self._token)
        context.socket = self._name
        results = await self._schema.stream(
            params.query,
            variable_values=params.variables,
            context_value=context,
            operation_name=params.operation_name,
            operation_extensions=params.extensions,
        )
        async with aclosing(results):
            async for result in results:
                assert isinstance(result, ExecutionResult)  # incremental delivery is off
                if is_request_error(result):
                    self._end(name)
                    await self._fail(name, result.errors or [])
                    return
                await self._send({"id": name, "type": "next", "payload": response_body(result)})
        self._end(name)
        await self._send({"id": name, "type": "complete"})

    def _end(self, name: str) -> None:
        # Before the last message is sent, so that the client may use the id again as soon as it has it.
        if self._operations.get(name) is asyncio.current_task():
            del self._operations[name]

    async def _fail(self, name: str, errors: list[GraphQLError]) -> None:
        await self._send({"id": name, "type": "error", "payload": formatted(errors)})

    async def _send(self, message: dict[str, Any]) -> None:
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            return
        clock = asyncio.timeout(self._limits.ws_send_timeout)
        try:
            async with clock:
                await self._websocket.send_text(orjson.dumps(message).decode())
        except TimeoutError:
            if not clock.expired():
                raise
            self._stalled.set()
            raise WebSocketDisconnect(TRY_AGAIN_LATER) from None

    async def _close(self, code: int, reason: str) -> None:
        if self._websocket.application_state is WebSocketState.CONNECTED:
            shortened = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
            with suppress(WebSocketDisconnect, ConnectionError):
                await self._websocket.close(code, shortened)

    async def _await_init(self) -> None:
        await asyncio.sleep(self._limits.ws_init_timeout)
        if not self._initialised:
            await self._close(INIT_TIMEOUT, "Connection initialisation timeout")

    async def _await_expiry(self, viewer: Viewer) -> None:
        assert self._token is not None
        current: Viewer | None = viewer
        # An end that is known needs nobody to confirm it: the session store may be away.
        while current is not None and (left := current.expires_at - time.time()) > 0:
            await asyncio.sleep(min(left, self._limits.ws_ping_interval))
            with suppress(AuthorityUnavailableError):
                current = await self._gate.admit(self._token)
        await self._close(FORBIDDEN, "The session has ended")
