"""Make a model out of claims and the ClaimResponses of payers, with a report of how it does on later claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from claims.answer.head import Head, read_head
from claims.answer.scrub import Scrub
from claims.learn import columns
from claims.learn.columns import Table, usable
from claims.learn.decisions import Decision, pair, read_decision
from claims.learn.features import NAMES
from claims.learn.fit import Known, enough, learn_charges, learn_denial, split
from claims.learn.model import FORMAT, Model, Provenance
from claims.sheet.parties import Resolve
from claims.sheet.read import Record, read_claim
from claims.sheet.values import written
from fhir_profiles.errors import Category, FhirError

BATCH = 5_000
MOST_CLAIMS = 1_000_000
FEWEST_LINES = 50
AMBIGUOUS = -1
"""Row of a number that two claims have: an answer to it is not learned from."""
UNTRAINED = "The model was made without decisions of payers"


class Source(NamedTuple):
    """A Claim, or a Bundle that begins with one, and who finds what it refers to."""

    body: bytes
    resolve: Resolve | None = None


class Read(NamedTuple):
    """Claims as a table: what they are called, whose they are, when they were made; how many were no claims."""

    table: Table
    names: dict[str, int]
    patients: list[str]
    days: list[int]
    refused: int


def read_claims(sources: Iterable[Source], scrub: Scrub) -> Read:
    """Read, edit and price claims; those that cannot be read are counted."""
    tables: list[Table] = []
    names: dict[str, int] = {}
    patients: list[str] = []
    days: list[int] = []
    refused, rest = 0, iter(sources)
    while batch := list(islice(rest, BATCH)):
        records: list[Record] = []
        heads: list[Head] = []
        for source in batch:
            try:
                record = read_claim(source.body, len(records), source.resolve)
            except FhirError:
                refused += 1
                continue
            _call(record, len(patients), names)
            patients.append(_whose(record))
            days.append(_when(record))
            records.append(record)
            heads.append(read_head(source.body))
        if len(patients) > MOST_CLAIMS:
            text = f"At most {MOST_CLAIMS:,} claims are learned from at once: leave the oldest out"
            raise FhirError.of(Category.INCORRECT, "too-costly", text)
        if records:
            tables.append(columns.of_results(scrub.many(records, heads).results))
    if not tables:
        raise FhirError.of(Category.INCORRECT, "required", "There is no claim to learn from")
    return Read(columns.joined(tables), names, patients, days, refused)


def _call(record: Record, row: int, names: dict[str, int]) -> None:
    claim = record["claim"]
    if claim["id"]:
        names[f"Claim/{claim['id']}"] = row
    if claim["control"]:
        names[claim["control"]] = AMBIGUOUS if claim["control"] in names else row


def _whose(record: Record) -> str:
    """Claims of one patient stand together when folds are made; it is kept nowhere."""
    claim = record["claim"]
    patient = claim["patient"] or ""
    return claim["member_id"] or (
        patient if patient and not patient.startswith("#") else claim["control"] or claim["id"] or ""
    )


def _when(record: Record) -> int:
    claim = record["claim"]
    days = (claim["created"], claim["last_service"], 0)
    return next(day for day in days if day is not None)


class Trained(NamedTuple):
    """A model, and the report on it for people and machines."""

    model: Model
    report: dict[str, Any]


def train(read: Read, decisions: Iterable[Decision] | None, scrub: Scrub, made: str, seed: int = 0) -> Trained:
    """Learn charges and, where there are decisions, denials; FhirError when there are too few of either.

    `made` is the day to write into the model, YYYY-MM-DD.
    """
    table = read.table
    if len(table.lines["row"]) < FEWEST_LINES:
        text = f"There are {len(table.lines['row'])} lines: at least {FEWEST_LINES} are needed to know what is usual"
        raise FhirError.of(Category.INCORRECT, "business-rule", text)
    rules = sorted(rule.id for rule in scrub.edits.active if usable(rule))
    counts: dict[str, Any] = {"claims": table.size, "refused": read.refused, "lines": len(table.lines["row"])}
    days = sorted(read.days)
    span = (written(days[0]), written(days[-1]))
    if decisions is None:
        source = Provenance(
            made, table.size, counts["lines"], *span, 0, 0, 0, scrub.stamp.fingerprint, scrub.stamp.releases, {}
        )
        model = Model(FORMAT, list(NAMES), rules, learn_charges(table), None, UNTRAINED, source)
        return Trained(model, {**counts, "denial": UNTRAINED, "days": span, "file": model.name})
    paired = pair(decisions, read.names)
    rows = np.array(sorted(paired), np.int64)
    known = Known(
        rows,
        np.array([paired[row].denied for row in rows.tolist()], np.bool_),
        [read.patients[row] for row in rows.tolist()],
        np.array([read.days[row] for row in rows.tolist()], np.int64),
    )
    if why := enough(known):
        raise FhirError.of(Category.INCORRECT, "business-rule", why)
    charges = learn_charges(table, rows[split(known)[0]])
    learned = learn_denial(table, known, charges, frozenset(rules), seed)
    measures = {name: learned.report[name] for name in ("model", "baseline")}
    denied = int(known.denied.sum())
    source = Provenance(
        made, table.size, counts["lines"], *span, len(learned.trained), denied, len(learned.tested),
        scrub.stamp.fingerprint, scrub.stamp.releases, measures,
    )  # fmt: skip
    model = Model(FORMAT, list(NAMES), rules, charges, learned.denial, "", source)
    edge = {
        "trained": len(learned.trained),
        "tested": len(learned.tested),
        "first tested day": written(int(known.days[split(known)[1]].min())),
    }
    counts |= {"decided": len(rows), "denied": denied, "days": span, **edge}
    return Trained(model, {**counts, **learned.report, "file": model.name})


def decided(lines: Iterable[bytes]) -> Iterator[Decision]:
    """The decisions among ClaimResponses, one JSON object a line; FhirError that names the line that is none."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = read_decision(line)
        except FhirError as error:
            text = f"Line {number}: {error.problems[0].text}"
            raise FhirError.of(Category.INCORRECT, "structure", text) from None
        if found is not None:
            yield found
