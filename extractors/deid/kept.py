"""What was replaced in a resource, kept under a seal by whoever may undo it, and the way back.

https://www.ecfr.gov/current/title-45/section-164.514#p-164.514(c)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from extractors.deid.back import restored
from extractors.deid.surrogates import Map, Seen, normal

DEEPEST = 60


class Kept(msgspec.Struct, frozen=True):
    """By the new id of each patient ("" for nobody's): whole values, and the pairs of its texts."""

    values: dict[str, dict[str, str]]
    pairs: dict[str, list[Seen]]

    def sealed(self, seal: Callable[[bytes], bytes]) -> bytes:
        """All of it encrypted by `seal`."""
        return seal(msgspec.msgpack.encode(self))

    @classmethod
    def opened(cls, sealed: bytes, open_: Callable[[bytes], bytes]) -> Kept:
        """What `sealed` gave; whatever `open_` raises."""
        return msgspec.msgpack.decode(open_(sealed), type=cls)

    def text(self, text: str, patient: str | None = None) -> str:
        """A text in which stand-ins are the originals again; of all patients where none is named."""
        return restored(text, self._map(patient))[0]

    def resource(self, resource: Mapping[str, Any], patient: str = "") -> dict[str, Any]:
        """The resource with the originals; what was left out, cut or replaced alike for two stays as it is."""
        return {key: self._value(value, self._patient(resource) or patient, 0) for key, value in resource.items()}

    def _value(self, value: Any, patient: str, depth: int) -> Any:
        if depth > DEEPEST:
            return value
        if isinstance(value, list):
            return [self._value(item, patient, depth + 1) for item in value]
        if isinstance(value, dict):
            about = self._patient(value) or patient
            told = str(value.get("contentType", "")).startswith("text/")
            return {
                key: self._data(item, about) if told and key == "data" else self._value(item, about, depth + 1)
                for key, item in value.items()
            }
        if not isinstance(value, str):
            return value
        whole = self._whole(value, patient)
        return self.text(value, patient) if whole is None else whole

    def _whole(self, value: str, patient: str) -> str | None:
        """The original of a whole value."""
        found = (self.values.get(name, {}).get(value) for name in (patient, ""))
        return next((original for original in found if original is not None), None)

    def _data(self, data: Any, patient: str) -> Any:
        """An attachment with text in base64: the very one, or the changed one in clear."""
        if not isinstance(data, str):
            return data
        if (whole := self._whole(data, patient)) is not None:
            return whole
        try:
            text = base64.b64decode(data, validate=True).decode()
        except (binascii.Error, ValueError):
            return data
        return base64.b64encode(self.text(text, patient).encode()).decode()

    def _patient(self, resource: Mapping[str, Any]) -> str | None:
        """The new id of the patient whom a resource is or refers to."""
        if resource.get("resourceType") == "Patient" and resource.get("id") in self.pairs:
            return str(resource["id"])
        for value in resource.values():
            reference = value.get("reference") if isinstance(value, dict) else None
            if isinstance(reference, str) and (name := reference.removeprefix("Patient/")) in self.pairs:
                return name
        return None

    def _map(self, patient: str | None) -> Map:
        chosen = [self.pairs.get(name, []) for name in (patient, "")] if patient is not None else self.pairs.values()
        return Map("", 0, {normal(pair.surrogate): pair for pairs in chosen for pair in pairs})
