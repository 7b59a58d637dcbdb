"""The maps of a release: extended maps to ICD-10 and ICD-10-CM, historical associations (https://hl7.org/fhir/R4/snomedct.html#implicit-cm)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from fhir_profiles.systems import ICD10, ICD10CM, SNOMED
from terminology.importers.snomed.files import ASSOCIATION, EXTENDED_MAP, Release, Table
from terminology.source import MapRow, MapSource

TARGETS = {"447562003": ("ICD-10", ICD10), "6011000124106": ("ICD-10-CM", ICD10CM)}
"""Reference sets of extended maps, and the systems of their targets."""

HISTORY = {
    "900000000000527005": ("same-as", "SAME AS", "equivalent"),
    "900000000000526001": ("replaced-by", "REPLACED BY", "equivalent"),
    "900000000000523009": ("possibly-equivalent-to", "POSSIBLY EQUIVALENT TO", "inexact"),
    "900000000000530003": ("alternative", "ALTERNATIVE", "inexact"),
}
"""The associations that FHIR names as implicit maps, with the equivalence that it gives them."""

_CORRELATIONS = {
    "447556008": "unmatched", "447557004": "equivalent", "447558009": "wider", "447559001": "narrower",
    "447560006": "inexact", "447561005": "relatedto",
}  # fmt: skip


def maps(release: Release, version: str, licence: str, fingerprint: str) -> Iterator[MapSource]:
    """Every map that the release has rows of."""
    day = version.rsplit("/", 1)[-1]
    files = tuple((member.short, member.sha256()) for member in release["extended_maps"])
    for refset in sorted(_refsets(release, "extended_maps", EXTENDED_MAP) & TARGETS.keys()):
        title, target = TARGETS[refset]
        yield MapSource(
            name=f"snomed-{title.lower()}",
            url=f"{SNOMED}?fhir_cm={refset}",
            version=version,
            title=f"SNOMED CT to {title}",
            source=SNOMED,
            target=target,
            origin=f"RF2 release of {day}",
            licence=licence,
            fingerprint=f"{fingerprint}-{refset}",
            rows=partial(_extended, release, refset),
            files=files,
        )
    for refset in sorted(_refsets(release, "associations", ASSOCIATION) & HISTORY.keys()):
        name, title, equivalence = HISTORY[refset]
        yield MapSource(
            name=f"snomed-{name}",
            url=f"{SNOMED}?fhir_cm={refset}",
            version=version,
            title=f"SNOMED CT {title}",
            source=SNOMED,
            target=SNOMED,
            origin=f"RF2 release of {day}",
            licence=licence,
            fingerprint=f"{fingerprint}-{refset}",
            rows=partial(_associated, release, refset, equivalence),
        )


def _refsets(release: Release, kind: str, columns: tuple[str, ...]) -> set[str]:
    return {fields[4] for _, _, fields in Table(release[kind], columns, release.day).rows() if fields[2] == "1"}


def _extended(release: Release, refset: str) -> Iterator[MapRow]:
    table = Table(release["extended_maps"], EXTENDED_MAP, release.day)
    for member, number, fields in table.rows():
        if fields[2] == "0" or fields[4] != refset:
            continue
        for name in ("mapGroup", "mapPriority"):
            text = fields[EXTENDED_MAP.index(name)]
            if not (text.isascii() and text.isdigit()):
                table.refuse(member, number, fields, name, "a whole number is expected")
        equivalence = _CORRELATIONS.get(fields[11])
        if equivalence is None:
            table.refuse(member, number, fields, "correlationId", "a correlation of a map is expected")
        rules = {
            "group": int(fields[6]),
            "priority": int(fields[7]),
            "rule": fields[8],
            "advice": fields[9],
            "category": fields[12],
        }
        target = fields[10].strip() or None
        yield MapRow(fields[5], target, equivalence if target else "unmatched", rules)


def _associated(release: Release, refset: str, equivalence: str) -> Iterator[MapRow]:
    for _, _, fields in Table(release["associations"], ASSOCIATION, release.day).rows():
        if fields[2] == "1" and fields[4] == refset:
            yield MapRow(fields[5], fields[6], equivalence)
