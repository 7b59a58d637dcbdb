"""The parser of HL7 v2, alone and against another one."""

from __future__ import annotations

import pytest

from server.doors.arrivals import Unusable
from server.doors.v2.parse import parse, separators_of

from .samples import Sample, read_samples

WANTED = ("A01 admission", "A31", "T02 text", "R01 numbers", "R01 structured")
PLAIN = [one for one in read_samples() if one.name.split(" ", 1)[1].startswith(WANTED)]


@pytest.mark.parametrize("sample", PLAIN, ids=[one.name.replace(" ", "-") for one in PLAIN])
def test_against_another_parser(sample: Sample) -> None:
    """Segments, repetitions and components are those that hl7apy finds."""
    parser = pytest.importorskip("hl7apy.parser")
    from hl7apy.consts import VALIDATION_LEVEL

    ours = [one for one in parse(sample.content).segments if not one.name.startswith("Z")]
    for segment in ours[1:]:
        text = segment.marks.field.join(segment.fields)
        other = parser.parse_segment(text, version="2.5", validation_level=VALIDATION_LEVEL.TOLERANT)
        for number in range(1, len(segment.fields)):
            theirs = [one.to_er7().strip() for one in getattr(other, f"{segment.name.lower()}_{number}", ())]
            mine = [one.raw for one in segment.each(number)]
            if segment.marks.escape not in segment.raw(number):  # which the other does not read, but escapes again
                assert [one for one in theirs if one.strip("^&")] == [_cut(one) for one in mine], (segment.name, number)


def _cut(raw: str) -> str:
    """A field without empty components at its end, which hl7apy leaves out."""
    return raw.strip().rstrip("^&")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"one\.br\two", "one\ntwo"),
        (r"\H\bold\N\ text", "bold text"),
        (r"caf\XC3A9\ ", "café"),
        (r"\\server\share\file", r"\\server\share\file"),
        (r"C:\temp", r"C:\temp"),
        ('""', ""),
    ],
)
def test_escapes(written: str, read: str) -> None:
    """Escape sequences are resolved, formatting is taken out, other text stays as it is."""
    message = parse(f"MSH|^~\\&|A|B|||2024||ADT^A08|1|P|2.5\rNTE|1||{written}".encode())
    assert message.need("NTE").first(3).part(1) == read


@pytest.mark.parametrize("head", ["MSH", "MSH|", "MSHA^~\\&A", "MSH|^^^^|", "MSH  ^~", "PID|1", "", "MSH||||"])
def test_separators_that_cannot_be(head: str) -> None:
    """A header whose separators cannot be told apart is no header."""
    with pytest.raises(Unusable):
        separators_of(head.encode())
