"""Ids and keys of the store."""

from __future__ import annotations

import re
import uuid

from server.store.keys import INDEXED_LENGTH, RowIds, indexed, new_id, param_key, patient_key, system_key


def test_row_ids_rise_and_differ() -> None:
    """Many row ids in one millisecond still rise, and fit 63 bits."""
    ids = RowIds()
    made = [ids.next() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert made[-1] < 2**63


def test_new_ids_are_uuids_in_order_of_time() -> None:
    """A logical id is a version 7 UUID that FHIR accepts."""
    made = [new_id() for _ in range(100)]
    assert {uuid.UUID(one).version for one in made} == {7}
    assert all(re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", one) for one in made)
    assert [one[:11] for one in made] == sorted(one[:11] for one in made)


def test_keys_fit_their_columns() -> None:
    """Parameter keys are positive 31-bit integers, others 63 bits; no system is 0."""
    assert 0 < param_key("Observation", "code") < 2**31
    assert 0 < patient_key("p1") < 2**63
    assert (system_key(""), system_key("urn:x") > 0) == (0, True)


def test_long_values_are_cut_but_stay_different() -> None:
    """Values that differ after the cut differ in the index too."""
    one, other = "x" * INDEXED_LENGTH + "a", "x" * INDEXED_LENGTH + "b"
    assert indexed("short") == "short"
    assert indexed(one) != indexed(other)
    assert indexed(one)[:INDEXED_LENGTH] == one[:INDEXED_LENGTH]
