"""What tests and campaign of X12 share: made claims, an envelope and two validators from elsewhere."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from claims.sheet.read import read_claim
from claims.x12.codes import Kind
from claims.x12.envelope import Envelope
from claims.x12.write837 import interchange

ENVELOPE = Envelope(
    "SENDER1", "RECEIVER1", "Mill Lane Billing", "Jo Adler", "413-555-0101", "Example Health Plan", 1,
    datetime(2026, 11, 1, 10, 0),
)  # fmt: skip
KINDS: tuple[Kind, ...] = ("professional", "institutional")
NOT_MAPPED = {
    "claim": {"id", "created", "coverage_start", "coverage_end", "received"},
    "lines": {"unit_price", "expected", "teams"},
    "insurances": {"coverage", "start", "end"},
    "diagnoses": {"seq", "place"},
    "procedures": {"seq"},
    "infos": {"seq"},
}
"""What an 837 does not hold, or numbers anew."""


def written(claims: Iterable[dict[str, Any]], kind: Kind) -> str:
    """An interchange with these claims."""
    return "".join(interchange(map(orjson.dumps, claims), kind, ENVELOPE))


def pyx12_accepts(text: str) -> tuple[bool, str]:
    """Whether pyx12 finds no fault, and the 999 that it writes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyx12.params
        import pyx12.x12n_document

        logging.getLogger("pyx12").setLevel(logging.CRITICAL)
        answer = io.StringIO()
        sound = pyx12.x12n_document.x12n_document(pyx12.params.params(), io.StringIO(text), answer, None)
    return sound, answer.getvalue()


def x12sdk_accepts(text: str) -> bool:
    """Whether x12sdk builds its models from every transaction set."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from x12sdk.io import X12ModelReader

        with X12ModelReader(text) as reader:
            return sum(1 for _ in reader.models()) == text.count("~ST*")


def known(claim: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The sheet of a claim as far as an 837 holds it: upper case, no accents, in an order of its own."""
    record = read_claim(orjson.dumps(claim))
    found = {}
    for name, rows in record.items():
        if name in ("history", "team"):
            continue
        kept = [
            {k: _plain(v) for k, v in row.items() if k not in NOT_MAPPED.get(name, ()) and v not in (None, [])}
            for row in (rows if isinstance(rows, list) else [rows])
            if row.get("category") != "clmrecvddate"
        ]
        found[name] = sorted(kept, key=lambda row: repr(sorted(row.items()))) if name != "lines" else kept
    return found


def _plain(value: Any) -> Any:
    return value.upper().replace("Ú", "U").replace("Ñ", "N") if isinstance(value, str) else value
