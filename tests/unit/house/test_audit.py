"""`make audit`: what it finds, what it silences, and that what did not run is never told as clean (OPS-25)."""

from __future__ import annotations

import importlib.util
import json
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    """The module beside the CI's entry."""
    spec = importlib.util.spec_from_file_location("ci_audit", ROOT / ".ci" / "audit.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["ci_audit"] = made
    spec.loader.exec_module(made)
    return made


@pytest.mark.check("OPS-25")
def test_ops_25_the_list_of_dependencies_is_the_lock(audit: ModuleType, tmp_path: Path) -> None:
    """Each locked distribution with version, purl and hashes; the same list for the same lock; one bare is found."""
    out = tmp_path / "sbom.cdx.json"
    assert audit.list_dependencies(out=out).how == "clean"
    told = json.loads(out.read_text())
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert len(told["components"]) == sum("==" in line and not line.startswith(" ") for line in lines) > 100
    for one in told["components"]:
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}" and one["hashes"]
    first = out.read_bytes()
    audit.list_dependencies(out=out)
    assert out.read_bytes() == first
    bare = tmp_path / "bare.lock"
    bare.write_text("a==1 \\\n    --hash=sha256:" + "0" * 64 + "\nb_c[d]==2\n")
    assert audit.list_dependencies(bare, out) == ("FOUND", "2 components in sbom.cdx.json", ("b-c",))


@pytest.mark.check("OPS-25")
def test_ops_25_risky_code_is_found_or_has_a_reason(audit: ModuleType, tmp_path: Path) -> None:
    """What guards the server has nothing that is not accounted for; a shell that is planted is found."""
    pytest.importorskip("bandit")
    verdict = audit.look_through_code(("server/auth",))
    assert verdict.how == "clean", verdict.findings
    planted = tmp_path / "planted.py"
    planted.write_text("import subprocess\nsubprocess.run(input(), shell=True)\n")
    verdict = audit.look_through_code((str(planted),))
    assert verdict.how == "FOUND" and "B602 (1)" in verdict.findings[0]
    reason = {"code": {f"{planted} B602": {"count": 1, "reason": "x"}}}
    assert audit.look_through_code((str(planted),), reason).how == "clean"
    planted.write_text("")
    assert audit.look_through_code((str(planted),), reason).findings == (f"no longer there: {planted} B602",)


@pytest.mark.check("OPS-25")
def test_ops_25_secrets_are_found_or_have_a_reason(audit: ModuleType, tmp_path: Path) -> None:
    """A key that is planted is found, also in a test; the authorization server holds none."""
    pytest.importorskip("detect_secrets")
    sources = sorted((ROOT / "server" / "auth").glob("*.py"))
    verdict = audit.look_for_secrets(sources)
    assert verdict.how == "clean", verdict.findings
    planted = tmp_path / "settings.py"
    planted.write_text(f'KEY = "{"AKIA" + "QWERTYUIOPASDFGH"}"\nPEM = "-----BEGIN RSA {"PRIVATE"} KEY-----"\n')
    found = audit.look_for_secrets([planted], {"invented": {"Secret Keyword": "x"}})
    assert found.how == "FOUND" and {"AWS" in one for one in found.findings} == {True, False}


@pytest.mark.check("OPS-25")
@pytest.mark.parametrize(
    ("answers", "how"),
    [
        ([None], "not run"),
        ([[{"name": "a", "skip_reason": "not found"}]], "not run"),
        ([[{"name": "a", "vulns": []}], None], "not run"),
        ([[{"name": "a", "vulns": []}], [{"name": "a", "vulns": []}, {"name": "b", "skip_reason": "x"}]], "clean"),
        ([[{"name": "a", "vulns": []}], [{"name": "a", "vulns": [{"id": "CVE-1"}]}]], "FOUND"),
    ],
)
def test_ops_25_what_was_not_asked_is_not_clean(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, answers: list[Any], how: str
) -> None:
    """A service that is away, or knows nothing of us, is told as not run; what it does not know is counted."""
    pytest.importorskip("pip_audit")
    left = list(answers)
    monkeypatch.setattr(audit, "_looked_up", lambda _: left.pop(0))
    verdict = audit.look_up_vulnerabilities()
    assert verdict.how == how and not left
    assert how != "clean" or verdict.text == "1 looked up, not run for 1"


def test_a_tool_that_is_missing_is_told(audit: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bandit, detect-secrets or pip-audit nothing is clean, and nothing fails."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)
    looks = (audit.look_through_code, audit.look_for_secrets, audit.look_up_vulnerabilities)
    assert {look().how for look in looks} == {"not run"}


def test_whatever_is_silenced_has_a_reason() -> None:
    """Each entry of audit.toml says why, and how many there are; the CI looks, and the tools are in the dev group."""
    known = tomllib.loads((ROOT / ".ci" / "audit.toml").read_text())
    for entry in (*known["code"].values(), *known["secrets"].values()):
        assert entry["count"] >= 1 and len(entry["reason"].split()) > 3
    assert all(len(reason.split()) > 3 for reason in (*known["rules"].values(), *known["invented"].values()))
    assert "make audit\n" in (ROOT / ".ci" / "run").read_text()
    dev = " ".join(tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"])
    assert all(tool in dev for tool in ("bandit", "detect-secrets", "pip-audit"))
