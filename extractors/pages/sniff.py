"""What the bytes are, by their first bytes and never by what was declared."""

from __future__ import annotations

import re

from extractors.pages.limits import Refused

PDF, TIFF, PNG, JPEG = "application/pdf", "image/tiff", "image/png", "image/jpeg"
TEXT, HTML, RTF, CCDA = "text/plain", "text/html", "text/rtf", "application/hl7-cda+xml"
RASTER = (TIFF, PNG, JPEG)

MAGIC = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"II+\x00", TIFF),
    (b"MM\x00+", TIFF),
    (b"{\\rtf", RTF),
)
FOREIGN = (
    (b"PK\x03\x04", "a ZIP archive or an Office file"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"RIFF", "a RIFF container (WebP, WAV or AVI)"),
    (b"OggS", "an Ogg recording"),
    (b"ID3", "an MP3 recording"),
    (b"%!PS", "a PostScript file"),
)
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
ACCEPTED = "PDF, TIFF, PNG, JPEG, plain text, HTML, RTF or C-CDA XML"
HTML_START = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|div|p|h[1-6]|ul|ol|span)\b", re.I | re.S
)
CDA_START = re.compile(rb"<(?:[\w.-]+:)?ClinicalDocument\b")


def media_type(data: bytes) -> str:
    """The media type that `data` really is; raises `Refused` when it is none that can be read."""
    if not data.strip(b"\x00 \t\r\n"):
        raise Refused("required", "The attachment is empty. Send the document itself.")
    for magic, kind in MAGIC:
        if data.startswith(magic):
            return kind
    head = data[:4096]
    if b"%PDF-" in head[:1024]:
        return PDF
    for magic, what in FOREIGN:
        if data.startswith(magic) and (len(magic) > 2 or _binary(head)):
            raise Refused("not-supported", f"The attachment is {what}. Send {ACCEPTED}.")
    if data[4:8] == b"ftyp":
        raise Refused("not-supported", f"The attachment is a HEIC image or a video. Send {ACCEPTED}.")
    return _text_type(data, head)


def _text_type(data: bytes, head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{\\rtf"):
        return RTF
    if HTML_START.match(start):
        return HTML
    if start.startswith(b"<"):
        if CDA_START.search(data[:65536]):
            return CCDA
        if re.match(rb"<(\?xml|!DOCTYPE|[A-Za-z_][\w.-]*(:[\w.-]+)?[\s>/])", start):
            if re.search(rb"<html[\s>]", head, re.I):
                return HTML
            raise Refused("not-supported", f"The attachment is XML but not a C-CDA document. Send {ACCEPTED}.")
    if start[:1] in (b"{", b"[") and re.match(rb'\{\s*"|\[\s*[\[{"\d]', start):
        raise Refused("not-supported", f"The attachment is JSON data, not a document. Send {ACCEPTED}.")
    if _binary(data[:65536]):
        raise Refused("not-supported", f"The attachment is of a type that cannot be read. Send {ACCEPTED}.")
    return TEXT


def _binary(sample: bytes) -> bool:
    """True when a sample holds what no text holds: NULs outside UTF-16, or many control characters."""
    if sample.startswith(BOMS):
        return False
    control = sum(sample.count(bytes([c])) for c in range(32) if c not in (9, 10, 12, 13, 27))
    return sample.count(b"\x00") > 0 or control > len(sample) * 0.01 + 1
