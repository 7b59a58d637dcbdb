"""The bytes of a DocumentReference (https://hl7.org/fhir/R4/datatypes.html#Attachment): inline, or a Binary of ours."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from extractors.pages import Refused
from extractors.pages.sniff import PDF, RASTER, media_type
from server.jobs.children import Failure
from server.jobs.corrections import packed_of
from server.jobs.entries import file_in

Fetch = Callable[[str], bytes | None]  # id of a Binary → its bytes, None when there is none


def attachment_of(document: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | None:
    """The first attachment with data or an address, and its place in `content`; further ones say the same otherwise."""
    for place, content in enumerate(document.get("content") or ()):
        attachment = content.get("attachment") or {}
        if attachment.get("data") or attachment.get("url"):
            return place, attachment
    return None


def binary_id(url: str, base_url: str | None) -> str | None:
    """The id in `Binary/id` or `[base]/Binary/id`; None for any other address."""
    if base_url and url.startswith(f"{base_url}/"):
        url = url[len(base_url) + 1 :]
    parts = url.split("/")
    return parts[1] if len(parts) in (2, 4) and parts[0] == "Binary" and parts[2:3] in ([], ["_history"]) else None


def fingerprint(document: Mapping[str, Any]) -> str:
    """What the result depends on: the attachment, its corrections and whom it is about. Equal ones need no new run."""
    found = attachment_of(document)
    attachment = found[1] if found else {}
    subject = (document.get("subject") or {}).get("reference")
    encounter = [e.get("reference") for e in (document.get("context") or {}).get("encounter") or ()]
    digest = hashlib.sha256(str((attachment.get("url"), subject, encounter)).encode())
    digest.update((attachment.get("data") or "").encode())
    digest.update(packed_of(document))
    return digest.hexdigest()


def read_attachment(document: Mapping[str, Any], base_url: str | None, fetch: Fetch, max_bytes: int) -> bytes:
    """The attachment's bytes; raises `Failure` for what is missing, foreign, too long or not what it says it is."""
    found = attachment_of(document)
    if found is None:
        raise Failure("required", "The DocumentReference has no attachment with data or url. Send one of them.")
    attachment = found[1]
    given = attachment.get("data")
    data = _decoded(given, max_bytes) if given else _fetch(attachment["url"], base_url, fetch)
    check_declared(str(attachment.get("contentType") or ""), data)
    try:
        return file_in(data)
    except Refused as refused:
        raise Failure(refused.code, refused.text) from None


def check_declared(content_type: str, data: bytes) -> None:
    """Raise `Failure` when what is said to be a PDF, an image or a text is none; other types say nothing."""
    declared = _family(content_type.partition(";")[0].strip().lower())
    if not declared:
        return
    try:
        found = _family(media_type(data))
    except Refused as refused:
        if refused.code != "not-supported":  # whoever reads it says better what is wrong
            return
        found = ""
    if declared != found:
        text = f"The attachment is said to be {declared} and is not. Correct its contentType, or send the right file."
        raise Failure("business-rule", text)


def _family(kind: str) -> str:
    if kind == PDF:
        return "a PDF"
    if kind in RASTER or kind.startswith("image/"):
        return "an image"
    return "a text" if kind.startswith("text/") or kind.endswith(("/rtf", "xml")) else ""


def _decoded(data: str, max_bytes: int) -> bytes:
    if len(data) > max_bytes * 4 // 3 + 4:
        raise Failure(
            "too-long", f"The attachment is over {max_bytes / 1e6:g} MB. Send it in parts or at less resolution."
        )
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise Failure(
            "structure", "Attachment.data is not base64. Encode the file as base64 and send it again."
        ) from None


def _fetch(url: str, base_url: str | None, fetch: Fetch) -> bytes:
    found = binary_id(url, base_url)
    if found is None:
        raise Failure(
            "not-supported",
            "Attachment.url points outside this server, and nothing is fetched from elsewhere. "
            "Send the file as Attachment.data, or create a Binary here and refer to it as Binary/[id].",
        )
    data = fetch(found)
    if data is None:
        raise Failure(
            "not-found", "Attachment.url names a Binary that does not exist here. Create it, then retry the Task."
        )
    return data
