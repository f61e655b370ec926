"""GraphiQL comes from this server with all that it loads; health and readiness tell the truth; the rest is 404."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.chains import running_localnet
from tests.stack import RunningServer, running_stack


def test_graphiql_and_its_assets(server: RunningServer) -> None:
    """The page names its own files only; each has its type and may be kept for ever, the page itself may not."""
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        page = http.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache"
        assert "script-src 'self'" in page.headers["content-security-policy"]
        loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assets = [address for address in loaded if not address.startswith("data:")]
        assert assets
        for address in assets:
            assert address.startswith("/static/graphiql/assets/")
            asset = http.get(address)
            assert asset.status_code == 200
            wanted = "text/javascript" if address.endswith(".js") else "text/css"
            assert asset.headers["content-type"] == f"{wanted}; charset=utf-8"
            assert "immutable" in asset.headers["cache-control"]
            assert asset.headers["x-content-type-options"] == "nosniff"


def test_health_and_readiness(server: RunningServer) -> None:
    """Up, and every authority reachable."""
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        assert http.get("/healthz").json() == {"status": "ok"}
        ready = http.get("/readyz")
        assert ready.status_code == 200
        assert ready.json() == {"ready": True, "checks": dict.fromkeys(("solana", "qdrant", "index", "sessions"), "ok")}


def test_everything_else_is_404_as_json(server: RunningServer) -> None:
    """Addresses that are none, and files outside the folder."""
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        for address in (
            "/nowhere",
            "/static/",
            "/static/graphiql/assets/none.js",
            "/static/graphiql/assets/..%2f..%2f..%2ftransport/pages.py",
            "/static/graphiql/assets/",
        ):
            answer = http.get(address)
            assert answer.status_code == 404, address
            assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
        assert http.post("/healthz").status_code == 405


def test_readiness_names_a_chain_that_is_away(tmp_path: Path, models: Path) -> None:
    """The chain ends under a running server: not ready, for that reason alone, and still alive."""
    with ExitStack() as chains:
        chain = chains.enter_context(running_localnet(tmp_path / "chain"))
        with (
            running_stack(tmp_path / "data", models, chain) as server,
            httpx.Client(base_url=server.url, trust_env=False) as http,
        ):
            assert http.get("/readyz").status_code == 200
            chains.close()
            ready = http.get("/readyz")
            assert ready.status_code == 503
            body = ready.json()
            assert body["ready"] is False
            assert [name for name, state in body["checks"].items() if state != "ok"] == ["solana"]
            assert http.get("/healthz").status_code == 200
