"""Read a message of HL7 v2: its own separators, escapes, repetitions and character set.

Tolerant where senders are careless (line ends, blank lines, a broken text line), strict where meaning would be lost.
https://www.hl7.eu/HL7v2x/v251/std251/ch02.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from server.doors.arrivals import Unusable

CHARSETS = {
    "": "utf-8",
    "ASCII": "ascii",
    "8859/1": "latin-1",
    "8859/2": "iso8859-2",
    "8859/5": "iso8859-5",
    "8859/7": "iso8859-7",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
}
"""Table 0211, and how vendors write it, → the codec."""

NULL = '""'
"""A field that is to be emptied."""

MOST_SEGMENTS = 50_000
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_SILENT = re.compile(r"[HN]|C[0-9A-F]{4}|M[0-9A-F]{4,6}|\..{0,20}")
_ESCAPE = re.compile(r"[^\r\n]{1,200}?")
_WRAPPERS = frozenset({"FHS", "BHS", "BTS", "FTS"})


@dataclass(frozen=True, slots=True)
class Separators:
    """The characters of MSH-1 and MSH-2; an empty one is not in use."""

    field: str
    component: str
    repetition: str
    escape: str
    sub: str

    def plain(self, text: str) -> str:
        """Text with its escape sequences resolved; what only formats is taken out."""
        if not self.escape or self.escape not in text:
            return text
        mark = re.escape(self.escape)
        return re.sub(f"{mark}({_ESCAPE.pattern}){mark}", lambda found: self._resolve(found[1]), text)

    def _resolve(self, code: str) -> str:
        known = {"F": self.field, "S": self.component, "R": self.repetition, "E": self.escape, "T": self.sub}
        if code in known:
            return known[code]
        if code[:3] in (".br", ".sp", ".in", ".ti", ".ce"):
            return "\n" if code[:3] != ".in" else ""
        if code[:1] == "X":
            try:
                return bytes.fromhex(code[1:]).decode("utf-8", "replace")
            except ValueError:
                return ""
        if _SILENT.fullmatch(code):
            return ""
        return f"{self.escape}{code}{self.escape}"  # two escape characters that stand in text as they are


@dataclass(frozen=True, slots=True)
class Field:
    """One repetition of a field."""

    raw: str
    marks: Separators

    def part(self, component: int = 1, sub: int = 1) -> str:
        """A component, or a subcomponent of it, counted from 1; empty where there is none or it is null."""
        parts = self.raw.split(self.marks.component) if self.marks.component else [self.raw]
        if component > len(parts):
            return ""
        part = parts[component - 1]
        if self.marks.sub and self.marks.sub in part:
            subs = part.split(self.marks.sub)
            part = subs[sub - 1] if sub <= len(subs) else ""
        elif sub > 1:
            return ""
        return "" if part == NULL else self.marks.plain(part).strip()

    @property
    def whole(self) -> str:
        """All of it as text: of a type that has no components."""
        return "" if self.raw == NULL else self.marks.plain(self.raw).strip()

    def __bool__(self) -> bool:
        return bool(self.raw.strip(f" {self.marks.component}{self.marks.sub}")) and self.raw != NULL


class Segment:
    """A segment: `fields[0]` is its name, and fields count from 1 as the standard counts them, MSH too."""

    __slots__ = ("fields", "marks", "name")

    def __init__(self, fields: Sequence[str], marks: Separators) -> None:
        self.name = fields[0]
        self.fields = fields
        self.marks = marks

    def raw(self, number: int) -> str:
        """A field as it stands."""
        return self.fields[number] if number < len(self.fields) else ""

    def each(self, number: int) -> list[Field]:
        """The repetitions of a field that say something."""
        raw, mark = self.raw(number), self.marks.repetition
        return [one for text in (raw.split(mark) if mark else [raw]) if (one := Field(text, self.marks))]

    def first(self, number: int) -> Field:
        """The first repetition."""
        found = self.each(number)
        return found[0] if found else Field("", self.marks)

    def text(self, number: int, component: int = 1, sub: int = 1) -> str:
        """A component of the first repetition."""
        return self.first(number).part(component, sub)

    def whole(self, number: int) -> str:
        """The text of all repetitions of a field without components, a line each."""
        return "\n".join(one.whole for one in self.each(number))

    def is_null(self, number: int) -> bool:
        """Whether the field says that what is known is to be removed."""
        return self.raw(number) == NULL


class Message:
    """A message: its header and all segments in order, those that nobody knows too."""

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments
        self.header = segments[0]

    def all(self, name: str) -> list[Segment]:
        """The segments of a name."""
        return [one for one in self.segments if one.name == name]

    def get(self, name: str) -> Segment | None:
        """The first of a name."""
        return next((one for one in self.segments if one.name == name), None)

    def need(self, name: str) -> Segment:
        """The first of a name; Unusable where there is none."""
        if (found := self.get(name)) is None:
            raise Unusable("segment-missing", f"{name}: The message has no segment {name}.")
        return found

    @cached_property
    def kind(self) -> tuple[str, str]:
        """Type and trigger, `("ADT", "A01")`; the trigger from EVN where old senders leave it out."""
        code, trigger = self.header.text(9, 1), self.header.text(9, 2)
        if not trigger and "_" in code:  # ADT_A01, as some write it
            code, _, trigger = code.partition("_")
        if not trigger and (event := self.get("EVN")) is not None:
            trigger = event.text(1)
        return code.upper(), trigger.upper()

    @property
    def sender(self) -> str:
        """Application and facility that sent it, as they stand."""
        return f"{self.header.raw(3)}{self.header.marks.field}{self.header.raw(4)}"

    @property
    def control(self) -> str:
        """MSH-10."""
        return self.header.text(10)


def separators_of(content: bytes) -> Separators:
    """The separators that a message tells; Unusable for what does not begin as one."""
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:12].decode("latin-1")
    if not head.startswith("MSH") or len(head) < 5:
        raise Unusable("syntax", "MSH: The content does not begin with the segment MSH.")
    field = head[3]
    marks = head[4:].split(field)[0].split("\r")[0][:5]
    if field.isalnum() or field.isspace() or any(mark.isalnum() or mark.isspace() for mark in marks):
        raise Unusable("syntax", "MSH-2: A separator must be a sign that is no letter, digit or space.")
    if len({field, *marks}) != len(marks) + 1 or not marks:
        raise Unusable("syntax", "MSH-2: The separators must differ from each other.")
    padded = [*marks, "", "", "", ""]
    return Separators(field, padded[0], padded[1], padded[2], padded[3])


def decode(content: bytes, marks: Separators) -> str:
    """The text of a message by MSH-18; Unusable for a set that is not known or that the bytes do not fit."""
    header = re.split(rb"[\r\n]", content.lstrip(b"\xef\xbb\xbf \t\r\n"), maxsplit=1)[0].decode("latin-1")
    fields = header.split(marks.field)
    named = fields[17].split(marks.repetition or "\0")[0].strip().upper() if len(fields) > 17 else ""
    codec = CHARSETS.get(named)
    if codec is None:
        raise Unusable("charset", "MSH-18: This character set is not known here.")
    try:
        return content.decode("utf-8-sig" if codec == "utf-8" else codec)
    except UnicodeDecodeError:
        if named:
            raise Unusable(
                "charset", "MSH-18: The bytes are not of the character set that the message names."
            ) from None
    return content.decode("cp1252", "replace")  # a message that names none, of a sender who never heard of UTF-8


def parse(content: bytes) -> Message:
    """The message in some bytes; Unusable with the reason."""
    marks = separators_of(content)
    text = decode(content, marks)
    if "\0" in text:
        raise Unusable("syntax", "The content holds bytes that no text has.")
    segments: list[Segment] = []
    for line in re.split(r"[\r\n]+", text.lstrip("\ufeff \t\r\n")):
        fields = line.split(marks.field)
        if _NAME.fullmatch(fields[0]):
            if fields[0] == "MSH":
                if segments:
                    raise Unusable("syntax", "MSH: There is more than one message in the frame.")
                fields.insert(1, marks.field)
            if fields[0] not in _WRAPPERS:
                segments.append(Segment(fields, marks))
        elif line.strip() and segments:  # a line end in the middle of a text, which the sender did not escape
            before = segments[-1]
            grown = [*before.fields[:-1], f"{before.fields[-1]}\n{fields[0]}", *fields[1:]]
            segments[-1] = Segment(grown, marks)
        if len(segments) > MOST_SEGMENTS:
            raise Unusable("too-large", f"The message has more than {MOST_SEGMENTS} segments.")
    return Message(segments)
