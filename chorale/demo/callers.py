"""Two ways to the same graph for the demo: inside this process, or through a running server."""

from __future__ import annotations

from typing import Any, Protocol

import httpx

from chorale.app import App
from chorale.domain.errors import ChoraleError
from resolvers.transport.results import response_body


class DemoError(ChoraleError):
    """The demo data could not be made."""

    code = "DEMO"


class Caller(Protocol):
    """Runs one operation as the session of `token`, or anonymously; its `data`. Raises DemoError on any error."""

    async def __call__(self, document: str, variables: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        """The operation's data."""


class InProcess:
    """The graph of an application whose lifespan runs here."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, document: str, variables: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        """The operation's data."""
        viewer = None if token is None else await self._app.admit(token)
        result = await self._app.schema.execute(
            document, variable_values=variables, context_value=self._app.context(viewer, token)
        )
        return _data(response_body(result))


class OverHTTP:
    """The graph of the server at `address`."""

    def __init__(self, http: httpx.AsyncClient, address: str) -> None:
        self._http = http
        self._url = f"{address}/graphql"

    async def __call__(self, document: str, variables: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        """The operation's data."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        try:
            response = await self._http.post(
                self._url, json={"query": document, "variables": variables}, headers=headers
            )
            return _data(response.json())
        except (httpx.HTTPError, ValueError) as error:
            raise DemoError(f"The server at {self._url} does not answer ({error!r}). Start it again.") from error


def _data(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("errors"):
        raise DemoError(str(body["errors"][0]["message"]))
    data = body["data"]
    assert isinstance(data, dict)
    return data
