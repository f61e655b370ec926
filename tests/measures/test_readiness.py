"""A replica that has not caught up says how far it is, instead of that it does not answer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from chorale import app as wiring
from chorale.domain.projection import CatchUp
from resolvers.transport.health import Readyz


async def test_readiness_tells_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with the changes done and to do; 200 once they are done."""
    monkeypatch.setattr(wiring, "_PATIENCE", 0.01)
    caught_up = asyncio.Event()
    watcher = SimpleNamespace(ready=caught_up.wait, catch_up=lambda: CatchUp(total=5_000, done=120))
    services = cast("Any", SimpleNamespace(watcher=watcher))
    readyz = Readyz(lambda: {"index": lambda: wiring._reached(services)})
    app = Starlette(routes=[Route("/readyz", readyz.answer)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        answer = await http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {
            "ready": False, "checks": {"index": "Catching up: 120 of 5,000 changes are in derived state."}
        }  # fmt: skip
        caught_up.set()
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"ready": True, "checks": {"index": "ok"}})
