"""Media types by their grammar (https://www.rfc-editor.org/info/rfc6838, section 4.2)."""

from __future__ import annotations

import re
from functools import lru_cache

MAX_LENGTH = 500
SHORT = frozenset(("xml", "json", "ttl", "html", "none"))
"""Names of formats that FHIR's own resources and examples use in the place of a media type."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_VALUE = r"[A-Za-z0-9!#$&'*+.^_`|~:/?@,()<>\[\]-]+"
_TYPE = re.compile(rf"{_NAME}/{_NAME}(?: *;(?: *[A-Za-z0-9!#$&'*+.^_`|~-]+=(?:{_VALUE}|\"(?:[^\"\\]|\\.)*\"))?)*")


@lru_cache(maxsize=2048)
def is_media_type(code: str) -> bool:
    """Whether a code is `type/subtype`, with or without parameters, or one of FHIR's short names."""
    return code in SHORT or (len(code) <= MAX_LENGTH and code.isascii() and _TYPE.fullmatch(code) is not None)
