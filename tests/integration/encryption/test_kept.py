"""What is kept beside resources is sealed too: people, grants, keys of the server, subscriptions, steps of jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fhir_profiles.errors import FhirError
from server.access.caller import Caller
from server.access.owning import keep_owner, owner_of
from server.audit.event import Event, decode, in_base64, line_of
from server.audit.hiding import reveal
from server.auth import keep
from server.auth.model import Authorization, Broken, Client, Context, Launch, Pending, Person, Session, Token
from server.auth.signing import Keys as SigningKeys
from server.interactions.fhir import Fhir
from server.jobs import unaided
from server.jobs.engine import Faulted, Jobs, State, Steps
from server.jobs.importing.fetch import Kept
from server.phi.keys import Keys
from server.settings import Settings
from server.store import Store, Tx, open_store
from server.store.resealing import close, encrypt, renew
from server.store.shredding import shred
from server.store.texts import opened
from server.store.version import Version
from tests.integration.encryption.conftest import ONE, caller, total

SECRET = "Zyxwvutq"
TABLES = ("person", "client", "session", "pending", "launch", "authorization", "token", "key")
FAR = 1 << 45
PERSON = Person(id="x", name=f"{SECRET}@example.org", password="hash", totp=SECRET)
CONTEXT = Context(patient="p1", fhir_context=({"identifier": {"value": SECRET}},))


def _fill(tx: Tx) -> None:
    """One row in each table, each with the secret in it."""
    now = keep.now()
    keep.put_person(tx, PERSON)
    keep.put_client(tx, Client(id="app", title=SECRET))
    keep.put_session(
        tx,
        Session(hash="s", person="x", began=now, seen=now, csrf="c", enrolling=SECRET, longest=FAR, idle=FAR),
    )
    pairs = (("login_hint", SECRET),)
    keep.put_pending(tx, Pending(hash="q", expires=FAR, pairs=pairs, client="app", scopes=(), context=CONTEXT))
    keep.put_launch(tx, Launch(hash="l", client="app", context=CONTEXT, expires=FAR))
    broken = (Broken("p1", FAR, f"about {SECRET}"),)
    keep.put_authorization(
        tx, Authorization(id="a", client="app", person="x", scopes=(), context=CONTEXT, broken=broken)
    )
    keep.put_token(tx, Token(hash="t", kind="access", authorization="a", expires=FAR, data={"nonce": SECRET}))
    keep_owner(tx, Version(7, "Subscription", "sub", 1, 0, "C", None, b""), Caller(who="x", user=SECRET))


def _read(store: Store) -> list[object]:
    """All of it, by the ways that the server reads it."""
    found = keep.live_token(store, "t")
    assert found is not None and found[1].broken[0].reason == f"about {SECRET}"
    owner = owner_of(store, "sub")
    assert owner is not None and owner.user == SECRET
    launch = store.write_sync(lambda tx: keep.take_launch(tx, "l", "app"))
    store.write_sync(lambda tx: keep.put_launch(tx, launch))
    assert keep.people(store) == [PERSON]
    return [
        keep.person_named(store, PERSON.name.upper()),
        keep.client(store, "app"),
        keep.session(store, "s"),
        keep.pending(store, "q"),
        launch,
        keep.authorizations_of(store, "x"),
        keep.token(store, "t"),
    ]


def _rows(store: Store) -> str:
    tables = (*(f"auth_{one}" for one in TABLES), "subscription_owner")
    return " ".join(str(store.query(f"SELECT * FROM {table}")) for table in tables).lower()


def test_what_the_authorization_server_keeps_is_sealed(store: Store) -> None:
    """Second factors, signing keys, launch contexts, reasons of emergencies and names of people are in no row."""
    store.write_sync(_fill)
    signing = SigningKeys(store)
    token = signing.sign({"sub": "x"})
    assert None not in _read(store)
    rows = _rows(store)
    assert SECRET.lower() not in rows
    assert '"d"' not in rows and '"kty"' not in rows
    list(renew(store))
    assert None not in _read(store) and _rows(store) != rows
    assert token.count(".") == 2 and signing.published()["keys"][0]["kty"] == "RSA"


def test_what_lies_apart_is_the_patients(store: Store) -> None:
    """A run that is kept apart is sealed with its patient's key, also when keys are renewed, and goes with it."""
    apart = "SELECT body FROM unaided_apart WHERE document = 'd'"
    store.write_sync(lambda tx: unaided.keep(tx, "d", {"said": SECRET}, "Patient/p"))
    before = store.query(apart)[0][0]
    list(renew(store))
    after = store.query(apart)[0][0]
    assert SECRET not in before + after and before != after
    assert SECRET in opened(store, "unaided_apart", "d", after)
    shred(store, "p")
    assert store.query(apart) == []
    with pytest.raises(FhirError):
        opened(store, "unaided_apart", "d", after)


def test_a_row_of_another_person_does_not_open(store: Store) -> None:
    """A second factor that is copied into somebody else's row is refused."""
    store.write_sync(_fill)
    other = msgspec.structs.replace(PERSON, id="y", name="other")
    store.write_sync(lambda tx: keep.put_person(tx, other))
    sql = "UPDATE auth_person SET data = (SELECT data FROM auth_person WHERE id = 'y') WHERE id = 'x'"
    store.write_sync(lambda tx: tx.execute(sql))
    with pytest.raises(FhirError):
        keep.person(store, "x")


def test_what_was_kept_in_clear_is_sealed_by_a_conversion(database_url: str) -> None:
    """`keys encrypt` seals people, grants, keys and steps of jobs that a clear server left, and they work on."""
    store = open_store(database_url, create=False)
    store.write_sync(_fill)
    SigningKeys(store).prepare()
    step = "INSERT INTO job_step (job, step, output) VALUES ('j', 's', ?)"
    store.write_sync(lambda tx: tx.execute(step, (json.dumps({"said": SECRET}),)))
    before = _read(store)
    assert SECRET.lower() in _rows(store)  # what looks for it finds it
    store.close()
    keys = Keys(lambda: {1: ONE})
    mixed = open_store(database_url, create=False, keys=keys, mixed=True)
    list(encrypt(mixed))
    close(mixed)
    mixed.close()
    sealed = open_store(database_url, create=False, keys=keys)
    assert _read(sealed) == before
    assert SECRET.lower() not in _rows(sealed) + str(sealed.query("SELECT * FROM job_step")).lower()
    assert SigningKeys(sealed).sign({}).count(".") == 2
    sealed.close()


class _Dbos:
    """What a step needs of DBOS: an id, and a record of what it answered."""

    workflow_id = "j"

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.errors: list[BaseException] = []

    def run_step(self, options: dict[str, str], function: Callable[[], Any]) -> Any:
        """Answer from the record, or run and record."""
        name = options["name"]
        try:
            self.kept[name] = self.kept[name] if name in self.kept else function()
        except Exception as error:
            self.errors.append(error)
            raise
        return self.kept[name]


def test_what_steps_of_jobs_answer_is_sealed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values of steps open for their job only, and neither DBOS nor our table holds them in clear."""
    import dbos

    records = _Dbos()
    monkeypatch.setattr(dbos, "DBOS", records)
    jobs = Jobs(postgres=store.dialect == "postgresql")
    monkeypatch.setattr(Jobs, "status", lambda *_: State.RUNNING)
    steps = Steps(jobs, store.write_sync, store.sealing)
    assert steps.step("one", lambda: {"said": SECRET}) == {"said": SECRET}
    assert steps.tx_step("two", lambda tx: [SECRET]) == [SECRET]
    del records.kept["two"]  # the worker died before DBOS noted it
    assert steps.tx_step("two", lambda tx: ["again"]) == [SECRET]
    assert SECRET not in str(records.kept) + str(store.query("SELECT * FROM job_step"))
    records.workflow_id = "other"
    with pytest.raises(FhirError):
        steps.step("one", lambda: None)


def test_dbos_keeps_the_kind_of_an_error_not_its_text(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that fails unexpectedly leaves no text that may quote data with the engine of jobs."""
    import dbos

    records = _Dbos()
    monkeypatch.setattr(dbos, "DBOS", records)
    steps = Steps(Jobs(postgres=False), store.write_sync, store.sealing)
    with pytest.raises(Faulted):
        steps.step("one", lambda: int(SECRET))
    [error] = records.errors
    assert str(error) == "ValueError" and error.__cause__ is None and error.__suppress_context__


def test_the_temporary_file_of_an_import_says_nothing(tmp_path: Path) -> None:
    """What an import fetched lies on the disk sealed with a key that only the process has."""
    kept = Kept(tmp_path)
    for part in (SECRET.encode() * 100, b"", b"end"):
        kept.write(part)
    kept._file.flush()
    kept._file.seek(0)
    raw = kept._file.read()
    assert SECRET.encode() not in raw and len(raw) > len(SECRET) * 100
    assert list(kept.parts()) == [SECRET.encode() * 100, b"", b"end"]


def test_events_hold_no_reason_no_query_and_no_id_that_never_was(store: Store) -> None:
    """What somebody wrote of an emergency, asked for, or took for an id is sealed in the audit trail, and opens."""
    found = Event(1, "update", 200, "Patient", "p1", 1, ("p1",), query=in_base64(f"PUT /fhir/Patient?name={SECRET}"))
    events = (
        found,
        Event(2, "break-glass", 200, patients=("p1",), purpose=f"{SECRET} unconscious"),
        Event(3, "read", 404, "Patient", SECRET, patients=(SECRET,)),
    )
    for event in events:
        store.write_sync(lambda tx, event=event: tx.audit(line_of(event)))  # type: ignore[misc]
    kept = store.query("SELECT data FROM audit_event ORDER BY seq")
    keys = store.query("SELECT key FROM audit_key ORDER BY key")
    assert SECRET not in str(kept) + str(keys) and found.query not in str(kept)
    assert keys == [("Patient/p1",), ("did break-glass",), ("did read",), ("did update",), ("ended 4",)]
    assert tuple(reveal(store.sealing, decode(bytes(row[0]))) for row in kept) == events


def test_urls_of_people_and_devices_are_hashed(store: Store, tmp_path: Path) -> None:
    """A URL that says who somebody is is found by the whole of it only; names of definitions and of ours stay."""
    call = caller(Fhir(store, Settings(data=tmp_path, open=True, validation="off")))
    url = f"https://{SECRET}.example/me"
    call("PUT", "Device/d", {"resourceType": "Device", "id": "d", "url": url, "meta": {"source": url}})
    profile = "http://hl7.org/fhir/StructureDefinition/vitalsigns"
    call("PUT", "Basic/b", {"resourceType": "Basic", "id": "b", "meta": {"profile": [profile]}, "code": {"text": "x"}})
    rows = str(store.query("SELECT value FROM idx_uri"))
    assert SECRET not in rows and profile in rows
    for query in (f"Device?url={url}", f"Device?_source={url}", f"Basic?_profile={profile}"):
        assert total(call, query) == 1
    assert total(call, "Device?url=https://other.example") == 0
    for query in (f"Device?url:below=https://{SECRET}.example", "Device?_sort=url"):
        with pytest.raises(FhirError):
            call("GET", query)
