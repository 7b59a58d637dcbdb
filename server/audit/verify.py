"""Whether the chain is whole, and where it is not: against itself, and against the checkpoints outside.

The chain alone tells of what was done by somebody who did not hash again; the checkpoints tell of the rest.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

import msgspec

from server.store import Store
from server.store.ledger import BLOCK, GENESIS, PRINT, Chained, leaf, link

from .chain import rows_of, within
from .checkpoints import (
    PRUNED,
    RESTORED,
    Checkpoint,
    Entry,
    Pruned,
    Restored,
    digest,
    holding,
    is_genuine,
    read_checkpoints,
)
from .event import decode, keys_of

Span = tuple[int, int]
Kind = Literal["edited", "deleted", "inserted", "reordered", "truncated", "key", "checkpoint"]
MOST = 1000
"""Findings that are told."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: what was done to which event; of several, to the first and the last."""

    kind: Kind
    seq: int
    to: int
    text: str


class Report(msgspec.Struct, frozen=True):
    """What a check found."""

    events: int
    head: str
    checkpoints: int
    signed: int
    """The last event that a checkpoint covers."""

    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class Row(msgspec.Struct, frozen=True):
    """A row of the chain without its bytes, which are read once: what it says, and what its events come to."""

    seq: int
    events: int
    at: int
    hash: bytes
    prints: bytes
    leaves: tuple[bytes, ...]

    @property
    def first(self) -> int:
        """The number of its first event, as it says itself."""
        return self.seq - self.events + 1


def verify(store: Store, checkpoints: str, signer: str | None = None) -> Report:
    """Check everything. `checkpoints` is the file outside; `signer`, where known, the only key that is believed."""
    told: dict[int, dict[str, Span]] = {}
    columns: list[Finding] = []
    rows = [_read_row(row, told, columns) for row in rows_of(store)]
    lines, findings = _read(checkpoints, signer)
    signers = {told.signer for _, told in lines}  # every machine has a file and a key of its own
    entered = store.query("SELECT line, signer FROM audit_checkpoint ORDER BY seq, at")
    known = [str(line) for line, who in entered if not signers or who in signers]
    findings += _compare(known, [line for line, _ in lines])
    prints, ends = _prints(told for _, told in lines if isinstance(told, Checkpoint))
    ends |= {told.restored: told.hash for _, told in lines if isinstance(told, Restored) and told.restored}
    first, before, unknown = _beginning((told for _, told in lines if isinstance(told, Pruned)), rows, ends)
    findings += unknown
    found = [one[:PRINT] for row in rows for one in row.leaves]
    by_print = list(_against(found, prints[first:], first + 1))
    findings += by_print
    covered = {seq for one in by_print for seq in range(one.seq, one.to + 1)} if by_print else set()
    links = _links(rows, before, first + 1)
    findings += [one for one in links if covered.isdisjoint(range(one.seq - 1, one.to + 2))]
    if not findings:
        findings += _ends(rows, {seq: hash_ for seq, hash_ in ends.items() if seq > first})
    findings += columns
    findings += list(_keys(store, told, meddled=bool(findings)))
    return Report(
        len(found), rows[-1].hash.hex() if rows else "", len(lines), lines[-1][1].seq if lines else 0,
        tuple(findings[:MOST]),
    )  # fmt: skip


def _read_row(row: Chained, keys: dict[int, dict[str, Span]], findings: list[Finding]) -> Row:
    """What a row comes to; the keys of its events go to `keys`, what its columns say otherwise to `findings`."""
    kept = list(within(row))
    times = []
    for seq, data in kept:
        try:
            told = decode(data)
        except msgspec.MsgspecError:
            findings.append(Finding("edited", seq, seq, f"Event {seq} cannot be read."))
            continue
        times.append(told.at)
        block = keys.setdefault(seq // BLOCK, {})
        for key in keys_of(told):
            block[key] = (block[key][0] if key in block else seq, seq)
    if len(times) == len(kept) and (len(kept), min(times)) != (row.events, row.at):
        text = f"The columns of events {kept[0][0]} to {row.seq} do not say what they say."
        findings.append(Finding("edited", kept[0][0], row.seq, text))
    return Row(row.seq, row.events, row.at, row.hash, row.prints, tuple(leaf(data) for _, data in kept))


def _read(text: str, signer: str | None) -> tuple[list[tuple[str, Entry]], list[Finding]]:
    """The checkpoints that are genuine and follow one another; what is wrong with the others."""
    lines: list[tuple[str, Entry]] = []
    before, seq = "", 0
    for number, line in enumerate(filter(None, text.splitlines()), 1):
        try:
            told = next(read_checkpoints(line))[1]
        except (msgspec.MsgspecError, StopIteration):
            told = None
        if told is None or not is_genuine(told) or signer not in (None, told.signer):
            return lines, [Finding("checkpoint", seq, seq, f"Line {number} of the checkpoints is not genuine.")]
        if told.before != before or not _follows(told, lines, seq):
            return lines, [Finding("checkpoint", seq, told.seq, f"Checkpoints before line {number} are missing.")]
        lines.append((line, told))
        if isinstance(told, Restored):
            lines = holding(lines)
        before, seq = digest(line), told.seq
    return lines, []


def _follows(told: Entry, lines: Sequence[tuple[str, Entry]], seq: int) -> bool:
    """Whether a line goes on from event `seq`; that of a restore from any event that a line before it signed."""
    if isinstance(told, Checkpoint):
        return told.since == seq
    if isinstance(told, Restored):
        return told.seq in {0, *(one.seq for _, one in lines if isinstance(one, Checkpoint))}
    return told.seq == seq


def _beginning(
    several: Iterable[Pruned], rows: Sequence[Row], ends: dict[int, str]
) -> tuple[int, bytes, list[Finding]]:
    """The event before the first that must be there, its hash, and lines about pruning that fit no checkpoint.

    Lines whose events are still there say what was about to be done and was not.
    """
    first, hash_ = 0, GENESIS
    for told in several:
        if ends.get(told.pruned) != told.hash:
            text = f"That events up to {told.pruned} were taken away does not fit the checkpoints."
            return 0, GENESIS, [Finding("checkpoint", told.pruned, told.pruned, text)]
        if not rows or rows[0].seq > told.pruned:
            first, hash_ = told.pruned, bytes.fromhex(told.hash)
    return first, hash_, []


def _compare(known: Sequence[str], lines: Sequence[str]) -> list[Finding]:
    """What the database and the file do not both have."""
    findings = []
    if missing := set(known) - set(lines):
        seq = min(msgspec.json.decode(line, type=Checkpoint).seq for line in missing)
        findings.append(Finding("checkpoint", seq, seq, "The database has checkpoints that the file does not."))
    if more := {line for line in lines if not line.startswith((PRUNED, RESTORED))} - set(known):
        seq = min(msgspec.json.decode(line, type=Checkpoint).seq for line in more)
        findings.append(Finding("checkpoint", seq, seq, "The file has checkpoints that the database does not."))
    return findings


def _prints(checkpoints: Iterable[Checkpoint]) -> tuple[list[bytes], dict[int, str]]:
    """The fingerprints of events from the first on, and the hash at each checkpoint."""
    prints: list[bytes] = []
    ends: dict[int, str] = {}
    for told in checkpoints:
        raw = base64.b64decode(told.prints)
        prints += [raw[at : at + PRINT] for at in range(0, len(raw), PRINT)]
        ends[told.seq] = told.hash
    return prints, ends


def _against(found: Sequence[bytes], prints: Sequence[bytes], n: int) -> Iterator[Finding]:
    """What was done to events that checkpoints know: both lists, which begin with event `n`, are laid side by side."""
    begin = 0
    most = min(len(found), len(prints))
    while begin < most and found[begin] == prints[begin]:
        begin += 1
    if begin == len(prints):
        return
    matcher = SequenceMatcher(None, prints[begin:], found[begin:], autojunk=False)
    gone: list[tuple[int, int]] = []
    come: list[tuple[int, int]] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag in ("replace", "delete"):
            gone.append((begin + a, begin + b))
        if tag in ("replace", "insert"):
            come.append((begin + c, begin + d))
    new = {at for a, b in come for at in range(a, b) if at < len(found)}
    places = {found[at]: at for at in new}
    known = {*prints}
    moved = {at for a, b in gone for at in range(a, b) if prints[at] in places}
    for at in sorted(moved):
        yield Finding("reordered", at + n, at + n, f"Event {at + n} stands at {places[prints[at]] + n} now.")
    for a, b in gone:
        left = [at for at in range(a, b) if at not in moved]
        for first, last in _runs(left):
            if last == len(prints) - 1 and len(found) <= first:
                yield Finding("truncated", first + n, last + n, f"The chain ends before event {first + n}.")
            else:
                yield from _lost(first, last, n, new, found, known)
    matched = {at for a, b in gone for at in range(a, b)}
    for at in sorted(new):
        if at < len(prints) and found[at] not in known and at not in matched:
            yield Finding("inserted", at + n, at + n, f"Event {at + n} was put in.")


def _lost(first: int, last: int, n: int, new: set[int], found: Sequence[bytes], known: set[bytes]) -> Iterator[Finding]:
    """Events that are not where they were: edited where another stands in their place, else deleted."""
    for at in range(first, last + 1):
        if at in new and found[at] not in known:
            yield Finding("edited", at + n, at + n, f"Event {at + n} is not what was signed.")
        else:
            yield Finding("deleted", at + n, at + n, f"Event {at + n} is gone.")


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each row of neighbours."""
    begin = last = None
    for at in places:
        if last is not None and begin is not None and at != last + 1:
            yield begin, last
            begin = at
        begin = at if begin is None else begin
        last = at
    if begin is not None and last is not None:
        yield begin, last


def _links(rows: Sequence[Row], before: bytes, expected: int) -> Iterator[Finding]:
    """Where the chain does not hold: gaps in its numbers, and hashes that do not follow."""
    for row in rows:
        if row.first > expected:
            yield Finding("deleted", expected, row.first - 1, f"Events {expected} to {row.first - 1} are gone.")
        elif row.first < expected:
            yield Finding("inserted", row.first, row.seq, f"Events {row.first} to {row.seq} stand where others do.")
        else:
            yield from _link(row, before)
        before, expected = row.hash, row.seq + 1


def _link(row: Row, before: bytes) -> Iterator[Finding]:
    """Whether a row follows from the one before it; where not, which of its events are not those that were chained."""
    prints = b"".join(one[:PRINT] for one in row.leaves)
    if link(before, row.leaves) == row.hash and prints == row.prints:
        return
    known = [row.prints[at : at + PRINT] for at in range(0, len(row.prints), PRINT)]
    if len(known) == len(row.leaves) == row.events:
        wrong = [n for n, one in enumerate(row.leaves, row.first) if one[:PRINT] != known[n - row.first]]
        for seq in wrong:
            yield Finding("edited", seq, seq, f"Event {seq} is not what was chained.")
        if wrong:
            return
    text = f"The hash of events {row.first} to {row.seq} does not follow from the ones before them."
    yield Finding("edited", row.first, row.seq, text)


def _ends(rows: Sequence[Row], ends: dict[int, str]) -> Iterator[Finding]:
    """Checkpoints whose hash the chain does not have."""
    hashes = {row.seq: row.hash.hex() for row in rows}
    for seq, told in ends.items():
        if hashes.get(seq) != told:
            yield Finding("edited", seq, seq, f"The hash of event {seq} is not the one that was signed.")


def _keys(store: Store, named: dict[int, dict[str, Span]], *, meddled: bool) -> Iterator[Finding]:
    """Keys that a block of events lacks, or has though none of it names them: where events were `meddled` with, those
    are what is left of them and told already.

    `named` are the keys that events of a block have, with the first and the last event of each.
    """
    kept: dict[int, set[str]] = {}
    for key, block in store.query("SELECT key, block FROM audit_key"):
        kept.setdefault(int(block), set()).add(str(key))
    for block in sorted({*named, *kept}):
        keys, found = named.get(block, {}), kept.get(block, set())
        for first, last in sorted(keys[key] for key in {*keys} - found):
            text = f"A key of event {first} and up to {last} was taken away: they are not found by all they name."
            yield Finding("key", first, last, text)
        if found - {*keys} and not meddled:
            first, last = block * BLOCK, block * BLOCK + BLOCK - 1
            yield Finding("key", first, last, f"There are keys of events {first} to {last} that none of them has.")
