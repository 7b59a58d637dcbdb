"""The dashboards for Grafana ask only for what a live server exports (https://grafana.com/docs/grafana/latest/)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.integration.conftest import Live

GRAFANA = Path(__file__).parents[3] / "docker" / "grafana"
WATCHED = GRAFANA.parent / "helm" / "fhirwright" / "files"
BOARDS = sorted((WATCHED / "dashboards").glob("*.json"))
_METRIC = re.compile(r"\bfhirwright_[a-z0-9_]+")
_SELECTED = re.compile(r"(fhirwright_[a-z0-9_]+)\{([^}]*)\}")
_GIVEN = frozenset({"instance", "job", "le"})
"""Labels that Prometheus adds, and that of buckets."""
RULES = [rule for group in yaml.safe_load((WATCHED / "rules.yaml").read_text())["groups"] for rule in group["rules"]]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
_RECORD = re.compile(r"\bfhirwright:[a-z0-9_:]+")


def boards() -> list[dict[str, Any]]:
    """Every dashboard."""
    return [json.loads(path.read_text()) for path in BOARDS]


@pytest.fixture(scope="module")
def exported(live: Live) -> dict[str, set[str]]:
    """The metrics of a live server, each with the labels that it was seen with; of one without samples none."""
    httpx.get(f"{live.base}/fhir/Patient", timeout=30)
    text = httpx.get(f"{live.base}/metrics", timeout=60).text
    found: dict[str, set[str]] = {}
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        for end in ("_bucket", "_count", "_sum") if kind == "histogram" else ("",):
            found.setdefault(name + end, set())
    for name, labels in re.findall(r"^(fhirwright_\w+)\{(.*)\} ", text, re.MULTILINE):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_metric_of_a_panel_is_exported(path: Path, exported: dict[str, set[str]]) -> None:
    """Each metric that an expression names is there, and where it has samples, so are the labels it selects by."""
    expressions = [target["expr"] for panel in json.loads(path.read_text())["panels"] for target in panel["targets"]]
    holds(expressions, exported)


def test_every_metric_of_a_rule_is_exported(exported: dict[str, set[str]]) -> None:
    """Alerts and recorded series ask for metrics that there are, by labels that they have, or for recorded series."""
    assert len(RULES) >= 40
    holds([rule["expr"] for rule in RULES], exported)


def test_what_a_rule_groups_by_is_a_label_of_it(exported: dict[str, set[str]]) -> None:
    """A label that a rule keeps is one that the metric has."""
    by = [re.findall(r"by \((\w+)\) \((?:increase\()?(fhirwright_\w+)", rule["expr"]) for rule in RULES]
    assert len([pair for pairs in by for pair in pairs]) >= 4
    for label, name in (pair for pairs in by for pair in pairs):
        assert not exported[name] or label in exported[name], (name, label)


def holds(expressions: list[str], exported: dict[str, set[str]]) -> None:
    """What is asked for is exported or recorded, with its labels."""
    asked = {name for expression in expressions for name in _METRIC.findall(expression)}
    assert asked and asked - set(exported) == set()
    assert {name for expression in expressions for name in _RECORD.findall(expression)} <= RECORDED
    for expression in expressions:
        for name, selected in _SELECTED.findall(expression):
            labels = set(re.findall(r"(\w+)(?:=~|=)", selected)) - _GIVEN
            assert not exported[name] or labels <= exported[name], (name, labels)


def test_a_metric_that_is_not_there_is_seen(exported: dict[str, set[str]]) -> None:
    """The check above can fail: a name that nobody exports is not among the metrics."""
    assert "fhirwright_documents" in exported and "state" in exported["fhirwright_documents"]
    assert "fhirwright_no_such_metric" not in exported


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_well_formed(path: Path) -> None:
    """Schema, ids that are unique, a variable for the data source that every panel uses, panels side by side."""
    board = json.loads(path.read_text())
    assert board["schemaVersion"] >= 39 and board["uid"] == f"fhirwright-{path.stem}"
    variables = {one["name"]: one["type"] for one in board["templating"]["list"]}
    assert variables["datasource"] == "datasource"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)) >= 8
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & cells and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
        for one in (panel, *panel["targets"]):
            assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_five_dashboards_with_ids_of_their_own() -> None:
    """One for each area of figures, and one of service levels."""
    assert [path.stem for path in BOARDS] == ["claims", "levels", "operations", "quality", "system"]
    assert len({board["uid"] for board in boards()}) == 5


def test_what_is_provisioned_stands_where_it_is_looked_for() -> None:
    """Prometheus scrapes the server's /metrics and has the rules; Grafana finds the data source and its dashboards."""
    docker = GRAFANA.parent
    services = yaml.safe_load((docker / "compose.yaml").read_text())["services"]
    config = yaml.safe_load((docker / "prometheus" / "prometheus.yaml").read_text())
    [scrape] = config["scrape_configs"]
    assert scrape["metrics_path"] == "/metrics"
    assert scrape["static_configs"][0]["targets"][0].split(":")[0] in services
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    assert re.fullmatch(r"http://prometheus:9090", source["url"])
    [provider] = yaml.safe_load((GRAFANA / "provisioning/dashboards/fhirwright.yaml").read_text())["providers"]
    mounts = {v.split(":")[0]: v.split(":")[1] for name in ("prometheus", "grafana") for v in services[name]["volumes"]}
    assert mounts["./helm/fhirwright/files/dashboards"] == provider["options"]["path"]
    assert mounts["./helm/fhirwright/files/rules.yaml"] == f"/etc/prometheus/{config['rule_files'][0]}"
    assert all((docker / mount).exists() for mount in mounts if mount.startswith("./"))
