"""What the terminology operations cost over HTTP, beside a Starlette route that answers the same bytes."""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from benchmarks._http_load import Load, Sent, drive, tool
from benchmarks.http import cpu_of, serving
from fhir_profiles.systems import ICD10CM
from terminology import open_terminology

RATIO, LATE = 0.7, 5.0
"""Least share of a bare route's requests per core, and most ms of the slowest hundredth at 8 clients."""

REPEATED = 100
"""Codes of a load whose answers the server has made before."""


@dataclass(frozen=True)
class Question:
    """One kind of call, for any code."""

    name: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    code: str = "code"

    def get(self, code: str) -> Sent:
        """The call by GET."""
        return Sent("GET", f"/fhir/{self.path}?{urlencode((*self.parameters, (self.code, code)))}")

    def post(self, code: str) -> Sent:
        """The call by POST."""
        listed = [*self.parameters, (self.code, code)]
        named = [{"name": name, _KEYS.get(name, "valueCode"): value} for name, value in listed]
        body = json.dumps({"resourceType": "Parameters", "parameter": named}, separators=(",", ":"))
        return Sent("POST", f"/fhir/{self.path}", body.encode())


_KEYS = {"url": "valueUri", "system": "valueUri"}
QUESTIONS = (
    Question("CodeSystem validate", "CodeSystem/$validate-code", (("url", ICD10CM),)),
    Question("CodeSystem lookup", "CodeSystem/$lookup", (("system", ICD10CM),)),
    Question(
        "ValueSet validate", "ValueSet/$validate-code", (("url", f"{ICD10CM}?fhir_vs"), ("system", ICD10CM))
    ),
    Question("CodeSystem subsumes", "CodeSystem/$subsumes", (("system", ICD10CM), ("codeA", "E11")), "codeB"),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """CPU in us a request of the server and of the bare route, their ratio, and what clients waited, in ms."""

    name: str
    ours: float
    bare: float
    ratio: float
    p50: float
    p99: float
    bare_p50: float
    bare_p99: float
    per_second: float

    def told(self) -> str:
        """The row of a table."""
        beyond = "" if self.ratio >= RATIO else "   below"
        late = "   late" if self.name.endswith("8") and self.p99 > LATE else ""
        return (
            f"{self.name:38}{self.ours:7.1f}{self.bare:7.1f}{1e6 / self.ours:9,.0f}{self.ratio:7.2f}"
            f"{self.per_second:9,.0f}{self.p50:8.2f}{self.p99:7.2f}{self.bare_p50:8.2f}{self.bare_p99:7.2f}"
            f"{beyond}{late}"
        )


HEAD = (
    f"{'question, way, codes, clients':38}{'us':>7}{'bare':>7}{'a core':>9}{'ratio':>7}"
    f"{'req/s':>9}{'p50':>8}{'p99':>7}{'bare 50':>8}{'99':>7}"
)


def codes(data: Path) -> list[str]:
    """Every code of ICD-10-CM, in an order of chance."""
    found = [c.code for c in open_terminology(data).concepts(ICD10CM) if "." in c.code or len(c.code) == 3]
    random.Random(4).shuffle(found)
    return found


def measure(base: str, pid: int, load: Load, seconds: float, clients: int) -> tuple[float, float, float, float]:
    """CPU in us a request, requests a second, median and 99 % in ms."""
    before = cpu_of(pid)
    result = drive(base, load, seconds, clients)
    if result.failed or not result.requests:
        raise RuntimeError(f"{result.failed} of {result.requests} requests like {load.sent[0].path} failed")
    spent = cpu_of(pid) - before
    return spent / result.requests * 1e6, result.requests / result.seconds, result.p50, result.p99


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """Every question by GET and POST, over codes that differ and codes that return, for one client and for eight."""
    every = codes(options.data)
    with tempfile.TemporaryDirectory(prefix="fhirwright-tx-") as name:
        body = Path(name) / "body"
        body.write_bytes(b"{}")
        environment = {"FHIRWRIGHT_DATABASE": f"sqlite:///{name}/bench.db", "FHIRWRIGHT_DATA": str(options.data)}
        environment |= {"FHIRWRIGHT_OPEN": "true", "FHIRWRIGHT_WORKER": "false", "FHIRWRIGHT_LOG_FORMAT": "json"}
        bare_app = "benchmarks._terminology_bare:app"
        with (
            serving("server.app:app_from_environment", environment, factory=True) as ours,
            serving(bare_app, {"BARE_BODY": str(body)}, http="httptools") as bare,
        ):
            for question in QUESTIONS:
                if options.only and options.only not in question.name:
                    continue
                for way in (question.get, question.post):
                    body.write_bytes(_first(ours[0], way(every[0])))
                    urllib.request.urlopen(f"{bare[0]}/healthz", timeout=5).read()
                    for kind in ("distinct", "repeated"):
                        for clients in (1, 8):
                            said = f"{question.name} {way.__name__.upper()} {kind} {clients}"
                            chosen = every if kind == "distinct" else every[:REPEATED]
                            yield _row(said, [way(code) for code in chosen], ours, bare, clients, options)


def _row(
    said: str, sent: list[Sent], ours: tuple[str, int], bare: tuple[str, int], clients: int, options: argparse.Namespace
) -> Row:
    found: list[tuple[tuple[float, ...], tuple[float, ...]]] = []
    for turn in range(options.rounds):
        at = turn * len(sent) // options.rounds
        load = Load((*sent[at:], *sent[:at]))
        a = measure(*ours, load, options.seconds, clients)
        found.append((a, measure(*bare, load, options.seconds, clients)))
    middle = [[statistics.median(one[side][n] for one in found) for n in range(4)] for side in (0, 1)]
    mine, theirs = middle
    ratio = statistics.median(b[0] / a[0] for a, b in found)
    return Row(said, mine[0], theirs[0], ratio, mine[2], mine[3], theirs[2], theirs[3], mine[1])


def _first(base: str, one: Sent) -> bytes:
    request = urllib.request.Request(f"{base}{one.path}", one.body or None, method=one.method)
    request.add_header("Content-Type", "application/fhir+json")
    answer: bytes = urllib.request.urlopen(request, timeout=30).read()
    return answer


def run(options: argparse.Namespace) -> int:
    """Measure and print; how many rows fall short."""
    print(
        f"load by {tool()}, {options.rounds} interleaved rounds of {options.seconds:g} s each; CPU of the server "
        f"process in us a request, medians; latencies in ms"
    )
    print(HEAD)
    short = 0
    for row in rows(options):
        print(row.told(), flush=True)
        short += row.ratio < RATIO
    return short
