"""Plain text to a `Document`: offsets are its evidence."""

from __future__ import annotations

import hashlib

from extractors.model import Document
from extractors.pages.limits import Refused
from extractors.pages.sniff import TEXT


def from_text(text: str, media_type: str = TEXT) -> Document:
    """The document that `text` is, unchanged, so that offsets hold in the source as well."""
    return Document(
        text=text, media_type=media_type, sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    )


def decode(data: bytes) -> str:
    """Text of `data`: UTF-8 or UTF-16 by mark, UTF-8 when it is that, else the likeliest charset."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            try:
                return data.decode(name)
            except UnicodeDecodeError:
                break
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    best = from_bytes(data[:200_000], cp_isolation=["cp1252", "latin_1", "mac_roman", "cp1250", "cp437"]).best()
    try:
        return data.decode(best.encoding if best else "cp1252")
    except (UnicodeDecodeError, LookupError):
        raise Refused("structure", "The text is in no known character set. Send it as UTF-8.") from None
