"""Prometheus takes the rules, fires each for what it is for, and reads a running server with its token."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.measures.test_documented import FOLDER, expressions, rules
from tests.patience import PATIENCE
from tests.processes import end, free_port
from tests.stack import running_stack

TOKEN = "a-token-of-24-characters"
PLAYED = Path(__file__).with_name("alerts.yml")


def needed(name: str) -> str:
    """A program's path; without it the test is skipped by name."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is missing")
    return found


@pytest.mark.parametrize(
    "asked",
    [
        ("check", "rules", "--lint-fatal", str(FOLDER / "alerts.yml")),
        ("check", "config", "--syntax-only", str(FOLDER / "prometheus.yml")),
        ("test", "rules", str(PLAYED)),
    ],
    ids=["rules", "configuration", "each alert"],
)
def test_rules_are_what_prometheus_takes(asked: tuple[str, ...]) -> None:
    """Syntax, and what fires when: none before its time, and each in the words that people read."""
    done = subprocess.run([needed("promtool"), *asked], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_played() -> None:
    """One without a case could wait for something that never comes."""
    played = {
        case["alertname"]
        for test in yaml.safe_load(PLAYED.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case.get("exp_alerts")
    }
    assert played == set(rules())


@pytest.mark.faults
async def test_a_running_server_is_read(tmp_path: Path, models: Path) -> None:
    """With the token from a file; every expression of rules and dashboard is answered, and nobody is woken."""
    binary = needed("prometheus")
    (tmp_path / "token").write_text(TOKEN)
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    with running_stack(tmp_path / "data", models, CHORALE_METRICS_TOKEN=TOKEN) as server:
        job = {
            "job_name": "chorale",
            "authorization": {"credentials_file": str(tmp_path / "token")},
            "static_configs": [{"targets": [server.url.removeprefix("http://")]}],
        }
        given = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        made = {"global": given, "rule_files": ["alerts.yml"], "scrape_configs": [job]}
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(made))
        address = f"127.0.0.1:{free_port()}"
        options = [
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'series'}",
            f"--web.listen-address={address}",
        ]
        with (tmp_path / "prometheus.log").open("w") as log:
            process = subprocess.Popen([binary, *options], stdout=subprocess.PIPE, stderr=log)
        try:
            async with httpx.AsyncClient(base_url=f"http://{address}/api/v1", trust_env=False, timeout=10) as http:
                await _until_up(http)
                assert (await _asked(http, "/query", query="chorale_authority_up"))["result"]
                for expression in expressions():
                    await _asked(http, "/query", query=_filled(expression))
                groups = (await _asked(http, "/rules"))["groups"]
                assert {rule["name"] for group in groups for rule in group["rules"]} == set(rules())
                assert [rule["lastError"] for group in groups for rule in group["rules"] if rule.get("lastError")] == []
                assert (await _asked(http, "/alerts"))["alerts"] == []
        finally:
            end(process)


async def _until_up(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(httpx.TransportError, json.JSONDecodeError):  # not listening yet, or not ready
                if [one["value"][1] for one in (await _asked(http, "/query", query="up"))["result"]] == ["1"]:
                    return
            await asyncio.sleep(0.2)


async def _asked(http: httpx.AsyncClient, path: str, **params: str) -> dict[str, Any]:
    answer = (await http.get(path, params=params)).json()
    assert answer["status"] == "success", answer
    data: dict[str, Any] = answer["data"]
    return data


def _filled(expression: str) -> str:
    """A panel's expression, with what Grafana puts into it."""
    return expression.replace("$__rate_interval", "1m")
