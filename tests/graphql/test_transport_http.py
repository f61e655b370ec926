"""GraphQL over HTTP answers every well-formed request by the book and every other one with a 4xx, never with a 500."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio

from chorale.limits import Limits
from tests.graphql.toy import ALICE, Toy, serve_toy

JSON = {"content-type": "application/json"}
NEW = "application/graphql-response+json"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def toy() -> AsyncIterator[Toy]:
    async with serve_toy(replace(Limits(), http_body_bytes=2000)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def http(toy: Toy) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://{toy.address}", trust_env=False) as client:
        yield client


def code(response: httpx.Response) -> str:
    """The stable code of a response's first error."""
    errors: list[Any] = response.json()["errors"]
    return str(errors[0]["extensions"]["code"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"null", 400),
        (b'"x"', 400),
        (b"1", 400),
        (b"true", 400),
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"query": "\xff"}', 400),
        (b'{"query": "\\ud800"}', 400),
        (b"[" * 900, 400),
        (b"[" * 900 + b"]" * 900, 400),
        (b'{"query":"{hello}","variables":' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"}", 400),
        (b"{}", 400),
        (b'{"query": null}', 400),
        (b'{"query": ""}', 400),
        (b'{"query": {}}', 400),
        (b'{"query": "{hello}", "variables": "x"}', 400),
        (b'{"query": "{hello}", "variables": [1]}', 400),
        (b'{"query": "{hello}", "operationName": {}}', 400),
        (b'{"query": "{hello}", "extensions": 0}', 400),
        (b'[{"query": "{hello}"}]', 400),
        (b"[]", 400),
        (b'{"query": "' + b"x" * 2000 + b'"}', 413),
    ],
)
async def test_bodies_that_are_no_request(http: httpx.AsyncClient, body: bytes, status: int) -> None:
    """Each is refused with a JSON error and its status."""
    response = await http.post("/graphql", content=body, headers=JSON)
    assert response.status_code == status
    assert code(response) in ("BAD_REQUEST", "PAYLOAD_TOO_LARGE")


async def test_a_body_without_a_length_is_capped_too(http: httpx.AsyncClient) -> None:
    """Chunks are counted as they come."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 100

    response = await http.post("/graphql", content=chunks(), headers=JSON)
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON; charset="UTF-8"', 200),
        ("application/json; charset=utf-16", 415),
        ("application/jsonx", 415),
        ("text/plain; application/json", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=application/json", 415),
        (None, 415),
    ],
)
async def test_content_type_is_matched_exactly(http: httpx.AsyncClient, content_type: str | None, status: int) -> None:
    """Only JSON is read: a form of another site gets no further."""
    headers = {} if content_type is None else {"content-type": content_type}
    response = await http.post("/graphql", content=b'{"query":"{hello}"}', headers=headers)
    assert response.status_code == status


@pytest.mark.parametrize(
    ("accept", "status", "media"),
    [
        ("", 200, "application/json"),
        ("*/*", 200, "application/json"),
        ("application/json", 200, "application/json"),
        (NEW, 200, NEW),
        (f"{NEW}, application/json;q=0.9", 200, NEW),
        (f"application/json, {NEW};q=0.5", 200, "application/json"),
        (f"{NEW}, application/graphql+json, application/json, text/event-stream, multipart/mixed", 200, NEW),
        ("text/event-stream", 406, "application/json"),
        ("text/html", 406, "application/json"),
        ("application/json;q=0", 406, "application/json"),
    ],
)
async def test_accept_decides_the_media_type(http: httpx.AsyncClient, accept: str, status: int, media: str) -> None:
    """urql's long list gets one JSON answer, never a stream."""
    response = await http.post("/graphql", json={"query": "{hello}"}, headers={"accept": accept})
    assert response.status_code == status
    assert response.headers["content-type"] == f"{media}; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nope }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query($n: Int!) { hello(count: $n) }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query($n: Int!) { hello(count: $n) }", "variables": {"n": "x"}}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A {hello} query B {hello}"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A {hello}", "operationName": "B"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "fragment F on Query {hello}"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{hello" * 300}, "GRAPHQL_PARSE_FAILED"),
    ],
)
async def test_documents_that_do_not_run(http: httpx.AsyncClient, body: dict[str, Any], wanted: str) -> None:
    """400 for the new media type, 200 for plain JSON, and in both no `data`."""
    for accept, status in ((NEW, 400), ("application/json", 200)):
        response = await http.post("/graphql", json=body, headers={"accept": accept})
        assert response.status_code == status
        assert code(response) == wanted
        assert "data" not in response.json()


async def test_operation_name_chooses(http: httpx.AsyncClient) -> None:
    """Of two operations the named one runs."""
    query = 'query A {hello} query B {hello(name: "b")}'
    response = await http.post("/graphql", json={"query": query, "operationName": "B", "extensions": {"a": 1}})
    assert response.json() == {"data": {"hello": "hello b"}}


async def test_get_runs_queries_only(http: httpx.AsyncClient) -> None:
    """A link can ask, never change."""
    variables = json.dumps({"n": 2})
    asked = await http.get("/graphql", params={"query": "query($n: Int) {hello(count: $n)}", "variables": variables})
    assert asked.json() == {"data": {"hello": "hello world hello world"}}
    changed = await http.get("/graphql", params={"query": "mutation {touch}"})
    assert (changed.status_code, changed.headers["allow"]) == (405, "POST")
    for bad in ({"query": "{hello}", "variables": "{"}, {"query": "{hello}", "variables": "[]"}, {}):
        assert (await http.get("/graphql", params=bad)).status_code == 400
    assert (await http.put("/graphql", json={"query": "{hello}"})).status_code == 405
    assert (await http.post("/graphql", json={"query": "subscription {count(to: 1)}"})).status_code == 400


async def test_token_names_the_viewer_or_is_refused(http: httpx.AsyncClient) -> None:
    """No header is anonymous; a token that is not a session's is 401 rather than a silent change of eyes."""
    ask = {"query": "{viewer}"}
    assert (await http.post("/graphql", json=ask)).json() == {"data": {"viewer": None}}
    signed_in = await http.post("/graphql", json=ask, headers={"authorization": "Bearer good"})
    assert signed_in.json() == {"data": {"viewer": ALICE}}
    for header in ("Bearer bad", "Bearer", "Basic good", "good but no"):
        refused = await http.post("/graphql", json=ask, headers={"authorization": header})
        assert (refused.status_code, code(refused)) == (401, "UNAUTHENTICATED")


async def test_faults_are_masked(http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    """The caller gets a reference, the log the cause; an expected error keeps its code and its words."""
    response = await http.post("/graphql", json={"query": "{broken}"})
    assert response.status_code == 200
    assert code(response) == "INTERNAL"
    assert "swordfish" not in response.text
    reference = response.json()["errors"][0]["extensions"]["reference"]
    assert any(reference in record.getMessage() and record.exc_info for record in caplog.records)
    away = (await http.post("/graphql", json={"query": "{away hello}"})).json()
    assert away["data"] == {"away": None, "hello": "hello world"}
    assert away["errors"][0]["extensions"] == {"code": "AUTHORITY_UNAVAILABLE", "authority": "QDRANT"}
    assert away["errors"][0]["path"] == ["away"]


async def test_every_operation_has_its_own_context(http: httpx.AsyncClient) -> None:
    """Nothing read for one request is served to the next."""
    numbers = [
        (await http.post("/graphql", json={"query": "{contextNumber}"})).json()["data"]["contextNumber"] for _ in "ab"
    ]
    assert numbers[0] != numbers[1]
