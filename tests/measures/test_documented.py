"""Rules, dashboard and handbook speak of metrics that are exported, of labels that are there, and of nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from chorale.app import create_app
from chorale.domain.availability import Health
from chorale.domain.conflict import ConflictKind, Settlement
from chorale.domain.updates import Outcome
from chorale.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "operating"
HANDBOOK = (ROOT / "docs" / "operating.md").read_text()

LABELS = {
    "kind": set(ConflictKind),
    "settlement": set(Settlement),
    "outcome": set(Outcome),
    "health": set(Health),
    "result": {"hit", "miss", "ok", "errors", "refused"},
    "state": {"total", "done", "left"},
    "queue": {"inbox", "lanes", "settling", "reconcile"},
    "job": {"chorale"},
}


@pytest.fixture(scope="module")
def exported() -> set[str]:
    """Names of samples that a server may export; histograms with their suffixes."""
    page, _ = create_app(Settings.from_env({})).measures.page()
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", page.decode(), re.M):
        names |= {f"{name}_{suffix}" for suffix in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return names


def rules() -> dict[str, str]:
    """Expressions of the alerts by their names."""
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def expressions() -> list[str]:
    """Everything that Prometheus is asked."""
    panels = json.loads((FOLDER / "grafana" / "boundaries.json").read_text())["panels"]
    return [*rules().values(), *(target["expr"] for panel in panels for target in panel["targets"])]


@pytest.mark.parametrize("expression", expressions())
def test_what_is_asked_is_exported(expression: str, exported: set[str]) -> None:
    """Each name, and each value that a label is compared with."""
    names = set(re.findall(r"\b(?:(?:chorale|process)_[a-z_]+|up\b)", expression))
    assert names
    assert names <= exported | {"up"}
    for label, value in re.findall(r'(\w+)(?:=~|!=|=)"([^"]*)"', expression):
        assert set(value.split("|")) <= LABELS[label], label


def test_the_handbook_lists_exactly_what_is_exported(exported: set[str]) -> None:
    """Every metric with unit and meaning, and none that is gone."""
    listed = set(re.findall(r"`((?:chorale|process)_[a-z_]+)(?:\{[^}]*\})?`", HANDBOOK))
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported}
    assert listed == families


def test_every_alert_says_what_to_do() -> None:
    """The handbook has a row for each, and for no other."""
    assert re.findall(r"^\| ([A-Z]\w+[a-z][A-Z]\w+) \|", HANDBOOK, re.M) == list(rules())


def test_what_compose_mounts_is_there() -> None:
    """The files of Prometheus and Grafana; the dashboard asks the source that is provisioned."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    mounted = [volume.split(":")[0] for name in ("prometheus", "grafana") for volume in services[name]["volumes"]]
    files = [name for name in mounted if name.startswith("./")]
    assert len(files) == 5
    assert all((ROOT / name).is_file() for name in files)
    sources = yaml.safe_load((FOLDER / "grafana" / "datasources.yml").read_text())["datasources"]
    panels = json.loads((FOLDER / "grafana" / "boundaries.json").read_text())["panels"]
    assert {panel["datasource"]["uid"] for panel in panels} == {sources[0]["uid"]}
    scrape = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert scrape["rule_files"] == ["alerts.yml"]
    assert scrape["scrape_configs"][0]["authorization"]["credentials_file"] == "/run/secrets/metrics-token"
