"""A watched folder: whole files once, whatever is killed, nothing through links."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

import server.doors.folder as place
from fhir_profiles.errors import Category, FhirError
from server.doors.folder import Folder, Rules
from server.interactions.fhir import Fhir

LATER = 10_000_000_000.0  # every file is old by then
SAMPLES = Path(__file__).parents[2] / "unit" / "doors" / "ccda_samples"


@pytest.fixture
def folder(fhir: Fhir, tmp_path: Path) -> Folder:
    """An empty folder that is watched."""
    (tmp_path / "in").mkdir()
    made = Folder(tmp_path / "in", fhir)
    made.prepare()
    return made


def looked(folder: Folder) -> list[tuple[str, str]]:
    """State and reason of what two looks took."""
    return [(one.state, one.reason) for one in folder.look(LATER) + folder.look(LATER)]


def names(folder: Folder, inside: str = "") -> set[str]:
    """The files in a folder."""
    return {path.name for path in (folder.root / inside).iterdir() if path.is_file() or path.is_symlink()}


def documents(folder: Folder) -> int:
    """How many DocumentReferences are stored, deleted ones too."""
    rows = folder.fhir.store.query("SELECT count(*) FROM resource WHERE type = 'DocumentReference'")
    return int(rows[0][0])


def test_files_of_all_kinds_are_sorted(folder: Folder) -> None:
    """What is stored lies in done, what is not in quarantine with its reason beside it."""
    (folder.root / "note.txt").write_text("Seen for asthma.")
    (folder.root / "ccd.xml").write_bytes((SAMPLES / "ccd.xml").read_bytes())
    (folder.root / "bomb.xml").write_bytes((SAMPLES / "entity_bomb.xml").read_bytes())
    (folder.root / "p.ndjson").write_text('{"resourceType":"Patient","id":"a"}\n{"resourceType":"Patient","id":"b"}\n')
    assert sorted(looked(folder)) == [("quarantined", "security"), *[("stored", "")] * 3]
    assert names(folder, "done") == {"note.txt", "ccd.xml", "p.ndjson"}
    assert names(folder, "quarantine") == {"bomb.xml", "bomb.xml.reason.json"}
    assert names(folder) == set()


def test_a_message_in_a_file_is_the_message_by_the_wire(folder: Folder) -> None:
    """HL7 v2 in a file is known by its control id, whichever way it comes."""
    message = (
        "MSH|^~\\&|ADT|MILL|FW|HERE|20240305143000-0500||ADT^A04^ADT_A01|C-1|P|2.5.1\rEVN|A04|20240305143000-0500\r"
        "PID|1||4471^^^MILL^MR||Fennimore^Odile||19610214|F\rPV1|1|O|||||||||||||||||V-1\r"
    )
    (folder.root / "a.hl7").write_text(message)
    assert looked(folder) == [("stored", "")]
    (folder.root / "b.hl7").write_text(message)
    assert [one.known for one in folder.look(LATER) + folder.look(LATER)] == [True]


def test_a_file_that_grows_is_left(folder: Folder) -> None:
    """Half-written files wait until two looks see the same, and until nothing changed for a while."""
    file = folder.root / "note.txt"
    for text in ("Seen", "Seen for", "Seen for asthma."):
        file.write_text(text)
        assert folder.look(LATER) == []
    assert folder.look(file.stat().st_mtime + 1) == []
    assert [one.state for one in folder.look(LATER)] == ["stored"]


@pytest.mark.parametrize("name", ["note.txt.part", ".note.txt", "note.tmp", "note.txt~"])
def test_files_that_are_being_written_by_their_name_are_left(folder: Folder, name: str) -> None:
    """Names that programs give to unfinished files."""
    (folder.root / name).write_text("Seen")
    assert looked(folder) == []


def test_killed_between_store_and_move_nothing_is_doubled(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next look knows the file, and moves it."""

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    (folder.root / "note.txt").write_text("Seen for asthma.")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(place, "_move", killed)
        looked(folder)
    assert (documents(folder), names(folder)) == (1, {"note.txt"})
    [outcome] = [*(again := Folder(folder.root, folder.fhir)).look(LATER), *again.look(LATER)]
    assert (outcome.state, outcome.known) == ("stored", True)
    assert (documents(folder), names(folder)) == (1, set())


def test_killed_before_the_commit_the_file_stays(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away leaves the file where it is; it is taken when the database is back."""

    def away(*_: Any) -> None:
        raise FhirError.of(Category.UNAVAILABLE, "transient", "away")

    (folder.root / "note.txt").write_text("Seen for asthma.")
    with monkeypatch.context() as patch:
        patch.setattr(folder.fhir.store, "write_sync", away)
        assert looked(folder) == []
    assert names(folder) == {"note.txt"}
    assert looked(folder) == [("stored", "")]


def test_links_and_other_things_are_refused(folder: Folder, tmp_path: Path) -> None:
    """A link is never followed, not as a file, not as a sidecar, not as the folder that files are moved to."""
    secret = tmp_path / "secret.txt"
    secret.write_text("not for anybody")
    (folder.root / "link.txt").symlink_to(secret)
    (folder.root / "note.txt").write_text("Seen for asthma.")
    (folder.root / "note.txt.json").symlink_to(secret)
    os.mkfifo(folder.root / "pipe")
    assert looked(folder) == [("quarantined", "security")] * 3
    assert documents(folder) == 0
    assert secret.read_text() == "not for anybody"
    (folder.root / "done").rmdir()
    (folder.root / "done").symlink_to(tmp_path)
    with pytest.raises(FhirError):
        folder.prepare()


def test_a_patient_by_sidecar_or_name(folder: Folder) -> None:
    """The file beside it wins; the name of the file says a number; both are moved."""
    (folder.root / "p.json").write_text(
        '{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:oid:1.2","value":"77"}]}'
    )
    looked(folder)
    folder.rules = Rules(re.compile(r"^(?P<mrn>\d+)_"), "urn:oid:1.2")
    (folder.root / "77_a.txt").write_text("Seen for asthma.")
    (folder.root / "b.txt").write_text("Seen for gout.")
    (folder.root / "b.txt.json").write_text('{"patient":"Patient/p"}')
    (folder.root / "78_c.txt").write_text("Seen for nothing.")
    assert sorted(looked(folder)) == [("quarantined", "conflict"), ("stored", ""), ("stored", "")]
    rows = folder.fhir.store.query("SELECT count(*) FROM resource WHERE type = 'DocumentReference'")
    assert rows == [(2,)]
    assert {"b.txt", "b.txt.json", "77_a.txt"} <= names(folder, "done")


def test_names_do_not_lead_out(folder: Folder) -> None:
    """Long names, names with spaces and line ends, and names that are there already."""
    for name in ("a b\n.txt", "x" * 250 + ".txt"):
        (folder.root / name).write_text(f"Seen {len(name)} times.")
    (folder.root / "bad.bin").write_bytes(b"PK\x03\x04")
    assert len(looked(folder)) == 3
    (folder.root / "bad.bin").write_bytes(b"PK\x03\x04!")
    looked(folder)
    assert {"bad.bin", "1-bad.bin"} <= names(folder, "quarantine")


def test_a_folder_has_one_watcher(folder: Folder) -> None:
    """A second process does not take the same files."""
    with folder.alone(), pytest.raises(FhirError) as refusal, Folder(folder.root, folder.fhir).alone():
        pass
    assert refusal.value.category is Category.BUSY


def test_one_look_takes_no_more_than_it_may(folder: Folder) -> None:
    """The rest is taken by the next ones."""
    folder.rules = Rules(most=2)
    for number in range(5):
        (folder.root / f"{number}.txt").write_text(f"Seen {number} times.")
    folder.look(LATER)
    assert [len(folder.look(LATER)) for _ in range(4)] == [2, 2, 1, 0]
