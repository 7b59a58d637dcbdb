"""Signed checkpoints outside of the database: where the chain stood, and a fingerprint of each event before it.

The signature is Ed25519 (https://www.rfc-editor.org/rfc/rfc8032). Whoever rewrites the chain from some event on, hashes
and all, cannot make the file agree; the fingerprints tell which events were meddled with.
"""

from __future__ import annotations

import base64
import fcntl
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from server.observability import describe
from server.settings import Settings
from server.store import Store, Tx
from server.store.ledger import PRINT

FILE, KEY, PUBLIC = "checkpoints.ndjson", "checkpoint.key", "checkpoint.pub"
TAIL = 1024 * 1024
"""Bytes at the end of the file that hold its last lines, the longest of which has some 80 KB."""

MOST = 10_000
"""Events that one checkpoint covers at most."""

ROWS = 1000
"""Rows of the chain that one checkpoint covers at most."""

_log = structlog.get_logger("audit")
_NEXT = f"SELECT seq, hash, prints FROM audit_event WHERE seq > ? ORDER BY seq LIMIT {ROWS}"


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The chain after event `seq`; `before` is the hash of the checkpoint line before this one."""

    seq: int
    since: int
    """The event before the first of this checkpoint's."""

    hash: str
    at: int
    before: str
    prints: str
    """Base64 of `ledger.PRINT` bytes of the SHA-256 of each event in it."""

    signer: str
    """The public key, in base64."""

    signature: str = ""


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """A line that says that the events up to `pruned` were taken away; `hash` is that of the last of them."""

    pruned: int
    seq: int
    """Up to where the line before this one signs."""

    hash: str
    at: int
    before: str
    signer: str
    signature: str = ""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """A line that says that a database was restored whose chain ends with event `restored`, of this hash.

    The lines before it about events after `seq` are void: their events are not in what was restored.
    """

    restored: int
    seq: int
    """Up to where the last line signs that still holds."""

    hash: str
    at: int
    before: str
    signer: str
    signature: str = ""


Entry = Checkpoint | Pruned | Restored
PRUNED, RESTORED = '{"pruned":', '{"restored":'
"""How lines of the other kinds begin."""


def payload(entry: Entry) -> bytes:
    """What is signed."""
    return msgspec.json.encode(msgspec.structs.replace(entry, signature=""))


def is_genuine(entry: Entry) -> bool:
    """Whether its signer has signed it."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(entry.signer))
        key.verify(base64.b64decode(entry.signature), payload(entry))
    except (InvalidSignature, ValueError):
        return False
    return True


def load_key(folder: Path) -> Ed25519PrivateKey:
    """The key that checkpoints bear; the first process makes it, for its owner's eyes only."""
    path = folder / KEY
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        raw = made.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(base64.b64encode(raw) + b"\n")
        (folder / PUBLIC).write_text(public(made) + "\n")
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes()))


def public(key: Ed25519PrivateKey) -> str:
    """The public half, in base64."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def read_checkpoints(text: str) -> Iterator[tuple[str, Entry]]:
    """Lines and what they say; msgspec.DecodeError for one that is none."""
    for line in text.splitlines():
        if line:
            kind: type[Entry] = Checkpoint
            if line.startswith((PRUNED, RESTORED)):
                kind = Pruned if line.startswith(PRUNED) else Restored
            yield line, msgspec.json.decode(line, type=kind)


def holding(lines: Iterable[tuple[str, Entry]]) -> list[tuple[str, Entry]]:
    """Those lines that no restore made void: after one, what was signed of later events does not hold."""
    kept: list[tuple[str, Entry]] = []
    for line, told in lines:
        if isinstance(told, Restored):
            kept = [(before, one) for before, one in kept if not _is_void(one, told)]
        kept.append((line, told))
    return kept


def _is_void(one: Entry, told: Restored) -> bool:
    if isinstance(one, Checkpoint):
        return one.seq > told.seq
    return isinstance(one, Restored) and one.restored > told.restored


def signed_line(entry: Entry, key: Ed25519PrivateKey) -> str:
    """The line that tells of it, with its signature."""
    signature = base64.b64encode(key.sign(payload(entry))).decode()
    return msgspec.json.encode(msgspec.structs.replace(entry, signature=signature)).decode()


def _tail(path: Path) -> str:
    """The last lines of a file: enough to go on from."""
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        begin = max(file.tell() - TAIL, 0)
        file.seek(begin)
        found = file.read().decode()
    return found.partition("\n")[2] if begin else found


def _append(path: Path, line: str) -> None:
    """Add a line, on the disk itself."""
    with path.open("a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


class Checkpoints:
    """Adds checkpoints to the file, and to the database where they can be compared."""

    def __init__(self, store: Store, folder: Path, settings: Settings) -> None:
        self._store = store
        self._folder = folder
        self._every = settings.audit_checkpoint_events
        self._seconds = settings.audit_checkpoint_seconds
        self._command = settings.audit_checkpoint_command
        self._url = settings.audit_checkpoint_url
        self._signed = time.monotonic()

    def advance(self, *, last: bool = False) -> int:
        """Sign what has come, when it is much or has waited; at the end in any case. How many lines that made."""
        [(head,)] = self._store.query("SELECT coalesce(max(seq), 0) FROM audit_event")
        [(known,)] = self._store.query("SELECT coalesce(max(seq), 0) FROM audit_checkpoint")
        waited = time.monotonic() - self._signed >= self._seconds
        if head == known or not (last or waited or head - known >= self._every):
            return 0
        self._signed = time.monotonic()
        with self._alone():
            return self._sign_all()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fd = os.open(self._folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _sign_all(self) -> int:
        key = load_key(self._folder)
        path = self._folder / FILE
        lines = list(read_checkpoints(_tail(path))) if path.exists() else []
        self._enter(holding(lines))
        seq, before = (lines[-1][1].seq, digest(lines[-1][0])) if lines else (0, "")
        made = 0
        while found := self._next(seq):
            last, hash_, prints = found
            told = Checkpoint(
                seq=last, since=seq, hash=hash_.hex(), at=time.time_ns() // 1000, before=before,
                prints=base64.b64encode(prints).decode(), signer=public(key),
            )  # fmt: skip
            line = signed_line(told, key)
            _append(path, line)
            self._enter([(line, told)])
            self._send(line)
            seq, before = told.seq, digest(line)
            made += 1
        return made

    def _next(self, seq: int) -> tuple[int, bytes, bytes] | None:
        """The last of the events after a number that one checkpoint covers, its row's hash, and all their prints."""
        last, hash_, prints = seq, b"", b""
        for number, row_hash, row_prints in self._store.query(_NEXT, (seq,)):
            if prints and len(prints) + len(row_prints) > MOST * PRINT:
                break
            last, hash_, prints = int(number), bytes(row_hash), prints + bytes(row_prints)
        return (last, hash_, prints) if prints else None

    def tell_pruned(self, last: int, hash_: str) -> None:
        """Sign that the events up to `last`, which all checkpoints before know, are about to be taken away."""
        with self._alone():
            key, path = load_key(self._folder), self._folder / FILE
            line, entry = list(read_checkpoints(_tail(path)))[-1]
            told = Pruned(
                pruned=last, seq=entry.seq, hash=hash_, at=time.time_ns() // 1000, before=digest(line),
                signer=public(key),
            )  # fmt: skip
            made = signed_line(told, key)
            _append(path, made)
            self._send(made)

    def tell_restored(self, head: int, hash_: str) -> None:
        """Sign that the chain goes on from event `head`, as a backup held it; what was signed of later ones is void."""
        with self._alone():
            key, path = load_key(self._folder), self._folder / FILE
            lines = list(read_checkpoints(path.read_text()))
            held = [told.seq for _, told in holding(lines) if isinstance(told, Checkpoint) and told.seq <= head]
            told = Restored(
                restored=head, seq=held[-1] if held else 0, hash=hash_, at=time.time_ns() // 1000,
                before=digest(lines[-1][0]), signer=public(key),
            )  # fmt: skip
            made = signed_line(told, key)
            _append(path, made)
            self._send(made)

    def _enter(self, lines: list[tuple[str, Entry]]) -> None:
        """Tell the database of checkpoints that it does not know."""
        recent = [(line, told) for line, told in lines[-3:] if isinstance(told, Checkpoint)]  # what a crash can leave

        def run(tx: Tx) -> None:
            for line, told in recent:
                if not tx.query("SELECT 1 FROM audit_checkpoint WHERE seq = ? AND signer = ?", (told.seq, told.signer)):
                    tx.execute(
                        "INSERT INTO audit_checkpoint (seq, signer, at, line) VALUES (?, ?, ?, ?)",
                        (told.seq, told.signer, told.at, line),
                    )

        if recent:
            self._store.write_sync(run)

    def _send(self, line: str) -> None:
        """Hand a checkpoint to where nobody of this machine can change it; a failure is logged."""
        try:
            if self._command:
                told = line.encode() + b"\n"
                subprocess.run(self._command, input=told, shell=True, timeout=30, check=True)  # noqa: S602 - the operator's
            if self._url:
                request = urllib.request.Request(self._url, line.encode(), {"Content-Type": "application/json"})  # noqa: S310
                urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - https or http, by the settings
        except (OSError, subprocess.SubprocessError) as error:
            _log.error("a checkpoint could not be sent", **describe(error))


def digest(line: str) -> str:
    """The hash of a line of the file, as the next one tells it."""
    return sha256(line.encode()).hexdigest()
