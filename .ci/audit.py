"""Looks the dependencies, the code and the tracked files through: `make audit` (https://cyclonedx.org, https://owasp.org).

A list of what is locked (SBOM in CycloneDX), bandit over the packages, secrets in what is tracked, and known
vulnerabilities where their service answers. Each line ends as `clean`, `FOUND` or `not run`; only FOUND fails.
What is known and meant stands in audit.toml beside this, each with its reason.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import uuid
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LOCK, KNOWN, SBOM = ROOT / "requirements.lock", Path(__file__).parent / "audit.toml", ROOT / "build" / "sbom.cdx.json"
PACKAGES = ("server", "extractors", "claims", "terminology", "fhir_profiles")
WORDS = frozenset({".py", ".md", ".toml", ".yaml", ".yml", ".html", ".sql", ".cfg", ".mako", ".sh", ".ini", ".env", ""})
LARGEST = 256 * 1024
"""Bytes of a file that is looked through for secrets: larger ones are tables."""

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Verdict(NamedTuple):
    """How one look ended: `clean`, `FOUND` or `not run`, with what there is to say and each finding."""

    how: str
    text: str
    findings: tuple[str, ...] = ()


def locked(text: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Each distribution of a lock file: its version and the SHA-256 of its files."""
    found: dict[str, tuple[str, list[str]]] = {}
    name = ""
    for line in text.splitlines():
        if pinned := _PINNED.match(line):
            name = re.sub(r"[-_.]+", "-", pinned[1]).lower()
            found[name] = (pinned[2], [])
        for told in _HASH.findall(line):
            found[name][1].append(told)
    return {name: (version, tuple(hashes)) for name, (version, hashes) in found.items()}


def sbom(lock: str) -> dict[str, Any]:
    """The software bill of materials of a lock file, the same for the same lock (https://cyclonedx.org/docs/1.6/json/)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    components = [
        {
            "type": "library", "bom-ref": f"pkg:pypi/{name}@{version}", "name": name, "version": version,
            "purl": f"pkg:pypi/{name}@{version}", "hashes": [{"alg": "SHA-256", "content": one} for one in hashes],
        }
        for name, (version, hashes) in sorted(locked(lock).items())
    ]  # fmt: skip
    ours = {"type": "application", "bom-ref": project["name"], "name": project["name"], "version": project["version"]}
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, lock)}",
        "metadata": {"component": ours | {"licenses": [{"license": {"id": project["license"]}}]}},
        "components": components,
    }  # fmt: skip


def list_dependencies(lock: Path = LOCK, out: Path = SBOM) -> Verdict:
    """Write the SBOM; FOUND names what is locked without a hash."""
    made = sbom(lock.read_text("utf-8"))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    bare = tuple(one["name"] for one in made["components"] if not one["hashes"])
    return Verdict("FOUND" if bare else "clean", f"{len(made['components'])} components in {out.name}", bare)


def look_through_code(paths: Iterable[str] = PACKAGES, known: dict[str, Any] | None = None) -> Verdict:
    """bandit; FOUND names findings of medium or high severity that audit.toml has no reason for."""
    if importlib.util.find_spec("bandit") is None:
        return Verdict("not run", "bandit is not installed")
    told = _known() if known is None else known
    skipped = ",".join(sorted(told.get("rules", {})))
    command = [sys.executable, "-m", "bandit", "-q", "-r", *paths, "-f", "json", "--severity-level", "medium"]
    answer = _run(command + (["--skip", skipped] if skipped else []))
    try:
        results = json.loads(answer.stdout)["results"]
    except (ValueError, KeyError):
        return Verdict("not run", f"bandit ended with {answer.returncode}")
    seen = Counter(f"{_short(one['filename'])} {one['test_id']}" for one in results)
    return _judge(seen, told.get("code", {}), list(paths))


def look_for_secrets(paths: Iterable[Path] | None = None, known: dict[str, Any] | None = None) -> Verdict:
    """detect-secrets over what is tracked; FOUND names each that audit.toml has no reason for."""
    if importlib.util.find_spec("detect_secrets") is None:
        return Verdict("not run", "detect-secrets is not installed")
    files = _tracked() if paths is None else list(paths)
    if not files:
        return Verdict("not run", "there is no list of tracked files")
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import default_settings

    told = _known() if known is None else known
    invented = told.get("invented", {})
    with default_settings():
        found = [(_short(str(path)), one.type) for path in files for one in scan_file(str(path))]
    seen = Counter(f"{path} {kind}" for path, kind in found if not (path.startswith("tests/") and kind in invented))
    return _judge(seen, told.get("secrets", {}), [_short(str(path)) for path in files])


def look_up_vulnerabilities(lock: Path = LOCK) -> Verdict:
    """pip-audit; what its service does not know, or cannot be asked, is `not run` and never clean."""
    if importlib.util.find_spec("pip_audit") is None:
        return Verdict("not run", "pip-audit is not installed")
    pinned = [f"{name}=={version}" for name, (version, _) in locked(lock.read_text("utf-8")).items()]
    first = _looked_up(pinned[:1])
    if not first or "skip_reason" in first[0]:
        return Verdict("not run", "the service that knows of vulnerabilities does not answer")
    found = _looked_up(pinned)
    if found is None:
        return Verdict("not run", "the service that knows of vulnerabilities went away")
    bad = tuple(f"{one['name']} {v['id']}" for one in found for v in one.get("vulns", ()))
    unknown = sum("skip_reason" in one for one in found)
    return Verdict("FOUND" if bad else "clean", f"{len(found) - unknown} looked up, not run for {unknown}", bad)


def _looked_up(pinned: list[str]) -> list[dict[str, Any]] | None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pinned))
        file.flush()
        options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "10"]
        answer = _run([sys.executable, "-m", "pip_audit", "--requirement", file.name, *options])
    try:
        found: list[dict[str, Any]] = json.loads(answer.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None
    return found


def _judge(seen: Counter[str], told: dict[str, Any], looked: list[str]) -> Verdict:
    """What was seen against what is known: more is a finding, and so is a reason for what is not there any more."""
    more = tuple(
        f"{key} ({count})" for key, count in sorted(seen.items()) if count > int(told.get(key, {"count": 0})["count"])
    )
    places = tuple(looked)
    stale = tuple(f"no longer there: {key}" for key in told if key.startswith(places) and key not in seen)
    silenced = sum(seen.values()) if not more else 0
    return Verdict(
        "FOUND" if more or stale else "clean", f"{len(places)} looked through, {silenced} known", more + stale
    )


def _known() -> dict[str, Any]:
    return tomllib.loads(KNOWN.read_text("utf-8"))


def _tracked() -> list[Path]:
    listing = _run(["git", "ls-files", "-z"])
    paths = [ROOT / name for name in listing.stdout.split("\0") if name] if listing.returncode == 0 else []
    return [
        path
        for path in paths
        if path.suffix in WORDS and path != LOCK and path.is_file() and path.stat().st_size <= LARGEST
    ]


def _short(path: str) -> str:
    """A path below the repository, or as it is."""
    found = Path(path)
    return found.relative_to(ROOT).as_posix() if found.is_absolute() and found.is_relative_to(ROOT) else path


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=1800)


LOOKS = {
    "dependencies": list_dependencies, "code": look_through_code, "secrets": look_for_secrets,
    "vulnerabilities": look_up_vulnerabilities,
}  # fmt: skip


def main() -> int:
    """Look at everything and tell it; 1 when something was found."""
    failed = 0
    for name, look in LOOKS.items():
        verdict = look()
        print(f"{name:16} {verdict.how:8} {verdict.text}")
        for finding in verdict.findings:
            print(f"{'':16} {finding}")
        failed |= verdict.how == "FOUND"
    return failed


if __name__ == "__main__":
    sys.exit(main())
