"""Files made to break a reader. `files()` yields (name, bytes, expectation): `refused`, `read`, or `either`."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

Made = tuple[str, bytes, str]


def pdf(objects: list[bytes], root: int = 1, extra: bytes = b"") -> bytes:
    """A PDF of `objects`, numbered from 1, with a correct cross-reference table."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return bytes(
        out + b"trailer\n<</Size %d/Root %d 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, root, extra, start)
    )


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A Flate stream object."""
    packed = zlib.compress(data, 9)
    return b"<</Length %d/Filter/FlateDecode%s>>stream\n%s\nendstream" % (len(packed), entries, packed)


def one_page(
    content: bytes, box: bytes = b"0 0 612 792", resources: bytes = b"/Font<</F 5 0 R>>", *more: bytes
) -> bytes:
    """A PDF with one page that shows `content`, a stream object."""
    return pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[" + box + b"]/Contents 4 0 R/Resources<<" + resources + b">>>>",
            content,
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            *more,
        ]
    )


SENTENCE = b"BT /F 12 Tf 72 700 Td (The patient has essential hypertension and takes lisinopril 10 mg daily.) Tj ET"


def many_pages(count: int) -> bytes:
    """A page tree whose one page is listed `count` times."""
    return pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[" + b"3 0 R " * count + b"]/Count %d>>" % count,
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>",
        ]
    )


def page_loop() -> bytes:
    """A page tree that contains itself."""
    return pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 9>>",
            b"<</Type/Pages/Kids[2 0 R]/Count 9>>",
        ]
    )


def form_loop() -> bytes:
    """A form XObject that draws itself, twice."""
    form = stream(b"/X Do /X Do " * 50, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>")
    return one_page(stream(b"/X Do"), b"0 0 612 792", b"/XObject<</X 6 0 R>>", form)


def locked(user: str) -> bytes:
    """A PDF with a user password, or, when empty, an owner password only."""
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt=StandardEncryption(user, ownerPassword="owner", canPrint=0), invariant=1)
    canvas.drawString(72, 700, "The patient has essential hypertension and takes lisinopril daily.")
    canvas.save()
    return buffer.getvalue()


def png(width: int, height: int, rows: int | None = None) -> bytes:
    """A gray PNG of a size, made of zeros, without ever holding its pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer, row = zlib.compressobj(9), b"\0" * (width + 1)
    data = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def tiff(width: int, height: int) -> bytes:
    """A two-tone TIFF header that promises a size in CCITT G4."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, 1), (259, 3, 4), (262, 3, 0), (273, 4, 200), (277, 3, 1)]
    entries += [(278, 4, height), (279, 4, 4000)]
    body = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries
    )
    return (b"II*\0\x08\0\0\0" + body + b"\0\0\0\0").ljust(200, b"\0") + b"\xff" * 4000


def image_in_pdf(width: int, height: int) -> bytes:
    """A page whose image promises more pixels than memory holds."""
    packer, row = zlib.compressobj(9), b"\0" * (width // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    entries = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 1"
    entries += b"/ColorSpace/DeviceGray/Filter/FlateDecode/Length %d>>"
    image = entries % (width, height, len(data)) + b"stream\n" + data + b"\nendstream"
    return one_page(stream(b"612 0 0 792 0 0 cm /I Do"), b"0 0 612 792", b"/XObject<</I 6 0 R>>", image)


def frames(count: int) -> bytes:
    """A TIFF of many small frames."""
    buffer = io.BytesIO()
    small = [Image.new("1", (16, 16), 1)] * count
    small[0].save(buffer, "TIFF", save_all=True, append_images=small[1:])
    return buffer.getvalue()


def jpeg() -> bytes:
    """A small JPEG."""
    buffer = io.BytesIO()
    Image.effect_noise((800, 1000), 60).save(buffer, "JPEG")
    return buffer.getvalue()


def laughs() -> bytes:
    """XML entities that grow a billion times."""
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><ClinicalDocument>&l9;</ClinicalDocument>'
    return text.encode()


def files(scale: float = 1.0) -> Iterator[Made]:
    """All of them; a smaller `scale` makes the heavy ones lighter."""
    many = lambda count: max(2, int(count * scale))  # noqa: E731
    made: list[tuple[str, Callable[[], bytes], str]] = [
        ("empty", lambda: b"", "refused"),
        ("white space", lambda: b" \r\n\t" * 100, "refused"),
        ("pdf: header only", lambda: b"%PDF-1.7\n", "refused"),
        ("pdf: cut short", lambda: one_page(stream(SENTENCE * 200))[:400], "refused"),
        ("pdf: user password", lambda: locked("secret"), "refused"),
        ("pdf: owner password only", lambda: locked(""), "read"),
        ("pdf: page tree loop", page_loop, "refused"),
        ("pdf: form loop", form_loop, "either"),
        ("pdf: 50,000 pages", lambda: many_pages(many(50_000)), "refused"),
        (
            "pdf: 1 M text operators",
            lambda: one_page(stream(b"BT /F 1 Tf " + b"(a) Tj " * many(1_000_000) + b"ET")),
            "either",
        ),
        ("pdf: 1 M paths", lambda: one_page(stream(b"0 0 m 9 9 l S " * many(1_000_000))), "either"),
        ("pdf: Flate to 200 MB", lambda: one_page(stream(b" " * many(200_000_000))), "either"),
        ("pdf: page of 1,000,000 pt", lambda: one_page(stream(SENTENCE), b"0 0 1000000 1000000"), "either"),
        ("pdf: image of 60,000 px", lambda: image_in_pdf(many(60_000), many(60_000)), "either"),
        ("pdf: deep dictionaries", lambda: one_page(b"<</A" * many(100_000)), "either"),
        ("png: 60,000 px", lambda: png(60_000, 60_000, 100), "refused"),
        ("png: bomb of 30,000 px", lambda: png(many(30_000), 30_000, many(30_000)), "refused"),
        ("png: cut short", lambda: png(1000, 1000)[:300], "refused"),
        ("tiff: 60,000 px", lambda: tiff(60_000, 60_000), "refused"),
        ("tiff: 35,000 px wide", lambda: tiff(35_000, 1000), "either"),
        ("tiff: 5,000 frames", lambda: frames(many(5_000)), "refused"),
        ("tiff: cut short", lambda: frames(3)[:40], "refused"),
        ("jpeg: cut short", lambda: jpeg()[:500], "either"),
        ("jpeg: noise", jpeg, "either"),
        ("jpeg named pdf: zip", lambda: b"PK\x03\x04" + os.urandom(2000), "refused"),
        ("a program", lambda: b"MZ\x90\0" + os.urandom(2000), "refused"),
        ("random bytes", lambda: b"\x01\x02" + os.urandom(100_000), "refused"),
        ("json: deep", lambda: b"[" * many(1_000_000) + b"]" * many(1_000_000), "refused"),
        ("xml: deep", lambda: b"<ClinicalDocument>" + b"<a>" * many(200_000), "refused"),
        ("xml: billion laughs", laughs, "refused"),
        ("html: deep", lambda: b"<html><body>" + b"<div>" * many(300_000) + b"x", "refused"),
        ("html: wide", lambda: b"<html><body>" + b"<b>x</b>" * many(2_000_000), "refused"),
        ("html: nested tables", lambda: b"<html><body>" + b"<table><tr><td>" * many(20_000) + b"x", "refused"),
        ("rtf: deep", lambda: b"{\\rtf1 " + b"{" * many(500_000) + b"x" + b"}" * many(500_000), "refused"),
        ("rtf: wide", lambda: b"{\\rtf1 " + b"\\b x" * many(2_000_000) + b"}", "either"),
        ("text: 10 MB in one line", lambda: b"a" * many(10_000_000), "either"),
    ]
    for name, make, expected in made:
        yield name, make(), expected
