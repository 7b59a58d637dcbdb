"""The demo's second step: an invented fee schedule is loaded, and the same claim gets prices, told step by step.

The schedule (server/demo/schedule) has the layouts of the official files, and amounts that mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhir_profiles import json
from fhir_profiles.systems import PLACE_OF_SERVICE

if TYPE_CHECKING:
    from claims.answer.explanation import Explanation

SCHEDULE = (
    ("pprrvu", "PPRRVU26_JAN_nonQPP_INVENTED.csv"),
    ("gpci", "GPCI2026_INVENTED.csv"),
    ("zip5", "ZIP5_JAN2026_INVENTED.txt"),
    ("locco", "26LOCCO_INVENTED.csv"),
    ("anes", "ANES2026_INVENTED.csv"),
    ("anesbase", "Anesthesia-Base-Units-2026_INVENTED.csv"),
    ("oppscap", "OPPSCAP2026_JAN_INVENTED.csv"),
    ("clfs", "CLFS_2026_Q1_INVENTED.csv"),
    ("asp", "January_2026_ASP_INVENTED.csv"),
    ("pfall", "PFALL26A_INVENTED.txt"),
)
"""What `fhirwright load` is given, in the order in which the files rest on each other."""

ZIP = "99999"
CHARGES = {"99214": Decimal("165.00"), "83036": Decimal("24.00"), "36415": Decimal("12.00")}
OTHER_CHARGE = Decimal("10.00")
ADDED = "the place of service (11, an office), the postal code of the practice, and what it charges"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A loaded table: its release, its rows, the file it came from."""

    table: str
    release: str
    rows: int
    file: str


@dataclass(frozen=True, slots=True)
class Priced:
    """The claim with what was added, where it lies, and what is told of it over the invented schedule."""

    claim: Path
    data: Path
    tables: tuple[Table, ...]
    told: Explanation

    def brief(self) -> Json:
        """The same for machines."""
        return {
            "invented": True,
            "tables": [asdict(one) for one in self.tables],
            "added": ADDED,
            "claim": str(self.claim),
            "data": str(self.data),
            **asdict(self.told),
        }


def price(resources: Sequence[Mapping[str, Any]], data: Path, folder: Path) -> Priced | None:
    """Price the draft Claim among some resources over the invented schedule; None without one.

    The schedule goes into a data directory of its own below `folder`, so that nothing else is ever priced by it.
    """
    from claims.answer.explanation import explanation
    from claims.answer.head import read_head
    from claims.answer.scrub import Scrub
    from claims.sheet.read import read_claim

    body = completed(resources)
    if body is None:
        return None
    path, own = folder / "claim.json", furnish(data, folder / "invented")
    path.write_bytes(body)
    tables = load_schedule(own)
    return Priced(path, own, tables, explanation(Scrub.open(own), read_claim(body), read_head(body)))


def furnish(data: Path, own: Path) -> Path:
    """A data directory with the code systems of another, linked one by one: what is loaded into it stays in it."""
    for name in ("terminology", "claims/terms"):
        (own / name).mkdir(parents=True, exist_ok=True)
        for link in (own / name).iterdir():
            if link.is_symlink() and not link.exists():
                link.unlink()
        for file in (data / name).iterdir() if (data / name).is_dir() else ():
            if not (own / name / file.name).exists():
                (own / name / file.name).symlink_to(file.resolve())
    return own


def load_schedule(data: Path) -> tuple[Table, ...]:
    """Load the invented schedule with the importers of `fhirwright load`; the last file checks it to the cent."""
    from claims.importers.load import load
    from claims.importers.registry import importer_of
    from claims.tables.store import releases
    from terminology.importers.given import Given

    with as_file(files("server.demo") / "schedule") as folder:
        for name, file in SCHEDULE:
            importer = importer_of(name)
            if importer is None:
                raise LookupError(name)
            load(data, importer, Given((folder / file,)))
    return tuple(Table(one.table, one.name, one.rows, one.source) for one in releases(data))


def completed(resources: Sequence[Mapping[str, Any]]) -> bytes | None:
    """The draft Claim in a Bundle with whom it names, and with what a letter does not say; None without a Claim."""
    draft = next((r for r in resources if r["resourceType"] == "Claim"), None)
    if draft is None:
        return None
    charges = [CHARGES.get(_code(item), OTHER_CHARGE) for item in draft.get("item", ())]
    place = {"coding": [{"system": PLACE_OF_SERVICE, "code": "11"}]}
    items = [
        {**item, "locationCodeableConcept": place, "net": _dollars(charge)}
        for item, charge in zip(draft.get("item", ()), charges, strict=True)
    ]
    claim = {**draft, "item": items, "total": _dollars(sum(charges, Decimal()))}
    address = {"line": ["214 Alder Street"], "city": "Larkmoor", "state": "OH", "postalCode": ZIP}
    entries: list[Json] = [{"resource": claim}]
    for one in resources:
        if one["resourceType"] in ("Patient", "Practitioner"):
            found = {**one, "address": [address]} if one["resourceType"] == "Practitioner" else dict(one)
            entries.append({"fullUrl": f"{one['resourceType']}/{one['id']}", "resource": found})
    return json.encode({"resourceType": "Bundle", "type": "collection", "entry": entries})


def _dollars(amount: Decimal) -> Json:
    return {"value": amount, "currency": "USD"}


def _code(item: Mapping[str, Any]) -> str:
    codings = item.get("productOrService", {}).get("coding") or [{}]
    return str(codings[0].get("code", ""))
