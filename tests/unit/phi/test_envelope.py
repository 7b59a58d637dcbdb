"""Sealed bytes and wrapped keys: what opens, and what does not."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from server.phi.envelope import OVERHEAD, Broken, is_sealed, new_key, number_of, place, seal, unseal, unwrap, wrap

KEY = AESGCM(bytes(range(32)))
HERE = place("one", "Patient", "p", 1, "body")


@given(st.binary(max_size=2000), st.integers(0, 2**63 - 1))
def test_what_is_sealed_opens_where_it_belongs(data: bytes, number: int) -> None:
    """A sealed value opens for its place, names its key and is longer by a constant."""
    sealed = seal(KEY, number, HERE, data)
    assert unseal(KEY, HERE, sealed) == data
    assert number_of(sealed) == number
    assert len(sealed) == len(data) + OVERHEAD
    assert is_sealed(sealed)


@pytest.mark.check("OPS-17")
@given(st.binary(min_size=1, max_size=60), st.data())
def test_ops_17_any_changed_bit_is_noticed(data: bytes, choose: st.DataObject) -> None:
    """OPS-17: no bit of a sealed value can be changed unnoticed, its head and nonce neither."""
    sealed = bytearray(seal(KEY, 7, HERE, data))
    sealed[choose.draw(st.integers(0, len(sealed) - 1))] ^= 1 << choose.draw(st.integers(0, 7))
    with pytest.raises(Broken):
        unseal(KEY, HERE, bytes(sealed))


@pytest.mark.check("OPS-19")
@pytest.mark.parametrize(
    "other",
    [
        place("two", "Patient", "p", 1, "body"),
        place("one", "Person", "p", 1, "body"),
        place("one", "Patient", "q", 1, "body"),
        place("one", "Patient", "p", 2, "body"),
        place("one", "Patient", "p", 1, "result"),
        place("one", "Patient", "p1", "body"),
    ],
)
def test_ops_19_another_place_does_not_open(other: bytes) -> None:
    """OPS-19: tenant, type, id, version and field are bound to what is sealed."""
    with pytest.raises(Broken):
        unseal(KEY, other, seal(KEY, 7, HERE, b"x"))


def test_two_seals_differ() -> None:
    """The same value is never sealed to the same bytes."""
    assert seal(KEY, 7, HERE, b"x") != seal(KEY, 7, HERE, b"x")


def test_a_wrapped_key_is_bound_to_its_owner() -> None:
    """A data key opens with its version, number and owner only."""
    kek, key = new_key(), new_key()
    wrapped = wrap(kek, 1, 5, "Patient/a", key)
    assert unwrap(kek, 1, 5, "Patient/a", wrapped) == key
    for version, number, owner in ((2, 5, "Patient/a"), (1, 6, "Patient/a"), (1, 5, "Patient/b")):
        with pytest.raises(Broken):
            unwrap(kek, version, number, owner, wrapped)
    with pytest.raises(Broken):
        unwrap(new_key(), 1, 5, "Patient/a", wrapped)
