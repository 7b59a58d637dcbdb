"""A small size of campaigns/phi.py: identifiers go into a real server and worker, and are looked for in every sink."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

from campaigns.phi import run, sound
from campaigns.planting.people import note, patient, people
from campaigns.planting.writing import FORMS, SHORTEST, Finder, encoded, in_base64, spoken
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import open_store
from tests.integration.encryption.conftest import caller

TWO = people(2, 7)
FINDER = Finder({(one.id, kind): value for one in TWO for kind, value in one.planted().items()})


def test_planted_identifiers_are_in_no_sink(tmp_path: Path, built: Path) -> None:
    """24 identifiers of twelve kinds are in no log, metric, span, error, header, file, backup, cache or export."""
    folder = tmp_path / "world"
    folder.mkdir()
    found = run("sqlite", TWO, folder, sealed=True, whole=False, terminology=built)
    assert {name: hits for name, (_, hits) in found.sinks.items() if hits} == {}
    assert sound(found) and found.planted == 24
    assert found.jobs >= 5 and found.calls > 200
    looked = {name for name, (size, _) in found.sinks.items() if size}
    assert {"metrics", "bodies of errors", "headers of answers", "logs at DEBUG, stdout and stderr"} <= looked
    assert {"OTLP: traces", "OTLP: metrics", "OTLP: logs"} <= looked
    assert {"backup: .backup", "backup: VACUUM INTO", "audit spool and checkpoints"} <= looked


def test_planted_identifiers_are_found_where_nothing_is_sealed(tmp_path: Path, sqlite_template: Path) -> None:
    """The same search finds what is planted in the file of a database that is not encrypted."""
    path = tmp_path / "clear.db"
    shutil.copy(sqlite_template, path)
    store = open_store(f"sqlite:///{path}", create=False)
    call = caller(Fhir(store, Settings(data=tmp_path, open=True, validation="off")))
    for one in TWO:
        call("PUT", f"Patient/{one.id}", patient(one))
    store.close()
    found = {who for who, _ in FINDER.find(path.read_bytes())}
    assert found == {(one.id, kind) for one in TWO for kind in one.planted()} - {
        (one.id, kind) for one in TWO for kind in ("member", "serial")
    }


def test_each_form_of_each_identifier_is_found() -> None:
    """However an identifier is written or encoded, wherever it stands, the search finds it and whose it is."""
    forms = set()
    for one in TWO:
        for kind, value in one.planted().items():
            for text in spoken(kind, value):
                for form, data in encoded(text):
                    if len(data) < SHORTEST:
                        continue
                    found = FINDER.find(b"x {" + data + b"} y")
                    assert (one.id, kind) in {who for who, _ in found}
                    assert found == FINDER.find(b"x {" + data.upper() + b"} y")
                    forms |= {form for _, form in found}
                assert all(len(piece) < 8 or FINDER.find(b"AAAA" + piece + b"BBBB") for piece in in_base64(text))
        for shift in range(3):
            whole = base64.b64encode(b"-" * shift + note(one).encode())
            assert {kind for (who, kind), _ in FINDER.find(whole) if who == one.id} == set(one.planted())
    assert forms | {"base64"} == {*FORMS}
    assert FINDER.find(b"nothing of the kind 0123456789 " * 100) == set()
