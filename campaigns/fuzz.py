"""Schemathesis against the server: two users at once, and no request, right or wrong, may end in a 5xx.

`make campaign NAME=fuzz ARGS="--examples 40"`; every failure is printed with the request that caused it. The server is
`fhirwright serve` in a process of its own, on SQLite or on the PostgreSQL of `--database`; the cases come from its own
OpenAPI document, in three phases: each value of every operation at and beyond its limits, right and wrong requests at
random, and scenarios along the links.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests
import schemathesis

from campaigns.fuzzing.user import Report, User

TYPES = (
    *("Patient", "Observation", "Encounter", "Claim", "DocumentReference", "Binary", "Task", "ValueSet"),
    *("Condition", "MedicationRequest", "Subscription", "SearchParameter", "Composition", "Group", "List"),
)
USERS = ("ann", "bob")


def fuzz(app: Any, types: tuple[str, ...], *, cover: int, examples: int, scenarios: int, seed: int) -> Report:
    """Drive an application in this process as one user."""
    user = User("ann", lambda name: schemathesis.openapi.from_asgi(f"/openapi/{name}.json", app), seed)
    user.cover(types, cover, beside=True)
    user.send_each(types, examples)
    user.follow_links(types, scenarios, steps=6)
    return user.report


def send_as(name: str, base: str, options: argparse.Namespace) -> Report:
    """Drive a server that listens as one user."""
    session = requests.Session()

    def open_schema(kind: str) -> Any:
        return schemathesis.openapi.from_url(f"{base}/openapi/{kind}.json", wait_for_schema=60)

    user = User(name, open_schema, options.seed, session)
    end = time.monotonic() + 60 * options.minutes
    for number, kind in enumerate(options.type or TYPES):
        user.cover((kind,), options.cover, beside=number == 0)
        user.follow_links((kind,), options.scenarios, options.steps)
        user.send_each((kind,), options.examples, beside=number == 0)
        if time.monotonic() > end:
            break
    return user.report


def run(options: argparse.Namespace) -> Report:
    """Start a server and one process for each user; the sum of what they report."""
    with tempfile.TemporaryDirectory(prefix="fhirwright-fuzz-") as folder:
        server, base = _serve(Path(folder), options.database)
        try:
            users = [_start(name, base, options) for name in USERS]
            outputs = [user.communicate()[0] for user in users]
        finally:
            server.terminate()
            server.wait(30)
    total = Report()
    for user, output in zip(users, outputs, strict=True):
        if user.returncode:
            raise RuntimeError("a user ended with an error of its own")
        total.add(json.loads(output.splitlines()[-1]))
    return total


def _serve(folder: Path, database: str | None) -> tuple[subprocess.Popen[bytes], str]:
    """A server on a port that the system chooses."""
    log = folder / "serve.log"
    command = [sys.executable, "-m", "server.cli", "serve", "--no-worker", "--open", "--port", "0"]
    command += ["--data", str(folder / "var")] + (["--database", database] if database else [])
    variables = {**os.environ, "FHIRWRIGHT_CODING": "off", "FHIRWRIGHT_LOG_REQUESTS": "problems"}
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stderr=stderr, env=variables)
    for _ in range(600):
        text = log.read_text()
        if "listens on " in text:
            return process, text.split("listens on ", 1)[1].split("/fhir", 1)[0]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"the server did not start: {log.read_text()}")


def _start(name: str, base: str, options: argparse.Namespace) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        __file__,
        "--user",
        name,
        "--base",
        base,
        "--seed",
        str(options.seed + USERS.index(name)),
    ]
    for option in ("cover", "examples", "scenarios", "steps", "minutes"):
        command += [f"--{option}", str(getattr(options, option))]
    for kind in options.type or ():
        command += ["--type", kind]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def main() -> int:
    """Fuzz a fresh server and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cover", type=int, default=200, help="requests at the limits, per operation and user")
    parser.add_argument("--examples", type=int, default=3, help="requests per operation and user, right and wrong each")
    parser.add_argument("--scenarios", type=int, default=8, help="scenarios along links, per type and user")
    parser.add_argument("--minutes", type=float, default=120, help="begin no other type after so long")
    parser.add_argument("--steps", type=int, default=12, help="requests in a scenario at most")
    parser.add_argument("--type", action="append", help="resource types; default: fifteen that differ")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--database", help="the URL of a PostgreSQL database; default: SQLite")
    parser.add_argument("--user", help=argparse.SUPPRESS)
    parser.add_argument("--base", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.user:
        print(json.dumps(send_as(options.user, options.base, options).as_dict()))
        return 0
    start = time.monotonic()
    report = run(options)
    seconds = time.monotonic() - start
    print(f"seed {options.seed}, {len(USERS)} users, {seconds:.0f} s: {report.requests} requests,")
    print(f"{report.stateful} of them in scenarios; {len(report.failures)} failures")
    print(", ".join(f"{status}: {count}" for status, count in sorted(report.statuses.items())))
    print("done: " + ", ".join(f"{method} {count}" for method, count in sorted(report.succeeded.items())))
    for failure in report.failures[:20]:
        print(failure)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
