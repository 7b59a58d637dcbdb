"""The Helm chart as Helm's own engine renders it, which a package of the dev group carries (https://helm.sh/docs/)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parents[2] / "docker" / "helm" / "fhirwright"
PROFILES = sorted((CHART / "profiles").glob("*.yaml"))
RELEASE, NAMESPACE = "one", "clinic"
Resource = dict[str, Any]


def render(values: Mapping[str, Any] | None = None) -> list[Resource]:
    """What `helm template` makes of the chart; skips where no package carries the engine for this platform."""
    helm = pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")
    with helm.Chart.load(CHART) as chart:
        texts = chart.render(dict(values or {}), name=RELEASE, namespace=NAMESPACE)
    return [one for path, text in sorted(texts.items()) if path.endswith(".yaml") for one in _documents(text)]


def refusal(values: Mapping[str, Any]) -> str:
    """Why values are refused; empty when they are taken."""
    helm = pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")
    with helm.Chart.load(CHART) as chart:
        try:
            chart.render(dict(values), name=RELEASE, namespace=NAMESPACE)
        except helm.HelmError as error:
            return str(error)
    return ""


def profile(path: Path | None) -> dict[str, Any]:
    """The values of a profile; of none, the chart's own."""
    return yaml.safe_load(path.read_text()) if path else {}


def containers(resources: list[Resource]) -> Iterator[tuple[Resource, Resource, Resource]]:
    """Each container with its pod's spec and the resource that has both."""
    for one in resources:
        if one["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob"):
            spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"]
            pod = spec["template"]["spec"]
            for container in [*pod.get("initContainers", []), *pod["containers"]]:
                yield one, pod, container


def ours(resources: list[Resource]) -> Iterator[tuple[Resource, Resource, Resource]]:
    """The same of containers that run fhirwright: all but PgBouncer's."""
    yield from (found for found in containers(resources) if found[2]["name"] != "pooler")


def _documents(text: str) -> Iterator[Resource]:
    yield from (one for one in yaml.safe_load_all(text) if one)
