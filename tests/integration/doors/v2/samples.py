"""The sample messages: invented, of all kinds that are read, correct and damaged, each with what becomes of it.

A sample is `== name | stored` or `== name | quarantined REASON PLACE`, lines with counts (`Patient=1`), values
(`Patient.gender=female`), notes (`note: OBX-6`) and options (`@crlf`), then `--` and the message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from server.doors.arrivals import Arrival, arrive
from server.doors.rows import Outcome
from server.doors.v2.message import key_of, reader
from server.doors.v2.parse import parse
from server.interactions.fhir import Fhir

FOLDER = Path(__file__).parent / "samples"


@dataclass
class Sample:
    """A message and what becomes of it."""

    name: str
    state: str
    reason: str = ""
    place: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    note: str = ""
    options: tuple[str, ...] = ()
    text: str = ""

    @property
    def content(self) -> bytes:
        """The message as it is sent."""
        encoding = next((one.partition("=")[2] for one in self.options if one.startswith("@encoding")), "utf-8")
        end = "\r\n" if "@crlf" in self.options else "\r"
        mark = b"\xef\xbb\xbf" if "@bom" in self.options else b""
        return mark + self.text.replace("\n", end).encode(encoding)


def read_samples() -> list[Sample]:
    """All of them, in the order of the files."""
    found: list[Sample] = []
    for path in sorted(FOLDER.glob("*.txt")):
        for block in path.read_text().split("== ")[1:]:
            told, _, text = block.partition("\n--\n")
            title, *lines = told.split("\n")
            name, _, fate = title.partition(" | ")
            state, reason, place, *_ = [*fate.split(), "", ""]
            sample = Sample(f"{path.stem} {name}", state, reason, place, text=text)
            for line in lines:
                _read_line(sample, line)
            found.append(sample)
    return found


def _read_line(sample: Sample, line: str) -> None:
    if line.startswith("note:"):
        sample.note = line[5:].strip()
    elif line.startswith("@"):
        sample.options = tuple(line.split())
    else:
        values: list[str] = []
        for part in line.split(" "):  # a value may hold spaces: what has no `=` belongs to the value before
            if "=" in part and part[0].isupper():
                values.append(part)
            elif values:
                values[-1] += f" {part}"
        for value in values:
            key, _, wanted = value.partition("=")
            if "." in key:
                sample.values[key] = wanted
            else:
                sample.counts[key] = int(wanted)


def send(fhir: Fhir, content: bytes, key: str = "") -> Outcome:
    """What becomes of a message."""
    if not key:
        key = key_of(parse(content), content)
    return arrive(fhir, Arrival("mllp", key, content), reader(fhir.settings))
