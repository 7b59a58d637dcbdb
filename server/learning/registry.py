"""Versions of the model in the database, which every machine sees alike: their files, states, and which of them codes.

A version is named by the hash of its files, so that the same training makes the same version. Model registries:
https://mlflow.org/docs/latest/model-registry.html
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.store import Tx
from server.store.texts import View, opened, sealed

PACKAGE = "package"
"""The name of the version that the software brings."""
LOCK = "learning"
MOST_BYTES = 64 << 20
"""Of a file, before it is packed."""
State = Literal["candidate", "refused", "shadow", "ready", "champion", "retired"]


class Version(msgspec.Struct, frozen=True):
    """A version: `at` is milliseconds since 1970; `data` holds its files' hashes, its report and its card."""

    id: str
    at: int
    state: State
    data: dict[str, Any]


class Change(msgspec.Struct, frozen=True):
    """From when on which version codes, and why."""

    number: int
    at: int
    version: str
    kind: Literal["promote", "rollback"]
    who: str
    why: str


def put_file(tx: Tx, data: bytes) -> str:
    """The hash under which a file is kept; the same file is kept once."""
    if len(data) > MOST_BYTES:
        raise FhirError.of(Category.INCORRECT, "too-costly", f"A file of a model may have {MOST_BYTES} bytes.")
    name = hashlib.sha256(data).hexdigest()
    if not tx.query("SELECT 1 FROM learn_file WHERE hash = ?", (name,)):
        text = sealed(tx, "learn_file", name, base64.b64encode(zlib.compress(data)).decode())
        tx.execute("INSERT INTO learn_file (hash, body) VALUES (?, ?)", (name, text))
    return name


def file(view: View, name: str) -> bytes:
    """A file by its hash. FhirError where it is gone or damaged."""
    rows = view.query("SELECT body FROM learn_file WHERE hash = ?", (name,))
    data = zlib.decompress(base64.b64decode(opened(view, "learn_file", name, rows[0][0]))) if rows else b""
    if hashlib.sha256(data).hexdigest() != name:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "A file of the model is not as it was stored.")
    return data


def name_of(files: Mapping[str, bytes]) -> str:
    """The name of the version that these files make."""
    whole = hashlib.sha256()
    for name, data in sorted(files.items()):
        whole.update(name.encode() + hashlib.sha256(data).digest())
    return whole.hexdigest()[:16]


def put_version(tx: Tx, files: Mapping[str, bytes], data: Mapping[str, Any]) -> str:
    """Keep a version as a candidate; one that is there already stays as it is."""
    name = name_of(files)
    if version(tx, name) is None:
        hashes = {one: put_file(tx, content) for one, content in files.items()}
        text = _text({**data, "files": hashes})
        row = (name, tx.now // 1000, "candidate", text)
        tx.execute("INSERT INTO learn_version (id, at, state, data) VALUES (?, ?, ?, ?)", row)
    return name


def files_of(view: View, name: str) -> dict[str, bytes]:
    """The files of a version."""
    if name == PACKAGE:
        from extractors.learn.models import package_files

        return package_files()
    return {one: file(view, hash_) for one, hash_ in known(view, name).data["files"].items()}


def version(view: View, name: str) -> Version | None:
    """A version; None where there is none of the name."""
    return next(_versions(view, "WHERE id = ?", (name,)), None)


def known(view: View, name: str) -> Version:
    """The same, FhirError NOT_FOUND where there is none."""
    found = version(view, name)
    if found is None:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no version of this name: see learn history.")
    return found


def versions(view: View) -> list[Version]:
    """All of them, the newest first."""
    return list(_versions(view, "ORDER BY at DESC, id"))


def challenger(view: View) -> Version | None:
    """The version that codes in the shadow; the newest."""
    return next(_versions(view, "WHERE state = 'shadow' ORDER BY at DESC, id"), None)


def note(tx: Tx, name: str, state: State | None = None, **told: Any) -> None:
    """Tell more of a version, or another state."""
    before = known(tx, name)
    row = (state or before.state, _text({**before.data, **told}), name)
    tx.execute("UPDATE learn_version SET state = ?, data = ? WHERE id = ?", row)


def champion(view: View) -> str:
    """The version that codes documents now."""
    rows = view.query("SELECT version FROM learn_change ORDER BY number DESC LIMIT 1")
    return str(rows[0][0]) if rows else PACKAGE


def history(view: View) -> list[Change]:
    """Every change of the version that codes, the newest first."""
    rows = view.query("SELECT number, at, version, kind, who, why FROM learn_change ORDER BY number DESC")
    return [Change(*row) for row in rows]


def promote(tx: Tx, name: str, who: str, why: str, kind: Literal["promote", "rollback"] = "promote") -> bool:
    """Let a version code from now on; False where it does already. FhirError where there is none, or it may not."""
    tx.lock(LOCK)
    now = champion(tx)
    if name == now:
        return False
    if name != PACKAGE and known(tx, name).state == "candidate":
        raise FhirError.of(Category.CONFLICT, "conflict", "The version was not measured yet.")
    if now != PACKAGE:
        note(tx, now, "retired")
    if name != PACKAGE:
        note(tx, name, "champion")
    for other in versions(tx):
        if other.state in ("shadow", "ready"):  # they were measured against another
            note(tx, other.id, "retired")
    [(number,)] = tx.query("SELECT coalesce(max(number), 0) + 1 FROM learn_change")
    row = (number, tx.now // 1000, name, kind, who, why)
    tx.execute("INSERT INTO learn_change (number, at, version, kind, who, why) VALUES (?, ?, ?, ?, ?, ?)", row)
    return True


def roll_back(tx: Tx, name: str | None, who: str, why: str) -> str:
    """Let an earlier version code again: the one before, or any that did before; its name."""
    tx.lock(LOCK)
    past: list[str] = [one.version for one in history(tx)]
    earlier = [one for one in (*past[1:], PACKAGE) if one != champion(tx)]
    wanted = name or (earlier[0] if earlier and past else None)
    if wanted is None or wanted not in earlier:
        raise FhirError.of(Category.CONFLICT, "conflict", "No such version has coded before: see learn history.")
    promote(tx, wanted, who, why, "rollback")
    return wanted


def count(tx: Tx, name: str, measures: Mapping[str, int]) -> None:
    """Add to what a version would have done in the shadow."""
    for measure, more in sorted(measures.items()):
        tx.execute(_COUNT, (name, measure, more))


def shadow(view: View, name: str) -> dict[str, int]:
    """What a version would have done in the shadow."""
    return dict(view.query("SELECT measure, count FROM learn_shadow WHERE version = ? ORDER BY measure", (name,)))


def _versions(view: View, where: str, params: Sequence[Any] = ()) -> Iterator[Version]:
    for name, at, state, data in view.query(f"SELECT id, at, state, data FROM learn_version {where}", params):
        yield Version(name, at, state, msgspec.json.decode(data))


def _text(data: Mapping[str, Any]) -> str:
    return msgspec.json.encode(data).decode()


_COUNT = (
    "INSERT INTO learn_shadow (version, measure, count) VALUES (?, ?, ?)"
    " ON CONFLICT (version, measure) DO UPDATE SET count = learn_shadow.count + excluded.count"
)
