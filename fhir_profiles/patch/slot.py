"""A property of an object together with its `_` sibling (https://hl7.org/fhir/R4/json.html#primitive)."""

from __future__ import annotations

from typing import Any

_NOTHING: Any = None


class Slot:
    """One property; of a list both sides stay in step, with null where one has nothing."""

    def __init__(self, owner: dict[str, Any], key: str) -> None:
        self._owner = owner
        self._key = key

    @property
    def size(self) -> int:
        """How many items the list has."""
        return max(len(self._side(self._key)), len(self._side(f"_{self._key}")))

    def put(self, index: int | None, value: Any, shadow: Any) -> None:
        """Set the property, or with an index insert into the list."""
        if index is None:
            self._set(self._key, value)
            self._set(f"_{self._key}", shadow)
            return
        rows = self._rows()
        rows.insert(index, (value, shadow))
        self._write(rows)

    def set(self, index: int, value: Any, shadow: Any) -> None:
        """Another item at the index."""
        rows = self._rows()
        rows[index] = (value, shadow)
        self._write(rows)

    def cut(self, index: int | None) -> None:
        """Remove the property, or one item of the list; a list without items goes too."""
        if index is None:
            self.put(None, _NOTHING, _NOTHING)
            return
        rows = self._rows()
        del rows[index]
        self._write(rows)

    def move(self, source: int, destination: int) -> None:
        """Take the item at one index and put it at another."""
        rows = self._rows()
        rows.insert(destination, rows.pop(source))
        self._write(rows)

    def _side(self, key: str) -> list[Any]:
        value = self._owner.get(key)
        return value if type(value) is list else []

    def _rows(self) -> list[tuple[Any, Any]]:
        values, shadows = self._side(self._key), self._side(f"_{self._key}")
        at = range(self.size)
        return [(values[i] if i < len(values) else None, shadows[i] if i < len(shadows) else None) for i in at]

    def _write(self, rows: list[tuple[Any, Any]]) -> None:
        for key, side in ((self._key, [v for v, _ in rows]), (f"_{self._key}", [s for _, s in rows])):
            self._set(key, side if any(item is not None for item in side) else None)

    def _set(self, key: str, value: Any) -> None:
        if value is None:
            self._owner.pop(key, None)
        else:
            self._owner[key] = value
