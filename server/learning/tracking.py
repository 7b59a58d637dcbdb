"""A run in MLflow by its REST API (https://mlflow.org/docs/latest/rest-api.html), where MLFLOW_TRACKING_URI is set."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from fhir_profiles.errors import Category, FhirError
from server.learning.registry import Version

API = "/api/2.0/mlflow"
PAGE, PAGES = 200, 50  # of versions that are looked through
MOST = 100  # versions that are told of, the newest
BATCH = 1000  # metrics that one request may hold
TIMEOUT = 10.0  # seconds
NAME = "fhirwright"  # of the experiment and of the registered model


def numbers(report: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a report under its path: `mentions.exact.f1`."""
    for key, value in report.items():
        if isinstance(value, Mapping):
            yield from numbers(value, f"{prefix}{key}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            yield f"{prefix}{key}"[:250], float(value)


def log_run(uri: str, name: str, at: int, parameters: Mapping[str, str], report: Mapping[str, Any]) -> str:
    """The id of a finished run of experiment `fhirwright` with these figures; `at` is milliseconds since 1970.

    Raises `FhirError` of category UNAVAILABLE when the tracking server cannot be reached or refuses.
    """
    try:
        with httpx.Client(base_url=uri.rstrip("/") + API, timeout=TIMEOUT) as client:
            run = _run(client, name, at)
            metrics = [{"key": _name(k), "value": v, "timestamp": at, "step": 0} for k, v in numbers(report)]
            told = [{"key": key, "value": value[:500]} for key, value in parameters.items()]
            _post(client, "/runs/log-batch", {"run_id": run, "params": told})
            for i in range(0, len(metrics), BATCH):
                _post(client, "/runs/log-batch", {"run_id": run, "metrics": metrics[i : i + BATCH]})
            _post(client, "/runs/update", {"run_id": run, "status": "FINISHED", "end_time": at})
            return run
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError) as error:
        raise _away(error) from error


def follow(uri: str, versions: Sequence[Version], champion: str) -> None:
    """Let the registered model say what became of each version: tags tell the state, aliases which codes and is tried.

    `versions` are the newest first; those that were measured are registered where MLflow does not know them.
    `champion` is the name of the one that codes: the package's own has no alias. Raises as `log_run` does.
    """
    tried = next((one.id for one in versions if one.state in ("shadow", "ready")), None)
    try:
        with httpx.Client(base_url=uri.rstrip("/") + API, timeout=TIMEOUT) as client:
            aliases, known = _aliases(client), _known(client)
            for one in reversed(versions[:MOST]):
                if one.id not in known and one.state != "candidate":
                    known[one.id] = (_register(uri, client, one), one.state)
                number, state = known.get(one.id, ("", one.state))
                if state != one.state:
                    body = {"name": NAME, "version": number, "key": "state", "value": one.state}
                    _post(client, "/model-versions/set-tag", body)
            for alias, name in (("champion", champion), ("challenger", tried)):
                number = known[name][0] if name in known else ""
                asked = {"name": NAME, "alias": alias}
                if number and aliases.get(alias) != number:
                    _post(client, "/registered-models/alias", asked | {"version": number})
                elif not number and alias in aliases:
                    client.request("DELETE", "/registered-models/alias", json=asked).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError) as error:
        raise _away(error) from error


def _register(uri: str, client: httpx.Client, version: Version) -> str:
    """The number of a version in MLflow, where it is registered with a run that holds its report."""
    told = {"version": version.id, "snapshot": str(version.data.get("snapshot", ""))}
    run = log_run(uri, f"learn {version.id}", version.at, told, version.data.get("report", {}))
    body = {"name": NAME, "source": f"fhirwright:/{version.id}", "run_id": run, "tags": [
        {"key": "version", "value": version.id}, {"key": "state", "value": version.state}]}  # fmt: skip
    return str(_post(client, "/model-versions/create", body)["model_version"]["version"])


def _aliases(client: httpx.Client) -> dict[str, str]:
    """Which version each alias of the registered model names; the model is made where there is none."""
    found = client.get("/registered-models/get", params={"name": NAME})
    if found.status_code == httpx.codes.NOT_FOUND:
        _post(client, "/registered-models/create", {"name": NAME})
        return {}
    told = found.raise_for_status().json()["registered_model"].get("aliases") or ()
    return {one["alias"]: str(one["version"]) for one in told}


def _known(client: httpx.Client) -> dict[str, tuple[str, str]]:
    """The number and the state of each of our versions that MLflow knows."""
    known: dict[str, tuple[str, str]] = {}
    asked = {"filter": f"name = '{NAME}'", "max_results": str(PAGE)}
    for _ in range(PAGES):
        told = client.get("/model-versions/search", params=asked).raise_for_status().json()
        for one in told.get("model_versions") or ():
            tags = {tag["key"]: tag["value"] for tag in one.get("tags") or ()}
            if "version" in tags:
                known[tags["version"]] = str(one["version"]), tags.get("state", "")
        if not told.get("next_page_token"):
            break
        asked["page_token"] = told["next_page_token"]
    return known


def _away(error: Exception) -> FhirError:
    text = f"MLflow could not be told ({type(error).__name__}): see that MLFLOW_TRACKING_URI is right."
    return FhirError.of(Category.UNAVAILABLE, "transient", text)


def _run(client: httpx.Client, name: str, at: int) -> str:
    answer = client.get("/experiments/get-by-name", params={"experiment_name": NAME})
    if answer.status_code == httpx.codes.NOT_FOUND:
        experiment = _post(client, "/experiments/create", {"name": NAME})["experiment_id"]
    else:
        experiment = answer.raise_for_status().json()["experiment"]["experiment_id"]
    made = _post(client, "/runs/create", {"experiment_id": experiment, "run_name": name, "start_time": at})
    return str(made["run"]["info"]["run_id"])


def _post(client: httpx.Client, path: str, body: Mapping[str, Any]) -> Any:
    return client.post(path, json=body).raise_for_status().json()


def _name(path: str) -> str:
    """Only what MLflow allows in the name of a metric."""
    return "".join(c if c.isalnum() or c in "_-./ " else "_" for c in path)
