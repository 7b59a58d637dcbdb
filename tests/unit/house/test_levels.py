"""Rules of Prometheus: each expression parses, budgets burn as the SRE workbook has it, each alert has its runbook.

https://sre.google/workbook/alerting-on-slos/. That the rules exist in what a server exports is held beside the
dashboards (tests/integration/figures/test_grafana.py).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

BURNS = {
    ("14.4", "1h", "5m", "page"),
    ("6", "6h", "30m", "page"),
    ("3", "1d", "2h", "ticket"),
    ("1", "3d", "6h", "ticket"),
}
BURN = re.compile(r"ratio_(\w+) > on \(slo\) ([\d.]+) \* .* and on \(slo\) .*ratio_(\w+) > on \(slo\) ([\d.]+) \*")


@pytest.fixture(scope="module")
def rules(root: Path) -> list[dict[str, Any]]:
    """Every rule."""
    groups = yaml.safe_load((root / "docker" / "helm" / "fhirwright" / "files" / "rules.yaml").read_text())["groups"]
    assert len({group["name"] for group in groups}) == len(groups)
    return [rule for group in groups for rule in group["rules"]]


def test_every_expression_parses(rules: list[dict[str, Any]], root: Path) -> None:
    """Those of rules and of dashboards, by a parser of PromQL."""
    promql = pytest.importorskip("promql_parser", reason="promql-parser is not installed")
    for rule in rules:
        promql.parse(rule["expr"])
    for path in (root / "docker" / "helm" / "fhirwright" / "files" / "dashboards").glob("*.json"):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                promql.parse(target["expr"])
    with pytest.raises(ValueError, match=r"\S"):
        promql.parse("sum by (slo) (rate(x[5m])")


def test_budgets_burn_in_four_ways(rules: list[dict[str, Any]]) -> None:
    """Four pairs of windows, each with its factor on both, over ratios that are recorded for every service level."""
    found = set()
    for rule in rules:
        if told := BURN.search(rule["expr"]):
            long, factor, short, again = told.groups()
            assert factor == again
            found.add((factor, long, short, rule["labels"]["severity"]))
    assert found == BURNS
    levels = {rule["labels"]["slo"] for rule in rules if rule.get("record") == "fhirwright:slo_budget"}
    assert levels == {"availability", "reads", "coding", "queue"}
    for _, long, short, _ in BURNS:
        for window in (long, short):
            some = [rule for rule in rules if rule.get("record") == f"fhirwright:slo_errors:ratio_{window}"]
            assert {rule["labels"]["slo"] for rule in some} == levels
            assert all(window in re.findall(r"\[(\w+)\]", rule["expr"]) for rule in some)
            assert all(len(set(re.findall(r"\[(\w+)\]", rule["expr"]))) == 1 for rule in some)


def test_every_alert_has_a_runbook(rules: list[dict[str, Any]], root: Path) -> None:
    """docs/slo.md has a heading for each alert that there is and for no other, and what to do."""
    page = (root / "docs" / "slo.md").read_text()
    alerts = [rule for rule in rules if "alert" in rule]
    told = set(re.findall(r"^### (Fhirwright\w+)$", page, re.MULTILINE))
    assert {rule["alert"] for rule in alerts} == told and len(alerts) == len(told) >= 12
    for rule in alerts:
        assert rule["annotations"]["runbook"] == f"docs/slo.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_rules_fire_and_keep_quiet_as_told(root: Path) -> None:
    """Courses of metrics with the alerts that they must give and must not, by promtool itself where it is installed."""
    command = shutil.which("promtool")
    if not command:
        pytest.skip("promtool is not installed; docs/results/levels.md has its last run")
    folder = root / "docker" / "prometheus"
    arguments = [command, "test", "rules", "tests.yaml"]
    result = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
