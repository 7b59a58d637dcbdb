"""Plant identifiers on every road into the server, then look for them in every place that it leaves bytes in.

`make campaign NAME=phi` drives a closed server and its worker, sealed, on SQLite and on PostgreSQL, with 204
identifiers of twelve kinds, and once more unsealed, where the search must find them. It writes docs/results/phi.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from campaigns.furnishing import furnish
from campaigns.planting.acts import Client, Told, ask, err, later, sign_in, store
from campaigns.planting.collector import Collector
from campaigns.planting.people import KINDS, Person, note, patient, people
from campaigns.planting.sinks import STREAMED, asked, backed_up, drop, examined, streamed
from campaigns.planting.world import Outside, World, content, postgresql, wait_for
from campaigns.planting.writing import FORMS, Finder, several

REPORT = Path("docs/results/phi.md")
TOKEN = "a-token-of-the-campaign"
ROLE = "clinician"
SIGNALS = ("traces", "metrics", "logs")
SENT = 6
"""People of whom files come by a watched folder."""

Found = set[tuple[tuple[str, str], str]]


@dataclass
class Result:
    """What one run came to."""

    engine: str
    sealed: bool
    planted: int = 0
    calls: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    jobs: int = 0
    sinks: dict[str, tuple[int, Found]] = field(default_factory=dict)
    """By name: how many bytes were looked through, and what was found."""

    prompts: int | None = None
    """How many questions a language model was asked; None where nothing was coded."""

    absent: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def found(self) -> set[tuple[str, str]]:
        """The identifiers that were found anywhere."""
        return {name for _, found in self.sinks.values() for name, _ in found}


def run(
    engine: str, several_people: list[Person], folder: Path, *, sealed: bool, whole: bool, terminology: Path
) -> Result:
    """One run: start, plant, look."""
    began = time.monotonic()
    planted = {(one.id, kind): value for one in several_people for kind, value in one.planted().items()}
    finder, result = Finder(planted), Result(engine, sealed, len(planted))
    lines = b"\n".join(json.dumps(patient(one)).encode() for one in several_people)
    with ExitStack() as stack:
        outside = Outside({"/Patient.ndjson": lines})
        stack.callback(outside.close)
        url, cluster = f"sqlite:///{folder / 'phi.db'}", None
        if engine == "postgresql":
            url, cluster = stack.enter_context(postgresql(Path(tempfile.mkdtemp(prefix="fhirwright-phi-pg-"))))
        collector = Collector()
        stack.callback(collector.close)
        world = World(folder, url, _more(outside, whole=whole) | _telling(collector), sealed=sealed)
        stack.callback(world.clean)
        furnish(world.data, terminology)
        world.start(worker=sealed)
        stack.callback(world.stop)
        printed, told = list[bytes](), Told()
        _let_in(world, several_people)
        unnamed = _plant(world, outside, several_people, told, printed, result, whole=whole)
        if sealed:
            for name, parts in drop(world, several_people[:SENT]):
                _note(result, finder, name, parts)
            for name, parts in backed_up(world):
                _note(result, finder, name, parts)
            _note(result, finder, "what doctor prints", examined(world))
        _note(result, finder, "metrics", [world.metrics()])
        _note(result, finder, "unnamed temporary files", unnamed)
        live = list(cluster.rglob("*")) if cluster else sorted(folder.glob("phi.db*"))
        _note(result, finder, "database files and log (WAL), running", content(live))
        for name, files in world.backups():
            _note(result, finder, name, content(files))
        world.stop()
        stopped = list(cluster.rglob("*")) if cluster else sorted(folder.glob("phi.db*"))
        _note(result, finder, "database files and log, stopped", content(stopped))
        _note(result, finder, "logs at DEBUG, stdout and stderr", content([world.log]))
        _note(result, finder, "what commands print", printed)
        _note(result, finder, "bodies of errors", told.errors)
        _note(result, finder, "headers of answers", told.heads)
        for signal in SIGNALS:
            _note(result, finder, f"OTLP: {signal}", collector.sent(signal))
        if sealed:
            messages = streamed(world)
            _note(result, finder, f"Kafka: {len(messages)} messages of `stream out`", messages)
            name = f"questions to the policy but `patients` ({len(outside.questions)})"
            _note(result, finder, name, asked(outside.questions))
        _files(result, finder, world)
        _prompts(result, finder, outside, whole=whole)
        result.calls, result.statuses = told.calls, told.statuses
    result.seconds = time.monotonic() - began
    return result


def _files(result: Result, finder: Finder, world: World) -> None:
    """Look through the data directory and the temporary one."""
    _note(result, finder, "temporary directory", content(list(world.temp.rglob("*"))))
    left = [path for path in world.folder.rglob("*") if path.is_file() and path.parent != world.folder]
    left = [path for path in left if not path.is_relative_to(world.temp)]
    caches = [path for path in left if "cache" in path.parts]
    trail = [path for path in left if any("audit" in part for part in path.relative_to(world.folder).parts)]
    _note(result, finder, "page images and caches", content(caches))
    _note(result, finder, "audit spool and checkpoints", content(trail))
    rest = [path for path in left if path not in {*caches, *trail}]
    _note(result, finder, "data directory, the rest", content(rest))


def _telling(collector: Collector) -> dict[str, str]:
    """Send all that can be sent over OTLP."""
    return {
        "FHIRWRIGHT_TELEMETRY": json.dumps(SIGNALS),
        "FHIRWRIGHT_TRACE_TRUST": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_METRIC_EXPORT_INTERVAL": "2000",
    }


def _more(outside: Outside, *, whole: bool) -> dict[str, str]:
    more = {"FHIRWRIGHT_STREAM_OUT_TYPES": STREAMED, "FHIRWRIGHT_POLICY_URL": f"{outside.url}/policy"}
    if not whole:
        return {**more, "FHIRWRIGHT_CODING": "off"}
    more |= {"FHIRWRIGHT_WORKER_DOCUMENTS": "1"}
    return more | {
        "FHIRWRIGHT_ADJUDICATION": "on",
        "FHIRWRIGHT_ADJUDICATION_URL": f"{outside.url}/v1",
        "FHIRWRIGHT_ADJUDICATION_MODEL": "local",
        "FHIRWRIGHT_ADJUDICATION_LOW": "0",
        "FHIRWRIGHT_ADJUDICATION_HIGH": "1",
    }


def _let_in(world: World, several_people: list[Person]) -> None:
    """A token of somebody who may do all, one of a clinician, launches about people, and people with telling names."""
    from server.auth import keep
    from server.auth.model import Authorization, Client, Context, Launch, Person, Token
    from server.auth.secrets import digest
    from server.phi.keys import Keys, parse
    from server.store import Tx, open_store

    sealed = "FHIRWRIGHT_ENCRYPTION" in world.environment
    opened = open_store(world.url, create=False, keys=Keys(lambda: parse(world.keys.read_text())) if sealed else None)
    first = several_people[0]
    context = Context(
        patient=first.id, fhir_context=tuple({"identifier": {"value": one.mrn}} for one in several_people)
    )

    def put(tx: Tx) -> None:
        for token, person, scopes in ((TOKEN, None, "system/*.cruds"), (ROLE, "who", "user/*.cruds")):
            one = Authorization(
                id=token,
                client="app",
                person=person,
                scopes=(scopes,),
                context=context,
                roles=(ROLE,) if person else (),
            )
            kept = Token(hash=digest(token), kind="access", authorization=token, expires=1 << 45, scopes=one.scopes)
            keep.put_authorization(tx, one)
            keep.put_token(tx, kept)
        keep.put_client(tx, Client(id="app", title=first.family, redirects=(first.url,)))
        keep.put_person(tx, Person(id="who", name=first.email, password="", roles=(ROLE,)))
        keep.put_launch(tx, Launch(hash="x", client="app", context=context, expires=1 << 45))

    opened.write_sync(put)
    opened.close()


def _plant(
    world: World,
    outside: Outside,
    several_people: list[Person],
    told: Told,
    printed: list[bytes],
    result: Result,
    *,
    whole: bool,
) -> list[bytes]:
    """Take every road; what lay in temporary files without a name meanwhile."""
    base = f"{world.origin}/fhir/"
    client, clinician = Client(base, TOKEN, told), Client(base, ROLE, told)
    unnamed: list[bytes] = []
    for number, one in enumerate(several_people):
        store(client, one, number, scans=whole)
        if not result.sealed:  # what looks for identifiers need only find them
            continue
        ask(client, one, number)
        err(client, one, number)
        sign_in(client, world.origin, one, number)
        if number < 3:
            ask(clinician, one, number)
    answers = []

    def wait(url: str) -> None:
        unnamed.extend(world.unnamed())
        answers.append(wait_for(url, TOKEN))

    if result.sealed:
        later(client, outside.url, several_people, wait)
    result.jobs = len(answers)
    told.errors += [answer for answer in answers if not answer.startswith(b"200")]
    first = several_people[0]
    if whole:
        _finish(client)
        printed += [
            world.command("user", "add", first.email, "--role", "clinician", given="a staple of horses\n"),
            world.command("launch", "create", "--client", first.mrn, "--patient", first.mrn),
            world.command("code", "-", given=note(first)[:0]),
        ]
    client.close()
    clinician.close()
    return unnamed


def _finish(client: Client) -> None:
    """Wait until documents are coded, or cannot be."""
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        left = (
            client.ask("GET", "Task?status=requested,accepted,in-progress,ready&_summary=count").json().get("total", 0)
        )
        if not left:
            return
        time.sleep(2)


def _note(result: Result, finder: Finder, name: str, parts: Iterable[bytes]) -> None:
    size = 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for part in parts:
            size += len(part)
            yield part

    found = several(finder, counted())
    result.sinks[name] = (size, found)


def _prompts(result: Result, finder: Finder, outside: Outside, *, whole: bool) -> None:
    if not whole:
        result.absent.append("prompts: none was sent, coding is off")
        return
    result.prompts = len(outside.prompts)
    _note(result, finder, f"prompts to the language model ({result.prompts})", outside.prompts)


def page(command: str, results: list[Result]) -> str:
    """The result page."""
    lines = ["# Planted identifiers", "", f"{datetime.now(UTC):%Y-%m-%d}, `{command}`", ""]
    kinds = ", ".join(KINDS)
    lines += [
        f"Identifiers of {len(KINDS)} kinds ({kinds}) go in by resources, documents",
        "(text, UTF-16, PDF, scan, broken), claims, searches by GET and POST, headers, wrong bodies and addresses,",
        "subscriptions, imports, exports, requests answered later, operations, sign-in, launches and emergencies.",
        f"Each is looked for in every sink, whatever the case: {', '.join(FORMS)};",
        "dates, numbers and addresses in several spellings, names each alone.",
        "",
    ]
    for one in results:
        title = f"{one.engine}, {'sealed' if one.sealed else 'control: encryption off'}"
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(one.statuses.items()))
        lines += [
            f"## {title}",
            "",
            f"{one.planted} identifiers, {one.calls} calls ({statuses}), {one.jobs} jobs, {one.seconds:.0f} s.",
            "",
        ]
        lines += ["| sink | MB | identifiers found | in which forms |", "|---|---|---|---|"]
        for name, (size, found) in one.sinks.items():
            forms = ", ".join(sorted({form for _, form in found}))
            lines.append(f"| {name} | {size / 1e6:.1f} | {len({who for who, _ in found})} | {forms} |")
        lines += ["", *(f"- {text}" for text in one.absent), ""]
    return "\n".join(lines)


def sound(one: Result) -> bool:
    """Whether nothing was found where all is sealed, a model being asked, and everything where nothing is."""
    if one.sealed:
        return not one.found and one.prompts != 0
    files = set().union(*(found for name, (_, found) in one.sinks.items() if name.startswith("database")))
    return len({name for name, _ in files}) == one.planted


def _fresh(engine: str, everybody: list[Person], data: Path, *, sealed: bool, whole: bool) -> Result:
    """A run in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="fhirwright-phi-"))
    try:
        made = run(engine, everybody, folder, sealed=sealed, whole=whole, terminology=data)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, (size, found) in made.sinks.items():
        print(engine, sealed, name, size, sorted(found)[:12], flush=True)
    print(engine, made.statuses, made.jobs, made.absent, f"{made.seconds:.0f} s", flush=True)
    return made


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=17)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--small", action="store_true", help="no coding of documents")
    parser.add_argument("--data", type=Path, default=Path("var"), help="data directory with a terminology")
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args()
    everybody, engines = people(given.people, given.seed), given.engine or ["sqlite", "postgresql"]

    def both(engine: str) -> list[Result]:
        return [
            _fresh(engine, everybody, given.data, sealed=sealed, whole=sealed and not given.small)
            for sealed in (True, False)
        ]

    with ThreadPoolExecutor(len(engines)) as at_once:
        results = [one for pair in at_once.map(both, engines) for one in pair]
    given.report.parent.mkdir(parents=True, exist_ok=True)
    given.report.write_text(page("python -m campaigns.phi " + " ".join(sys.argv[1:]), results))
    return 0 if all(sound(one) for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
