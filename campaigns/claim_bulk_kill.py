"""Kill server and workers at random while claims are taken in and answered again; every byte must be as without kills.

`make campaign NAME=claim_bulk_kill` sends 30,000 claims to $submit-bulk and 1,000 stored ones to $reprocess, on SQLite
and again on PostgreSQL, with 60 kills (SIGKILL) each, and writes docs/results/claim-bulk-kill.md.
"""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson

from campaigns.claiming.making import claim
from campaigns.kill import database
from campaigns.killing.command import asked, called
from campaigns.killing.processes import Fleet

REPORT = Path("docs/results/claim-bulk-kill.md")
NDJSON = {"content-type": "application/fhir+ndjson"}
LONGEST = 900.0
ON = "2026-10-01"


@dataclass
class Result:
    """What one run came to."""

    engine: str
    claims: int
    stored: int
    kills: Counter[str] = field(default_factory=Counter)
    files: int = 0
    different: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether every file is as without kills."""
        return self.files > 0 and not self.different


class Client:
    """A client that asks again while the server is away."""

    def __init__(self, base: str) -> None:
        self._http = httpx.Client(base_url=base, timeout=60, trust_env=False)

    def ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        """The answer, which is none of a server that is away."""
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            try:
                answer = self._http.request(method, url, **more)
                if answer.status_code < 500:
                    return answer
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        raise RuntimeError("the server did not come back")

    def kick_off(self, url: str, **more: Any) -> str:
        """The status URL."""
        answer = self._http.request("POST", url, timeout=LONGEST, **more)  # once: asking again would begin a second job
        if answer.status_code != 202:
            raise RuntimeError(f"{url} was answered with {answer.status_code}: {answer.text[:500]}")
        return answer.headers["content-location"]

    def result(self, status: str) -> dict[str, Any] | None:
        """What became of it; None while it runs."""
        answer = self.ask("GET", status)
        if answer.status_code == 202:
            return None
        if answer.status_code != 200:
            raise RuntimeError(f"the job ended with {answer.status_code}: {answer.text[:500]}")
        return dict(answer.json())

    def digests(self, result: dict[str, Any]) -> dict[str, str]:
        """The digest of every file that a result names, by the end of its URL."""
        urls = sorted(set(re.findall(r'"(http[^"]+/\$file/[^"]+)"', orjson.dumps(result).decode())))
        bodies = {url: self.ask("GET", url) for url in urls}
        if any(answer.status_code != 200 for answer in bodies.values()):
            raise RuntimeError("a file cannot be read")
        return {url.rpartition("/")[2]: hashlib.sha256(one.content).hexdigest() for url, one in bodies.items()}


def made(count: int, seed: int, name: str) -> bytes:
    """Claims as NDJSON; every fifth charges less than nothing, and a few lines are no claims."""
    dice, lines = random.Random(seed), []
    for number in range(count):
        found = {**claim(dice, number), "id": f"{name}{number}"}
        for item in found["item"]:
            item["quantity"]["system"] = "urn:units"
        if number % 5 == 0:
            found["item"][0]["net"]["value"] = -5
        lines.append(orjson.dumps(found))
        if number % 1000 == 999 and name == "b":
            lines.append(b"{nonsense")
    return b"\n".join(lines) + b"\n"


def follow(
    client: Client, fleet: Fleet, status: str, kills: int, dice: random.Random, seen: Counter[str]
) -> dict[str, Any]:
    """The result of a job, while so many processes are killed."""
    deadline, done = time.monotonic() + LONGEST, 0
    while time.monotonic() < deadline:
        if done < kills:
            victim = dice.choice(fleet.names)
            fleet.wait_ready(victim)
            time.sleep(dice.uniform(0.05, 0.8))
            fleet.kill(victim)
            seen[victim] += 1
            done += 1
        if (found := client.result(status)) is not None:
            return found
        time.sleep(0.1)
    raise RuntimeError("the job did not end")


def run(url: str, result: Result, data: Path, kills: int, seed: int) -> None:
    """Both jobs without kills, then with them; what differs."""
    dice, began = random.Random(seed), time.monotonic()
    many, stored = made(result.claims, seed, "b"), made(result.stored, seed + 1, "s")
    with Fleet(url, data) as fleet:
        client, calm = Client(fleet.base_url), Counter[str]()
        client_result = follow(client, fleet, client.kick_off("$import", content=stored, headers=NDJSON), 0, dice, calm)
        if sum(one["count"] for one in client_result["output"]) != result.stored:
            raise RuntimeError("not every claim was stored")
        bulk = {"url": f"Claim/$submit-bulk?on={ON}", "content": many, "headers": NDJSON}
        again = "Claim/$reprocess?outcome=none,partial,error"
        dry = follow(client, fleet, client.kick_off(f"{again}&dryRun=true"), 0, dice, calm)
        wet = follow(client, fleet, client.kick_off(again), kills // 3, dice, result.kills)
        judge(result, {**client.digests(dry), "sums": _sums(dry)}, {**client.digests(wet), "sums": _sums(wet)})
        expected = client.digests(follow(client, fleet, client.kick_off(**bulk), 0, dice, calm))
        while (left := kills - result.kills.total()) > 0:
            judge(
                result,
                expected,
                client.digests(follow(client, fleet, client.kick_off(**bulk), left, dice, result.kills)),
            )
    result.seconds = time.monotonic() - began


def judge(result: Result, expected: dict[str, str], found: dict[str, str]) -> None:
    """Count the files, and those that differ."""
    result.files += len(expected)
    result.different += sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))


def _sums(result: dict[str, Any]) -> str:
    """The sums of a $reprocess, without what must differ."""
    apart = ("moment", "dryRun", "output")
    return orjson.dumps([one for one in result["parameter"] if one["name"] not in apart]).decode()


def line(r: Result) -> str:
    """A row of the page."""
    victims = ", ".join(f"{name} {number}" for name, number in sorted(r.kills.items()))
    return (
        f"| {r.engine} | {r.kills.total()} ({victims}) | {r.claims} | {r.stored} | {r.files} "
        f"| {len(r.different)} | {r.seconds:.0f} s |"
    )


def page(command: str, results: list[Result]) -> str:
    """The result page."""
    names = ("database", "kills", "claims in bulk", "claims answered again", "files", "different", "took")
    return "\n".join(
        [
            "# kill -9 of claims on the server",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, `{command}`",
            "",
            "One server and two workers are killed at random with SIGKILL and started again while `Claim/$submit-bulk`",
            "and `Claim/$reprocess` are at work. Every file that they give, and the sums of the latter, must be byte",
            "for byte those of a run without kills.",
            "",
            "| " + " | ".join(names) + " |",
            "|" + "---|" * len(names),
            *(line(result) for result in results),
            "",
        ]
    )


def main() -> int:
    """The command line."""
    given = asked(__doc__, 60, REPORT, {"claims": 30_000, "stored": 1_000}, None)
    results = []
    base = Path(tempfile.mkdtemp(prefix="fhirwright-claims-"))
    base.chmod(0o755)
    try:
        for engine in given.engine:
            (folder := base / engine).mkdir()
            (data := folder / "data").mkdir()
            for known in ("terminology", "claims") if given.data else ():
                (data / known).symlink_to(given.data / known)
            result = Result(engine, given.claims, given.stored)
            with database(engine, folder) as url:
                run(url, result, data, given.kills, given.seed)
            results.append(result)
            print(line(result), *result.different, flush=True)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    given.report.write_text(page(called("claim_bulk_kill"), results))
    return 0 if all(result.sound for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
