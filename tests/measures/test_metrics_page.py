"""`/metrics` is open to this machine alone; beyond it nobody gets a number without the token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from chorale.app import create_app
from chorale.setting_values import SettingError
from chorale.settings import Settings

TOKEN = "a-token-of-24-characters"


@asynccontextmanager
async def client(**environ: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app whose house is not open: the page does not need it."""
    app = create_app(Settings.from_env({f"CHORALE_{name}": value for name, value in environ.items()}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        yield http


async def test_on_loopback_it_is_there() -> None:
    """In Prometheus' format, kept by no cache; what an open house would add is left out until there is one."""
    async with client() as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    assert "\nchorale_watcher_lag_slots 0.0\n" in answer.text
    assert "\nprocess_resident_memory_bytes " in answer.text
    assert "chorale_authority_up{" not in answer.text
    assert "\nchorale_caught_up 0.0\n" in answer.text


@pytest.mark.parametrize(
    "environ",
    [
        {"HOST": "0.0.0.0"},
        {"HOST": "::"},
        {"HOST": "chorale.example"},
        {"PUBLIC_URL": "https://chorale.example"},
        {"METRICS": "0"},
        {"METRICS": "0", "METRICS_TOKEN": TOKEN},
    ],
)
async def test_where_others_reach_the_server_it_is_not(environ: dict[str, str]) -> None:
    """Neither there by default nor where it is switched off; the answer is that of any address that is none."""
    async with client(**environ) as http:
        answer = await http.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 404
    assert "chorale_" not in answer.text


@pytest.mark.parametrize(
    "environ", [{"HOST": "0.0.0.0"}, {}, {"METRICS": "1", "PUBLIC_URL": "https://chorale.example"}]
)
async def test_a_token_opens_it_to_who_has_it(environ: dict[str, str]) -> None:
    """Also on loopback, once one is set. Anything else is refused, and learns nothing."""
    async with client(METRICS_TOKEN=TOKEN, **environ) as http:
        assert (await http.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})).status_code == 200
        for header in (None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"):
            answer = await http.get("/metrics", headers={} if header is None else {"authorization": header})
            assert answer.status_code == 401, header
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHORIZED"
            assert "chorale_" not in answer.text and TOKEN not in answer.text
        assert (await http.get(f"/metrics?token={TOKEN}")).status_code == 401
        assert (await http.post("/metrics")).status_code == 405


def test_beyond_loopback_it_cannot_be_switched_on_without_a_token() -> None:
    """The start is refused, naming what is missing."""
    with pytest.raises(SettingError, match="CHORALE_METRICS_TOKEN=''"):
        Settings.from_env({"CHORALE_METRICS": "1", "CHORALE_HOST": "0.0.0.0"})


@pytest.mark.parametrize("variable", ["CHORALE_METRICS_TOKEN", "CHORALE_METRIC_TOKEN", "CHORALE_SECRET"])
def test_a_refused_token_is_not_repeated(variable: str) -> None:
    """Too short, or under a name that does not exist: what may be a secret stays out of the message."""
    with pytest.raises(SettingError) as caught:
        Settings.from_env({variable: "tooshort"})
    assert variable in str(caught.value)
    assert "tooshort" not in str(caught.value)


def test_the_token_is_in_no_description_of_the_settings() -> None:
    """Settings that are printed or logged do not tell it."""
    assert TOKEN not in repr(Settings.from_env({"CHORALE_METRICS_TOKEN": TOKEN}))


def test_operators_are_wallets() -> None:
    """With commas between and spaces where anybody likes; one that is none is named."""
    one, other = "11111111111111111111111111111111", "So11111111111111111111111111111111111111112"
    settings = Settings.from_env({"CHORALE_OPERATORS": f" {one}, {other},"[:-1]})
    assert settings.operators.wallets == {one, other}
    assert Settings.from_env({}).operators.wallets == frozenset()
    for wrong in ("me", f"{one},", f"{one} {other}"):
        with pytest.raises(SettingError, match="CHORALE_OPERATORS"):
            Settings.from_env({"CHORALE_OPERATORS": wrong})
